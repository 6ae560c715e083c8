"""The simulator: one runner per API key, nothing shared between them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from simulator.errors import Conflict
from simulator.runtime.images import AccountImage, Identity
from simulator.runtime.runner import Runner
from simulator.runtime.transport import Mounted
from simulator.settings import Settings

KEY_PREFIX: Final = "sk_sim_"  # of keys that are made here, so that nobody takes one for a key of the platform
OPENED: Final = "opened"  # the scope of accounts that are opened by request: their ids follow from the seed alone


class Simulator:
    """All accounts of one process. Two simulators never meet: there is no module-level state.

    Runners are made on first use, on the event loop that serves the request.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._runners: dict[str, Runner] = {}
        self.upcoming_seed = 1  # of the next account that is opened without one
        self.mounts: dict[str, Mounted] = {}  # hosts that are served elsewhere, for every account

    def runner_for(self, api_key: str) -> Runner | None:
        """The account's runner, or None for a key this simulator was not given."""
        runner = self._runners.get(api_key)
        if runner is None and api_key in self.settings.api_keys:
            runner = self._runners[api_key] = Runner(api_key, self.settings, platform=self)
        return runner

    def open_account(self, api_key: str, start: datetime) -> Runner:
        """Open an account for a new key, whose time begins at `start`. Raises Conflict as `open` does."""
        self.check_new(api_key)
        settings = replace(self.settings, start=start)
        runner = self._runners[api_key] = Runner(api_key, settings, platform=self)
        return runner

    def open(self, settings: Settings, api_key: str | None = None) -> Runner:
        """Open an account that is run with `settings`. Its ids follow from their seed, whatever its key.

        Raises Conflict when the key has an account, and when there are too many.
        """
        key = self._new_key(api_key)
        identity = Identity.of(settings.seed, OPENED)
        runner = self._runners[key] = Runner(key, settings, platform=self, identity=identity)
        return runner

    def open_copy(self, source: Runner, image: AccountImage, api_key: str | None = None) -> Runner:
        """Open an account that is as `image` says, and goes on by itself. Raises Conflict as `open` does."""
        key = self._new_key(api_key)
        settings = source.as_now(image.settings)
        runner = self._runners[key] = Runner(key, settings, platform=self, identity=image.identity, image=image)
        runner.sender.mounts.update(source.sender.mounts)
        runner.snapshots = source.snapshots.copy()
        return runner

    def next_seed(self) -> int:
        """A seed for an account that was opened without one: 1, then 2, and so on."""
        self.upcoming_seed += 1
        return self.upcoming_seed - 1

    def go_on(self, upcoming_seed: int) -> None:
        """Count seeds on from where another simulator was."""
        self.upcoming_seed = upcoming_seed

    def put(self, api_key: str, image: AccountImage) -> Runner:
        """Let a key have the account of an image that was read from a file."""
        runner = Runner(api_key, image.settings, platform=self, identity=image.identity, image=image)
        self._runners[api_key] = runner
        runner.resume()
        return runner

    async def close_account(self, api_key: str) -> None:
        """Close an account and forget everything about it. Raises Conflict for one that the simulator began with."""
        if api_key in self.settings.api_keys:
            raise Conflict("this account belongs to the server and cannot be closed: POST /_sim/reset empties it")
        runner = self._runners.pop(api_key, None)
        if runner is not None:
            await runner.close()

    def check_room(self) -> None:
        """Raise Conflict when no account can be opened any more."""
        most = self.settings.max_accounts
        if len({*self._runners, *self.settings.api_keys}) >= most:
            raise Conflict(
                f"{most} accounts are open and no more may be (Settings.max_accounts): "
                "close one with DELETE /_sim/accounts/{api_key}"
            )

    def check_new(self, api_key: str | None) -> None:
        """Raise Conflict when no account can be opened for this key, or for a new one."""
        if api_key is not None and (api_key in self.settings.api_keys or api_key in self._runners):
            raise Conflict("this API key has an account already: give another, or none")
        self.check_room()

    def _new_key(self, api_key: str | None) -> str:
        self.check_new(api_key)
        return api_key or KEY_PREFIX + secrets.token_hex(12)

    def accounts(self) -> Iterator[Runner]:
        """Every account in use, without its sub-accounts."""
        yield from tuple(self._runners.values())

    def runners(self) -> Iterator[Runner]:
        """Every account in use, each followed by its sub-accounts."""
        for runner in self.accounts():
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
