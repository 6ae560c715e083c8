"""The simulator: one runner per API key, nothing shared between them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from simulator.errors import Conflict
from simulator.runtime.runner import Runner
from simulator.runtime.transport import Mounted
from simulator.settings import Settings


class Simulator:
    """All accounts of one process. Two simulators never meet: there is no module-level state.

    Runners are made on first use, on the event loop that serves the request.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._runners: dict[str, Runner] = {}
        self.mounts: dict[str, Mounted] = {}  # hosts that are served elsewhere, for every account

    def runner_for(self, api_key: str) -> Runner | None:
        """The account's runner, or None for a key this simulator was not given."""
        runner = self._runners.get(api_key)
        if runner is None and api_key in self.settings.api_keys:
            runner = self._runners[api_key] = Runner(api_key, self.settings, platform=self)
        return runner

    def open_account(self, api_key: str, start: datetime) -> Runner:
        """Open an account for a new key, whose time begins at `start`. Raises Conflict when the key has one."""
        if api_key in self.settings.api_keys or api_key in self._runners:
            raise Conflict("this API key has an account already")
        settings = replace(self.settings, start=start)
        runner = self._runners[api_key] = Runner(api_key, settings, platform=self)
        return runner

    def runners(self) -> Iterator[Runner]:
        """Every account in use, each followed by its sub-accounts."""
        for runner in tuple(self._runners.values()):
            yield from runner.worlds()

    def has(self, api_key: str) -> bool:
        """Whether the key has an account. May be asked from any thread."""
        return api_key in self._runners or api_key in self.settings.api_keys

    @property
    def wanted(self) -> bool:
        """Whether any account wants the time of a virtual loop to pass."""
        return any(runner.pacer.wanted for runner in self._runners.values())

    @property
    def in_flight(self) -> int:
        """HTTP requests of all accounts that have not ended."""
        return sum(runner.pacer.in_flight for runner in self._runners.values())

    def unsettled(self) -> tuple[int, int]:
        """How many calls are live and how many deliveries are pending, over all accounts."""
        counts = [runner.unsettled() for runner in self._runners.values()]
        return sum(c for c, _ in counts), sum(d for _, d in counts)

    def begin_shutdown(self) -> None:
        """Answer every long poll, so that connections can close."""
        for runner in self._runners.values():
            runner.begin_shutdown()

    async def stop(self, patience: timedelta = timedelta(seconds=5)) -> None:
        """Let everything in flight finish for a few seconds, then close it."""
        await asyncio.gather(*(runner.stop(patience) for runner in self._runners.values()))
