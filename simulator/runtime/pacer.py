"""Who moves time, and when: the clock, the timers, and everything of ours that is in flight.

Idle means that no I/O of ours is in flight and nobody holds time for a human being. Only an idle pacer jumps by itself
(`auto`). While something is in flight an `auto` clock follows real time, so that a real handler's latency is true;
with a grace it stands still for a while first (see `order`). On a virtual loop an `auto` clock does not jump: it flows
with the loop, which jumps, so that our timers and what a handler in process sleeps are in one order.

A timer fires at its own deadline: that is the instant everybody sees while it fires, however late the loop got there.
A reply from outside calls `catch_up` first, and so happens after all that was due before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import Clock, ClockMode, Timers
from simulator.errors import StuckHandler
from simulator.runtime.in_flight import SLEEPER, InFlight, Key
from simulator.runtime.order import Order
from simulator.runtime.transport import handling
from simulator.runtime.virtual import Later, VirtualLoop

CALL_TIMER = "call"  # the kind of every timer of a live call
THREAD_TIMER = "thread"  # of somebody who texts by a script
MAX_JUMPS = 1_000_000  # run_until_idle gives up here: something starts a timer each time one fires
REST_PATIENCE = 1.0  # real seconds that an API request waits at least for time that is just jumping


@dataclass(eq=False, slots=True)
class Fence:
    """An instant that time does not pass by itself. Whoever put it up moves time, and is woken when something lands."""

    instant: datetime
    wake: Callable[[], None]


class Pacer(InFlight):
    """Timers of one account and its sub-accounts, fired in order on one event loop.

    A key begins with the id of the account that owns the timer; `own` says who is told when it is due.
    """

    def __init__(
        self,
        clock: Clock,
        note: Callable[[str, dict[str, Any]], None],
        *,
        timers: Timers[Key] | None = None,
        grace: timedelta = timedelta(),
    ) -> None:
        super().__init__(asyncio.get_running_loop())
        self.timers = Timers() if timers is None else timers
        self._fences: list[Fence] = []
        self.clock = self._limited(clock)
        self._owners: dict[Hashable, Callable[[Key], None]] = {SLEEPER: self._wake}
        self._note = note
        self._virtual = self._loop if isinstance(self._loop, VirtualLoop) else None
        self.order = Order(self._loop, grace, self.arm, self._virtual)
        self._holds = 0
        self._waited = 0  # how many wait for what time will bring
        self._handle: asyncio.Handle | Later | None = None
        self._armed: tuple[Clock, Any, datetime] | None = None  # what the handle is for, while time flows
        self._stirred = asyncio.Event()  # something has happened since somebody looked
        self._firing = False
        self._driving = 0  # depth of advance() or run_until_idle(), which move time themselves

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
        """Start or restart `key`; returns its deadline. One that is due then already keeps its place in the order."""
        now = self.clock.now()
        due = max(now + delay, now)
        if key[0] in self._owners and self.timers.deadline(key) != due:
            self.timers.start(key, due)
        return due

    def catch_up(self) -> None:
        """Fire what is due already, each timer at its own instant: something is about to happen that comes later.

        Does nothing while a timer is firing, or while time is moved by request. Timers that fire start others, which
        wait for their turn. Work that fails is reported to the event loop.
        """
        if self._virtual is not None:
            return  # there, what is due comes when its instant is over
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

    def hold(self) -> None:
        """Somebody real is on the line: an auto clock follows real time until `release`."""
        self._holds += 1
        self.arm()

    def release(self) -> None:
        """Undo one `hold`."""
        self._holds -= 1
        self.arm()

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Inside the block somebody waits for what time will bring: on a virtual loop it passes, live phone or not."""
        self._waited += 1
        self.arm()
        try:
            yield
        finally:
            self._waited -= 1
            self.arm()

    @property
    def wanted(self) -> bool:
        """Whether this account wants the time of a virtual loop to pass."""
        if self._tasks or self._driving or self._waited or self._fences:
            return True
        return len(self.timers) > 0 and not self._holds and self.clock.mode is not ClockMode.MANUAL

    # -- moving time by itself ---------------------------------------------------------------------------------

    def arm(self) -> None:
        """Look at the timers again when the next one is due, or soon when time may jump."""
        self._stirred.set()
        idle = self._stopped or self._driving or self.clock.mode is ClockMode.MANUAL
        if self.clock.mode is ClockMode.AUTO and not idle:
            if self._passing:
                self.clock.flow()
            else:
                self.clock.freeze()
        deadline = None if idle else self.timers.next_deadline()
        armed = (self.clock, self.clock.anchor, deadline) if deadline is not None and self.clock.flowing else None
        if armed is not None and armed == self._armed:
            return  # nothing has changed: with many calls at once this is how it ends nearly always
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._armed = armed
        if deadline is None:
            return
        if armed is not None:
            delay = self.clock.real_delay(deadline)
            if self._virtual is None:
                self._handle = self._loop.call_later(delay, self._fire_due)
            else:
                self._handle = self._loop.call_later(delay, self._due) if delay else self._virtual.when_over(self._due)
        elif self._virtual is None and not self._tasks and not self._fences:
            self._handle = self._loop.call_soon(self._jump)

    @property
    def _passing(self) -> bool:
        """Whether an auto clock follows the time of the loop."""
        if self._virtual is not None:
            return self.wanted
        held = self._holds > 0 and not self._fences
        return held or (bool(self._tasks) and not self.order.standing)

    def _due(self) -> None:
        """A timer is due on a virtual loop; everything else that happens at its instant comes first."""
        if isinstance(self._handle, Later) or self._virtual is None:
            self._fire_due()
        else:
            self._handle = self._virtual.when_over(self._due)

    def _fire_due(self) -> None:
        # One timer per pass, so that what it sets in motion is seen before the next one.
        self._handle = self._armed = None
        try:
            self._fire_next()
        finally:
            self.arm()

    def _jump(self) -> None:
        self._handle = None
        deadline = self.timers.next_deadline()
        if deadline is not None:
            self.clock.jump(deadline)
        self._fire_due()

    @property
    def at_rest(self) -> bool:
        """Whether everything has happened that happens by itself: nothing is in flight, and time will not jump."""
        if self._tasks or self._driving:
            return False
        jumps = self.clock.mode is ClockMode.AUTO and not self._holds and not self._stopped
        return not jumps or self.timers.next_deadline() is None

    async def watch(self, done: Callable[[], bool]) -> None:
        """Wait until `done()`, leaving time to whoever moves it."""
        while not done():
            self._stirred.clear()
            await self._stirred.wait()

    # -- moving time because somebody asked --------------------------------------------------------------------

    @contextmanager
    def fence(self, instant: datetime, wake: Callable[[], None]) -> Iterator[Fence]:
        """Keep time from passing `instant`, and an auto clock from jumping by itself: the block moves it, by `step`.

        A system clock flows on. `wake` is called when nothing is in flight any more, when another fence is gone, and
        when the account is stopped. While there are fences, nobody real is waited for on the line.
        """
        fence = Fence(instant, wake)
        self._fences.append(fence)
        self.arm()
        try:
            yield fence
        finally:
            self._fences.remove(fence)
            self._wake_fences()
            self.arm()

    def may_move(self, fence: Fence) -> bool:
        """Whether it is for this fence to move time: of several the earliest goes first, so that none is passed."""
        return min(self._fences, key=lambda other: other.instant) is fence

    def landed(self) -> None:
        """Nothing is in flight any more: whoever moves time has their turn."""
        self._wake_fences()

    def _wake_fences(self) -> None:
        for fence in self._fences:
            fence.wake()

    def step(self, to: datetime) -> None:
        """Jump to `to` and fire one timer that is due there, if any is."""
        self.clock.jump(to)
        try:
            self._fire_next()
        finally:
            self.arm()

    @property
    def stopped(self) -> bool:
        """Whether no timer will fire any more: the account was reset, or the server stops."""
        return self._stopped

    async def advance(self, delta: timedelta, patience: timedelta) -> None:
        """Move time forward by `delta`, firing every timer on the way at its own instant.

        Handlers in flight get up to `patience` of real time to finish before each step; then time passes them by, and
        their simulated timeouts fire.
        """
        target = self.clock.now() + delta
        if self.flows_by_itself:
            await self._flow_until(target)
        else:
            await self._drive(lambda: self._next_until(target), patience)
        self.clock.jump(target)
        self._note("clock.jumped", {"to": target.isoformat()})
        self.arm()

    async def run_until(self, done: Callable[[], bool], patience: timedelta) -> None:
        """Jump from timer to timer until `done()`, or until no timer is left and nothing is in flight."""
        if self.flows_by_itself:
            with self.waited_for():
                await self.watch(lambda: done() or self._stopped or not (self._tasks or len(self.timers)))
        else:
            await self._drive(lambda: None if done() else self.timers.next_deadline(), patience)
        self.arm()

    @property
    def flows_by_itself(self) -> bool:
        """Whether waiting is all that is needed for time to pass, at no cost."""
        return self._virtual is not None and self.clock.mode is not ClockMode.MANUAL

    async def _flow_until(self, target: datetime) -> None:
        with self.waited_for():
            await asyncio.sleep(self.clock.real_delay(target))
            await self.end_of_instant()
            while not self._stopped and self._next_until(target) is not None:
                await self.end_of_instant()

    async def end_of_instant(self) -> None:
        """On a virtual loop: let everything happen that happens without time passing."""
        if self._virtual is not None:
            await self._virtual.end_of_instant()

    # -- requests of the account -------------------------------------------------------------------------------

    def restless(self, *, test: bool) -> bool:
        """Whether a request has to wait before it is taken in, so that it races neither the clock nor a handler.

        `test`: no handler asks for such things. What a handler in flight asks for has to be taken in at once, as it
        waits for that; and so has what a human being on the line does.
        """
        if self._virtual is not None:
            return not handling.get()
        return self.order.kept and not self._holds and not self.at_rest and (test or not self._tasks)

    async def admit(self) -> None:
        """Wait until a request of the account can be taken in: when time has done all the jumps that it can."""
        if self._virtual is not None:
            await self._virtual.quiet()
            return
        patience = max(REST_PATIENCE, self.order.grace.total_seconds())
        with suppress(TimeoutError):
            await asyncio.wait_for(self.watch(lambda: self.at_rest), patience)

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
                self.clock.jump(deadline)
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
        clock.limit = self._limit
        return clock

    def _limit(self) -> datetime | None:
        deadline = self.timers.next_deadline()
        if not self._fences or self.clock.mode is ClockMode.SYSTEM:
            return deadline
        first = min(fence.instant for fence in self._fences)
        return first if deadline is None else min(first, deadline)

    async def stop(self, patience: timedelta = timedelta()) -> None:
        """Let what is in flight finish for up to `patience` of real time, then cancel it. No timer fires any more."""
        await self.settle(patience)
        self._stopped = True
        self._wake_fences()
        self.arm()
        self.timers.clear()
        self.dismiss()
        ending = self._all_ours()
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
