"""JSON requests to a simulator from a thread that may block: straight to its event loop, or over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextvars import Context
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from simulator.errors import Refused, StuckHandler, UsageError

__tracebackhide__ = True  # a failed test should be shown at its own line

# Real seconds until a request is given up. Longer than the longest webhook timeout, so that a handler which never
# answers on a real socket is the simulated platform's business, not ours.
PATIENCE: Final = 150.0

T = TypeVar("T")
Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


def on_loop(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> Future[T]:
    """Do something on the event loop of another thread.

    It begins with no context variables: those of whoever asks would say, for one, that this is trio's loop.
    """
    return Context().run(asyncio.run_coroutine_threadsafe, work, loop)


class Straight:
    """Asks an ASGI application on the event loop that it lives on: no socket, a tenth of the time."""

    def __init__(self, app: Application, loop: asyncio.AbstractEventLoop, base_url: str, api_key: str) -> None:
        self._app = app
        self._loop = loop
        host = urlsplit(base_url).netloc.encode()
        self._headers = [(b"host", host), (b"authorization", f"Bearer {api_key}".encode())]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask, and block until the answer is here. Raises Refused, or StuckHandler when there is none in time."""
        asked = on_loop(self._exchange(method, path, body), self._loop)
        try:
            status, raw = asked.result(PATIENCE)
        except TookTooLong:
            asked.cancel()
            raise StuckHandler(f"{method} {path}: no answer within {PATIENCE:g} real seconds") from None
        return _read(method, path, status, raw)

    async def _exchange(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": route,
            "raw_path": quote(route, safe="/%:+@").encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": self._headers,
            "client": None,
            "server": None,
            "simulator.spared": True,  # a fault is for the application under test, not for what prepares the stage
        }
        requests = [{"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}]
        status, parts = 0, []

        async def receive() -> Message:
            if requests:
                return requests.pop()
            await asyncio.get_running_loop().create_future()  # whoever asks stays until there is an answer
            raise AssertionError("a future that nobody completes was completed")

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, b"".join(parts)


class OverHttp:
    """Asks a simulator that runs anywhere."""

    def __init__(self, base_url: str, api_key: str) -> None:
        import httpx  # a tenth of a second that a world in this process does without

        self._broken = (httpx.HTTPError, httpx.InvalidURL)
        self._late = httpx.ReadTimeout
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(10, read=PATIENCE),
            trust_env=False,  # proxies of the environment are for the internet
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask as `Straight` does. Raises UsageError when nobody is there."""
        try:
            answer = self._http.request(method, path, json=body)
        except self._late:
            raise StuckHandler(f"{method} {path}: no answer within {PATIENCE:g} real seconds") from None
        except self._broken as error:
            raise UsageError(f"no simulator answers at {self._http.base_url} ({error}): is it running?") from error
        return _read(method, path, answer.status_code, answer.content)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _read(method: str, path: str, status: int, raw: bytes) -> Any:
    """The answer's JSON, or its text where it is none."""
    body: Any = raw.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        body = json.loads(raw) if raw else None
    if status >= HTTPStatus.BAD_REQUEST:
        raise Refused(method, path, status, body)
    return body
