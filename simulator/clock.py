"""Simulated time: one clock and one heap of timers per account.

The clock never asks the operating system for the date. It is given a monotonic `source` of real seconds (the event
loop's own `time`, so a virtual loop makes everything virtual) and adds what has flowed since it was last anchored.

    system  always flows, at `scale` simulated seconds per real second
    manual  never flows; moves only by `jump`
    auto    flows while something of ours is in flight (`flow`/`freeze`), jumps otherwise

While it flows it stops at the `limit` it is given, the earliest deadline of a timer that has not fired: what is due
happens at its own instant, however late the event loop gets there, and no reader ever sees time run back.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class ClockMode(StrEnum):
    """Who moves simulated time."""

    SYSTEM = "system"
    MANUAL = "manual"
    AUTO = "auto"


class Clock:
    """The instant it is in the simulation."""

    def __init__(self, mode: ClockMode, start: datetime, source: Callable[[], float], *, scale: float = 1.0) -> None:
        if start.tzinfo is None:
            raise ValueError(f"the clock needs an aware start, got {start.isoformat()}")
        if not 0 < scale < math.inf:  # says no to NaN as well
            raise ValueError(f"the clock's scale must be a number above 0, got {scale}")
        self.mode = mode
        self.scale = scale
        self._source = source
        self._base = start.astimezone(UTC)  # adding to local time would lose or gain an hour twice a year
        self._flowing_since: float | None = None
        self._pinned: datetime | None = None
        # The instant that must not be passed yet; None: there is none.
        self.limit: Callable[[], datetime | None] = _no_limit
        if mode is ClockMode.SYSTEM:
            self.flow()

    @property
    def flowing(self) -> bool:
        """Whether simulated time follows real time at this moment."""
        return self._flowing_since is not None

    def now(self) -> datetime:
        """The current simulated instant (aware UTC)."""
        if self._pinned is not None:
            return self._pinned
        if self._flowing_since is None:
            return self._base
        flowed = self._base + timedelta(seconds=(self._source() - self._flowing_since) * self.scale)
        limit = self.limit()
        return flowed if limit is None else max(self._base, min(flowed, limit))

    @property
    def anchor(self) -> tuple[datetime, float | None]:
        """What the flow of time is counted from: as long as it stays, a deadline stays at its real instant."""
        return self._base, self._flowing_since

    def at(self, instant: datetime) -> AbstractContextManager[None]:
        """Let it be `instant` inside the block, which takes no time; afterwards time goes on from where it is."""
        return _Pin(self, instant)

    def flow(self) -> None:
        """Let simulated time follow real time. A manual clock never does."""
        if self._flowing_since is None and self.mode is not ClockMode.MANUAL:
            self._flowing_since = self._source()

    def freeze(self) -> None:
        """Stop following real time. A system clock never stops."""
        if self._flowing_since is not None and self.mode is not ClockMode.SYSTEM:
            self._base = self.now()
            self._flowing_since = None

    def jump(self, to: datetime) -> None:
        """Move forward to `to`; an instant in the past leaves the clock where it is."""
        now = self.now()
        if to > now:
            self._base = to.astimezone(UTC)
            if self._flowing_since is not None:
                self._flowing_since = self._source()

    def real_delay(self, deadline: datetime) -> float:
        """Real seconds until `deadline` while time flows; never negative."""
        return max(0.0, (deadline - self.now()).total_seconds() / self.scale)


class _Pin:
    """Holds a clock at an instant. A class, as a generator costs twice as much and every event of a call needs one."""

    __slots__ = ("_before", "_clock", "_instant")

    def __init__(self, clock: Clock, instant: datetime) -> None:
        self._clock = clock
        self._instant = instant

    def __enter__(self) -> None:
        self._before = self._clock._pinned
        self._clock._pinned = self._instant

    def __exit__(self, *_error: object) -> None:
        self._clock._pinned = self._before


def _no_limit() -> datetime | None:
    return None


class Timers(Generic[K]):
    """Deadlines by key, earliest first, ties in the order they were started.

    Starting a key again replaces its deadline. Stopped entries stay in the heap until they surface, unless they
    outnumber the live ones, when the heap is rebuilt: memory stays in proportion to what is live.
    """

    def __init__(self) -> None:
        # Deadline, number and key. Tuples are compared fast, and no two numbers are equal: keys are not compared.
        # Copies share them; one is stopped when its key has another, or none.
        self._heap: list[tuple[datetime, int, K]] = []
        self._live: dict[K, tuple[datetime, int, K]] = {}
        self._sequence = 0

    def copy(self) -> Timers[K]:
        """The same timers, on their own; ties stay in order, and timers to come are behind them."""
        made = Timers[K]()
        made._heap, made._live, made._sequence = self._heap.copy(), self._live.copy(), self._sequence
        return made

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, key: object) -> bool:
        return key in self._live

    def __iter__(self) -> Iterator[tuple[datetime, K]]:
        return iter(sorted(((due, key) for due, _, key in self._live.values()), key=lambda pair: pair[0]))

    def start(self, key: K, deadline: datetime) -> None:
        """Start or restart the timer `key`."""
        self.stop(key)
        self._sequence += 1
        timer = self._live[key] = deadline, self._sequence, key
        heapq.heappush(self._heap, timer)
        self._compact()

    def stop(self, key: K) -> bool:
        """Forget the timer `key`; says whether it was running."""
        if self._live.pop(key, None) is None:
            return False
        self._compact()
        return True

    def deadline(self, key: K) -> datetime | None:
        """When `key` is due, or None when it is not running."""
        timer = self._live.get(key)
        return timer[0] if timer else None

    def next_deadline(self) -> datetime | None:
        """The earliest deadline, or None when nothing is running."""
        while self._heap and self._stopped(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: datetime) -> K | None:
        """Take the earliest timer that is due at `now`, or None."""
        deadline = self.next_deadline()
        if deadline is None or deadline > now:
            return None
        _, _, key = heapq.heappop(self._heap)
        del self._live[key]
        self._compact()
        return key

    def clear(self) -> None:
        """Forget every timer."""
        self._heap.clear()
        self._live.clear()

    def _compact(self) -> None:
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._live):
            self._heap = [timer for timer in self._heap if not self._stopped(timer)]
            heapq.heapify(self._heap)

    def _stopped(self, timer: tuple[datetime, int, K]) -> bool:
        return self._live.get(timer[2]) is not timer
