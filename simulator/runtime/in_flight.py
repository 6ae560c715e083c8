"""What of ours is in flight: requests to webhook handlers, and whoever waits for simulated time instead.

Nothing here decides when time moves; that is the pacer's part. Time must not jump over a request that is in flight, so
this is what the pacer looks at first.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from simulator.clock import Timers
from simulator.errors import Conflict
from simulator.runtime.order import Order

Key = tuple[Hashable, ...]
WAITING: Final = "waiting"  # the name of work that only waits, and of which nothing is lost when it is given up
SLEEPER: Final = "sleeper"  # the owner of the timers of those who wait for simulated time
NOBODY_WAITS: Final = "nobody waits any more: the account is reset, or the server stops"


@dataclass(slots=True, eq=False)
class _Sleeper:
    """Somebody who waits for simulated time; the key of their own timer. `ours`: what waits is in flight otherwise."""

    task: asyncio.Task[Any]
    woken: asyncio.Future[None]
    ours: bool

    def __str__(self) -> str:
        return "fault"


class InFlight(ABC):
    """The part of a pacer that knows what is in flight."""

    timers: Timers[Key]
    order: Order

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sleepers: dict[Hashable, _Sleeper] = {}
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._stopped = False

    # -- what a pacer adds -------------------------------------------------------------------------------------

    @abstractmethod
    def arm(self) -> None:
        """Look again at what time may do: something has begun or ended."""

    @abstractmethod
    def start_timer(self, key: Key, delay: timedelta) -> object:
        """Start the timer `key`."""

    @abstractmethod
    def landed(self) -> None:
        """Nothing is in flight any more."""

    # -- requests ----------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """HTTP requests of ours that have not ended."""
        return len(self._tasks)

    def track(self, work: Coroutine[Any, Any, None], name: str = "a request") -> asyncio.Task[None]:
        """Run `work` as something in flight: time follows real time until it has ended."""
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        self._quiet.clear()
        task.add_done_callback(self._landed)
        if name != WAITING:
            self.order.join(task)
        self.order.stir()
        self.arm()
        return task

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._leave(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "work in flight failed", "exception": error, "task": task})
        self.arm()

    async def settle(self, patience: timedelta) -> bool:
        """Wait until nothing of ours is in flight, at most `patience` of real time; says whether that was reached.

        What has been cancelled is waited for in any case: it is only clearing up.
        """
        while cancelled := [task for task in self._all_ours() if task.cancelling()]:
            await asyncio.wait(cancelled)
        if not self._tasks:
            return True
        try:
            await asyncio.wait_for(self._quiet.wait(), patience.total_seconds())
        except TimeoutError:
            return False
        return True

    async def let_land(self, patience: timedelta) -> tuple[str, ...]:
        """Wait until no request of ours is in flight, at most `patience` of real time; names those that still are."""
        deadline = self._loop.time() + patience.total_seconds()
        while busy := [task for task in self._all_ours() if task.get_name() != WAITING]:
            done, _ = await asyncio.wait(
                busy, timeout=max(0, deadline - self._loop.time()), return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
        return tuple(sorted(task.get_name() for task in busy))

    def _all_ours(self) -> list[asyncio.Task[Any]]:
        """Everything of ours, in flight or waiting for simulated time."""
        return [*self._tasks, *(s.task for s in self._sleepers.values() if s.ours and s.task not in self._tasks)]

    # -- who waits for simulated time --------------------------------------------------------------------------

    async def sleep(self, delay: timedelta, work: asyncio.Task[Any] | None = None) -> None:
        """Wait for simulated time. Until then `work`, or else whoever calls, is not in flight: time may jump.

        When the time has come it is in flight, so that time stays until it has gone on. Raises Conflict when the
        account is reset or the server stops while somebody from outside waits; work of ours is cancelled then.
        """
        task = work or asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait for simulated time")
        if self._stopped:
            raise Conflict(NOBODY_WAITS)
        sleeper = _Sleeper(task, self._loop.create_future(), ours=task in self._tasks)
        self._sleepers[sleeper] = sleeper
        self._leave(task)
        self.start_timer((SLEEPER, sleeper), delay)
        self.arm()
        try:
            await sleeper.woken
        finally:
            self._sleepers.pop(sleeper, None)
            self.timers.stop((SLEEPER, sleeper))
            if sleeper.ours:
                self._return(task)
            else:
                self._leave(task)
            self.arm()

    def _wake(self, key: Key) -> None:
        sleeper = self._sleepers.pop(key[0], None)  # None: somebody else's, whose timer came along in a copy
        if sleeper is not None and not sleeper.woken.done():
            self._return(sleeper.task)
            if sleeper.ours:
                self.order.join(sleeper.task)  # what comes of it now comes after what has been asked meanwhile
            self.order.stir()
            sleeper.woken.set_result(None)

    def _return(self, task: asyncio.Task[Any]) -> None:
        if not task.done():
            self._tasks.add(task)
            self._quiet.clear()

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.order.leave(task)
        if not self._tasks:
            self._quiet.set()
            self.order.rest()
            self.landed()

    def kept_timers(self) -> Timers[Key]:
        """The timers, on their own, for an image: without those of who waits for simulated time, who stays behind."""
        kept = self.timers.copy()
        for sleeper in self._sleepers:
            kept.stop((SLEEPER, sleeper))
        return kept

    def dismiss(self) -> None:
        """Let nobody from outside wait for simulated time any longer."""
        for sleeper in tuple(self._sleepers.values()):
            if not sleeper.ours and not sleeper.woken.done():
                sleeper.woken.set_exception(Conflict(NOBODY_WAITS))
