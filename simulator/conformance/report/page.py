"""The report as one page: the verdict, every case as a cell, and everything about each. No other file, no script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulator.conformance.report.case_section import section
from simulator.conformance.report.look import anchor, badge, footer, legend, page, when
from simulator.conformance.report.records import CaseRecord, Reported, ReportRecord
from simulator.conformance.report.summary import MARKS, groups, headline, reasons, state, tally
from simulator.conformance.report.telling import told
from simulator.conformance.report.texts import length, visible
from simulator.conformance.results import Diagnosis
from simulator.conformance.verdicts import Verdict
from simulator.scenarios.reports.markup import Markup, join, tag

HEADINGS: Final = {
    Verdict.FAIL: "What fails",
    Verdict.NON_STRICT: "What could be stricter",
    Verdict.INFORMATIONAL: "What was observed, and judged by nobody",
    Verdict.PASS: "What passes",
}


def render(report: Reported) -> str:
    """Write a report as an HTML page."""
    record = told(report)
    return page(
        f"{headline(record)}: {visible(record.name)}",
        _header(record),
        tag("main", _doctor(record), _matrix(record), *_sections(record), _not_run(record), _notes(record)),
        footer(record.version),
    )


def _header(record: ReportRecord) -> Markup:
    facts = (
        ("profile", record.profile.value),
        ("contract", record.contract),
        ("examined", when(record)),
        ("signed as", record.adopted),
        ("simulator", record.version),
        ("took", length(record.seconds)),
    )
    name = join(tag("b", visible(record.name)), ", ") if record.name != record.target else None
    listed = (tag("span", tag("b", name), f" {visible(value)}") for name, value in facts if value)
    return tag(
        "header",
        tag("p", "Webhook conformance", class_="kicker"),
        tag("h1", badge(state(record), word=False), headline(record)),
        tag("p", "the handler ", name, tag("code", visible(record.target)), class_="target"),
        tag("p", *listed, class_="measures"),
        tag("dl", *_cards(record), class_="cards"),
        tag("p", "once more: ", tag("code", visible(record.again())), class_="note") if record.again() else None,
    )


def _cards(record: ReportRecord) -> Iterator[Markup]:
    for verdict in Verdict:
        count = record.counts[verdict]
        kind = f"card {MARKS[verdict].style}" if count else "card none"
        yield tag("div", tag("dt", badge(verdict)), tag("dd", tag("strong", count)), class_=kind)


def _doctor(record: ReportRecord) -> Markup | None:
    found = record.diagnosis
    if found is None or not (found.mistake or found.mend):
        return None
    return tag(
        "section",
        tag("h2", "The signature doctor says"),
        tag("p", visible(found.mistake), class_="diagnosis", dir="auto") if found.mistake else None,
        tag("p", tag("b", "To mend it: "), visible(found.mend)) if found.mend else None,
        tag("p", _consequence(found, record.adopted), class_="note"),
        tag("details", tag("summary", "what was tried"), _list(found.evidence), class_="more")
        if found.evidence
        else None,
        class_="ear doctor",
    )


def _consequence(found: Diagnosis, adopted: str) -> str:
    if not found.scheme:
        return "No event that is signed in any known way is taken, so only the first group could be played."
    if found.scheme == "contract":
        return "Everything was signed by the contract."
    return f"All but 1.1 and 1.2 was signed this handler's way ({visible(adopted)}), so that the rest can be seen."


def _list(lines: tuple[str, ...]) -> Markup:
    return tag("ul", *(tag("li", visible(line), dir="auto") for line in lines))


def _matrix(record: ReportRecord) -> Markup:
    rows = (
        tag(
            "div",
            tag("h3", name, tag("span", tally(members), class_="note")),
            tag("ol", *map(_cell, members), class_="cells"),
            class_="row",
        )
        for name, members in groups(record)
    )
    return tag("nav", tag("h2", "Every case"), *rows, legend(), class_="ear matrix", aria_label="Every case")


def _cell(case: CaseRecord) -> Markup:
    mark = MARKS[case.verdict]
    words = f"{case.number} {case.title}: {case.verdict.value}" + (f" ({case.reason})" if case.reason else "")
    inside = join(
        tag("span", visible(case.number)),
        tag("span", mark.glyph, class_="glyph", aria_hidden="true"),
        tag("span", f" {case.verdict.value}", class_="unseen"),
    )
    link = tag("a", inside, href=f"#{anchor(case.number)}", title=visible(words), class_=f"cell {mark.style}")
    return tag("li", link)


def _sections(record: ReportRecord) -> Iterator[Markup]:
    for verdict, heading in HEADINGS.items():
        members = sorted(record.having(verdict), key=lambda case: case.order)
        if members:
            opened = verdict is state(record) and verdict is not Verdict.PASS  # the worst there is
            yield tag("h2", heading, tag("span", len(members), class_="note"), class_="heading")
            yield join(*(section(case, record, unfolded=opened) for case in members))


def _not_run(record: ReportRecord) -> Markup | None:
    """What could not be played, by reason; each case can be opened for its rule."""
    left = {case.number: case for case in record.having(Verdict.NOT_RUN)}
    if not left:
        return None
    parts = [
        join(
            tag("p", visible(reason), class_="reason", dir="auto"),
            *(section(left[number], record, unfolded=False) for number in numbers),
        )
        for reason, numbers in reasons(record).items()
    ]
    heading = tag("h2", "What was not run", tag("span", len(left), class_="note"), class_="heading")
    return join(heading, *parts)


def _notes(record: ReportRecord) -> Markup | None:
    return tag("section", tag("h2", "Notes"), _list(record.notes), class_="ear") if record.notes else None
