"""Where one test's world lives, and how it is asked: an account of the session's server, its handler on a socket.

`InProcess` (see `process`) is the other place; the same test gives the same result in both.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, Protocol

from simulator.testing.asking import Straight
from simulator.testing.hosting import Interface, serve

if TYPE_CHECKING:
    from simulator.app import SimulatorApp
    from simulator.runtime.server import ServerThread
    from simulator.testing.hosting import Served
    from simulator.testing.options import Options

HANDLER_HOST: Final = "handler.localhost"  # the name of the application under test, wherever it is served
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

    def close(self) -> None:
        """Close the account and stop what was mounted. What was under way is dropped without noise."""


class Server:
    """The simulator that the tests of one process share: on a loopback socket, in a thread of its own."""

    def __init__(self) -> None:
        from simulator.app import build_app, build_simulator
        from simulator.runtime.server import ServerThread
        from simulator.settings import Settings

        self._numbers = itertools.count(1)
        self.app: SimulatorApp = build_app(build_simulator(Settings(api_keys=(DOOR_KEY,))))
        self.thread: ServerThread = ServerThread(self.app).start()
        self.url = self.thread.url
        self.door = self.as_account(DOOR_KEY)

    def as_account(self, api_key: str) -> Straight:
        """Ask as the owner of a key."""
        return Straight(self.app, self.thread.loop, self.url, api_key)

    def new_key(self) -> str:
        """A key that no account of this server has."""
        return f"{DOOR_KEY}_{next(self._numbers)}"

    def stop(self) -> None:
        """End the thread; the worlds in it are gone."""
        self.thread.stop()


class OverSockets:
    """An account of the session's server; the application under test is served on a real socket."""

    def __init__(self, server: Server, options: Options) -> None:
        self._server = server
        self._served: list[Served] = []
        self.base_url = server.url
        self.api_key = server.new_key()
        server.door.ask("POST", "/_sim/accounts", {"api_key": self.api_key, **options.account()})
        self._straight = server.as_account(self.api_key)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See `Place`."""
        return self._straight.ask(method, path, body)

    def mount(self, app: Any, *, host: str = HANDLER_HOST, interface: Interface = "auto") -> str:
        """See `Place`."""
        served = serve(app, interface)
        self._served.append(served)
        return served.url

    def close(self) -> None:
        """See `Place`."""
        self._server.door.ask("DELETE", f"/_sim/accounts/{self.api_key}")
        for served in self._served:
            served.stop()
        self._served.clear()
