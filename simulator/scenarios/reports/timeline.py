"""One call drawn over time, as SVG: who was heard when, what the handler did meanwhile, and where it was silent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final
from unicodedata import east_asian_width

from simulator.scenarios.checks import Check
from simulator.scenarios.durations import clock, short
from simulator.scenarios.record import UNHEARD, CallRecord, KeysRecord, SpeechRecord, TurnRecord, Who
from simulator.scenarios.reports.markup import Markup, join, tag
from simulator.scenarios.reports.scale import Scale, scale_of

# Pixels from the top. The names of the lanes stand beside the drawing, in HTML, where scrolling doesn't move them.
FLAGS: Final = 4  # marks of what failed
AXIS: Final = 40
LANES: Final = {"caller": 50, "agent": 108, "handler": 166}
LANE: Final = 48
BOTTOM: Final = 222
HEIGHT: Final = 244
CHARACTER: Final = 6.1  # pixels of an average letter of the small print
LINE: Final = 13.5
MAX_LINES: Final = 3
FINE: Final = UNHEARD | {"final"}  # ends of a turn that are not the handler's fault


def draw(record: CallRecord, checks: Sequence[Check], label: str) -> Markup:
    """Draw a call. `label` says for those who cannot see it what the picture is; everything in it has a title, too."""
    scale = scale_of(record)
    return tag(
        "svg",
        tag("title", label),
        join(*_grounds(record, scale)),
        join(*_axis(record, scale)),
        join(*(_gap(turn, scale) for turn in record.turns)),
        join(*(_request(turn, scale) for turn in record.turns)),
        join(*(_speech(part, scale) for part in record.speech)),
        join(*(_keys(keys, scale) for keys in record.keys)),
        join(*_barge_ins(record, scale)),
        join(*(_folds(scale))),
        join(*_findings(record, scale)),
        join(*(_flag(check, scale) for check in checks if not check.ok and check.at is not None)),
        class_="timeline", role="img", aria_label=label, width=scale.width, height=HEIGHT,
        viewBox=f"0 0 {scale.width:.0f} {HEIGHT}",
    )  # fmt: skip


def _grounds(record: CallRecord, scale: Scale) -> Iterator[Markup]:
    """The lanes, and the time in which the phone rang."""
    for name, top in LANES.items():
        yield tag("rect", class_=f"ground {name}", x=0, y=top, width=scale.width, height=LANE, rx=4)
    answered = record.ended if record.answered is None else record.answered
    if answered:
        words = f"rings for {short(answered)}"
        yield _titled("rect", words, class_="ring", x=0, y=AXIS, width=scale.x(answered), height=BOTTOM - AXIS)
        yield _words("ringing", scale.x(answered) / 2, AXIS - 22, "small middle") if scale.x(answered) > 50 else join()


def _axis(record: CallRecord, scale: Scale) -> Iterator[Markup]:
    for moment in scale.marks(record.ended):
        x = scale.x(moment)
        yield tag("line", class_="grid", x1=x, x2=x, y1=AXIS, y2=BOTTOM)
        yield _words(clock(moment)[:5], x, AXIS - 6, "tick", anchor="start" if x < 14 else "middle")
    x = scale.x(record.ended)
    yield _titled(
        "line", f"{clock(record.ended)} the call ends: {record.reason}", class_="end", x1=x, x2=x, y1=AXIS, y2=BOTTOM
    )
    yield _words(f"{record.reason.replace('_', ' ')}", x, BOTTOM + 14, "small", anchor="end")


def _gap(turn: TurnRecord, scale: Scale) -> Markup:
    return join(*(_silence(gap.at, gap.length, turn, scale) for gap in turn.gaps))


def _silence(at: timedelta, length: timedelta, turn: TurnRecord, scale: Scale) -> Markup:
    left, right = scale.x(at), scale.x(at + length)
    words = f"{clock(at)} silence for {short(length)} (turn {turn.number})"
    top, height = LANES["caller"], LANES["agent"] + LANE - LANES["caller"]
    band = _titled("rect", words, class_="silence", x=left, y=top, width=right - left, height=height)
    room = right - left > len(short(length)) * CHARACTER + 4
    return join(
        band, _words(short(length), (left + right) / 2, LANES["agent"] - 2.5, "small middle quiet") if room else None
    )


def _speech(part: SpeechRecord, scale: Scale) -> Markup:
    left, right = scale.x(part.at), scale.x(part.at + part.length)
    width = max(right - left, 3.0)
    lines = wrap(part.heard, width - 10)
    top = LANES[part.who.value]
    first = top + LANE / 2 - (len(lines) - 1) * LINE / 2 + 4
    text = (_words(line, 6, first - top + row * LINE, "words", anchor="start") for row, line in enumerate(lines))
    kind = "backchannel" if part.backchannel else "over" if part.over else ""
    edge = (
        tag("path", class_="cut", d=f"M{width:.1f} 1 l-4 6 l4 6 l-4 6 l4 6 l-4 6 l4 6 l-4 6 l4 5") if part.cut else None
    )
    return tag(
        "svg",
        tag("title", _about(part)),
        tag("rect", class_=f"bar {part.who.value} {kind}", x=0.5, y=0.5, width=width - 1, height=LANE - 1, rx=5),
        *text,
        edge,
        x=left, y=top, width=width, height=LANE,
    )  # fmt: skip


def _about(part: SpeechRecord) -> str:
    how = " over the agent" if part.over and part.who is Who.CALLER else ""
    how = " makes a sound of listening" if part.backchannel else how
    lost = part.said[len(part.heard) :].strip() if part.cut else ""
    cut = f"\ncut off, not heard: {lost}" if lost else ""
    sure = f"\nconfidence {part.confidence:g}" if part.confidence is not None else ""
    return f"{clock(part.at)} {part.who.value}{how}, {short(part.length)}\n{part.heard}{cut}{sure}"


def _keys(keys: KeysRecord, scale: Scale) -> Markup:
    left = scale.x(keys.at)
    width = max(scale.x(keys.at + keys.length) - left, len(keys.digits) * 9 + 12.0)
    top = LANES[keys.who.value] + 11
    return join(
        _titled(
            "rect", f"{clock(keys.at)} {keys.who.value} presses {keys.digits}", class_=f"keys {keys.who.value}",
            x=left, y=top, width=width, height=LANE - 22, rx=4,
        ),
        _words(keys.digits, left + width / 2, top + 17.5, "digits middle"),
    )  # fmt: skip


def _request(turn: TurnRecord, scale: Scale) -> Markup:
    """A question to the handler: hollow until its first byte, full until the turn's close, a tick for each chunk."""
    top = LANES["handler"] + 12
    left, right = scale.x(turn.opened), scale.x(turn.closed)
    answering = right if turn.first_byte is None else scale.x(turn.opened + turn.first_byte)
    place = {"y": top, "height": LANE - 24, "rx": 3}
    bad = "" if turn.how in FINE else " bad"
    about = _about_turn(turn)
    parts = [_titled("rect", about, class_=f"waiting{bad}", x=left, width=max(answering - left, 2.0), **place)]
    if turn.first_byte is not None:
        width = max(right - answering, 2.0)
        parts.append(_titled("rect", about, class_=f"answering{bad}", x=answering, width=width, **place))
    parts += [_chunk(chunk.at, chunk.text, chunk.interim, scale) for chunk in turn.chunks]
    return join(*parts, _words(str(turn.number), left + 2, LANES["handler"] + 9.5, "small", anchor="start"))


def _about_turn(turn: TurnRecord) -> str:
    times = f"first byte after {short(turn.first_byte)}" if turn.first_byte is not None else "no byte of an answer"
    final = f", final chunk after {short(turn.final_chunk)}" if turn.final_chunk is not None else ""
    heard = f"\nfirst word after {short(turn.first_word)}" if turn.first_word is not None else ""
    said = turn.transcript or "(nobody has spoken yet)"
    return f"{clock(turn.opened)} turn {turn.number}: {said}\n{times}{final} ({turn.how}){heard}"


def _chunk(at: timedelta, text: str, interim: bool, scale: Scale) -> Markup:
    x, kind = scale.x(at), "interim" if interim else "final"
    top = LANES["handler"] + 6
    return tag(
        "g",
        tag("title", f"{clock(at)} {kind} chunk\n{text or '(no words)'}"),
        tag("line", class_="tick-chunk", x1=x, x2=x, y1=top, y2=top + LANE - 12),
        tag("circle", class_=f"chunk {kind}", cx=x, cy=top + LANE - 12, r=3.5),
    )


def _barge_ins(record: CallRecord, scale: Scale) -> Iterator[Markup]:
    """Where the caller took the floor; and how long the agent talked on, which no caller likes."""
    for turn in record.turns:
        if turn.overrun is None:
            continue
        started = [
            s.at for s in record.speech if s.who is Who.CALLER and s.over and not s.backchannel and s.at <= turn.opened
        ]
        at = started[-1] if started else turn.opened
        left, right = scale.x(at), scale.x(at + turn.overrun)
        words = f"{clock(at)} barge-in: the agent talks on for {short(turn.overrun)}"
        top = LANES["agent"]
        yield _titled("rect", words, class_="overrun", x=left, y=top, width=max(right - left, 1.0), height=LANE)
        yield _titled("line", words, class_="barge", x1=left, x2=left, y1=LANES["caller"] - 5, y2=top + LANE)
        yield _titled("path", words, class_="barge-head", d=f"M{left - 5:.1f} {LANES['caller'] - 8} h10 l-5 8 z")


def _folds(scale: Scale) -> Iterator[Markup]:
    """Torn edges around what is left out; what goes on meanwhile shines through."""
    for fold in scale.folds:
        left, right, words = scale.x(fold.start), scale.x(fold.end), short(fold.end - fold.start)
        place = {"x": left, "y": AXIS, "width": right - left, "height": BOTTOM - AXIS}
        yield _titled("rect", f"{words} in which nothing begins or ends", class_="fold", **place)
        for x in (left, right):
            yield tag("path", class_="tear", d=f"M{x:.1f} {AXIS} " + "l-4 6.5 l8 13 l-4 6.5 " * 7)
        yield _words(f"{words} later", (left + right) / 2, LANES["agent"] - 2.5, "small middle")


def _findings(record: CallRecord, scale: Scale) -> Iterator[Markup]:
    for finding in record.findings:
        x, y = scale.x(finding.at), BOTTOM - 6
        words = f"{clock(finding.at)} {finding.kind}\n{finding.message}"
        yield tag(
            "g",
            tag("title", words),
            tag("path", class_="finding", d=f"M{x:.1f} {y - 7} l8 14 h-16 z"),
            _words("!", x, y + 5.5, "bang middle"),
        )


def _flag(check: Check, scale: Scale) -> Markup:
    x = scale.x(check.at or timedelta())
    words = f"{check.where}\nexpected {check.expected}\nobserved {check.observed}"
    return tag(
        "g",
        tag("title", words),
        tag("line", class_="failed-line", x1=x, x2=x, y1=FLAGS + 7, y2=BOTTOM),
        tag("path", class_="failed", d=f"M{x:.1f} {FLAGS} l7 7 l-7 7 l-7 -7 z"),
    )


def _titled(name: str, title: str, **attributes: str | float) -> Markup:
    return tag(name, tag("title", title), **attributes)


def _words(text: str, x: float, y: float, class_: str, *, anchor: str | None = None) -> Markup:
    return tag("text", text, class_=class_, x=x, y=y, text_anchor=anchor)


def wrap(text: str, width: float) -> list[str]:
    """Break words into the lines that a bar of `width` pixels has room for; what doesn't fit ends in an ellipsis."""
    room = int(width / CHARACTER)
    if room < 3:
        return []
    lines = [""]
    for word in _words_of(text, room):
        candidate = f"{lines[-1]} {word}".strip()
        if _length(candidate) <= room:
            lines[-1] = candidate
        elif len(lines) < MAX_LINES:
            lines.append(word)
        else:
            lines[-1] = _cut(lines[-1], room - 1) + "…"
            break
    return [line for line in lines if line]


def _words_of(text: str, room: int) -> Iterator[str]:
    """Words, and pieces of those that are longer than a line."""
    for word in text.split():
        while _length(word) > room:
            piece = _cut(word, room)
            yield piece
            word = word[len(piece) :]
        yield word


def _length(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str, room: int) -> str:
    """As much of the beginning as fits; at least one character."""
    while len(text) > 1 and _length(text) > room:
        text = text[:-1]
    return text
