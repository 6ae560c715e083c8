"""The start and the end of an ASGI application, as servers ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import Context
from typing import Any

from simulator.errors import UsageError

Message = MutableMapping[str, Any]


class Lifespan:
    """Starts an application up and shuts it down. One that does not know of such things is served all the same."""

    def __init__(self, app: Callable[..., Awaitable[None]], state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._task: asyncio.Task[None] | None = None
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure: str | None = None

    async def start(self, context: Context) -> None:
        """Start up. Raises UsageError when the application says that it cannot."""
        self._task = asyncio.get_running_loop().create_task(self._run(), context=context)
        self._messages.put_nowait({"type": "lifespan.startup"})
        await self._started.wait()
        if self._failure is not None:
            raise UsageError(f"the application did not start: {self._failure or 'it did not say why'}")

    async def stop(self) -> None:
        """Shut down. Raises UsageError when the application says that it cannot."""
        if self._task is None:
            return
        if not self._task.done():
            self._messages.put_nowait({"type": "lifespan.shutdown"})
            await self._stopped.wait()
        self._task.cancel()
        await asyncio.wait([self._task])
        if self._failure is not None:
            raise UsageError(f"the application did not shut down: {self._failure or 'it did not say why'}")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._messages.get, self._send)
        except Exception as error:
            if self._started.is_set() and self._failure is None:
                self._failure = f"{type(error).__name__}: {error}"
        finally:
            self._started.set()
            self._stopped.set()

    async def _send(self, message: Message) -> None:
        phase, _, outcome = message["type"].removeprefix("lifespan.").partition(".")
        if outcome == "failed":
            self._failure = message.get("message", "")
        (self._started if phase == "startup" else self._stopped).set()
