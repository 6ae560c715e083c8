"""The ladder as a picture: one SVG that needs nothing else, readable by day and by night, and by ear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from simulator.scenarios.reports.ladder import Chart, Row, figure_lines, row_end, row_label, spell, tick_label, verdict
from simulator.scenarios.reports.ladder_records import SAID, End, How, Outage, Try
from simulator.scenarios.reports.markup import Markup, join, style, tag

MOST_ROWS: Final = 48
WIDTH: Final = 980.0  # pixels
LEFT: Final = 104.0  # where the plot begins: behind the rows' names
RIGHT: Final = 800.0  # where it ends: before what became of them
TOP: Final = 96.0
ROW: Final = 17.0
MARK: Final = 4.2  # radius
MOST_TICKS: Final = 10
FIGURES: Final = (16.0, 88.0, 178.0, 250.0, 322.0, 404.0, 492.0, 866.0)  # where each figure stands

# Written out for day and night instead of by variables, which not every program that draws SVG knows.
CSS: Final = """
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
text.title { font-size: 17px; font-weight: 600; } text.strong { font-weight: 600; } text.number { font-size: 15px; }
text.small { font-size: 11px; } text.end { text-anchor: end; } text.middle { text-anchor: middle; }
text.dim { fill: #59636e; } text.away-name { fill: #a24444; font-weight: 600; }
text.lost { fill: #c4232d; font-weight: 600; } text.late { fill: #8a5200; } text.first_try { fill: #1a7f37; }
.paper { fill: #ffffff; } .rule { stroke: #d0d7de; } .climb { stroke: #8c959f; stroke-width: 1.2; }
.wait { stroke-dasharray: 2 3; } .away { fill: #fae1e1; } .edge { stroke: #b35959; stroke-dasharray: 4 3; }
.lost-row { fill: #fbe4e5; } .mark { stroke-width: 1.8; }
.delivered { fill: #1a7f37; stroke: #1a7f37; } .refused { stroke: #c4232d; fill: none; }
.timed_out { stroke: #8a5200; fill: #ffffff; } .error { stroke: #c4232d; fill: #c4232d; }
.final { stroke: #8250df; fill: #8250df; } .not_sent, .interrupted { stroke: #59636e; fill: none; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } text.dim { fill: #9aa5b1; } text.away-name { fill: #e58e8e; }
text.lost { fill: #ff8a80; } text.late { fill: #e3a13a; } text.first_try { fill: #3fb950; }
.paper { fill: #0d1117; } .rule { stroke: #30363d; } .climb { stroke: #6e7681; }
.away { fill: #36191b; } .edge { stroke: #d07b7b; } .lost-row { fill: #3a171b; }
.delivered { fill: #3fb950; stroke: #3fb950; } .refused { stroke: #ff7b72; }
.timed_out { stroke: #e3a13a; fill: #0d1117; } .error { stroke: #ff7b72; fill: #ff7b72; }
.final { stroke: #bc8cff; fill: #bc8cff; } .not_sent, .interrupted { stroke: #9aa5b1; }
}
""".strip()

# Shapes differ as well as colours: some readers see no red, and some printers neither.
SHAPES: Final[Mapping[How, str]] = {
    How.DELIVERED: "M{x} {y} m-{r} 0 a{r} {r} 0 1 0 {d} 0 a{r} {r} 0 1 0 -{d} 0 z",
    How.REFUSED: "M{x} {y} m-{s} -{s} l{w} {w} m0 -{w} l-{w} {w}",
    How.TIMED_OUT: "M{x} {y} m-{r} 0 a{r} {r} 0 1 0 {d} 0 a{r} {r} 0 1 0 -{d} 0 z m{r} 0 v-{s} m0 {s} h{s}",
    How.ERROR: "M{x} {y} m-{s} -{s} h{w} v{w} h-{w} z",
    How.FINAL: "M{x} {y} m0 -{r} l{r} {r} l-{r} {r} l-{r} -{r} z",
    How.NOT_SENT: "M{x} {y} m-{r} 0 h{d}",
    How.INTERRUPTED: "M{x} {y} m-{s} -{r} v{d} m{w} -{d} v{d}",
}


def render(chart: Chart, title: str = "Deliveries") -> str:
    """Draw a chart."""
    bottom = TOP + max(1, len(chart.rows)) * ROW
    height = bottom + 118
    story = verdict(chart)
    picture = tag(
        "svg",
        tag("title", title, id="ladder-title"),
        tag("desc", _description(chart, story), id="ladder-desc"),
        style(CSS),
        tag("rect", class_="paper", width=WIDTH, height=height),
        _words(title, 16, 28, "title"),
        _words(story, 16, 50, "dim"),
        *(_outage(outage, chart, bottom) for outage in chart.outages),
        *_axis(chart, bottom),
        *(_row(row, chart, TOP + index * ROW) for index, row in enumerate(chart.rows)),
        *_legend(chart, bottom + 44),
        *_figures(chart, bottom + 82),
        xmlns="http://www.w3.org/2000/svg", role="img", aria_labelledby="ladder-title ladder-desc",
        viewBox=f"0 0 {WIDTH:g} {height:g}", width=WIDTH, height=height,
    )  # fmt: skip
    return f"{picture}\n"


def _description(chart: Chart, story: str) -> str:
    """The picture in words: what a reader who cannot see it needs to know."""
    lost = [delivery for row in chart.rows for delivery in row.owed if delivery.end is End.LOST]
    named = "; ".join(f"{d.event} of {d.created:%a %H:%M}: {d.reason}" for d in lost[:20])
    more = f"; and {len(lost) - 20} more" if len(lost) > 20 else ""
    return f"{story} Lost: {named}{more}." if lost else f"{story} Nothing was lost."


def _x(at: datetime, chart: Chart) -> float:
    margin = 8.0
    return LEFT + margin + (RIGHT - LEFT - 2 * margin) * ((at - chart.begin) / (chart.end - chart.begin))


def _outage(outage: Outage, chart: Chart, bottom: float) -> Markup:
    left, right = _x(outage.begin, chart), _x(outage.end, chart)
    name = f"{outage.label} for {spell(outage.length)}"
    return tag(
        "g",
        tag("title", f"{name}: {outage.begin:%a %d %b %H:%M:%S} to {outage.end:%a %d %b %H:%M:%S}"),
        tag("rect", class_="away", x=left, y=TOP, width=max(right - left, 1.0), height=bottom - TOP),
        *(tag("line", class_="edge", x1=x, x2=x, y1=TOP - 6, y2=bottom) for x in (left, right)),
        _words(name, (left + right) / 2, TOP - 8, "small middle away-name"),
        class_="outage",
    )


def _axis(chart: Chart, bottom: float) -> Iterator[Markup]:
    yield tag("line", class_="rule", x1=LEFT, x2=RIGHT, y1=bottom, y2=bottom)
    before = None
    for tick in chart.ticks(MOST_TICKS):
        x = _x(tick, chart)
        yield tag("line", class_="rule tick", x1=x, x2=x, y1=bottom, y2=bottom + 5)
        yield _words(tick_label(tick, before), x, bottom + 18, "small dim middle")
        before = tick


def _row(row: Row, chart: Chart, top: float) -> Markup:
    middle = top + ROW / 2
    ends = row.ends
    tone = ends[0].value if len(ends) == 1 else "dim"
    lost = End.LOST in ends
    return tag(
        "g",
        tag("title", _about(row)),
        tag("rect", class_="lost-row", x=RIGHT + 4, y=top + 1, width=WIDTH - RIGHT - 12, height=ROW - 2)
        if lost
        else None,
        _words(row_label(row), LEFT - 8, middle + 4, "small end"),
        *_climbs(row, chart, middle),
        *(_mark(t, _x(t.at, chart), middle) for t in _seen(row)),
        _words(("✕ " if lost else "") + row_end(row), RIGHT + 10, middle + 4, f"small {tone}"),
        class_="delivery",
    )


def _seen(row: Row) -> list[Try]:
    """The marks of a row, each once; those that arrived last, so that they lie on top."""
    tries = dict.fromkeys((t.at, t.how) for delivery in row.owed for t in delivery.tries)
    return sorted((Try(at, how) for at, how in tries), key=lambda t: (t.how is How.DELIVERED, t.at))


def _climbs(row: Row, chart: Chart, y: float) -> Iterator[Markup]:
    """From the sending to the last attempt; and to the next one, when there is to be one."""
    first = min(delivery.created for delivery in row.owed)
    last = max((t.at for delivery in row.owed for t in delivery.tries), default=first)
    coming = max((d.next_at for d in row.owed if d.next_at is not None), default=None)
    if last > first:
        yield tag("line", class_="climb", x1=_x(first, chart), x2=_x(last, chart), y1=y, y2=y)
    if coming is not None:
        yield tag("line", class_="climb wait", x1=_x(last, chart), x2=_x(coming, chart), y1=y, y2=y)


def _about(row: Row) -> str:
    first = row.owed[0]
    names = ", ".join(dict.fromkeys(delivery.event for delivery in row.owed))
    lines = [f"{names}, sent {first.created:%a %d %b %H:%M:%S}: {row_end(row)}"]
    if len(row.ends) == 1:
        lines += [f"{t.at:%a %H:%M:%S} {t.error or SAID[t.how]}" for t in first.tries]
    reasons = dict.fromkeys(delivery.reason for delivery in row.owed if delivery.reason)
    return "\n".join([*lines, *(f"lost: {reason}" for reason in reasons)])


def _mark(attempt: Try, x: float, y: float) -> Markup:
    title = f"{attempt.at:%a %d %b %H:%M:%S} {SAID[attempt.how]}"
    return tag("path", tag("title", title), class_=f"mark {attempt.how.value}", d=_shape(attempt.how, x, y))


def _shape(how: How, x: float, y: float) -> str:
    small = MARK * 0.78
    sizes = {"x": x, "y": y, "r": MARK, "d": 2 * MARK, "s": small, "w": 2 * small}
    return SHAPES[how].format(**{name: f"{size:.2f}".rstrip("0").rstrip(".") for name, size in sizes.items()})


def _legend(chart: Chart, y: float) -> Iterator[Markup]:
    """The marks that occur, in words."""
    there = {t.how for row in chart.rows for t in _seen(row)}
    x = LEFT
    for how in (how for how in How if how in there):
        yield tag("path", class_=f"mark {how.value}", d=_shape(how, x, y - 4))
        yield _words(SAID[how], x + 10, y, "small dim")
        x += 34 + 6.2 * len(SAID[how])
    if chart.bundled > 1:
        yield _words(f"a row is up to {chart.bundled} deliveries", RIGHT, y, "small dim end")


def _figures(chart: Chart, y: float) -> Iterator[Markup]:
    lines = figure_lines(chart.figures)
    yield tag("line", class_="rule", x1=16.0, x2=WIDTH - 16, y1=y - 24, y2=y - 24)
    for (name, value), x in zip(lines, FIGURES, strict=True):
        tone = "strong number" if value.isdigit() else "strong"
        yield join(_words(value, x, y, tone), _words(name, x, y + 18, "small dim"))


def _words(text: str, x: float, y: float, class_: str) -> Markup:
    return tag("text", text, class_=class_ or None, x=x, y=y)
