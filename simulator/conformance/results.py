"""What an examination found, as typed values: what reports are made of, and what a test asserts on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.conformance.case import Case
from simulator.conformance.exchange import Exchange
from simulator.conformance.verdicts import Check, Profile, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of one case."""

    case: Case
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()  # observed, and judged by nobody
    reason: str = ""  # why it was not run
    seconds: float = 0.0  # on the handler's clock: simulated for one in process, real otherwise

    @property
    def number(self) -> str:
        """The number of the case."""
        return self.case.number

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the signature doctor says about a handler."""

    mistake: str  # what the handler does, in a sentence; "" when it keeps the contract
    mend: str = ""
    scheme: str = "contract"  # the way of signing that it follows; "" when none of those known is accepted
    evidence: tuple[str, ...] = ()  # what was tried, and what came of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One examination of one handler."""

    target: str  # URL, or MODULE:APP
    name: str  # how it is called in tables
    version: str  # of the simulator
    profile: Profile
    contract: str
    started_at: str  # ISO 8601, UTC, real
    seconds: float  # real ones
    results: tuple[CaseResult, ...]
    diagnosis: Diagnosis | None = None
    adopted: str = "contract"  # the way of signing that all but the first group was sent with
    replay: str = ""  # the command that repeats it; `--case N` is appended for one case
    notes: tuple[str, ...] = field(default=())

    def result(self, number: str) -> CaseResult:
        """The result of the case with this number. Raises KeyError."""
        for result in self.results:
            if result.number == number:
                return result
        raise KeyError(number)

    def having(self, *verdicts: Verdict) -> tuple[CaseResult, ...]:
        """The results with one of these verdicts."""
        return tuple(result for result in self.results if result.verdict in verdicts)

    @property
    def counts(self) -> Counter[Verdict]:
        """How many cases have each verdict."""
        return Counter(result.verdict for result in self.results)

    @property
    def refuses(self) -> bool:
        """Whether the handler takes no event that is signed in any way we know."""
        return self.diagnosis is not None and not self.diagnosis.scheme

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return self.having(Verdict.FAIL)

    def ok(self, *, strict: bool = False) -> bool:
        """Whether no MUST was broken and something was run; with `strict`, no SHOULD either.

        A handler that refuses every event keeps nothing, whatever else it does.
        """
        bad = [Verdict.FAIL, *([Verdict.NON_STRICT] if strict else [])]
        return not (self.refuses or self.having(*bad)) and self.counts[Verdict.NOT_RUN] < len(self.results)


def numbers(results: Sequence[CaseResult]) -> tuple[str, ...]:
    """The numbers of these cases."""
    return tuple(result.number for result in results)
