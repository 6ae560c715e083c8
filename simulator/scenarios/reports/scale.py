"""Where a moment of a call stands on paper: time runs evenly, but where nothing happens for long it is folded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from simulator.scenarios.record import CallRecord

PER_SECOND: Final = 62.0  # pixels: the words of a sentence, on three lines, fit into the time they take
LONGEST_EVEN: Final = timedelta(seconds=8)  # a quiet stretch longer than this is folded
MARGIN: Final = timedelta(milliseconds=600)  # shown evenly on both sides of a fold, and behind the end
FOLDED: Final = 150.0  # pixels of a folded stretch: room to say how long it was
NARROWEST: Final = 640.0  # pixels
STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)  # seconds between the marks of an axis
MARK_ROOM: Final = 58.0  # pixels between two marks at least


@dataclass(frozen=True, slots=True)
class Fold:
    """A stretch of time that is drawn shorter than it was."""

    start: timedelta
    end: timedelta


class Scale:
    """Maps moments to pixels, in order."""

    def __init__(self, end: timedelta, folds: Iterable[Fold] = ()) -> None:
        self.folds = tuple(folds)
        self._moments = [timedelta()]
        self._pixels = [0.0]
        for fold in self.folds:
            self._add(fold.start, self._even(fold.start))
            self._add(fold.end, self._pixels[-1] + FOLDED)
        self.width = max(NARROWEST, self._even(end) if end > self._moments[-1] else self._pixels[-1])

    def x(self, moment: timedelta) -> float:
        """The pixel of a moment; what lies before the start is drawn at it."""
        index = max(0, bisect_right(self._moments, moment) - 1)
        start, left = self._moments[index], self._pixels[index]
        fold = next((fold for fold in self.folds if fold.start == start and moment < fold.end), None)
        if fold is not None:
            return left + FOLDED * ((moment - start) / (fold.end - fold.start))
        return max(0.0, left + (moment - start).total_seconds() * PER_SECOND)

    def marks(self, end: timedelta) -> Iterator[timedelta]:
        """The moments worth a mark: round ones, and none in a fold."""
        step = timedelta(seconds=next(step for step in STEPS if step * PER_SECOND >= MARK_ROOM))
        moment, last = timedelta(), -MARK_ROOM
        while moment <= end:
            inside = next((fold for fold in self.folds if fold.start < moment < fold.end), None)
            if inside is not None:  # go on with the first round moment behind it
                moment = inside.end + (-inside.end % step)
                continue
            if self.x(moment) - last >= MARK_ROOM:
                last = self.x(moment)
                yield moment
            moment += step

    def _even(self, moment: timedelta) -> float:
        return self._pixels[-1] + (moment - self._moments[-1]).total_seconds() * PER_SECOND

    def _add(self, moment: timedelta, pixel: float) -> None:
        self._moments.append(moment)
        self._pixels.append(pixel)


def scale_of(record: CallRecord) -> Scale:
    """A scale for one call, folded where nothing begins, ends or is said for long."""
    moments = sorted({timedelta(), *_moments(record)})
    spoken = [(part.at, part.at + part.length) for part in record.speech]
    folds = [
        Fold(start + MARGIN, end - MARGIN)
        for start, end in pairwise(moments)
        if end - start > LONGEST_EVEN and not any(begin < end and start < stop for begin, stop in spoken)
    ]
    return Scale(moments[-1] + MARGIN, folds)


def _moments(record: CallRecord) -> Iterator[timedelta]:
    """Every moment at which something in a call begins or ends."""
    yield from (record.ended, record.answered or timedelta())
    for part in record.speech:
        yield from (part.at, part.at + part.length)
    for keys in record.keys:
        yield from (keys.at, keys.at + keys.length)
    for turn in record.turns:
        yield from (turn.opened, turn.closed, *(chunk.at for chunk in turn.chunks))
        if turn.first_byte is not None:
            yield turn.opened + turn.first_byte
    yield from (finding.at for finding in record.findings)
