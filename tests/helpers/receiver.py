"""A webhook receiver for tests: a real socket on port 0 that records what it gets and replies as told.

It speaks HTTP by hand, so that a test can send any bytes, in any pieces, and break off wherever it likes.

    async with Receiver(answer(503), answer(200)) as receiver:
        ...post to receiver.url...
        await receiver.received(2)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

PATIENCE = 10  # real seconds before a test that would hang fails instead


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came, header case kept. `connection` counts from 1."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Exchange:
    """One request and the means to answer it."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Write a head that announces a chunked body."""
        fields = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked", **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.raw(f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode())

    async def piece(self, data: bytes) -> None:
        """Write one piece of a chunked body."""
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        """Finish a chunked body."""
        await self.raw(b"0\r\n\r\n")

    def close(self) -> None:
        """Close the connection the polite way."""
        self._writer.close()

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def hung_up(self) -> None:
        """Wait until the other end has closed the connection."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while await self._reader.read(65_536):
                    pass


Reply = Callable[[Exchange], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """Answer at once, in one piece."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    data = f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode() + body

    async def reply(exchange: Exchange) -> None:
        await exchange.raw(data)

    return reply


class Receiver:
    """Plays the replies in order; the last one is repeated. Without any: 200 and no body."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = replies or (answer(),)
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def received(self, count: int) -> list[Request]:
        """Wait until `count` requests have come."""
        async with asyncio.timeout(PATIENCE), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def __aenter__(self) -> Receiver:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other end went away, which is its right
        except asyncio.CancelledError:
            pass  # the test is over; asyncio's own callback would report a cancelled handler as an error
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = tuple((line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in head[1:] if line)
            length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
            request = Request(method, path, headers, await reader.readexactly(length), connection)
            reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
            self.requests.append(request)
            async with self._arrived:
                self._arrived.notify_all()
            await reply(Exchange(request, reader, writer))
