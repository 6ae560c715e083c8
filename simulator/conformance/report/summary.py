"""What all reports say alike: the mark and the word of each verdict, and the verdict on the handler in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from simulator.conformance.case import GROUPS, Trust
from simulator.conformance.report.records import CaseRecord, ReportRecord
from simulator.conformance.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Mark:
    """How a verdict is shown. It never depends on its colour alone."""

    glyph: str
    plain: str  # for terminals that know ASCII only
    style: str  # of the class in style sheets, and the key to a colour elsewhere
    color: str  # in a terminal


MARKS: Final = {
    Verdict.FAIL: Mark("✗", "F", "fail", "bold red"),
    Verdict.NON_STRICT: Mark("≈", "~", "lax", "yellow"),
    Verdict.PASS: Mark("✓", ".", "pass", "green"),
    Verdict.INFORMATIONAL: Mark("i", "i", "info", "cyan"),
    Verdict.NOT_RUN: Mark("–", "-", "skip", "dim"),
}
TRUST: Final = {
    Trust.DOCUMENTED: "documented",
    Trust.OBSERVED: "observed in the live service",
    Trust.INFERRED: "inferred",
}


def headline(record: ReportRecord) -> str:
    """The verdict on the handler, in a sentence without a full stop."""
    failed, lax = record.counts[Verdict.FAIL], record.counts[Verdict.NON_STRICT]
    if refuses(record):
        return "Takes no event, however it is signed"
    if not record.played:
        return "Nothing could be examined"
    if failed:
        return f"Breaks the contract: {failed} of {cases(record.played)} {'fails' if failed == 1 else 'fail'}"
    if lax:
        return f"Keeps the contract, but not strictly: {lax} of {cases(record.played)} could be better"
    return f"Keeps the contract: {'the case passes' if record.played == 1 else f'all {record.played} cases pass'}"


def cases(count: int) -> str:
    """So many cases."""
    return f"{count} case" if count == 1 else f"{count} cases"


def refuses(record: ReportRecord) -> bool:
    """Whether the handler takes nothing at all. It keeps no contract, though it refuses all that has to be refused.

    A handler whose secret nobody told us has to refuse everything: then the diagnosis names no mistake.
    """
    found = record.diagnosis
    return found is not None and not found.scheme and bool(found.mistake)


def state(record: ReportRecord) -> Verdict:
    """The handler as one verdict: that of its worst case; not run when nothing was judged."""
    if refuses(record):
        return Verdict.FAIL
    worst = (verdict for verdict in (Verdict.FAIL, Verdict.NON_STRICT, Verdict.PASS) if record.counts[verdict])
    return next(worst, Verdict.NOT_RUN)


def passes(record: ReportRecord) -> bool:
    """Whether no MUST was broken, and something was run."""
    return state(record) in (Verdict.PASS, Verdict.NON_STRICT)


def summary(record: ReportRecord) -> dict[str, Any]:
    """The counts, for programs."""
    return {
        "verdict": headline(record),
        "cases": len(record.cases),
        **{verdict.value.replace(" ", "_").replace("-", "_"): record.counts[verdict] for verdict in Verdict},
        "failed": [case.number for case in record.having(Verdict.FAIL)],
    }


def groups(record: ReportRecord) -> Iterator[tuple[str, tuple[CaseRecord, ...]]]:
    """The groups by name, with their cases in the order of their numbers."""
    ordered = sorted(record.cases, key=lambda case: (case.group or len(GROUPS) + 1, case.order))
    for group, members in groupby(ordered, key=lambda case: case.group):
        yield group_name(group), tuple(members)


def group_name(group: int) -> str:
    """The name of a group, with its number."""
    return f"{group} {GROUPS[group]}" if group in GROUPS else "Others"


def tally(members: tuple[CaseRecord, ...]) -> str:
    """How many of these were passed, of those that were judged."""
    passed = sum(case.verdict is Verdict.PASS for case in members)
    judged = sum(case.verdict in (Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL) for case in members)
    return f"{passed} of {judged}" if judged else "none run"


def reasons(record: ReportRecord) -> dict[str, list[str]]:
    """Why cases were not run: the numbers by reason."""
    found: dict[str, list[str]] = {}
    for case in record.having(Verdict.NOT_RUN):
        found.setdefault(case.reason or "no reason is known", []).append(case.number)
    return found
