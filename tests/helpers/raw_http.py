"""Requests as bytes on a socket, as no well-behaved client would send them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 20.0  # real seconds until a server that neither answers nor closes fails the test


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 when the server closed without a word."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def detail(self) -> Any:
        return json.loads(self.body)["detail"]


class Wire:
    """One connection to the server at `url`."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.host = address.netloc
        self.sock = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has stopped reading is no failure of ours."""
        with suppress(ConnectionError):
            self.sock.sendall(data)

    def flood(self, first: bytes, piece: bytes, most: int) -> Answer:
        """Send `first`, then `piece` again and again until the server answers or `most` bytes are gone."""
        self.send(first)
        sent = 0
        while sent < most and not self.readable():
            self.send(piece)
            sent += len(piece)
        return self.answer()

    def readable(self) -> bool:
        """Whether an answer, or the end, is here."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        finally:
            self.sock.settimeout(PATIENCE)
        return True

    def answer(self) -> Answer:
        """Read one answer, by its length, or all until the end where it has none."""
        data = self._until(lambda seen: b"\r\n\r\n" in seen)
        head, _, body = data.partition(b"\r\n\r\n")
        if not head:
            return Answer(0, {}, b"")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        wanted = int(headers.get("content-length", 1 << 40))
        body += self._until(lambda seen: len(body) + len(seen) >= wanted)
        return Answer(int(line.split()[1]), headers, body)

    def _until(self, enough: Any) -> bytes:
        seen = b""
        with suppress(ConnectionError):
            while not enough(seen) and (piece := self.sock.recv(65_536)):
                seen += piece
        return seen


def request(
    url: str,
    line: str = "GET /_sim/health HTTP/1.1",
    headers: Iterable[str] | None = None,
    body: bytes = b"",
    *,
    key: str | None = None,
) -> Answer:
    """One request as it is written; without `headers`, the right `Host`. With a `key`, that and the body's length."""
    with Wire(url) as wire:
        given = [f"Host: {wire.host}"] if headers is None else list(headers)
        if key is not None:
            given += [f"Authorization: Bearer {key}", f"Content-Length: {len(body)}"]
        wire.send("\r\n".join([line, *given, "Connection: close", "", ""]).encode("latin-1") + body)
        return wire.answer()
