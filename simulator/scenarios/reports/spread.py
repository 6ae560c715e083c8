"""Lengths of time as dots on a line: where most of them lie, and which are far out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from simulator.scenarios.durations import short
from simulator.scenarios.reports.markup import Markup, tag
from simulator.scenarios.results import Spread

WIDTH: Final = 260
HEIGHT: Final = 26
MOST_DOTS: Final = 400  # more of them are one black bar; the percentiles still count all


def strip(name: str, row: Spread, lengths: Sequence[timedelta]) -> Markup | None:
    """Draw the lengths from zero to the longest, with marks for the percentiles."""
    if row.longest is None:
        return None
    longest = max(row.longest, timedelta(milliseconds=1))

    def x(length: timedelta) -> float:
        return 8 + (WIDTH - 16) * (length / longest)

    shown = sorted(lengths)[:: -(-len(lengths) // MOST_DOTS)]
    dots = (tag("circle", tag("title", short(length)), class_="sample", cx=x(length), cy=13, r=4) for length in shown)
    ranks = (("p50", row.p50), ("p90", row.p90), ("p99", row.p99))
    marks = (
        tag("line", tag("title", f"{word} {short(rank)}"), class_=f"rank {word}", x1=x(rank), x2=x(rank), y1=3, y2=23)
        for word, rank in ranks
        if rank is not None
    )
    label = f"{name}: {row.count} from 0 to {short(longest)}"
    axis = tag("line", class_="axis", x1=8, x2=WIDTH - 8, y1=13, y2=13)
    return tag(
        "svg", tag("title", label), axis, *marks, *dots,
        class_="strip", role="img", aria_label=label, width=WIDTH, height=HEIGHT, viewBox=f"0 0 {WIDTH} {HEIGHT}",
    )  # fmt: skip
