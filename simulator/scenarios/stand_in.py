"""An address that stands in for a handler: it answers every request with one status, never answers, or refuses."""

from __future__ import annotations

import asyncio
import re
import socket
from types import TracebackType
from typing import Final, Self

REFUSES: Final = "refused"
HANGS: Final = "timeout"

_LENGTH: Final = re.compile(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)


class StandIn:
    """A context manager on the running loop. `does` is a status, `HANGS` or `REFUSES`; `url` is where it is."""

    def __init__(self, does: int | str) -> None:
        self._does = does
        # Bound and kept, also where nobody listens: another program could be given the port.
        self._socket = socket.create_server(("127.0.0.1", 0)) if does != REFUSES else socket.socket()
        if does == REFUSES:
            self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/webhook"
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._over = False

    async def __aenter__(self) -> Self:
        if self._does != REFUSES:
            self._server = await asyncio.start_server(self._accept, sock=self._socket)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.hang_up()
        if self._server is not None:
            self._server.close()
        self._socket.close()

    async def hang_up(self) -> None:
        """Break off every connection, and those to come: a server that is closed forgets one that is being made."""
        self._over = True
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other end went away, or we are closed: there is nobody left to serve
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self._over:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            if self._does == HANGS:
                await reader.read()  # returns when the other end gives up
                return
            writer.write(b"HTTP/1.1 %d Stand-In\r\nContent-Length: 0\r\n\r\n" % int(self._does))
            await writer.drain()
