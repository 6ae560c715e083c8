"""An event loop whose time is simulated: it jumps to the next timer instead of waiting for it.

    loop = VirtualLoop()
    loop.run_until_complete(asyncio.sleep(3600))      # returns at once; loop.time() is 3600.0

Time stands still while anything can run. When nothing can, `decide` says what to do:

- something outside the loop is at work (a function in an executor, a worker thread of anyio, a socket that somebody
  waits for): wait for it. For `grace` real seconds that takes no time, after that time follows real time;
- somebody wants time to pass: jump to the next timer;
- nobody does: wait until a thread calls in. Timers that nobody needs, as of a poller in the background of an
  application, would otherwise be jumped to for ever.

Time begins at 0 and is kept in whole nanoseconds, so that the same program gives the same sums. Timers of the same
instant run in the order in which they were started, as on a loop of real time, where no two instants are the same.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from enum import Enum
from functools import partial
from typing import Any, Final

DIGITS: Final = 9  # of a second that loop time has
RESOLUTION: Final = 1e-9  # seconds; timers that are closer together than this are of the same instant

Events = list[tuple[selectors.SelectorKey, int]]


class Pause(Enum):
    """What a loop does that has nothing to run."""

    LOOK = "look"  # go on: a timer is due
    WAIT = "wait"  # for the world outside, while time stands still
    FOLLOW = "follow"  # wait for the world outside, and let time follow real time
    JUMP = "jump"  # to the next timer
    REST = "rest"  # until a thread calls in


def decide(*, timeout: float | None, outside: bool, grace_left: float, wanted: bool) -> Pause:
    """Decide what to do when nothing can run. `timeout` is how far away the next timer is; None: there is none."""
    if timeout is not None and timeout <= 0:
        return Pause.LOOK
    if outside:
        return Pause.WAIT if grace_left > 0 else Pause.FOLLOW
    return Pause.JUMP if wanted and timeout is not None else Pause.REST


class _Moment(float):
    """When a timer is due, and which of those that are due then it is."""

    __slots__ = ("turn",)
    turn: int

    def __lt__(self, other: object) -> bool:
        if isinstance(other, _Moment) and float(self) == float(other):
            return self.turn < other.turn
        return float(self) < other if isinstance(other, int | float) else NotImplemented


class Later:
    """Something that the loop will do; `cancel` lets it forget that."""

    __slots__ = ("_work", "cancelled")

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self.cancelled = False

    def cancel(self) -> None:
        """Do not do it."""
        self.cancelled = True

    def __call__(self) -> None:
        """Do it, unless it was cancelled."""
        if not self.cancelled:
            self._work()


class _Selector(selectors.DefaultSelector):
    """Asks the loop what to do before it waits."""

    wait: Callable[[float | None], Events]

    def select(self, timeout: float | None = None) -> Events:
        return self.wait(timeout)

    def really(self, timeout: float | None) -> Events:
        return super().select(timeout)


class _Noted(Executor):
    """An executor that keeps what was last submitted."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.submitted: Future[Any] | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted = self._executor.submit(fn, *args, **kwargs)
        return self.submitted


class VirtualLoop(asyncio.SelectorEventLoop):
    """See above. `grace`: real seconds that work outside the loop may take without time passing."""

    def __init__(self, grace: float = 0.0) -> None:
        self.grace = grace
        self.wanted: Callable[[], bool] = _always  # whether anybody wants time to pass
        self.minded: Callable[[], bool] = _always  # whether anybody waits for what sockets bring
        self.borrowed: Callable[[], int] = _none  # worker threads of anyio at work; see `mind_anyio`
        self._now = 0.0
        self._turns = 0
        self._threads: set[Future[Any]] = set()
        self._pool: Executor | None = None
        self._stirred = 0  # how often something outside has begun, ended or been heard of
        self._quiet: tuple[object, float] | None = None  # what was at work outside, and since when it is silent
        self._over: deque[Later] = deque()
        self._real: list[tuple[float, int, Later]] = []
        self._callers: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()
        self._resting: deque[asyncio.Future[None]] = deque()
        selector = _Selector()
        selector.wait = self._wait
        super().__init__(selector)
        self._files = selector
        self._bell = next(iter(selector.get_map()))  # the one file that is watched from the beginning
        self._clock_resolution = RESOLUTION

    # -- time --------------------------------------------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the loop was made, simulated."""
        return self._now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back when the loop's time is `when`; of several at one instant, the one that was asked first."""
        rounded = round(when, DIGITS)
        moment = _Moment(rounded if rounded > self._now else when)  # less than a nanosecond is some time as well
        self._turns += 1
        moment.turn = self._turns
        return super().call_at(moment, callback, *args, context=context)

    def call_really_later(self, seconds: float, work: Callable[[], object]) -> Later:
        """Do `work` after real seconds, whatever the loop's time is then."""
        later = Later(work)
        self._turns += 1
        heapq.heappush(self._real, (time.monotonic() + seconds, self._turns, later))
        return later

    def when_over(self, work: Callable[[], object]) -> Later:
        """Do `work` at this instant, but after everything else that can happen in it."""
        later = Later(work)
        self._over.append(later)
        return later

    async def end_of_instant(self) -> None:
        """Wait until everything else that can happen at this instant has."""
        over: asyncio.Future[None] = self.create_future()
        self.when_over(partial(_resolve, over))
        await over

    def quiet(self, *, patient: bool = False) -> asyncio.Future[None]:
        """Wait for the moment at which the loop cannot go on by itself: it rests, or the world outside has its turn.

        A `patient` caller waits for the world outside as well, for as long as time stands still for it. Several are
        let in one after the other.
        """
        return self._queue(self._patient if patient else self._callers)

    def rest(self) -> asyncio.Future[None]:
        """Wait for the moment from which on nothing happens any more, unless a thread calls in."""
        return self._queue(self._resting)

    def _queue(self, queue: deque[asyncio.Future[None]]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self.create_future()
        queue.append(future)
        return future

    # -- the world outside -------------------------------------------------------------------------------------

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Use `executor` where none is named."""
        super().set_default_executor(executor)
        self._pool = executor

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run a function in a thread or process, which is at work outside the loop until it has ended."""
        if executor is None and self._pool is None:
            self.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        noted = _Noted(executor or self._pool)  # type: ignore[arg-type]
        future: asyncio.Future[Any] = super().run_in_executor(noted, func, *args)
        work = noted.submitted
        if work is not None:
            self._stirred += 1
            self._threads.add(work)
            # After asyncio's own callback, so that the loop has the result before it knows that the thread is done.
            work.add_done_callback(self._came_back)
        return future

    def _came_back(self, work: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self.call_soon_threadsafe(self._forget, work)

    def _forget(self, work: Future[Any]) -> None:
        self._stirred += 1
        self._threads.discard(work)

    @property
    def in_threads(self) -> bool:
        """Whether a function is at work in a thread."""
        return bool(self._threads) or self.borrowed() > 0

    def _outside(self) -> object:
        """What is at work outside; something false when nothing is."""
        threads, files = len(self._threads) + self.borrowed(), len(self._files.get_map()) - 1  # the bell
        listening = files if files > 0 and self.minded() else 0
        return (threads, listening, self._stirred) if threads or listening else None

    def _grace_left(self, outside: object) -> float:
        """Real seconds for which time still stands still: `grace` from when `outside` was last heard of."""
        if not self.grace:
            return 0.0
        now = time.monotonic()
        if self._quiet is None or self._quiet[0] != outside:
            self._quiet = (outside, now)
        return max(0.0, self.grace - (now - self._quiet[1]))

    # -- waiting -----------------------------------------------------------------------------------------------

    def _wait(self, timeout: float | None) -> Events:
        """Stand in for the selector's `select`: everything that the loop waits for, it waits for here."""
        events = self._look(0)
        if events or (self._real and self._ring()) or (timeout is not None and timeout <= 0):
            return events
        outside = self._outside()
        left = self._grace_left(outside) if outside else 0.0
        pause = decide(timeout=timeout, outside=bool(outside), grace_left=left, wanted=self.wanted())
        if pause is Pause.WAIT:
            return events if self._admit(self._callers) else self._really(left)
        if self._end_instant():
            return events
        if pause is Pause.JUMP and timeout is not None:
            self._pass(timeout)
            return events
        if self._admit(self._callers) or self._admit(self._patient):
            return events
        if pause is Pause.FOLLOW:
            began = time.monotonic()
            events = self._really(timeout)
            followed = time.monotonic() - began
            self._pass(followed if timeout is None else min(followed, timeout))
            return events
        if timeout is None and self._admit(self._resting):
            return events
        return self._really(None)

    def _really(self, timeout: float | None) -> Events:
        """Wait in real time."""
        if self._real:
            left = max(0.0, self._real[0][0] - time.monotonic())
            timeout = left if timeout is None else min(timeout, left)
        return self._look(timeout)

    def _look(self, timeout: float | None) -> Events:
        events = self._files.really(timeout)
        if events and (len(events) > 1 or events[0][0].fileobj != self._bell):
            self._stirred += 1
        return events

    def _ring(self) -> bool:
        """Do what real time has come for."""
        rung, now = False, time.monotonic()
        while self._real and (self._real[0][2].cancelled or self._real[0][0] <= now):
            later = heapq.heappop(self._real)[2]
            if not later.cancelled:
                self.call_soon(later)
                rung = True
        return rung

    def _end_instant(self) -> bool:
        """Do one of the things that come last in this instant; False when there is none."""
        while self._over:
            later = self._over.popleft()
            if not later.cancelled:
                try:  # at once, not by `call_soon`: there is one of these for every timer of a call
                    later()
                except Exception as error:
                    self.call_exception_handler({"message": "work at the end of an instant failed", "exception": error})
                return True
        return False

    def _admit(self, queue: deque[asyncio.Future[None]]) -> bool:
        while queue:
            future = queue.popleft()
            if not future.done():
                future.set_result(None)
                return True
        return False

    def _pass(self, seconds: float) -> None:
        after = round(self._now + seconds, DIGITS)
        self._now = after if after > self._now else self._now + seconds
        # asyncio takes a timer as due when it is before the time plus this, which must make a difference to the time:
        # after a hundred days a nanosecond is less than a float can tell.
        self._clock_resolution = max(RESOLUTION, math.ulp(self._now))


def _always() -> bool:
    return True


def _none() -> int:
    return 0


def virtual_loop() -> VirtualLoop | None:
    """The running loop, if its time is virtual."""
    loop = asyncio.get_running_loop()
    return loop if isinstance(loop, VirtualLoop) else None


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def mind_anyio() -> None:
    """Let the running virtual loop know of anyio's worker threads, where frameworks run plain functions."""
    from anyio.to_thread import current_default_thread_limiter

    loop, limiter = virtual_loop(), current_default_thread_limiter()
    if loop is not None:
        loop.borrowed = lambda: limiter.borrowed_tokens


def real_time() -> float:
    """Real seconds from any beginning, on any loop."""
    return time.monotonic()


async def wait_really(waits: Collection[asyncio.Future[Any]], seconds: float | None, *, in_vain: bool = False) -> None:
    """Wait for the first of `waits`, at most `seconds` of real time.

    On a virtual loop it also ends when nothing will happen any more, unless it may be `in_vain`.
    """
    loop = virtual_loop()
    if loop is None:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return
    over: asyncio.Future[None] = loop.create_future()
    timer = None if seconds is None else loop.call_really_later(seconds, partial(_resolve, over))
    rest = loop.create_future() if in_vain else loop.rest()
    try:
        await asyncio.wait([*waits, over, rest], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if timer is not None:
            timer.cancel()
        over.cancel()
        rest.cancel()
