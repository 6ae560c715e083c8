"""A webhook endpoint in a thread of its own, for tests that block while the simulator delivers (the sync SDK does).

`receiver.py` is the one for async tests, and the one that can misbehave.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Received:
    """One request, as it came off the wire; header names are lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return self.headers["x-webhook-event"]


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"


def say(text: str, **fields: Any) -> Reply:
    """The reply of a voice handler that says `text`."""
    return Reply(json.dumps({"text": text, **fields}).encode())


class Receiver:
    """A context manager; `url` is where to send webhooks, `received` what came so far, in order of arrival."""

    def __init__(self, reply: Callable[[Received], Reply] = lambda _: Reply()) -> None:
        self.received: list[Received] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.received, reply))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = self.url_of("/webhook")

    def url_of(self, path: str) -> str:
        """Another address of the same receiver."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def of(self, event: str) -> list[Received]:
        """What came for one event type."""
        return [r for r in self.received if r.event == event]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(received: list[Received], reply: Callable[[Received], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            received.append(request)
            answer = reply(request)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own word
            """Say nothing: a test reads `received`."""

    return Handler
