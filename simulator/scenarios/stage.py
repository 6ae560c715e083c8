"""Where scenarios are played: one server at one address, and behind it a new simulator for each scenario.

A handler is told a base URL once, when it is started. So the address stays, and what answers there changes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from simulator.app import SimulatorApp, build_app, build_simulator, spared
from simulator.errors import SimulatorError, UsageError
from simulator.runtime.runner import Runner
from simulator.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

EMPTY: Final = json.dumps({"detail": "no scenario is being played now: this request came too late"}).encode()


class Stage:
    """An ASGI application that serves whatever simulator is on it."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None  # the server's, once it runs
        self._app: SimulatorApp | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            return
        elif self._app is not None:
            await self._app(scope, receive, send)
        else:
            kind = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(EMPTY))]
            await send({"type": "http.response.start", "status": 503, "headers": kind})
            await send({"type": "http.response.body", "body": EMPTY})

    async def _live(self, receive: Receive, send: Send) -> None:
        self.loop = asyncio.get_running_loop()
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.clear()
        await send({"type": "lifespan.shutdown.complete"})

    @property
    def app(self) -> SimulatorApp:
        """What is on the stage. Raises UsageError when nothing is."""
        if self._app is None:
            raise UsageError("there is no simulator on the stage: put_on() one first")
        return self._app

    def begin_shutdown(self) -> None:
        """The server stops: answer long polls now."""
        if self._app is not None:
            self._app.begin_shutdown()

    def put_on(self, settings: Settings) -> Customer:
        """Put a new simulator on the stage; returns its customer. Call it on the server's loop."""
        self._app = build_app(build_simulator(settings))
        runner = self._app.simulator.runner_for(settings.api_keys[0])
        assert runner is not None
        return Customer(self._app, runner, settings.api_keys[0])

    async def clear(self) -> None:
        """Take the simulator off the stage, and let it finish what it is doing."""
        app, self._app = self._app, None
        if app is not None:
            for runner in app.simulator.runners():
                runner.hang_up_all()
            await app.simulator.stop()


class Refused(SimulatorError):
    """The simulator refused a request that a scenario asked for."""


class Customer:
    """Whoever uses the simulator's API in this process: same operations, no socket in between."""

    def __init__(self, app: SimulatorApp, runner: Runner, api_key: str) -> None:
        self.runner = runner
        self._app = app
        self._key = api_key
        self._asked: set[int] = set()

    def is_own(self, seq: int) -> bool:
        """Whether the journal's entry with this number is a request that we made ourselves."""
        return seq in self._asked

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request and return the JSON of its answer. Raises Refused with what a refusal says."""
        raw = b"" if body is None else json.dumps(body).encode()
        status, pieces, given = 0, [], False

        async def receive() -> Message:
            nonlocal given
            if given:
                await asyncio.Event().wait()  # we never leave before the answer
            given = True
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if path.startswith("/v1/"):  # its entry is written just before the answer leaves
                    self._asked.add(self.runner.world.journal.last_seq)
            else:
                pieces.append(message.get("body", b""))

        headers = [(b"authorization", f"Bearer {self._key}".encode()), (b"content-length", b"%d" % len(raw))]
        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
        await self._app(spared({**scope, "scheme": "http", "headers": headers}), receive, send)
        answer = json.loads(b"".join(pieces) or b"null")
        if status >= 400:
            raise Refused(f"{method} {path} answered {status}: {_reason(answer)}")
        return answer


def _reason(answer: Any) -> str:
    """What an error answer says, whichever of the two documented forms it has."""
    detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in detail)
    return str(detail)
