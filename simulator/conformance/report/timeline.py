"""The exchanges of one case over time, as SVG: a lane for each, from its first byte to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.conformance.exchange import Ending
from simulator.conformance.report.records import CaseRecord, ExchangeRecord, Said
from simulator.conformance.report.scale import Scale
from simulator.conformance.report.texts import length, outcome, size, visible
from simulator.scenarios.reports.markup import Markup, join, tag

# Pixels, from the top.
AXIS: Final = 18
NAME: Final = 17  # the line above a bar
BAR: Final = 14
WORDS: Final = 15  # a line for a chunk
SPACE: Final = 9  # below a lane
ROOM: Final = 46  # characters of a line that a phone has room for
EDGE: Final = 88.0  # percent: words that begin behind it would not end on the paper
MOST_WORDS: Final = 4  # chunks of one exchange that are written out


def draw(case: CaseRecord) -> Markup | None:
    """Draw a case; None when nothing was sent, or all in one instant, as it may be where time is simulated."""
    spans = [(exchange.started_at, exchange.started_at + exchange.ended_at) for exchange in case.exchanges]
    if len({moment for span in spans for moment in span}) < 2:
        return None
    scale = Scale(spans)
    tops = [float(AXIS + SPACE)]
    for exchange in case.exchanges:
        tops.append(tops[-1] + _height(exchange))
    label = f"Case {case.number}: {len(case.exchanges)} exchanges in {length(scale.end)}, each told below"
    return tag(
        "svg",
        tag("title", label),
        *_axis(scale, tops[-1]),
        *_folds(scale, tops[-1]),
        *(_lane(exchange, scale, top) for exchange, top in zip(case.exchanges, tops, strict=False)),
        class_="exchanges-drawn", role="img", aria_label=label, width="100%", height=tops[-1],
    )  # fmt: skip


def _height(exchange: ExchangeRecord) -> float:
    return NAME + BAR + SPACE + len(_written(exchange)) * WORDS


def _axis(scale: Scale, bottom: float) -> Iterator[Markup]:
    for moment in scale.marks():
        x = _percent(scale.x(moment))
        yield tag("line", class_="grid", x1=x, x2=x, y1=AXIS - 4, y2=bottom)
        anchor = "end" if scale.x(moment) > EDGE else "start"
        yield tag("text", length(moment) if moment else "0", class_="tick", x=x, y=AXIS - 8, text_anchor=anchor)


def _folds(scale: Scale, bottom: float) -> Iterator[Markup]:
    for fold in scale.folds:
        left, right = scale.x(fold.start), scale.x(fold.end)
        words = f"{length(fold.end - fold.start)} in which nothing is sent"
        x, width, height = _percent(left), _percent(right - left), bottom - AXIS + 4
        yield tag("rect", tag("title", words), class_="idle", x=x, width=width, y=AXIS - 4, height=height)


def _lane(exchange: ExchangeRecord, scale: Scale, top: float) -> Markup:
    bar = top + NAME
    about = f"{_name(exchange)}; begun at {length(exchange.started_at)}, over after {length(exchange.ended_at)}"
    written = _written(exchange)
    return tag(
        "g",
        tag("title", about),
        _text(f"{_name(exchange)}, {length(exchange.ended_at)}", top + NAME - 5, "lane-name"),
        *_bar(exchange, scale, bar),
        *_pieces(exchange, scale, bar),
        *(_chunk(chunk, exchange, scale, bar) for chunk in exchange.chunks),
        _end(exchange, scale, bar),
        *(_text(line, bar + BAR + (row + 1) * WORDS - 3, kind) for row, (line, kind) in enumerate(written)),
    )


def _name(exchange: ExchangeRecord) -> str:
    note = visible(exchange.note) or visible(exchange.method)
    return f"{exchange.place} {note} → {visible(outcome(exchange))}"


def _bar(exchange: ExchangeRecord, scale: Scale, top: float) -> Iterator[Markup]:
    """Hollow until the answer's head, full until its end; at least a hair wide, where time stands still."""
    start = exchange.started_at
    left, right = scale.x(start), scale.x(start + exchange.ended_at)
    head = right if exchange.head_at is None else min(right, scale.x(start + exchange.head_at))
    bad = "" if exchange.ending in (Ending.COMPLETE, Ending.LEFT) else " bad"
    place = {"y": top, "height": BAR, "rx": 2}
    yield tag("rect", class_=f"waiting{bad}", x=_percent(left), width=_percent(max(head - left, 0.4)), **place)
    if exchange.head_at is not None:
        yield tag("rect", class_=f"answering{bad}", x=_percent(head), width=_percent(max(right - head, 0.8)), **place)


def _pieces(exchange: ExchangeRecord, scale: Scale, top: float) -> Iterator[Markup]:
    for piece in exchange.pieces:
        x = _percent(scale.x(exchange.started_at + piece.at))
        words = tag("title", f"{size(piece.size)} after {length(piece.at)}")
        yield tag("line", words, class_="tick-chunk", x1=x, x2=x, y1=top, y2=top + BAR)


def _chunk(chunk: Said, exchange: ExchangeRecord, scale: Scale, top: float) -> Markup:
    kind = "interim" if chunk.interim else "final"
    x = _percent(scale.x(exchange.started_at + chunk.at))
    return tag("circle", tag("title", _words(chunk)), class_=f"chunk {kind}", cx=x, cy=top + BAR / 2, r=4)


def _end(exchange: ExchangeRecord, scale: Scale, top: float) -> Markup:
    """A stroke where the exchange ended; thicker where it did not end as it should."""
    x = _percent(scale.x(exchange.started_at + exchange.ended_at))
    kind = {Ending.COMPLETE: "whole", Ending.LEFT: "left"}.get(exchange.ending, "broken")
    told = {"whole": "the answer ends", "left": "we hang up"}.get(kind) or exchange.error or exchange.ending.value
    words = tag("title", f"{visible(told)} after {length(exchange.ended_at)}")
    return tag("line", words, class_=f"ending {kind}", x1=x, x2=x, y1=top - 3, y2=top + BAR + 3)


def _written(exchange: ExchangeRecord) -> list[tuple[str, str]]:
    """The lines below a bar, each with its class."""
    lines = [(_words(chunk), "said") for chunk in exchange.chunks[:MOST_WORDS]]
    if more := len(exchange.chunks) + exchange.more_chunks - len(lines):
        lines.append((f"and {more} more", "said"))
    return lines


def _words(chunk: Said) -> str:
    sign = "○ interim" if chunk.interim else "● final"
    return f"{sign} {length(chunk.at)}: {visible(chunk.words) or '(no words)'}"


def _text(words: str, y: float, class_: str) -> Markup:
    line = " ".join(words.split())
    short = line if len(line) <= ROOM * 2 else line[: ROOM * 2 - 1] + "…"
    return tag("text", tag("title", line), join(short), class_=class_, x="0.5%", y=y)


def _percent(share: float) -> str:
    return f"{share:.2f}%"
