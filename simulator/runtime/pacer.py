"""Who moves time, and when: the clock, the timers, and everything of ours that is in flight.

Idle means that no I/O of ours is in flight and nobody holds time for a human being. Only an idle pacer jumps by itself
(`auto`). While something is in flight an `auto` clock follows real time, so that a real handler's latency is true.

A timer fires at its own deadline: that is the instant everybody sees while it fires, however late the loop got there.
A reply from outside calls `catch_up` first, and so happens after all that was due before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import Clock, ClockMode, Timers
from simulator.errors import StuckHandler

Key = tuple[Hashable, ...]
CALL_TIMER = "call"  # the kind of every timer of a live call
THREAD_TIMER = "thread"  # of somebody who texts by a script
MAX_JUMPS = 1_000_000  # run_until_idle gives up here: something starts a timer each time one fires


class Pacer:
    """Timers of one account and its sub-accounts, fired in order on one event loop.

    A key begins with the id of the account that owns the timer; `own` says who is told when it is due.
    """

    def __init__(self, clock: Clock, note: Callable[[str, dict[str, Any]], None]) -> None:
        self.timers: Timers[Key] = Timers()
        self.clock = self._limited(clock)
        self._owners: dict[Hashable, Callable[[Key], None]] = {}
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._holds = 0
        self._handle: asyncio.Handle | None = None
        self._due: tuple[Clock, Any, datetime] | None = None  # what the handle is for, while time flows
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._firing = False
        self._driving = 0  # depth of advance() or run_until_idle(), which move time themselves
        self._stopped = False

    @property
    def in_flight(self) -> int:
        """HTTP requests of ours that have not ended."""
        return len(self._tasks)

    # -- timers ------------------------------------------------------------------------------------------------

    def own(self, owner: str, fire: Callable[[Key], None]) -> None:
        """Tell `fire` about every due timer whose key begins with `owner`; it gets the rest of the key."""
        self._owners[owner] = fire

    def disown(self, owner: str) -> None:
        """Stop the timers of `owner` and start no more of them: it is gone."""
        self._owners.pop(owner, None)
        for _, key in tuple(self.timers):
            if key[0] == owner:
                self.timers.stop(key)
        self.arm()

    def start_timer(self, key: Key, delay: timedelta) -> datetime:
        """Start or restart `key`; returns its deadline."""
        now = self.clock.now()
        due = max(now + delay, now)
        if key[0] in self._owners:
            self.timers.start(key, due)
        return due

    def catch_up(self) -> None:
        """Fire what is due already, each timer at its own instant: something is about to happen that comes later.

        Does nothing while a timer is firing, or while time is moved by request. Timers that fire start others, which
        wait for their turn. Work that fails is reported to the event loop.
        """
        if self._firing or self._driving or self._stopped or not self.clock.flowing:
            return
        for _ in range(len(self.timers)):
            try:
                if not self._fire_next():
                    break
            except Exception as error:
                self._loop.call_exception_handler({"message": "a timer's work failed", "exception": error})
        self.arm()

    def _fire_next(self) -> bool:
        """Fire the earliest timer that is due, at its deadline; False when none is."""
        deadline = self.timers.next_deadline()
        key = self.timers.pop_due(self.clock.now())
        if deadline is None or key is None:
            return False
        self._firing = True
        try:
            with self.clock.at(deadline):
                self._owners[key[0]](key[1:])
        finally:
            self._firing = False
        return True

    # -- what is in flight -------------------------------------------------------------------------------------

    def track(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` as something in flight: time follows real time until it has ended."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        self._quiet.clear()
        task.add_done_callback(self._landed)
        self.arm()
        return task

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._quiet.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "work in flight failed", "exception": error, "task": task})
        self.arm()

    def hold(self) -> None:
        """Somebody real is on the line: an auto clock follows real time until `release`."""
        self._holds += 1
        self.arm()

    def release(self) -> None:
        """Undo one `hold`."""
        self._holds -= 1
        self.arm()

    # -- moving time by itself ---------------------------------------------------------------------------------

    def arm(self) -> None:
        """Look at the timers again when the next one is due, or soon when time may jump."""
        idle = self._stopped or self._driving or self.clock.mode is ClockMode.MANUAL
        if self.clock.mode is ClockMode.AUTO and not idle:
            if self._tasks or self._holds:
                self.clock.flow()
            else:
                self.clock.freeze()
        deadline = None if idle else self.timers.next_deadline()
        due = (self.clock, self.clock.anchor, deadline) if deadline is not None and self.clock.flowing else None
        if due is not None and due == self._due:
            return  # nothing has changed: with many calls at once this is how it ends nearly always
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._due = due
        if deadline is None:
            return
        if due is not None:
            self._handle = self._loop.call_later(self.clock.real_delay(deadline), self._fire_due)
        else:
            self._handle = self._loop.call_soon(self._jump)

    def _fire_due(self) -> None:
        # One timer per pass, so that what it sets in motion is seen before the next one.
        self._handle = self._due = None
        try:
            self._fire_next()
        finally:
            self.arm()

    def _jump(self) -> None:
        self._handle = None
        deadline = self.timers.next_deadline()
        if deadline is not None:
            self._move(deadline)
        self._fire_due()

    def _move(self, to: datetime) -> None:
        if to > self.clock.now():
            self.clock.jump(to)
            self._note("clock.jumped", {"to": to.isoformat()})

    # -- moving time because somebody asked --------------------------------------------------------------------

    async def settle(self, patience: timedelta) -> bool:
        """Wait until nothing of ours is in flight, at most `patience` of real time; says whether that was reached.

        What has been cancelled is waited for in any case: it is only clearing up.
        """
        while cancelled := [task for task in self._tasks if task.cancelling()]:
            await asyncio.wait(cancelled)
        if not self._tasks:
            return True
        try:
            await asyncio.wait_for(self._quiet.wait(), patience.total_seconds())
        except TimeoutError:
            return False
        return True

    async def advance(self, delta: timedelta, patience: timedelta) -> None:
        """Move time forward by `delta`, firing every timer on the way at its own instant.

        Handlers in flight get up to `patience` of real time to finish before each step; then time passes them by, and
        their simulated timeouts fire.
        """
        target = self.clock.now() + delta
        await self._drive(lambda: self._next_until(target), patience)
        self._move(target)
        self.arm()

    async def run_until(self, done: Callable[[], bool], patience: timedelta) -> None:
        """Jump from timer to timer until `done()`, or until no timer is left and nothing is in flight."""
        await self._drive(lambda: None if done() else self.timers.next_deadline(), patience)
        self.arm()

    def _next_until(self, target: datetime) -> datetime | None:
        deadline = self.timers.next_deadline()
        return deadline if deadline is not None and deadline <= target else None

    async def _drive(self, upcoming: Callable[[], datetime | None], patience: timedelta) -> None:
        self._driving += 1
        self.arm()
        try:
            for _ in range(MAX_JUMPS):
                await self.settle(patience)
                deadline = upcoming()
                if deadline is None:
                    return
                self._move(deadline)
                while self._fire_next():
                    await self.settle(patience)
            raise StuckHandler(f"time was moved {MAX_JUMPS:,} times and timers are still being started")
        finally:
            self._driving -= 1
            self.arm()

    def set_mode(self, mode: ClockMode, scale: float) -> None:
        """Change who moves time; the instant stays the same."""
        self.clock = self._limited(Clock(mode, self.clock.now(), self._loop.time, scale=scale))
        self.arm()

    def _limited(self, clock: Clock) -> Clock:
        clock.limit = self.timers.next_deadline
        return clock

    async def stop(self, patience: timedelta = timedelta()) -> None:
        """Let what is in flight finish for up to `patience` of real time, then cancel it. No timer fires any more."""
        await self.settle(patience)
        self._stopped = True
        self.arm()
        self.timers.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
