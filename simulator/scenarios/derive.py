"""Expectations taken from what happened: a recorded call becomes the test that it would pass again."""

from __future__ import annotations

from typing import Any

from simulator.scenarios.durations import render
from simulator.scenarios.record import CallRecord, FindingRecord, TurnRecord

Plain = dict[str, Any]  # as it is written in a file


def of_turn(turn: TurnRecord, *, timings: bool = False) -> Plain:
    """What one turn was like; `timings` takes in how fast it was, which another machine may not be."""
    expect: Plain = {"text": {"contains": turn.heard_text}} if turn.heard_text.strip() else {"silent": True}
    if turn.action is not None:
        expect["action"] = turn.action
    if turn.digits:
        expect["digits"] = turn.digits
    if turn.interim:
        expect["interim"] = True
    if timings:
        if turn.first_word is not None:
            expect["first_word_within"] = render(turn.first_word)
        if turn.gaps:
            expect["no_gap_over"] = render(max(gap.length for gap in turn.gaps))
        if turn.overrun is not None:
            expect["overrun_within"] = render(turn.overrun)
        expect["findings"] = _findings(turn.findings)
    return expect


def of_call(record: CallRecord, *, timings: bool = False) -> Plain:
    """What a whole call was like."""
    expect: Plain = {"reason": record.reason, "turns": len(record.turns), "findings": _findings(record.findings)}
    if timings:
        gaps = [gap.length for turn in record.turns for gap in turn.gaps]
        if gaps:
            expect["no_gap_over"] = render(max(gaps))
        expect["duration_within"] = render(record.duration)
    return expect


def _findings(findings: tuple[FindingRecord, ...]) -> str | list[str]:
    return sorted({finding.kind for finding in findings}) or "none"
