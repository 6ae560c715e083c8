"""The ladder for a terminal: the same rows and figures, in lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from simulator.scenarios.reports.ladder import Chart, Row, figure_lines, row_end, row_label, spell, tick_label, verdict
from simulator.scenarios.reports.ladder_records import SAID, End, How
from simulator.scenarios.reports.texts import printable

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS: Final = 48
NARROWEST: Final = 80  # columns
LABEL: Final = 14
ENDING: Final = 22
AWAY: Final = "░"
COUNTS: Final = 6  # of the figures; lengths of time follow

MARKS: Final[Mapping[How, str]] = {
    How.DELIVERED: "●",
    How.REFUSED: "x",
    How.TIMED_OUT: "○",
    How.ERROR: "■",
    How.FINAL: "◆",
    How.NOT_SENT: "-",
    How.INTERRUPTED: "=",
}
STYLES: Final[Mapping[How, str]] = {
    How.DELIVERED: "green",
    How.REFUSED: "red",
    How.TIMED_OUT: "yellow",
    How.ERROR: "red",
    How.FINAL: "magenta",
    How.NOT_SENT: "dim",
    How.INTERRUPTED: "dim",
}
ENDINGS: Final[Mapping[End, str]] = {
    End.FIRST_TRY: "green",
    End.LATE: "yellow",
    End.LOST: "bold red",
    End.PENDING: "dim",
}
# Of two marks in one cell the one that says more about the end of the row.
WEIGHT: Final = (How.DELIVERED, How.FINAL, How.NOT_SENT, How.INTERRUPTED, How.TIMED_OUT, How.ERROR, How.REFUSED)

Piece = tuple[str, str]  # text and its style


def render(chart: Chart, columns: int = NARROWEST) -> str:
    """The chart as plain text, in lines of at most `columns`."""
    return "".join(f"{''.join(text for text, _ in line).rstrip()}\n" for line in lines_of(chart, columns))


def show(chart: Chart, console: Console) -> None:
    """Print the chart in colour, as wide as the console is."""
    from rich.text import Text

    for line in lines_of(chart, console.width):
        console.print(Text.assemble(*line), soft_wrap=True)


def lines_of(chart: Chart, columns: int) -> list[list[Piece]]:
    """The lines, in pieces of one style."""
    width = max(columns, NARROWEST)
    room = width - LABEL - ENDING - 2
    lines: list[list[Piece]] = [[(text, "bold")] for text in wrapped(verdict(chart), width)]
    lines.append([])
    lines += [_row(row, chart, room) for row in chart.rows]
    lines += [_ticks(chart, room), []]
    lines += [[(text, "dim")] for text in wrapped(_legend(chart), width)]
    lines += [[(text, "")] for figures in _figures(chart) for text in wrapped(figures, width)]
    return lines


def _row(row: Row, chart: Chart, room: int) -> list[Piece]:
    cells: list[Piece] = [(AWAY, "dim red") if _away(chart, index, room) else (" ", "") for index in range(room)]
    first = _cell(row.owed[0].created, chart, room)
    last = max((_cell(t.at, chart, room) for d in row.owed for t in d.tries), default=first)
    for index in range(first, last + 1):
        if cells[index][0] == " ":
            cells[index] = ("·", "dim")
    for how in reversed(WEIGHT):
        for attempt in (t for d in row.owed for t in d.tries if t.how is how):
            cells[_cell(attempt.at, chart, room)] = (MARKS[how], STYLES[how])
    end = printable(row_end(row))
    short = end if len(end) <= ENDING else f"{end[: ENDING - 1]}…"
    tone = ENDINGS[row.ends[0]] if len(row.ends) == 1 else ""
    return [(f"{row_label(row)[:LABEL]:<{LABEL}} ", ""), *cells, (f" {short}", tone)]


def _cell(at: datetime, chart: Chart, room: int) -> int:
    return round((room - 1) * ((at - chart.begin) / (chart.end - chart.begin)))


def _away(chart: Chart, index: int, room: int) -> bool:
    """Whether a cell lies in an outage, from the cell of its begin to that of its end."""
    return any(_cell(o.begin, chart, room) <= index <= _cell(o.end, chart, room) for o in chart.outages)


def _ticks(chart: Chart, room: int) -> list[Piece]:
    """The labels that have room, each beginning at its instant."""
    line, before = "", None
    for tick in chart.ticks(max(2, room // 10)):
        at, label = _cell(tick, chart, room), tick_label(tick, before)
        if at >= len(line) + bool(line) and at + len(label) <= room + ENDING:
            line = f"{line:<{at}}{label}"
            before = tick
    return [(" " * (LABEL + 1), ""), (line, "dim")]


def _legend(chart: Chart) -> str:
    there = {t.how for row in chart.rows for d in row.owed for t in d.tries}
    marks = [f"{MARKS[how]} {SAID[how]}" for how in How if how in there]
    away = [f"{AWAY} {outage.label} for {spell(outage.length)}" for outage in chart.outages[:3]]
    bundled = [f"a row is up to {chart.bundled} deliveries"] if chart.bundled > 1 else []
    return "   ".join([*marks, *away, *bundled])


def _figures(chart: Chart) -> Iterator[str]:
    """The counts, then the lengths."""
    lines = figure_lines(chart.figures)
    yield ", ".join(f"{name} {value}" for name, value in lines[:COUNTS])
    yield from (f"{name}: {value}" for name, value in lines[COUNTS:])


def wrapped(text: str, width: int) -> list[str]:
    """Break a line between words."""
    import textwrap

    return textwrap.wrap(text, width) or [""]
