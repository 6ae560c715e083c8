"""Requests to an application in this process, on this event loop, without a socket: a piece is here when it is sent.

What the application sees, and what its mistakes lead to, is what uvicorn would make of them: the scope that it gets,
500 when it fails before it has answered, a connection that breaks when it fails later, `http.disconnect` when nobody
listens any more. It is never cancelled for that; it may finish what it does.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias
from urllib.parse import unquote

from simulator.runtime.lifespan import Lifespan, Message
from simulator.runtime.virtual import virtual_loop

if TYPE_CHECKING:
    from yarl import URL

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Pieces = Callable[[bytes], AsyncIterator[bytes]]  # a body in the pieces that it is sent in
Mounted: TypeAlias = "AppTransport | URL"  # an application in this process, or where else it is served

HIGH_WATER: Final = 65_536  # bytes that nobody has read yet, until an application has to wait, as under uvicorn
OURS: Final = ("127.0.0.1", 80)
CLIENT: Final = ("127.0.0.1", 49_152)  # a fixed one, so that runs repeat
FAILED: Final = b"Internal Server Error"
NO_ANSWER: Final = "connection closed before an answer"
BROKEN_OFF: Final = "connection broke in the middle of the answer"
NO_BODY: Final = (204, 304)
BAD_NAME: Final = re.compile(rb'[\x00-\x1f\x7f()<>@,;:\[\]={} \t\\"]')
BAD_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# Whether the running code is an application's under test, or was started by it.
handling: ContextVar[bool] = ContextVar("handling", default=False)
_log = logging.getLogger("simulator.handler")


class Content(Protocol):
    """The body of an answer, as it comes."""

    async def readany(self) -> bytes:
        """Whatever has come, at least a byte; nothing at the end. Raises OSError when it broke off."""

    async def read(self, n: int = -1) -> bytes:
        """At most `n` bytes of it."""

    def at_eof(self) -> bool:
        """Whether all of it has been read."""


class Answer(Protocol):
    """An answer whose head is here. Either `close` or `release` ends it."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, whatever its case."""

    @property
    def content(self) -> Content:
        """The body."""

    def close(self) -> None:
        """Listen no longer."""

    def release(self) -> object:
        """Nothing is left to be read."""


class AppAnswer:
    """The answer of an application in this process."""

    def __init__(self, exchange: _Exchange, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.content = exchange.body
        self._exchange = exchange

    def close(self) -> None:
        """See `Answer`."""
        self._exchange.disconnect()

    def release(self) -> None:
        """See `Answer`."""
        if not self._exchange.body.ended:
            self._exchange.disconnect()


class _Body:
    """Bytes on their way from the application to us."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._size = 0
        self.ended = False
        self._broken = False

    def feed(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            self._news.set()
            if self._size > HIGH_WATER:
                self._room.clear()

    def end(self, *, broken: bool = False) -> None:
        if not self.ended:
            self.ended, self._broken = True, broken
            self._news.set()

    def drop(self) -> None:
        """Nobody reads any more."""
        self._room.set()

    async def room(self) -> None:
        await self._room.wait()

    def at_eof(self) -> bool:
        return self.ended and not self._broken and not self._pieces

    async def readany(self) -> bytes:
        return await self.read()

    async def read(self, n: int = -1) -> bytes:
        while not self._pieces and not self.ended:
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._pieces)
        self._pieces.clear()
        if 0 <= n < len(data):
            data, rest = data[:n], data[n:]
            self._pieces.append(rest)
        self._size -= len(data)
        if self._size <= HIGH_WATER:
            self._room.set()
        if not data and self._broken:
            raise ConnectionError(BROKEN_OFF)
        return data


class _Exchange:
    """One request and its answer, by the rules that uvicorn keeps."""

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.body = _Body()
        self.answered: asyncio.Future[AppAnswer] = asyncio.get_running_loop().create_future()
        self._scope = scope
        self._request: deque[Message] = deque()  # what the application has not received of it
        self._stirred = asyncio.Event()  # there may be something to receive
        self.gone = False
        self._started = False
        self._complete = False
        self._left: int | None = None  # bytes that Content-Length promises still

    async def run(self, app: Application) -> None:
        try:
            result: object = await app(self._scope, self.receive, self.send)  # type: ignore[func-returns-value]
        except BaseException as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                self._close()
                raise
            _log.exception("Exception in ASGI application")
            await self._failed()
        else:
            if result is not None:
                _log.error("ASGI callable should return None, but returned '%s'.", result)
                self._close()
            elif not self._started and not self.gone:
                _log.error("ASGI callable returned without starting response.")
                await self._failed()
            elif not self._complete and not self.gone:
                _log.error("ASGI callable returned without completing response.")
                self._close()

    async def _failed(self) -> None:
        if self._started:
            self._close()
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(FAILED))]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": FAILED})

    def _close(self) -> None:
        """The application's end hangs up."""
        if not self.answered.done():
            self.answered.set_exception(ConnectionError(NO_ANSWER))
            self.answered.exception()  # known, even if nobody asks any more
        self.body.end(broken=True)
        self.disconnect()

    def disconnect(self) -> None:
        """One end hangs up; the application may hear of it, and goes on as it likes."""
        if not self._complete:
            self.gone = True
        self._stirred.set()
        self.body.drop()

    def feed(self, piece: bytes, *, more: bool) -> None:
        """A piece of the request's body has come."""
        self._request.append({"type": "http.request", "body": piece, "more_body": more})
        self._stirred.set()

    async def write(self, pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            self.feed(piece, more=True)
        self.feed(b"", more=False)

    async def receive(self) -> Message:
        while not (self.gone or self._complete):
            if self._request:
                return self._request.popleft()
            self._stirred.clear()
            await self._stirred.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.body.room()
        kind = message["type"]
        if self.answered.cancelled():  # whoever asked has given up a moment ago, and is about to hang up
            self.disconnect()
        if self.gone:
            return
        if not self._started:
            if kind != "http.response.start":
                raise RuntimeError(f"Expected ASGI message 'http.response.start', but got '{kind}'.")
            self._start(message)
        elif not self._complete:
            if kind != "http.response.body":
                raise RuntimeError(f"Expected ASGI message 'http.response.body', but got '{kind}'.")
            self._continue(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' sent, after response already completed.")

    def _start(self, message: Message) -> None:
        from multidict import CIMultiDict

        self._started = True
        status, headers = int(message["status"]), CIMultiDict[str]()
        if not 100 <= status <= 599:
            raise KeyError(status)
        chunked: bool | None = None
        for name, value in message.get("headers", []):
            if BAD_NAME.search(name):
                raise RuntimeError("Invalid HTTP header name.")
            if BAD_VALUE.search(value):
                raise RuntimeError("Invalid HTTP header value.")
            if name.lower() == b"content-length" and chunked is None:
                chunked, self._left = False, int(value.decode())
            elif name.lower() == b"transfer-encoding" and value.lower() == b"chunked":
                chunked, self._left = True, None
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        if self._bodiless(status):
            if chunked is None:
                self._left = 0
            self.body.end()
        elif self._left == 0:
            self.body.end()
        self.answered.set_result(AppAnswer(self, status, headers))

    def _bodiless(self, status: int) -> bool:
        return self._scope["method"] == "HEAD" or status in NO_BODY

    def _continue(self, piece: bytes, *, more: bool) -> None:
        if self._scope["method"] == "HEAD":
            self._left = None
        elif self._left is not None:
            if len(piece) > self._left:
                raise RuntimeError("Response content longer than Content-Length")
            self._left -= len(piece)
            self.body.feed(piece)
            if self._left == 0:
                self.body.end()
        else:
            self.body.feed(piece)
        if more:
            return
        if self._left:
            raise RuntimeError("Response content shorter than Content-Length")
        self._complete = True
        self._stirred.set()
        self.body.end()


class AppTransport:
    """An ASGI application, mounted: its life cycle and its requests."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._state: dict[str, Any] = {}
        self._context: Context = copy_context()
        self._context.run(handling.set, True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lifespan = Lifespan(app, self._state)

    @property
    def at_work(self) -> bool:
        """Whether the application is still doing something for a request, answered or not."""
        return bool(self._tasks)

    async def start(self) -> None:
        """Let the application start up. Raises UsageError when it says that it cannot."""
        await self._lifespan.start(self._context.copy())

    async def stop(self) -> None:
        """Cancel what it still does for requests, then let it shut down."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lifespan.stop()

    async def open(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, pieces: Pieces | None = None
    ) -> AppAnswer:
        """Send a request; the answer is here when its head is. Raises ConnectionError when there is none.

        With `pieces` its body is sent in those, each when it comes; the application may answer before the last.
        """
        exchange = self._begin(method, url, headers, body)
        writing: asyncio.Task[None] | None = None
        if pieces is None:
            exchange.feed(body, more=False)
        else:
            writing = self._keep(asyncio.get_running_loop().create_task(exchange.write(pieces(body))))
        try:
            return await exchange.answered
        except asyncio.CancelledError:
            exchange.disconnect()
            raise
        finally:
            if writing is not None and exchange.gone:
                writing.cancel()

    async def break_off(self, method: str, url: URL, headers: Mapping[str, str], body: bytes) -> None:
        """Send half of a request, then hang up. There is never an answer."""
        exchange = self._begin(method, url, headers, body)
        exchange.feed(body[: len(body) // 2], more=True)
        loop = virtual_loop()
        if loop is None:
            exchange.disconnect()
        else:
            loop.when_over(exchange.disconnect)  # the application takes in what there is

    def _begin(self, method: str, url: URL, headers: Mapping[str, str], body: bytes) -> _Exchange:
        exchange = _Exchange(self._scope(method, url, headers, body))
        self._keep(asyncio.get_running_loop().create_task(exchange.run(self._app), context=self._context.copy()))
        return exchange

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _scope(self, method: str, url: URL, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        names = {name.lower() for name in headers}
        said = {"Host": authority_of(url), **headers}
        if "accept" not in names:
            said["Accept"] = "*/*"
        if "accept-encoding" not in names:
            said["Accept-Encoding"] = "identity"
        if body or method not in ("GET", "HEAD"):
            said["Content-Length"] = str(len(body))
        raw_path = url.raw_path.encode("ascii")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": OURS,
            "client": CLIENT,
            "scheme": "http",
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in said.items()],
            "state": self._state.copy(),
            "method": method,
            "path": unquote(url.raw_path),
            "raw_path": raw_path,
            "query_string": url.raw_query_string.encode("ascii"),
        }


def authority_of(url: URL) -> str:
    """The host of a URL, with its port when that is not the usual one: what an application is mounted under."""
    host = url.raw_host or ""
    return host if url.is_default_port() else f"{host}:{url.port}"
