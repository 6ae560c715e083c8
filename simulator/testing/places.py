"""Where one test's world lives, and how it is asked: an account of the session's server, its handler on a socket.

`InProcess` (see `process`) is the other place; the same test gives the same result in both.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar

from simulator.errors import Refused, UsageError
from simulator.runtime.interfaces import Interface
from simulator.testing.asking import OverHttp, Straight, on_loop
from simulator.testing.hosting import serve

if TYPE_CHECKING:
    from simulator.app import SimulatorApp
    from simulator.runtime.server import ServerThread
    from simulator.testing.hosting import Served
    from simulator.testing.options import Options

__tracebackhide__ = True  # a failed test should be shown at its own line

HANDLER_HOST: Final = "handler.localhost"  # the name of the application under test, wherever it is served
T = TypeVar("T")
DOOR_KEY: Final = "sk_live_agentphone_tests"  # opens accounts; no test uses its own account


class Place(Protocol):
    """One world and the ways into it."""

    @property
    def base_url(self) -> str:
        """Where any HTTP client finds the platform."""

    @property
    def api_key(self) -> str:
        """The key of the world's account."""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask for JSON, and wait for the answer. Raises Refused for an error status, StuckHandler for none at all."""

    def mount(self, app: Any, *, host: str = HANDLER_HOST, interface: Interface = "auto") -> str:
        """Serve an ASGI or WSGI application to the world under the name `host`; returns its base URL."""

    def conduct(self, work: Callable[[SimulatorApp], Coroutine[Any, Any, T]]) -> T:
        """Do something with the simulator on its own event loop, and wait for it.

        Raises UsageError where the simulator is another process.
        """

    def beside(self, api_key: str) -> Place:
        """The place of another account of the same simulator, which exists already. Closing it closes that account."""

    def close(self) -> None:
        """Close the account and stop what was mounted. What was under way is dropped without noise."""


class Server:
    """The simulator that the tests of one process share: on a loopback socket, in a thread of its own."""

    def __init__(self) -> None:
        from simulator.app import build_app, build_simulator
        from simulator.runtime.server import ServerThread
        from simulator.settings import Settings
        from simulator.testing.front import Front

        self.app: SimulatorApp = build_app(build_simulator(Settings(api_keys=(DOOR_KEY,))))
        self.front = Front(self.app)
        self.thread: ServerThread = ServerThread(self.front).start()
        self.url = self.front.url = self.thread.url
        self.door = self.as_account(DOOR_KEY)

    def as_account(self, api_key: str) -> Straight:
        """Ask as the owner of a key."""
        return Straight(self.app, self.thread.loop, self.url, api_key)

    def mount(self, api_key: str, host: str, url: str) -> None:
        """Let an account find at `url` what it is to call `host`."""
        from yarl import URL

        runner = self.app.simulator.runner_for(api_key)
        if runner is not None:
            runner.sender.mounts[host] = URL(url)

    def stop(self) -> None:
        """End the thread; the worlds in it are gone."""
        self.thread.stop()
        self.front.threads.stop()


class OverSockets:
    """An account of the session's server; the application under test is served on a real socket."""

    def __init__(self, server: Server, api_key: str) -> None:
        self._server = server
        self._served: dict[str, Served] = {}
        self._straight = server.as_account(api_key)
        self.base_url = server.url
        self.api_key = api_key

    @classmethod
    def open(cls, server: Server, options: Options) -> Self:
        """Open an account for a test."""
        opened = server.door.ask("POST", "/_sim/accounts", options.account())
        return cls(server, opened["api_key"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See `Place`."""
        return self._straight.ask(method, path, body)

    def mount(self, app: Any, *, host: str = HANDLER_HOST, interface: Interface = "auto") -> str:
        """See `Place`."""
        served = serve(app, interface)
        before, self._served[host] = self._served.get(host), served
        self._server.mount(self.api_key, host, served.url)
        if before is not None:
            before.stop()
        return f"http://{host}"

    def conduct(self, work: Callable[[SimulatorApp], Coroutine[Any, Any, T]]) -> T:
        """See `Place`."""
        return on_loop(work(self._server.app), self._server.thread.loop).result()

    def beside(self, api_key: str) -> OverSockets:
        """See `Place`. What is mounted here is mounted there."""
        for host, served in self._served.items():
            self._server.mount(api_key, host, served.url)
        return OverSockets(self._server, api_key)

    def close(self) -> None:
        """See `Place`."""
        _close(self._server.door, self.api_key)
        while self._served:
            self._served.popitem()[1].stop()


class Connected:
    """An account of a simulator that runs anywhere; the application under test is served on a socket of ours."""

    def __init__(self, base_url: str, door_key: str, api_key: str) -> None:
        self._door = OverHttp(base_url, door_key)
        self._door_key = door_key
        self._own = OverHttp(base_url, api_key)
        self._served: list[Served] = []
        self.base_url = base_url.rstrip("/")
        self.api_key = api_key

    @classmethod
    def open(cls, base_url: str, door_key: str, options: Options) -> Self:
        """Open an account at a simulator; `door_key` is any key it knows."""
        door = OverHttp(base_url, door_key)
        try:
            opened = door.ask("POST", "/_sim/accounts", options.account())
        finally:
            door.close()
        return cls(base_url, door_key, opened["api_key"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See `Place`."""
        return self._own.ask(method, path, body)

    def mount(self, app: Any, *, host: str = HANDLER_HOST, interface: Interface = "auto") -> str:
        """See `Place`; under its real address, as another process knows no names of ours."""
        served = serve(app, interface)
        self._served.append(served)
        return served.url

    def conduct(self, work: Callable[[SimulatorApp], Coroutine[Any, Any, T]]) -> T:
        """See `Place`."""
        raise UsageError(f"the simulator at {self.base_url} is another process: use the fixture, or open_account()")

    def beside(self, api_key: str) -> Connected:
        """See `Place`."""
        return Connected(self.base_url, self._door_key, api_key)

    def close(self) -> None:
        """See `Place`."""
        try:
            _close(self._door, self.api_key)
        finally:
            self._own.close()
            self._door.close()
            for served in self._served:
                served.stop()
            self._served.clear()


def _close(door: Straight | OverHttp, api_key: str) -> None:
    """Close an account, unless the test has done so itself."""
    try:
        door.ask("DELETE", f"/_sim/accounts/{api_key}")
    except Refused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
