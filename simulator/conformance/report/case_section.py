"""Everything about one case: its rule, what was expected beside what came, and every byte that went and came."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.conformance.report.look import anchor, badge
from simulator.conformance.report.records import CaseRecord, CheckRecord, ExchangeRecord, Message, ReportRecord
from simulator.conformance.report.summary import MARKS, TRUST
from simulator.conformance.report.texts import body, length, outcome, size, visible
from simulator.conformance.report.timeline import draw
from simulator.conformance.verdicts import Level, Verdict
from simulator.scenarios.reports.markup import Markup, join, tag


def section(case: CaseRecord, record: ReportRecord, *, unfolded: bool) -> Markup:
    """One case, as something to fold."""
    heading = tag("h3", tag("span", visible(case.number), class_="case-number"), " ", visible(case.title))
    drawn = draw(case)
    tags = (case.level.value, TRUST[case.trust])
    return tag(
        "details",
        tag("summary", badge(case.verdict), heading, *(tag("span", word, class_="tag") for word in tags)),
        _checks(case),
        _notes(case),
        _facts(case),
        tag("div", drawn, class_="drawing") if drawn is not None else None,
        *_exchanges(case),
        tag("p", "this case again: ", tag("code", visible(record.again(case))), class_="again")
        if record.replay
        else None,
        class_=f"scenario case {MARKS[case.verdict].style}", id=anchor(case.number), open=unfolded,
    )  # fmt: skip


def _facts(case: CaseRecord) -> Markup:
    mend = (("to mend it", case.mend),) if case.verdict in (Verdict.FAIL, Verdict.NON_STRICT) else ()
    rule = (("sent", case.sent), ("expected", case.expected), ("source", case.source), ("why it matters", case.why))
    facts = (
        *((("not run", case.reason),) if case.reason else ()),
        *mend,
        *rule,
        *(() if mend else (("how to keep it", case.mend),)),
    )
    rows = (tag("div", tag("dt", name), tag("dd", visible(value), dir="auto")) for name, value in facts if value)
    return tag("dl", *rows, class_="facts")


def _checks(case: CaseRecord) -> Markup | None:
    if not case.checks:
        return None
    heads = tag("tr", *(tag("th", name, scope="col") for name in ("", "expected", "observed")))
    rows = (_check(check, case) for check in sorted(case.checks, key=lambda check: check.holds))
    table = tag("table", tag("thead", heads), tag("tbody", *rows), class_="checks")
    more = f"and {case.checks_left_out} more of the like" if case.checks_left_out else ""
    return tag("div", table, tag("p", more, class_="note") if more else None, class_="wide")


def _check(check: CheckRecord, case: CaseRecord) -> Markup:
    broken = Verdict.FAIL if check.level is Level.MUST else Verdict.NON_STRICT
    verdict = Verdict.PASS if check.holds else broken if check.level is not Level.MAY else Verdict.INFORMATIONAL
    level = tag("span", check.level.value, class_="note")
    link = None
    if check.exchange is not None and check.exchange < len(case.exchanges):
        place = case.exchanges[check.exchange].place
        link = tag("a", f"exchange {place}", href=f"#{_anchor(case, place)}", class_="note")
    return tag(
        "tr",
        tag("td", badge(verdict, word=False), " ", level),
        tag("td", visible(check.expected), dir="auto"),
        tag("td", visible(check.observed), " ", link, dir="auto"),
        class_="" if check.holds else MARKS[verdict].style,
    )


def _notes(case: CaseRecord) -> Markup | None:
    if not case.notes:
        return None
    return tag("ul", *(tag("li", visible(note), dir="auto") for note in case.notes), class_="notes")


def _exchanges(case: CaseRecord) -> Iterator[Markup]:
    showing = {check.exchange for check in case.broken}
    for index, exchange in enumerate(case.exchanges):
        yield _exchange(exchange, case, unfolded=index in showing)
    if case.exchanges_left_out:
        yield tag("p", f"and {case.exchanges_left_out} exchanges more, which this report does not keep", class_="note")


def _exchange(exchange: ExchangeRecord, case: CaseRecord, *, unfolded: bool) -> Markup:
    note = visible(exchange.note) or "the request"
    told = f"{visible(outcome(exchange))}, {length(exchange.ended_at)}"
    sides = tag(
        "div",
        _side("request", visible(exchange.method), exchange.request),
        _side("answer", visible(outcome(exchange)), exchange.answer, _times(exchange)),
        class_="sides",
    )
    summary = tag("summary", tag("b", exchange.place), f" {note} → {told}", id=_anchor(case, exchange.place))
    return tag("details", summary, sides, class_="more exchange", open=unfolded)


def _side(name: str, first: str, message: Message, times: str = "") -> Markup:
    content = message.content
    heads = (join(tag("b", visible(key)), f": {visible(value)}\n") for key, value in message.headers)
    cut = f"{size(content.left_out)} of {size(content.size)} are left out here" if content.left_out else ""
    return tag(
        "div",
        tag("h4", name, tag("span", times or size(content.size), class_="note")),
        tag("pre", tag("strong", first), "\n", tag("span", *heads, class_="heads"), "\n", body(content)),
        tag("p", cut, class_="note") if cut else None,
    )


def _times(exchange: ExchangeRecord) -> str:
    """When what came: the head, each piece, the end."""
    parts = [] if exchange.head_at is None else [f"head {length(exchange.head_at)}"]
    pieces = exchange.pieces[:6]
    parts += [f"{size(piece.size)} {length(piece.at)}" for piece in pieces]
    if more := len(exchange.pieces) + exchange.more_pieces - len(pieces):
        parts.append(f"{more} pieces more")
    return ", ".join([*parts, f"end {length(exchange.ended_at)}"])


def _anchor(case: CaseRecord, place: int) -> str:
    return f"{anchor(case.number)}-{place}"
