"""One request to an ASGI application by hand, for clients that leave, stall, or read piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

from simulator.settings import DEFAULT_API_KEY

Message = MutableMapping[str, Any]


class Request:
    """A request under way. `leave` breaks the connection off; `room` says whether the client reads."""

    def __init__(self, app: Any, method: str, path: str, query: str = "", body: bytes = b"") -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.room = asyncio.Event()
        self.room.set()
        self._arrived = asyncio.Event()
        self._left = asyncio.Event()
        self._asked = False
        self._body = body
        headers = [
            (b"host", b"127.0.0.1:8787"),
            (b"authorization", f"Bearer {DEFAULT_API_KEY}".encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": headers,
            "query_string": query.encode(), "scheme": "http",
        }  # fmt: skip
        self.done = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.room.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.pieces.append(message["body"])
        self._arrived.set()

    async def arrived(self, count: int) -> list[bytes]:
        """Wait for `count` pieces of the body."""
        async with asyncio.timeout(10):
            while len(self.pieces) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.pieces

    async def leave(self) -> None:
        """Go away, and wait until the application has noticed."""
        self._left.set()
        async with asyncio.timeout(10):
            await self.done


async def until(reached: Callable[[], bool]) -> None:
    """Let everything that can go on do so, until `reached()`."""
    for _ in range(1000):
        if reached():
            return
        await asyncio.sleep(0)
    raise AssertionError("the loop has turned a thousand times, and it has not happened")
