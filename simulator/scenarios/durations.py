"""Lengths of time as scenario files write them: a number and a unit, "600ms", "1.5s", "2m", "2d"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
# Twelve digits and six decimals: every length up to LONGEST can be written, and none overflows on the way.
PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})?(ms|s|m|h|d)$"
LONGEST: Final = timedelta(days=3650)  # the clock goes no further at once, and no story is longer

_MICROSECOND: Final = timedelta(microseconds=1)
_WRITTEN: Final = re.compile(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?)(?P<unit>ms|s|m|h|d)")


def parse(text: str) -> timedelta:
    """Read a length of time, rounded to whole microseconds. Raises ValueError naming the value and the way out."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no length of time: write a number and ms, s, m, h or d, such as 600ms or 1.5s")
    whole, _, fraction = found["number"].partition(".")
    unit = UNITS[found["unit"]] // _MICROSECOND
    length = int(whole) * unit + (int(fraction.ljust(6, "0")) * unit + 500_000) // 1_000_000
    if length > LONGEST // _MICROSECOND:
        raise ValueError(f"{text!r} is too long: {render(LONGEST)} at most")
    return length * _MICROSECOND


def render(length: timedelta) -> str:
    """Write a length of time in the largest unit that holds it exactly; `parse` gives it back. Never negative."""
    for unit in ("d", "h", "m", "s"):
        if length and not length % UNITS[unit]:
            return f"{length // UNITS[unit]}{unit}"
    milliseconds, rest = divmod(length // _MICROSECOND, 1000)
    if not rest:
        return f"{milliseconds}ms" if milliseconds else "0s"
    return f"{milliseconds}.{rest:03}".rstrip("0") + "ms"


def clock(moment: timedelta) -> str:
    """Write a moment of a call as mm:ss.mmm; what is before the start gets a minus."""
    total = round(abs(moment) / UNITS["ms"])
    minutes, rest = divmod(total, 60_000)
    return f"{'-' if moment < timedelta() and total else ''}{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def short(length: timedelta) -> str:
    """Write a length for a reader: "80 ms", "1.24 s", "3 m 05 s"."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    return f"{int(seconds // 60)} m {int(seconds % 60):02} s"
