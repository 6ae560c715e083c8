"""What a benchmark yields, and the table it ends in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


class Skipped(Exception):
    """A benchmark cannot run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity, beside a budget, a yardstick measured in the same run, or both.

    More is better where the unit ends in "/s"; otherwise less is.
    """

    what: str
    ours: float
    unit: str
    at_most: float | None = None  # the budget as a quantity
    yardstick: float | None = None  # the same quantity of something that does no more than it must
    beside: str = ""  # what the yardstick is
    at_least: float | None = None  # the budget as a share of the yardstick's speed: 0.75

    @property
    def share(self) -> float | None:
        """How fast we are as a share of the yardstick; without one, of the budget. None: there is nothing to say."""
        other = self.yardstick if self.yardstick is not None else self.at_most
        if other is None:
            return None
        return self.ours / other if self.unit.endswith("/s") else other / self.ours

    @property
    def within(self) -> bool | None:
        """Whether the budget is kept; None when there is none."""
        if self.at_least is not None:
            return self.share is not None and self.share >= self.at_least
        return None if self.at_most is None else self.ours <= self.at_most

    def as_dict(self) -> dict[str, Any]:
        """The figure for programs."""
        return {**asdict(self), "share": self.share, "within": self.within}


def table(figures: Iterable[Figure], skipped: Iterable[tuple[str, str]]) -> Table:
    """The budgets and what came of them."""
    made = Table(title="medians of one run")
    for name in ("what", "budget", "ours", "yardstick, same run", "ratio", "within"):
        made.add_column(name)
    for figure in figures:
        made.add_row(
            figure.what, _budget(figure), _quantity(figure.ours, figure.unit), _beside(figure), *_verdict(figure)
        )
    for name, reason in skipped:
        made.add_row(name, "", "skipped", reason, "", "")
    return made


def _quantity(value: float, unit: str) -> str:
    digits = 0 if value >= 20 else 1 if value >= 2 else 2
    return f"{value:,.{digits}f} {unit}".replace(" /s", "/s")


def _budget(figure: Figure) -> str:
    share = (
        [f"≥ {figure.at_least:.0%}" if figure.at_least < 1 else f"≥ {figure.at_least:g} ×"] if figure.at_least else []
    )
    most = [f"≤ {figure.at_most:g} {figure.unit}"] if figure.at_most is not None else []
    return " and ".join(share + most)


def _beside(figure: Figure) -> str:
    amount = _quantity(figure.yardstick, figure.unit) if figure.yardstick is not None else ""
    return f"{amount} ({figure.beside})" if amount and figure.beside else amount + figure.beside


def _verdict(figure: Figure) -> tuple[str, str]:
    share = figure.share
    ratio = "" if share is None else f"{share:.0%}" if share < 2 else f"{share:,.1f} ×"
    return ratio, {True: "yes", False: "NO", None: ""}[figure.within]
