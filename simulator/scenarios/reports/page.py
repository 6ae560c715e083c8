"""The report as one page: what was expected, what came, and every call drawn. It needs no other file and no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from simulator.scenarios.checks import Check
from simulator.scenarios.durations import clock, short
from simulator.scenarios.record import CallRecord, TextRecord, Who
from simulator.scenarios.reports.markup import Markup, document, join, style, tag
from simulator.scenarios.reports.spread import strip
from simulator.scenarios.reports.timeline import LANES, draw
from simulator.scenarios.results import CallResult, Ear, RunResult, ScenarioResult, Spread, TextResult, ear

OPEN_AT_ONCE: Final = 6  # scenarios that are unfolded when the page opens; of longer runs, only what failed
# Nothing on the page may load anything, whatever a handler says.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(run: RunResult) -> str:
    """Write a run as an HTML page."""
    failed = sum(not scenario.ok for scenario in run.scenarios)
    verdict = "all passed" if run.ok else f"{failed} failed" if failed else "not all were run"
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", f"{verdict}: {len(run.scenarios)} scenarios"),
        style(Path(__file__).with_name("page.css").read_text("utf-8")),
    )
    body = join(
        _header(run, verdict),
        tag("main", _ear_section(run), _contents(run), _legend(run), *_scenarios(run)),
        tag("footer", f"agentphone-simulator {run.version}; times are simulated, mm:ss.mmm since the call was placed"),
    )
    return document(head, body)


def _header(run: RunResult, verdict: str) -> Markup:
    checks = [check for scenario in run.scenarios for check in scenario.checks]
    measured = ear(run.calls)
    cards = [
        _card("scenarios", f"{sum(s.ok for s in run.scenarios)}/{len(run.scenarios)}", "passed"),
        _card("expectations", f"{sum(check.ok for check in checks)}/{len(checks)}", "met"),
        _card("first word", _length(measured.first_word.p50), f"p50; p90 {_length(measured.first_word.p90)}"),
        _card("longest silence", _length(measured.gaps.longest), f"{measured.gaps.count} gaps"),
        _card("took", f"{run.real_seconds:.2f} s", "on the wall"),
    ]
    return tag(
        "header",
        tag("p", "Scenario report", class_="kicker"),
        tag("h1", tag("span", "", class_=f"dot {'ok' if run.ok else 'bad'}", aria_hidden="true"), verdict.capitalize()),
        tag("p", "against ", tag("code", run.handler), f", {run.started:%d %B %Y, %H:%M} {run.started.tzname() or ''}"),
        tag("dl", *cards, class_="cards"),
    )


def _card(name: str, value: str, more: str) -> Markup:
    return tag("div", tag("dt", name), tag("dd", tag("strong", value), tag("span", more)), class_="card")


def _length(length: timedelta | None) -> str:
    return "none" if length is None else short(length)


def _ear_section(run: RunResult) -> Markup | None:
    if not run.calls:
        return None
    measured = ear(run.calls)
    heads = ("", "count", "p50", "p90", "p99", "longest", "each of them")
    rows = [
        _ear_row(name, row, lengths) for (name, row), lengths in zip(measured.spreads(), _lengths(run), strict=True)
    ]
    ratio = f" The agent had {measured.talk_ratio:.0%} of all speech." if measured.talk_ratio is not None else ""
    silent = f"Turns without an answer: {measured.unanswered}." if measured.unanswered else "Every turn was answered."
    return tag(
        "section",
        tag("h2", "What the callers heard"),
        tag("p", silent + ratio, class_="bad-words" if measured.unanswered else "note"),
        tag("div", tag("table", tag("thead", tag("tr", *map(_head, heads))), tag("tbody", *rows)), class_="wide"),
        class_="ear",
    )  # fmt: skip


def _head(name: str) -> Markup:
    return tag("th", name, scope="col") if name else tag("td")


def _ear_row(name: str, row: Spread, lengths: Sequence[timedelta]) -> Markup | None:
    if not row.count:
        return None
    cells = [tag("td", _length(length), class_="number") for length in (row.p50, row.p90, row.p99, row.longest)]
    count = tag("td", row.count, class_="number")
    return tag("tr", tag("th", name, scope="row"), count, *cells, tag("td", strip(name, row, lengths)))


def _lengths(run: RunResult) -> Iterator[list[timedelta]]:
    """Every measured length, in the order of `Ear.spreads`."""
    turns = [turn for call in run.calls for turn in call.turns]
    yield [turn.first_word for turn in turns if turn.first_word is not None]
    yield [gap.length for turn in turns for gap in turn.gaps]
    yield [turn.overrun for turn in turns if turn.overrun is not None]
    yield [turn.first_byte for turn in turns if turn.first_byte is not None]
    yield [turn.final_chunk for turn in turns if turn.final_chunk is not None]


def _contents(run: RunResult) -> Markup:
    entries = [
        tag("li", tag("a", _dot(scenario.ok), _name(scenario), href=f"#scenario-{index}"))
        for index, scenario in enumerate(run.scenarios)
    ]
    entries += [
        tag("li", tag("span", "", class_="dot", aria_hidden="true"), f"{file} (not run)") for file in run.not_run
    ]
    return tag("nav", tag("ol", *entries), class_="contents", aria_label="Scenarios")


def _dot(ok: bool) -> Markup:
    return tag(
        "span", tag("span", "passed" if ok else "failed", class_="unseen"), class_=f"dot {'ok' if ok else 'bad'}"
    )


def _name(scenario: ScenarioResult) -> str:
    return scenario.name if scenario.round == 1 else f"{scenario.name} (round {scenario.round})"


def _legend(run: RunResult) -> Markup | None:
    """What the marks in the drawings mean; each of them says so itself when pointed at, too."""
    marks = (
        ("silence", "silence"), ("overrun", "the agent talks on after a barge-in"), ("interim", "interim chunk"),
        ("final", "final chunk"), ("wait", "handler at work"), ("flag", "expectation not met"), ("fold", "time folded"),
    )  # fmt: skip
    keys = (tag("span", tag("i", "", class_=f"key {name}", aria_hidden="true"), words) for name, words in marks)
    return tag("p", *keys, class_="legend") if run.calls else None


def _scenarios(run: RunResult) -> Iterator[Markup]:
    for index, scenario in enumerate(run.scenarios):
        yield _scenario(index, scenario, unfolded=not scenario.ok or len(run.scenarios) <= OPEN_AT_ONCE)


def _scenario(index: int, scenario: ScenarioResult, *, unfolded: bool) -> Markup:
    tags = (tag("span", word, class_="tag") for word in scenario.tags)
    met = f"{sum(check.ok for check in scenario.checks)}/{len(scenario.checks)}"
    origin = f", seed {scenario.seed}, {scenario.real_seconds * 1000:.0f} ms"
    return tag(
        "details",
        tag("summary", tag("h2", _dot(scenario.ok), _name(scenario)), *tags, tag("span", met, class_="note")),
        tag("p", scenario.description) if scenario.description else None,
        tag("p", scenario.error, class_="bad-words") if scenario.error is not None else None,
        *(_part(part) for part in scenario.parts),
        tag("p", tag("code", scenario.file), origin, class_="note"),
        class_="scenario", id=f"scenario-{index}", open=unfolded,
    )  # fmt: skip


def _part(part: CallResult | TextResult) -> Markup:
    picture = _call(part) if isinstance(part, CallResult) else _thread(part.record)
    failed = [_failure(check) for check in part.checks if not check.ok]
    met = [tag("li", tag("code", check.where), " ", check.expected) for check in part.checks if check.ok]
    return tag(
        "article",
        tag("h3", part.name, tag("span", _between(part.record), class_="note")),
        tag("ul", *failed, class_="failures") if failed else None,
        picture,
        tag("details", tag("summary", f"{len(met)} expectations met"), tag("ul", *met), class_="more") if met else None,
        class_="part",
    )


def _between(record: CallRecord | TextRecord) -> str:
    ended = f"{short(record.duration)}, {record.reason}" if isinstance(record, CallRecord) else "texts"
    return f"{record.from_number} → {record.to_number}, {ended}"


def _failure(check: Check) -> Markup:
    moment = tag("time", clock(check.at)) if check.at is not None else None
    facts = (("expected", check.expected), ("observed", check.observed), ("nearest miss", check.nearest))
    listed = (tag("div", tag("dt", label), tag("dd", value, dir="auto")) for label, value in facts if value)
    return tag("li", tag("p", tag("code", check.where), moment), tag("dl", *listed))


def _call(part: CallResult) -> Markup:
    record = part.record
    told = f"{len(record.turns)} turns in {short(record.ended)}, {record.reason}"
    label = f"{part.name}: {told}. The transcript below has the same."
    lanes = tag("div", *(tag("span", lane) for lane in LANES), class_="lanes", aria_hidden="true")
    scroller = tag("div", draw(record, part.checks, label), class_="scroll", tabindex=0, role="group", aria_label=label)
    return join(tag("div", lanes, scroller, class_="call"), _measures(ear([record])), _transcript(record))


def _measures(measured: Ear) -> Markup:
    facts = [
        tag(
            "span",
            tag("b", name),
            f" {_length(row.p50)}" + (f", at most {_length(row.longest)}" if row.count > 1 else ""),
        )
        for name, row in measured.spreads()
        if row.count
    ]
    return tag("p", *facts, class_="measures")


def _transcript(record: CallRecord) -> Markup:
    rows = [tag("tr", *cells) for _, cells in sorted(_rows(record), key=lambda row: row[0])]
    heads = tag("tr", *(tag("th", name, scope="col") for name in ("at", "who", "what")))
    table = tag("table", tag("thead", heads), tag("tbody", *rows))
    return tag("details", tag("summary", "transcript"), tag("div", table, class_="wide"), class_="more")


def _rows(record: CallRecord) -> Iterator[tuple[timedelta, tuple[Markup, ...]]]:
    for part in record.speech:
        lost = part.said[len(part.heard) :] if part.cut else ""
        words = join(part.heard, tag("s", lost, title="cut off, not heard") if lost.strip() else None)
        yield _row(part.at, part.who.value, words)
    for keys in record.keys:
        yield _row(keys.at, keys.who.value, tag("kbd", keys.digits))
    for finding in record.findings:
        yield _row(finding.at, "finding", join(tag("code", finding.kind), " ", finding.message))
    for turn in record.turns:
        answer = f"turn {turn.number}: first word {_length(turn.first_word)}, {len(turn.chunks)} chunks, {turn.how}"
        yield _row(turn.opened, "handler", answer)
    yield _row(record.ended, "end", record.reason)


def _row(at: timedelta, who: str, what: str) -> tuple[timedelta, tuple[Markup, ...]]:
    return at, (tag("td", clock(at), class_="number"), tag("td", who, class_=f"who {who}"), tag("td", what, dir="auto"))


def _thread(record: TextRecord) -> Markup:
    bubbles = (
        tag(
            "li",
            tag("p", message.body, dir="auto"),
            *(tag("p", tag("code", address)) for address in message.media),
            tag("span", f"{_since(message.at)}, {message.status}", class_="note"),
            class_="mine" if message.by is Who.AGENT else "theirs",
        )
        for message in record.messages
    )
    return tag("ol", *bubbles, class_="thread")


def _since(moment: timedelta) -> str:
    return clock(moment) if moment < timedelta(hours=1) else f"{moment}".split(".")[0]
