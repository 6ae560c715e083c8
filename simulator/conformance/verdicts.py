"""Levels, verdicts, and how one follows from the other. Data and a rule; no I/O.

| what a case found | its verdict |
| --- | --- |
| every check holds | pass |
| only SHOULD checks do not hold | non-strict |
| a MUST check does not hold | fail |
| the case only looks (level MAY) | informational |
| it could not be played, and why | not run |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How binding a rule is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"  # nobody says how it has to be: what is observed is told, and judged by nobody


class Verdict(StrEnum):
    """What became of a case. The values are stable: they stand in reports."""

    PASS = "pass"
    NON_STRICT = "non-strict"
    FAIL = "fail"
    INFORMATIONAL = "informational"
    NOT_RUN = "not run"


class Profile(StrEnum):
    """Which part of the contract a handler is for; a case without one concerns every handler."""

    SMS = "sms"
    VOICE = "voice"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of what was expected with what was observed, both in words."""

    level: Level
    holds: bool
    expected: str
    observed: str
    exchange: int | None = None  # index of the exchange of the case that shows it


def verdict_of(level: Level, checks: Iterable[Check]) -> Verdict:
    """The verdict of a case of this level, after these checks."""
    broken = {check.level for check in checks if not check.holds}
    if level is Level.MAY:
        return Verdict.INFORMATIONAL
    if Level.MUST in broken:
        return Verdict.FAIL
    return Verdict.NON_STRICT if Level.SHOULD in broken else Verdict.PASS
