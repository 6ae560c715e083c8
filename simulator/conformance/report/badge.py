"""The verdict as a small picture for a front page: SVG, with no font but the reader's."""

from __future__ import annotations

from typing import Final

from simulator.conformance.report.records import Reported, ReportRecord
from simulator.conformance.report.summary import headline, refuses, state
from simulator.conformance.report.telling import told
from simulator.conformance.report.texts import visible
from simulator.conformance.verdicts import Verdict
from simulator.scenarios.reports.markup import Markup, tag

SUBJECT: Final = "AgentPhone contract"
# White on each of these, and on the subject's ground, has a contrast of more than 4.5.
COLORS: Final = {
    Verdict.PASS: "#187a3c",
    Verdict.NON_STRICT: "#8a5a00",
    Verdict.FAIL: "#b3261e",
    Verdict.NOT_RUN: "#5a6269",
}
GROUND: Final = "#3a4046"
# Widths of letters at 11 px, as sans-serif fonts have them; the drawing is stretched to what is computed here.
NARROW: Final = frozenset("fijlrtI.,:;|!'()- ")
WIDE: Final = frozenset("mwMW@%")
PAD: Final = 8
HEIGHT: Final = 20


def render(report: Reported) -> str:
    """Draw the badge of a report."""
    record = told(report)
    value = message(record)
    left, right = width(SUBJECT) + 2 * PAD, width(value) + 2 * PAD
    title = f"{SUBJECT}: {value}. {headline(record)} ({visible(record.name)})"
    drawing = tag(
        "svg",
        tag("title", title),
        tag("rect", width=left + right, height=HEIGHT, rx=4, fill=COLORS[state(record)]),
        tag("path", d=f"M4 0h{left - 4}v{HEIGHT}H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z", fill=GROUND),
        _words(SUBJECT, PAD),
        _words(value, left + PAD),
        xmlns="http://www.w3.org/2000/svg", width=left + right, height=HEIGHT, role="img", aria_label=title,
        viewBox=f"0 0 {left + right} {HEIGHT}",
    )  # fmt: skip
    return f"{drawing}\n"


def message(record: ReportRecord) -> str:
    """What the badge says: how many cases pass, or which fail."""
    failed, lax = record.having(Verdict.FAIL), record.counts[Verdict.NON_STRICT]
    if refuses(record):
        return "takes no event"
    if not record.played:
        return "not examined"
    more = f" +{len(failed) - 1}" if len(failed) > 1 else ""
    passed = f"{record.counts[Verdict.PASS]} of {record.played}"
    said = f"fails {visible(failed[0].number)[:12]}{more}" if failed else passed
    return f"{said}, non-strict {lax}" if lax else said


def width(text: str) -> int:
    """Pixels that a text takes."""
    return round(sum(4.0 if letter in NARROW else 10.0 if letter in WIDE else 6.8 for letter in text))


def _words(text: str, x: int) -> Markup:
    font = "Verdana, 'DejaVu Sans', Geneva, sans-serif"
    return tag(
        "text", text, x=x, y=14, fill="#ffffff", font_family=font, font_size=11,
        textLength=width(text), lengthAdjust="spacingAndGlyphs",
    )  # fmt: skip
