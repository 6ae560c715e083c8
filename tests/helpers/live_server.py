"""A whole simulator on a loopback socket, in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.runtime.server import ServerThread
from simulator.settings import Settings


class Live:
    """A running server and the keys nobody has used yet."""

    def __init__(self, url: str, keys: tuple[str, ...]) -> None:
        self.url = url
        self.first_key = keys[0]  # whose account keeps the sign-ups; `new_key` gives it out like the others
        self._keys = iter(keys)

    def new_key(self) -> str:
        """The key of an account that is still empty."""
        return next(self._keys)


@contextmanager
def live_server(clock: ClockMode = ClockMode.AUTO, accounts: int = 100, **more: Any) -> Iterator[Live]:
    """Serve until the block ends. An `auto` clock jumps whenever nothing is in flight, so nobody has to sleep."""
    keys = tuple(f"sk_live_journey_{number}" for number in range(accounts))
    simulator = build_simulator(Settings(api_keys=keys, clock=clock, **more))
    with ServerThread(build_app(simulator)) as running:
        yield Live(running.url, keys)


class Outside:
    """The world around the account: people who call and text, and time. Speaks `/_sim`."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request that must succeed; the parsed answer."""
        answer = self._http.request(method, path, json=body, params=query or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def text(self, from_: str, to: str, body: str) -> Any:
        """Somebody texts one of the account's numbers."""
        return self.send("POST", "/_sim/messages", {"from": from_, "to": to, "body": body})

    def call(self, from_: str, to: str, *script: Any) -> Any:
        """Somebody calls one of the account's numbers and plays a script; returns the ended call."""
        return self.send("POST", "/_sim/calls", {"from": from_, "to": to, "script": list(script), "wait": True})

    def settle(self) -> None:
        """Let time pass until nothing is left to happen."""
        self.send("POST", "/_sim/clock/run_until_idle")
