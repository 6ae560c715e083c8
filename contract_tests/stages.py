"""Where a reliability machine plays: a simulator that can be stopped and started again, and its handler.

Time is manual on every stage: a step moves it, or nobody. After each request everything has happened that happens by
itself.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import httpx
from yarl import URL

from contract_tests.reliability import Handler
from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.runtime.runner import Runner
from simulator.runtime.server import ServerThread
from simulator.runtime.transport import AppTransport
from simulator.runtime.virtual import VirtualLoop
from simulator.serving.dispatch import SPARED
from simulator.settings import Settings
from simulator.state.file import StateFile
from simulator.state.keeper import Keeper, Saved, saved_of, saved_text, started

T = TypeVar("T")
DOOR: Final = "sk_sim_door"  # the account that the simulator begins with; it opens the others
PATIENCE: Final = 20.0  # real seconds before something that hangs fails a test
HANDLER: Final = "handler.localhost"


class Stage(Protocol):
    """What a machine needs of a stage."""

    handler: Handler
    base_url: str  # of the handler
    patient: bool  # whether requests may wait for time to pass, and handlers never answer

    def runner(self, key: str) -> Runner:
        """The account at work."""
        ...

    def ask(
        self, key: str, method: str, path: str, body: Any = None, *, spared: bool = True
    ) -> tuple[int, bytes] | None:
        """Ask, and let everything happen that happens by itself; None when the answer has to wait for time to pass.

        A connection that was broken off answers 0. What is `spared` meets no fault.
        """
        ...

    def answered(self) -> list[tuple[str, int]]:
        """The requests whose answer has come since: what was asked, and the status."""
        ...

    def waiting(self) -> list[str]:
        """The requests that have no answer yet."""
        ...

    def restart(self) -> None:
        """Stop the simulator, and start another with what was saved."""
        ...

    def close(self) -> list[str]:
        """End everything; names what was left behind."""
        ...


class Doorway(AppTransport):
    """The handler's host. When the handler is to be down, nobody takes the connection."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        self.handler = handler

    async def open(self, method: str, url: URL, headers: Mapping[str, str], body: bytes, pieces: Any = None) -> Any:
        """Let a request in."""
        if self.handler.mood == "down":
            self.handler.refuse(url.path, headers)
        return await super().open(method, url, headers, body, pieces)


class VirtualStage:
    """Everything on a loop of virtual time in this thread. What a handler sleeps costs nothing."""

    patient = True

    def __init__(self, **more: Any) -> None:
        self.settings = Settings(api_keys=(DOOR,), clock=ClockMode.MANUAL, **more)
        self.loop = VirtualLoop()
        self.handler = Handler()
        self.doorway = Doorway(self.handler)
        self.asking: dict[asyncio.Task[tuple[int, bytes]], str] = {}  # requests that wait for time to pass
        self.base_url = f"http://{HANDLER}"
        self._do(self._start(None))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _start(self, saved: Saved | None) -> None:
        self.simulator = build_simulator(self.settings)
        self.simulator.mounts[HANDLER] = self.doorway
        if saved is not None:
            self.simulator.go_on(saved.next_seed)
            for key, image in saved.accounts.items():
                self.simulator.put(key, started(image, self.settings) if key == DOOR else image)
        self.app = build_app(self.simulator)
        await self.loop.rest()

    def runner(self, key: str) -> Runner:
        """See `Stage`."""
        runner = self.simulator.runner_for(key)
        assert runner is not None
        return runner

    def ask(
        self, key: str, method: str, path: str, body: Any = None, *, spared: bool = True
    ) -> tuple[int, bytes] | None:
        """See `Stage`."""

        async def asking() -> tuple[int, bytes] | None:
            task = self.loop.create_task(self._exchange(key, method, path, body, spared=spared))
            await asyncio.wait([task, self.loop.rest()], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                self.asking[task] = f"{method} {path}"
                return None
            await self.loop.rest()
            return task.result()

        return self._do(asking())

    async def _exchange(self, key: str, method: str, path: str, body: Any, *, spared: bool) -> tuple[int, bytes]:
        route, _, query = path.partition("?")
        headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {key}".encode())]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": route, "raw_path": quote(route, safe="/%:+@").encode(), "query_string": query.encode(),
            "root_path": "", "headers": headers, "client": None, "server": None, **({SPARED: True} if spared else {}),
        }  # fmt: skip
        requests = [{"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}]
        status, parts = 0, []

        async def receive() -> Any:
            return requests.pop() if requests else await self.loop.create_future()

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        try:
            await self.app(scope, receive, send)
        except ConnectionResetError:
            return 0, b"".join(parts)
        return status, b"".join(parts)

    def answered(self) -> list[tuple[str, int]]:
        """See `Stage`."""
        done = [(task, what) for task, what in self.asking.items() if task.done()]
        for task, _ in done:
            del self.asking[task]
        return [(what, task.result()[0]) for task, what in done]

    def waiting(self) -> list[str]:
        """See `Stage`."""
        return list(self.asking.values())

    def restart(self) -> None:
        """See `Stage`. The simulator is killed: what is in flight does not end."""

        async def restarting() -> None:
            accounts = {r.api_key: r.image(records_only=True) for r in self.simulator.accounts()}
            text = saved_text(Saved(accounts, self.simulator.upcoming_seed))
            await self._stop()
            await self._start(saved_of(text.encode(), self.settings))

        self._do(restarting())

    async def _stop(self) -> None:
        self.simulator.begin_shutdown()
        for runner in self.simulator.runners():
            runner.hang_up_all()
        await self.simulator.stop(timedelta())
        for task in self.asking:
            task.cancel()
        await asyncio.gather(*self.asking, return_exceptions=True)
        self.asking.clear()

    def close(self) -> list[str]:
        """See `Stage`."""

        async def ending() -> list[str]:
            await self._stop()
            await self.loop.rest()
            left = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            return [str(task) for task in left]

        try:
            return self._do(ending())
        finally:
            self.loop.close()


class SocketStage:
    """A served simulator that keeps its accounts in a file, and a served handler. Handlers answer at once, or break."""

    patient = False

    def __init__(self, **more: Any) -> None:
        self.settings = Settings(api_keys=(DOOR,), clock=ClockMode.MANUAL, **more)
        self.handler = Handler()
        self._served = ServerThread(self.handler, lifespan="off").start()
        self.base_url = self._served.url
        self._folder = tempfile.TemporaryDirectory()
        self._http = httpx.Client(timeout=PATIENCE, trust_env=False)
        self._start()

    def _start(self) -> None:
        self._file = StateFile(Path(self._folder.name) / "state.json")
        self._file.__enter__()
        text = self._file.read()
        self._keeper = Keeper(self._file, None if text is None else saved_of(text, self.settings))
        self.simulator = build_simulator(self.settings)
        self._server = ServerThread(build_app(self.simulator, self._keeper)).start()

    def runner(self, key: str) -> Runner:
        """See `Stage`."""
        runner = self.simulator.runner_for(key)
        assert runner is not None
        return runner

    def ask(
        self, key: str, method: str, path: str, body: Any = None, *, spared: bool = True
    ) -> tuple[int, bytes] | None:
        """See `Stage`."""
        headers = {"Authorization": f"Bearer {key}"}
        try:
            answer = self._http.request(method, self._server.url + path, json=body, headers=headers)
        except httpx.TransportError:
            if spared:
                raise
            return 0, b""
        asyncio.run_coroutine_threadsafe(self._land(), self._server.loop).result(PATIENCE)
        return answer.status_code, answer.content.replace(self._server.url.encode(), b"")  # each start has a port

    async def _land(self) -> None:
        for runner in self.simulator.accounts():
            await runner.pacer.let_land(timedelta(seconds=PATIENCE))

    def answered(self) -> list[tuple[str, int]]:
        """See `Stage`."""
        return []

    def waiting(self) -> list[str]:
        """See `Stage`."""
        return []

    def restart(self) -> None:
        """See `Stage`. The simulator is stopped as `serve` is."""
        self._stop()
        self._start()

    def _stop(self) -> None:
        self._server.stop()
        self._file.__exit__(None, None, None)
        assert self._keeper.failure is None

    def close(self) -> list[str]:
        """See `Stage`."""
        self._stop()
        self._served.stop()
        self._http.close()
        self._folder.cleanup()
        return []
