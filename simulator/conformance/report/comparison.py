"""Several handlers side by side: cases down, handlers across, and where they differ. As a page, and in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulator.conformance.case import GROUPS
from simulator.conformance.report.look import badge, footer, legend, page, when
from simulator.conformance.report.records import PLAYED, CaseRecord, Reported, ReportRecord
from simulator.conformance.report.summary import MARKS, group_name, headline, state
from simulator.conformance.report.telling import told
from simulator.conformance.report.texts import visible
from simulator.conformance.verdicts import Verdict
from simulator.scenarios.reports.markup import Markup, join, tag

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

ABSENT: Final = "—"
NOT_THERE: Final = "not in this report"


@dataclass(frozen=True, slots=True)
class Row:
    """One case, with what became of it for each handler; None where its report does not have it."""

    cells: tuple[CaseRecord | None, ...]

    @property
    def case(self) -> CaseRecord:
        """The rule, as the first report that has it tells it."""
        return next(cell for cell in self.cells if cell is not None)

    @property
    def differs(self) -> bool:
        """Whether handlers for which it was played do not have the same verdict."""
        return len({cell.verdict for cell in self.cells if cell is not None and cell.verdict in PLAYED}) > 1

    @property
    def titles(self) -> tuple[str, ...]:
        """What the reports call it, when it is not the same for all."""
        return tuple(dict.fromkeys(cell.title for cell in self.cells if cell is not None))


def rows(records: Sequence[ReportRecord]) -> list[Row]:
    """All cases that any report has, in order."""
    by_number = [{case.number: case for case in record.cases} for record in records]
    found = {number for cases in by_number for number in cases}
    made = [Row(tuple(cases.get(number) for cases in by_number)) for number in found]
    return sorted(made, key=lambda row: (row.case.group or len(GROUPS) + 1, row.case.order))


def render(reports: Sequence[Reported]) -> str:
    """Write a comparison as an HTML page."""
    records = [told(report) for report in reports]
    compared = rows(records)
    differing = [row for row in compared if row.differs]
    title = f"{len(records)} handlers, {len(compared)} cases, {_differences(differing)}"
    jump = tag("p", tag("a", "where they differ, in words", href="#differences")) if differing else None
    return page(
        title,
        tag("header", tag("p", "Webhook conformance", class_="kicker"), tag("h1", title), *_unlike(records), jump),
        tag("main", _table(records, compared), *_details(records, differing)),
        footer(", ".join(dict.fromkeys(record.version for record in records))),
    )  # fmt: skip


def _differences(differing: Sequence[Row]) -> str:
    return "1 difference" if len(differing) == 1 else f"{len(differing)} differences"


def unlike(records: Sequence[ReportRecord]) -> list[str]:
    """What makes the reports hard to compare, in sentences."""
    told_by = (
        ("versions of the simulator", [record.version for record in records]),
        ("profiles", [record.profile.value for record in records]),
        ("contracts", [record.contract for record in records]),
        ("sets of cases", [frozenset(case.number for case in record.cases) for record in records]),
    )
    return [
        f"The reports have different {what}"
        + ("." if what.startswith("sets") else f": {', '.join(dict.fromkeys(map(str, values)))}.")
        for what, values in told_by
        if len(set(values)) > 1
    ]


def _unlike(records: Sequence[ReportRecord]) -> Iterator[Markup]:
    for sentence in unlike(records):
        yield tag("p", visible(sentence), dir="auto")


def _table(records: Sequence[ReportRecord], compared: Sequence[Row]) -> Markup:
    heads = tag("tr", tag("th", "case", scope="col"), *(_column(record) for record in records))
    body: list[Markup] = []
    group = -1
    for row in compared:
        if row.case.group != group:
            group = row.case.group
            body.append(
                tag("tr", tag("th", group_name(group), scope="colgroup", colspan=len(records) + 1), class_="group")
            )
        body.append(_row(row))
    table = tag("table", tag("thead", heads), tag("tbody", *body), class_="compared")
    scroller = tag("div", table, class_="wide", tabindex=0, role="group", aria_label="Cases by handlers")
    return tag("section", scroller, legend(), class_="ear")


def _column(record: ReportRecord) -> Markup:
    counts = ", ".join(f"{record.counts[verdict]} {verdict.value}" for verdict in Verdict if record.counts[verdict])
    lines = (counts, when(record), f"{record.version}, profile {record.profile.value}")
    notes = (tag("span", visible(line), class_="note") for line in lines)
    name = tag("span", visible(record.name), title=visible(record.target), dir="auto")
    return tag("th", badge(state(record), word=False), " ", name, *notes, scope="col")


def _row(row: Row) -> Markup:
    mark = tag("span", "≠ differs", class_="differs-word") if row.differs else None
    also = [tag("span", f" (also: {visible(title)})", class_="note") for title in row.titles[1:]]
    head = tag("th", tag("span", visible(row.case.number), class_="case-number"), " ", visible(row.case.title), *also,
               mark, scope="row", dir="auto")  # fmt: skip
    return tag("tr", head, *map(_cell, row.cells), class_="differs" if row.differs else "")


def _cell(case: CaseRecord | None) -> Markup:
    if case is None:
        return tag(
            "td", tag("span", ABSENT, aria_hidden="true"), tag("span", NOT_THERE, class_="unseen"), title=NOT_THERE
        )
    words = "; ".join(f"expected {check.expected}, observed {check.observed}" for check in case.broken) or case.reason
    return tag("td", badge(case.verdict), title=visible(words) or None)


def _details(records: Sequence[ReportRecord], differing: Sequence[Row]) -> Iterator[Markup]:
    """Each difference in words: who does what instead."""
    if not differing:
        return
    yield tag("h2", "Where they differ", class_="heading", id="differences")
    for row in differing:
        lines = [
            tag(
                "div", tag("dt", badge(cell.verdict), " ", visible(record.name)), tag("dd", _observed(cell), dir="auto")
            )
            for record, cell in zip(records, row.cells, strict=True)
            if cell is not None
        ]
        yield tag(
            "section",
            tag("h3", tag("span", visible(row.case.number), class_="case-number"), visible(row.case.title)),
            tag("dl", *lines, class_="facts compared-facts"),
            class_="ear",
        )


def _observed(case: CaseRecord) -> Markup | str:
    if case.broken:
        lines = (f"expected {check.expected}; observed {check.observed}" for check in case.broken)
        return join(*(tag("p", visible(line)) for line in lines))
    return visible(case.reason) or "as it has to be"


def show(reports: Sequence[Reported], console: Console) -> None:
    """Print a comparison: a line for each case in which the handlers differ, and the verdicts on all."""
    from rich.text import Text

    from simulator.conformance.report.terminal import fit, glyph

    records = [told(report) for report in reports]
    compared = rows(records)
    differing = [row for row in compared if row.differs]
    for index, record in enumerate(records):
        mark = MARKS[state(record)]
        console.print(
            fit(
                Text.assemble(f"{_letter(index)} ", (glyph(state(record), console), mark.color), f" {_said(record)}"),
                console,
            )
        )
    for sentence in unlike(records):
        console.print(Text(visible(sentence), style="yellow"))
    console.print(Text("".join(f" {_letter(index)} " for index in range(len(records))), style="bold"))
    for row in differing:
        console.print(fit(_line(row, console), console))
    same = f"{len(compared) - len(differing)} cases without a difference" if differing else "no difference"
    console.print(Text(f"{same}; {ABSENT if not console.options.ascii_only else '?'} is not in a report", style="dim"))


def _said(record: ReportRecord) -> str:
    return f"{visible(record.name)}: {headline(record)} ({visible(record.version)}, {when(record)})"


def _line(row: Row, console: Console) -> Text:
    from rich.text import Text

    from simulator.conformance.report.terminal import glyph

    line = Text()
    for cell in row.cells:
        shown = (ABSENT if not console.options.ascii_only else "?") if cell is None else glyph(cell.verdict, console)
        line.append(f" {shown} ", style=MARKS[cell.verdict].color if cell is not None else "dim")
    return line.append(f" {visible(row.case.number)} {visible(row.case.title)}")


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else "+"
