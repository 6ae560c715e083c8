"""A report as it is told: nothing secret in it, nothing endless, and only what can be written down and read again.

Every renderer works on these records, so what `telling.py` has masked or left out is in none of them.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from simulator.conformance.case import GROUPS, Trust
from simulator.conformance.exchange import Ending
from simulator.conformance.results import Diagnosis, Report
from simulator.conformance.verdicts import Level, Profile, Verdict

# A report comes from a file, too, and whoever wrote that may have been mistaken.
LONGEST: Final = 1_000_000_000.0
Seconds = Annotated[float, Field(ge=0, le=LONGEST)]  # nor is it NaN, which is not at least 0
Count = Annotated[int, Field(ge=0, le=2**53)]
Headers = tuple[tuple[str, str], ...]  # in order; a name may come twice

PLAYED: Final = (Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body: as text where it is UTF-8, as base64 where it is not, and empty where it is neither."""

    text: str | None = None
    base64: str | None = None
    size: Count = 0  # bytes of all of it
    left_out: Count = 0  # bytes at the end that the report does not keep

    def __post_init__(self) -> None:
        """Raise ValueError for base64 that is none."""
        if self.base64 is not None:
            base64.b64decode(self.base64, validate=True)

    @property
    def data(self) -> bytes:
        """The bytes that are kept."""
        if self.base64 is not None:
            return base64.b64decode(self.base64)
        return (self.text or "").encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or an answer."""

    headers: Headers = ()
    content: Content = Content()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes of an answer that came together. Seconds since the request was begun."""

    at: Seconds
    size: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One chunk of the reply to a voice turn, understood. Seconds since the request was begun."""

    at: Seconds
    interim: bool
    words: str  # or what it does, in brackets


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRecord:
    """A request and its answer. Times are seconds since the request was begun, `started_at` since the case began."""

    place: Count  # among all exchanges of the case, from 1
    note: str
    method: str
    request: Message
    answer: Message
    status: Count | None
    ending: Ending
    error: str | None
    started_at: Seconds
    head_at: Seconds | None
    pieces: tuple[Piece, ...]
    more_pieces: Count
    chunks: tuple[Said, ...]
    more_chunks: Count
    ended_at: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """One comparison; `exchange` is the place in the case's `exchanges`, from 0, of the one that shows it."""

    level: Level
    holds: bool
    expected: str
    observed: str
    exchange: Count | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """What became of one case, with its rule."""

    number: str
    title: str
    level: Level
    source: str
    trust: Trust
    sent: str
    expected: str
    why: str
    mend: str
    verdict: Verdict
    reason: str
    seconds: Seconds
    checks: tuple[CheckRecord, ...]
    checks_left_out: Count
    notes: tuple[str, ...]
    exchanges: tuple[ExchangeRecord, ...]
    exchanges_left_out: Count

    @property
    def broken(self) -> tuple[CheckRecord, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.holds)

    @property
    def order(self) -> tuple[tuple[int, int, str], ...]:
        """Sorts numbers as people do: 3.2 before 3.10."""
        return tuple((0, int(part), "") if _number(part) else (1, 0, part) for part in self.number.split("."))

    @property
    def group(self) -> int:
        """The number of its group; 0 when it has none that we know."""
        head = self.number.partition(".")[0]
        return int(head) if _number(head) and int(head) in GROUPS else 0


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecord:
    """One examination of one handler."""

    target: str
    name: str
    version: str
    profile: Profile
    contract: str
    started_at: str
    seconds: Seconds
    adopted: str
    replay: str
    diagnosis: Diagnosis | None
    notes: tuple[str, ...]
    cases: tuple[CaseRecord, ...]

    def having(self, *verdicts: Verdict) -> tuple[CaseRecord, ...]:
        """The cases with one of these verdicts, in order."""
        return tuple(case for case in self.cases if case.verdict in verdicts)

    @property
    def counts(self) -> Counter[Verdict]:
        """How many cases have each verdict."""
        return Counter(case.verdict for case in self.cases)

    @property
    def played(self) -> int:
        """How many cases the verdict rests on."""
        return len(self.having(*PLAYED))

    def again(self, case: CaseRecord | None = None) -> str:
        """The command that repeats the examination, or one case of it; "" where none is known."""
        return f"{self.replay} --case {case.number}" if self.replay and case is not None else self.replay


Reported = Report | ReportRecord
