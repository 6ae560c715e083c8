"""The one real server of a session of tests: takes each request to the account whose key it carries.

Accounts that live in process have event loops of their own, in other threads. A request and its answer cross over piece
by piece in both directions, so that streams stream and a client that leaves is noticed. Everything else is the
business of `lobby`, an application on the server's own loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, Protocol

from simulator.errors import ApiError, Unauthorized, Unavailable
from simulator.serving.breaking import sever
from simulator.serving.dispatch import Receive, Reply, Scope, Send
from simulator.serving.errors import render
from simulator.serving.gate import bearer
from simulator.testing.threads import Threads

Message = MutableMapping[str, Any]

TAKE_UP: Final = 5.0  # real seconds that a loop may be busy before a request for it is given up
PUBLIC: Final = "/v1/"  # below it, what needs no key belongs to one account all the same: whose call is that recording?
NOT_FOUND: Final = 404

BLOCKED: Final = (
    "the event loop of this account has not taken the request up for {seconds:g} s. Most likely an `async def` handler "
    "that is served in process blocks it, by a synchronous call to this API, which waits for that same loop. Three "
    "ways out: an asynchronous client in the handler, a plain `def` endpoint instead of `async def`, or the handler "
    "on a socket instead of in process"
)
CLOSED: Final = "the account was closed while the request was under way"


class Housed(Protocol):
    """Accounts that live on another loop."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where they live."""

    @property
    def app(self) -> Any:
        """The ASGI application that serves them there."""

    def has(self, api_key: str) -> bool:
        """Whether one of them has the key."""


class Front:
    """An ASGI application in front of all accounts of a session. `url` is where it is served."""

    def __init__(self, lobby: Any, *, take_up: float = TAKE_UP) -> None:
        self.url = ""
        self.threads = Threads()  # on which the accounts' loops run
        self._lobby = lobby
        self._take_up = take_up
        self._housed: list[Housed] = []  # newest first; replaced, never changed: other threads read it

    def add(self, housed: Housed) -> None:
        """Let clients in that have a key of `housed`."""
        self._housed = [housed, *self._housed]

    def remove(self, housed: Housed) -> None:
        """Its keys are unknown from now on."""
        self._housed = [other for other in self._housed if other is not housed]

    def begin_shutdown(self) -> None:
        """The server stops: answer long polls now."""
        self._lobby.begin_shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._lobby(scope, receive, send)
            return
        key, request = _key_of(scope), _Request(scope, receive)
        if key is not None:
            housed = next((housed for housed in self._housed if housed.has(key)), None)
            if housed is not None:
                await self._cross(housed, request, send)
                return
        elif scope["path"].startswith(PUBLIC) and scope["method"] in ("GET", "HEAD"):
            for housed in self._housed:
                if await self._cross(housed, request, send, only_if_found=True):
                    return
        await self._lobby(scope, request.receiver(), send)

    async def _cross(self, housed: Housed, request: _Request, send: Send, *, only_if_found: bool = False) -> bool:
        """Let `housed` answer; says whether it did, for `only_if_found` lets it keep a 404 to itself."""
        await request.begin()
        crossing = _Crossing(housed, request, send, only_if_found=only_if_found)
        try:
            await crossing.run(self._take_up)
        except ApiError as error:
            if not crossing.answered:
                status, _, body = render(error)
                await Reply(status, body)(request.scope, request.receiver(), send)
                crossing.answered = True
        return crossing.answered


class _Request:
    """A request whose beginning is kept, so that several may be asked to answer it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.first: list[Message] = []

    async def begin(self) -> None:
        """Take in its beginning, which is mostly all of it."""
        if not self.first:
            self.first.append(await self.receive())

    def receiver(self) -> Receive:
        """Give the messages of the request, from the first on."""
        waiting = self.first.copy()

        async def receive() -> Message:
            return waiting.pop() if waiting else await self.receive()

        return receive


class _Crossing:
    """One request on its way to another loop, and its answer on the way back."""

    def __init__(self, housed: Housed, request: _Request, send: Send, *, only_if_found: bool) -> None:
        self._housed = housed
        self._scope = request.scope
        self._receive = request.receive
        self._first = request.first.copy()
        self._send = send
        self._only_if_found = only_if_found
        self._here = asyncio.get_running_loop()
        self._taken: asyncio.Future[None] = self._here.create_future()
        self._work: Future[None] = Future()
        self._task: asyncio.Task[None] | None = None
        self._withheld = False
        self.answered = False

    async def run(self, take_up: float) -> None:
        """Have it answered. Raises Unavailable when the other loop does not take it up in time, or ends."""
        try:
            self._housed.loop.call_soon_threadsafe(self._start)
        except RuntimeError:
            raise Unavailable(CLOSED) from None
        await asyncio.wait([self._taken], timeout=take_up)
        if not self._taken.done() and self._work.cancel():
            raise Unavailable(BLOCKED.format(seconds=take_up))
        try:
            await asyncio.wrap_future(self._work)
        except asyncio.CancelledError:
            with suppress(RuntimeError):
                self._housed.loop.call_soon_threadsafe(self._drop)
            raise

    # -- on the other loop -------------------------------------------------------------------------------------

    def _start(self) -> None:
        if not self._work.set_running_or_notify_cancel():
            return
        self._here.call_soon_threadsafe(_resolve, self._taken)
        serving = self._housed.app(self._scope, self._receive_there, self._send_there)
        self._task = self._housed.loop.create_task(serving)
        self._task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._work.set_exception(Unavailable(CLOSED))
        elif (error := task.exception()) is not None:
            self._work.set_exception(error)
        else:
            self._work.set_result(None)

    def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _receive_there(self) -> Any:
        if self._first:
            return self._first.pop()
        return await self._from_here(self._receive)

    async def _send_there(self, message: Any) -> None:
        await self._from_here(self._pass_on, message)

    async def sever(self, *, at_once: bool) -> None:
        """A fault rule breaks the client's connection: see `serving.breaking`."""
        self.answered = True
        await self._from_here(lambda: sever(self._receive, self._send, at_once=at_once))

    async def _from_here(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(*arguments), self._here))

    # -- on our own --------------------------------------------------------------------------------------------

    async def _pass_on(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._withheld = self._only_if_found and message["status"] == NOT_FOUND
            self.answered = not self._withheld
        if not self._withheld:
            await self._send(message)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _key_of(scope: Scope) -> str | None:
    header = dict(scope["headers"]).get(b"authorization")
    with suppress(Unauthorized):
        return bearer(header)
    return None
