"""Where a moment of a case stands on paper, in percent of the width: idle time is folded, whatever else is even.

Percent rather than pixels, so that a drawing fits a phone, a screen and a sheet without being scrolled.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LEFT: Final = 0.5  # percent
WIDTH: Final = 98.0
FOLDED: Final = 7.0  # of one fold; of many, so much that half of the width stays
IDLE: Final = 0.25  # of all the time in which something is under way: what is longer is folded
MARKS: Final = 5
MARK_ROOM: Final = 13.0


@dataclass(frozen=True, slots=True)
class Fold:
    """Seconds in which no request is under way."""

    start: float
    end: float


class Scale:
    """Maps seconds since the case began to percent, in order. `spans`: from when to when requests ran."""

    def __init__(self, spans: Iterable[tuple[float, float]]) -> None:
        busy = _merged(spans)
        total = sum(end - start for start, end in busy)
        gaps = [Fold(end, start) for (_, end), (start, _) in pairwise(busy)]
        self.folds = tuple(gap for gap in gaps if gap.end - gap.start > IDLE * total)
        self.end = busy[-1][1] if busy else 0.0
        fold = min(FOLDED, WIDTH / 2 / len(self.folds)) if self.folds else 0.0
        start = busy[0][0] if busy else 0.0
        even = self.end - start - sum(gap.end - gap.start for gap in self.folds)
        self._rate = (WIDTH - fold * len(self.folds)) / even if even > 0 else 0.0  # percent for a second
        self._knots = [start]
        self._places = [LEFT]
        for gap in self.folds:
            self._knot(gap.start, self._places[-1] + (gap.start - self._knots[-1]) * self._rate)
            self._knot(gap.end, self._places[-1] + fold)
        self._starts = {gap.start: fold / (gap.end - gap.start) for gap in self.folds}
        self._even = even

    def x(self, moment: float) -> float:
        """The place of a moment."""
        index = max(0, bisect_right(self._knots, moment) - 1)
        start = self._knots[index]
        rate = self._starts.get(start, self._rate) if moment < self._after(index) else self._rate
        return min(LEFT + WIDTH, max(LEFT, self._places[index] + (moment - start) * rate))

    def marks(self) -> Iterator[float]:
        """The moments worth a mark: round ones, in no fold, and not too close."""
        if self._even <= 0:
            return
        step, last = _round(self._even / MARKS), -MARK_ROOM
        stretches = [self._knots[0], *(gap.end for gap in self.folds)]
        for start, end in zip(stretches, [*(gap.start for gap in self.folds), self.end], strict=True):
            first = math.ceil(start / step - 1e-9)
            for number in range(first, first + 4 * MARKS):
                moment = number * step
                if moment <= end and self.x(moment) - last >= MARK_ROOM:
                    last = self.x(moment)
                    yield moment

    def _after(self, index: int) -> float:
        return self._knots[index + 1] if index + 1 < len(self._knots) else math.inf

    def _knot(self, moment: float, place: float) -> None:
        self._knots.append(moment)
        self._places.append(place)


def _merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The times in which anything was under way, apart from each other and in order."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _round(length: float) -> float:
    """The next longer of 1, 2 and 5, times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(length))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= length * (1 - 1e-9))
