"""Keeps the accounts of a server in a file: read before the first request, written after changes and at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from simulator.clock import ClockMode, Timers
from simulator.domain.limits import Limits
from simulator.runtime.images import AccountImage, WorldImage
from simulator.runtime.simulator import Simulator
from simulator.settings import Settings
from simulator.state.accounts import account_of, account_text
from simulator.state.codec import Unreadable, decode
from simulator.state.document import STATE, read, write
from simulator.state.file import StateFile
from simulator.state.layout import fields_of
from simulator.world.images import copy_of

PAUSE: Final = 1.0  # real seconds between two looks at whether anything has changed
LAST_PATIENCE: Final = timedelta(seconds=5)  # that requests in flight may take to settle before the last write
_log = logging.getLogger("simulator.state")


@dataclass(frozen=True, slots=True)
class Saved:
    """What a state file says."""

    accounts: Mapping[str, AccountImage]  # by API key
    next_seed: int = 1


def saved_text(saved: Saved) -> str:
    """Write what a server holds."""
    accounts = {key: account_text(image) for key, image in saved.accounts.items()}
    return write(STATE, {"next_seed": saved.next_seed, "by_key": accounts})


def saved_of(text: bytes, base: Settings) -> Saved:
    """Read what a server held. Raises Unreadable."""
    found = fields_of(read(STATE, text), ("next_seed", "by_key"))
    accounts = {}
    for key, account in decode(Mapping[str, Any], found["by_key"]).items():
        try:
            accounts[key] = account_of(account, base)
        except Unreadable as error:
            raise error.inside(f"by_key.{key[: min(8, len(key) // 2)]}…") from None
    next_seed = decode(int, found["next_seed"])
    if next_seed < 1:
        raise Unreadable("should be a whole number from 1", ("next_seed",))
    return Saved(accounts, next_seed)


class Keeper:
    """The file of one simulator, from before its first request to after its last."""

    def __init__(self, file: StateFile, saved: Saved | None = None) -> None:
        self._file = file
        self._saved = saved
        self._touched = 0  # how many requests may have changed something that no journal tells
        self._written: object = None  # what the simulator was like when it was last written
        self.failure: str | None = None  # of the last write
        self._stopping = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def touch(self) -> None:
        """Something may have changed."""
        self._touched += 1

    def begin(self, simulator: Simulator) -> None:
        """Let the simulator hold what the file says, and begin to keep it."""
        if self._saved is not None:
            simulator.go_on(self._saved.next_seed)
            for key, image in self._saved.accounts.items():
                own = key in simulator.settings.api_keys
                simulator.put(key, woken(started(image, simulator.settings) if own else image))
            self._saved = None
        self._work = asyncio.get_running_loop().create_task(self._keep(simulator))

    async def end(self, simulator: Simulator) -> Saved:
        """Stop keeping; gives what is to be written once the simulator has stopped."""
        self._stopping.set()
        if self._work is not None:
            await self._work
        await asyncio.gather(*(runner.pacer.let_land(LAST_PATIENCE) for runner in simulator.accounts()))
        return self._image(simulator)

    def finish(self, last: Saved) -> None:
        """Write what there was at the end. What went wrong with that is kept in `failure`."""
        try:
            self._write(last)
        except OSError as error:
            self.failure = f"the state could not be saved to {self._file.path}: {error.strerror or error}"

    def _write(self, saved: Saved) -> None:
        self._file.write(saved_text(saved))

    async def _keep(self, simulator: Simulator) -> None:
        stopping = asyncio.ensure_future(self._stopping.wait())
        while not self._stopping.is_set():
            now = self._state(simulator)
            if now != self._written:
                image = self._image(simulator)  # in one go, on the loop; turned into text beside it
                try:
                    await asyncio.to_thread(self._write, image)
                    self._written = now
                except Exception:
                    _log.exception("the state could not be saved to %s; trying again", self._file.path)
            await asyncio.wait((stopping,), timeout=PAUSE)
        stopping.cancel()

    def _state(self, simulator: Simulator) -> object:
        runners = tuple((id(runner.world), runner.world.journal.last_seq) for runner in simulator.runners())
        return self._touched, runners

    def _image(self, simulator: Simulator) -> Saved:
        accounts = {runner.api_key: runner.image(records_only=True) for runner in simulator.accounts()}
        return Saved(accounts, simulator.upcoming_seed)


def started(image: AccountImage, settings: Settings) -> AccountImage:
    """An account that the server is started with: run as the command line says now, limits that it leaves out aside."""
    given = {f.name: value for f in fields(Limits) if (value := getattr(settings.limits, f.name)) is not None}
    secret = settings.webhook_secret or image.settings.webhook_secret

    def changed(part: WorldImage) -> WorldImage:
        world = copy_of(part.world)
        world.policies, world.webhook_secret = settings.policies, settings.webhook_secret or world.webhook_secret
        world.limits = replace(world.limits, **given)
        return WorldImage(world)

    return replace(
        image,
        settings=replace(settings, limits=replace(image.settings.limits, **given), webhook_secret=secret),
        whole=changed(image.whole),
        parts={name: changed(part) for name, part in image.parts.items()},
    )


def woken(image: AccountImage) -> AccountImage:
    """The same now. Wall time has passed while the server was stopped; nothing has happened in it, and does so late."""
    settings = image.settings
    if settings.clock is not ClockMode.SYSTEM or settings.start is not None:
        return image
    now = max(image.now, datetime.now(UTC))
    timers = Timers[Any]()
    for due, key in image.timers:
        timers.start(key, max(due, now))
    return replace(image, now=now, timers=timers)
