"""What became of deliveries while a handler was away: records in, figures and rows out. Drawn by its two neighbours.

A delivery climbs a ladder of attempts over most of a day. Which rungs fall into an outage decides whether it comes late
or is lost, so what is worth seeing is every attempt against time, the outage behind them, and how each row ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from simulator.scenarios.reports.ladder_records import (
    End,
    Figures,
    How,
    Outage,
    Owed,
    Try,
    as_json,
    figures_of,
    in_seconds,
)

TICKS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 60, 300, 900, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_419_200)
)
COUNTS: Final = ("sent", "first_try", "late", "lost", "pending", "attempts")
LENGTHS: Final = ("delay_p50", "delay_p90", "delay_max", "longest_gap")
MIDNIGHT: Final = datetime(2000, 1, 3, tzinfo=UTC)  # a Monday: ticks of a week begin with one


@dataclass(frozen=True, slots=True)
class Row:
    """Deliveries that are drawn as one."""

    owed: tuple[Owed, ...]

    @property
    def ends(self) -> tuple[End, ...]:
        """What became of them, each once."""
        return tuple(dict.fromkeys(delivery.end for delivery in self.owed))


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything there is to draw. `bundled`: how many deliveries the fullest row holds, where unlike ones share it."""

    rows: tuple[Row, ...]
    outages: tuple[Outage, ...]
    figures: Figures
    begin: datetime
    end: datetime
    bundled: int = 1

    def ticks(self, most: int) -> list[datetime]:
        """Round instants between begin and end, not more than `most`, but for the longest stories."""
        return ticks(self.begin, self.end, most)

    def within(self, at: datetime) -> Outage | None:
        """The outage that was on at an instant."""
        return next((outage for outage in self.outages if outage.begin <= at < outage.end), None)


# -- arranging ---------------------------------------------------------------------------------------------------


def chart_of(owed: Iterable[Owed], outages: Iterable[Outage] = (), *, most_rows: int) -> Chart:
    """Arrange deliveries in rows, first sent first; alike ones share a row, and neighbours if there are too many."""
    ordered = sorted(owed, key=lambda delivery: delivery.created)
    known = tuple(outages)
    rows = _rows(ordered)
    bundled = 1
    if len(rows) > most_rows:
        rows = _bundles(rows, most_rows)
        bundled = max(len(row.owed) for row in rows)
    moments = [d.created for d in ordered] + [t.at for d in ordered for t in d.tries]
    moments += [d.next_at for d in ordered if d.next_at is not None]
    moments += [moment for outage in known for moment in (outage.begin, outage.end)]
    begin = min(moments, default=MIDNIGHT)
    end = max(moments, default=MIDNIGHT)
    return Chart(rows, known, figures_of(ordered), begin, max(end, begin + timedelta(seconds=1)), bundled)


def _rows(ordered: Sequence[Owed]) -> tuple[Row, ...]:
    """Deliveries that were sent at one instant and fared alike are one row."""

    def fate(delivery: Owed) -> tuple[Any, ...]:
        return delivery.created, delivery.status, tuple((t.at, t.how) for t in delivery.tries)

    alike: dict[tuple[Any, ...], list[Owed]] = {}
    for delivery in ordered:
        alike.setdefault(fate(delivery), []).append(delivery)
    return tuple(Row(tuple(deliveries)) for deliveries in alike.values())


def _bundles(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    """Put neighbours together, as few as will do; where there is room, only those that came to the same end."""
    size = -(-len(rows) // most)
    while size <= len(rows):
        alike = [list(run) for _, run in groupby(rows, key=lambda row: row.ends)]
        pieces = [piece for run in alike for piece in _pieces(run, size)]
        if len(pieces) <= most:
            return tuple(_joined(piece) for piece in pieces)
        size += 1
    return tuple(_joined(piece) for piece in _pieces(rows, -(-len(rows) // most)))


def _pieces(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _joined(rows: Sequence[Row]) -> Row:
    return Row(tuple(delivery for row in rows for delivery in row.owed))


# -- words -------------------------------------------------------------------------------------------------------


def ticks(begin: datetime, end: datetime, most: int) -> list[datetime]:
    """Round instants from begin to end, not more than `most`, but for the longest stories."""
    step = next((step for step in TICKS if (end - begin) / step <= most - 1), TICKS[-1])
    first = MIDNIGHT + -((MIDNIGHT - begin) // step) * step
    return [first + step * index for index in range(int((end - first) / step) + 1)] if first <= end else []


def tick_label(tick: datetime, before: datetime | None) -> str:
    """The time; the day where it begins or is new; seconds where it has some."""
    if before is None or tick.date() != before.date():
        return f"{tick:%a %d %b}" if tick.time() == MIDNIGHT.time() else f"{tick:%a %H:%M}"
    return f"{tick:%H:%M:%S}" if tick.second else f"{tick:%H:%M}"


def spell(length: timedelta) -> str:
    """Write a length for a reader by its two largest units: "45 s", "8 h 25 m", "24 h", "2 d"."""
    seconds = round(length.total_seconds())
    days = seconds // 86_400 if seconds >= 2 * 86_400 else 0
    seconds -= days * 86_400
    amounts = ((days, "d"), (seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return " ".join([f"{amount} {unit}" for amount, unit in amounts if amount][:2]) or "0 s"


def row_label(row: Row) -> str:
    """When a row was sent, and how many deliveries it is."""
    first = row.owed[0].created
    many = f" ×{len(row.owed)}" if len(row.owed) > 1 else ""
    return f"{first:%a %H:%M}{many}"


def row_end(row: Row) -> str:
    """How a row ends, in a few words."""
    if len(row.ends) > 1:
        counts = [(end, sum(delivery.end is end for delivery in row.owed)) for end in row.ends]
        return ", ".join(f"{number} {end.value.replace('_', ' ')}" for end, number in counts)
    first = row.owed[0]
    match first.end:
        case End.FIRST_TRY:
            return "at first try"
        case End.PENDING:
            return "pending"
        case End.LOST:
            last = first.tries[-1] if first.tries else None
            return "lost" if last is None else f"lost: {_why(first, last)}"
        case End.LATE:
            delays = sorted(d.arrived - d.created for d in row.owed if d.arrived is not None)
            most = f" to {spell(delays[-1])}" if delays[-1] != delays[0] else ""
            return f"{spell(delays[0])}{most} late"


def _why(owed: Owed, last: Try) -> str:
    if last.how is How.NOT_SENT:
        return "not sent"
    if last.how is How.FINAL:
        return f"answered {last.http_status}"
    number = len(owed.tries)
    return f"{number} of {number} failed" if owed.retryable else "sent only once"


def verdict(chart: Chart) -> str:
    """The whole story in a sentence."""
    figures = chart.figures
    if not figures.sent:
        return "Nothing was sent."
    away = "".join(f", {outage.label} for {spell(outage.length)}" for outage in chart.outages[:3])
    late = f"{figures.late} late" + (f" (by up to {spell(figures.delay_max)})" if figures.delay_max else "")
    pending = f", {figures.pending} still pending" if figures.pending else ""
    return f"{figures.sent} sent{away}: {figures.first_try} at first try, {late}, {figures.lost} lost{pending}."


def figure_lines(figures: Figures) -> list[tuple[str, str]]:
    """The figures with their names for readers."""
    delays = "none"
    if figures.delay_p50 is not None and figures.delay_p90 is not None and figures.delay_max is not None:
        delays = f"p50 {spell(figures.delay_p50)}, p90 {spell(figures.delay_p90)}, max {spell(figures.delay_max)}"
    return [
        ("sent", str(figures.sent)),
        ("at first try", str(figures.first_try)),
        ("late", str(figures.late)),
        ("lost", str(figures.lost)),
        ("pending", str(figures.pending)),
        ("attempts", str(figures.attempts)),
        ("delay of late ones", delays),
        ("longest gap", "none" if figures.longest_gap is None else spell(figures.longest_gap)),
    ]


# -- as data ------------------------------------------------------------------------------------------------------


def chart_as_json(chart: Chart) -> dict[str, Any]:
    """A chart as JSON: its story, its figures and its deliveries."""
    figures = chart.figures
    counts = {name: getattr(figures, name) for name in COUNTS}
    lengths = {f"{name}_seconds": in_seconds(getattr(figures, name)) for name in LENGTHS}
    return {
        "verdict": verdict(chart),
        "figures": {**counts, **lengths},
        "outages": [{"begin": o.begin.isoformat(), "end": o.end.isoformat(), "label": o.label} for o in chart.outages],
        "deliveries": [as_json(delivery) for row in chart.rows for delivery in row.owed],
    }
