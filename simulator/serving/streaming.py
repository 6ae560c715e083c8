"""An answer that goes on for as long as there is something to tell: server-sent events.

The usual package for this puts its own hook into every uvicorn server of the process and polls a process-wide flag
twice a second. A simulator runs inside other people's test processes, several at a time, and ends its streams itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from simulator.serving.dispatch import Receive, Scope, Send, disconnected

HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies would otherwise collect events before they pass them on
)


class EventStream:
    """Sends every piece as it comes, and stops the moment the client has left.

    The next piece is asked for when the client's connection has room for it, so nothing piles up here.
    """

    status_code = 200

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the whole stream."""
        writing = asyncio.ensure_future(self._write(send))
        leaving = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writing, leaving):
                task.cancel()
            await asyncio.wait((writing, leaving))
            await self._pieces.aclose()
        if not writing.cancelled():
            writing.result()

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": HEADERS})
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
