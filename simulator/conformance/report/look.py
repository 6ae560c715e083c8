"""What the pages of this room look like: the style of the scenario report, and what is ours beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simulator.conformance.case import GROUPS
from simulator.conformance.report.records import ReportRecord
from simulator.conformance.report.summary import MARKS
from simulator.conformance.report.texts import visible
from simulator.conformance.verdicts import Verdict
from simulator.scenarios.reports import page as scenarios
from simulator.scenarios.reports.markup import Markup, document, join, style, tag

SHEETS: Final = (Path(scenarios.__file__).with_name("page.css"), Path(__file__).with_name("page.css"))


def css() -> str:
    """Both style sheets."""
    return "\n".join(sheet.read_text("utf-8") for sheet in SHEETS)


def page(title: str, *body: Markup | None) -> str:
    """A whole page, which loads nothing, whatever a handler has said."""
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=scenarios.POLICY),
        tag("title", title),
        style(css()),
    )
    return document(head, join(*body))


def badge(verdict: Verdict, *, word: bool = True) -> Markup:
    """A verdict: its glyph on its colour, and its word, which is only heard where there is no room."""
    mark = MARKS[verdict]
    said = tag("span", verdict.value, class_=None if word else "unseen")
    return tag("span", tag("span", mark.glyph, class_="glyph", aria_hidden="true"), said, class_=f"mark {mark.style}")


def legend() -> Markup:
    """What the marks mean."""
    meanings = {
        Verdict.PASS: "keeps the rule",
        Verdict.NON_STRICT: "breaks something that it should do",
        Verdict.FAIL: "breaks something that it must do",
        Verdict.INFORMATIONAL: "told, and judged by nobody",
        Verdict.NOT_RUN: "could not be played here",
    }
    keys = (tag("span", badge(verdict), meaning) for verdict, meaning in meanings.items())
    return tag("p", *keys, class_="legend")


def when(record: ReportRecord) -> str:
    """The moment of an examination, for reading."""
    return visible(record.started_at.replace("T", ", ").replace("Z", " UTC"))


def anchor(number: str) -> str:
    """The id of a case on a page."""
    return "case-" + "".join(letter if letter.isalnum() and letter.isascii() else "." for letter in number)


def footer(version: str) -> Markup:
    """The end of a page."""
    told = f"agentphone-simulator {visible(version)}; {len(GROUPS)} groups of cases, whose numbers are stable"
    return tag("footer", told)
