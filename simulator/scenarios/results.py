"""The outcome of a run: scenarios with their calls, threads and checks, and what the callers heard, added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.engine.timeline import percentiles
from simulator.scenarios.checks import Check
from simulator.scenarios.record import CallRecord, TextRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """One call of a scenario. `where` is the way to it in the file ("calls[0]")."""

    where: str
    name: str
    record: CallRecord
    checks: tuple[Check, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every expectation was met."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """One thread of texts of a scenario."""

    where: str
    name: str
    record: TextRecord
    checks: tuple[Check, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every expectation was met."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One run of one scenario. `error` says why it could not be run to its end; None when it could.

    `round` counts from 1 when a scenario is repeated. `real_seconds` is what the run took on the wall.
    """

    file: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    seed: int = 0
    round: int = 1
    calls: tuple[CallResult, ...] = ()
    texts: tuple[TextResult, ...] = ()
    error: str | None = None
    real_seconds: float = 0.0

    @property
    def parts(self) -> tuple[CallResult | TextResult, ...]:
        """Its calls and threads."""
        return (*self.calls, *self.texts)

    @property
    def ok(self) -> bool:
        """Whether it ran to its end and every expectation was met."""
        return self.error is None and all(part.ok for part in self.parts)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check of every part."""
        return tuple(check for part in self.parts for check in part.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Everything one invocation of `run` came to. `handler` is whom it tested: a URL, or a module."""

    handler: str
    started: datetime
    version: str
    scenarios: tuple[ScenarioResult, ...] = ()
    real_seconds: float = 0.0
    not_run: tuple[str, ...] = ()  # files left out after the first failure

    @property
    def ok(self) -> bool:
        """Whether every scenario passed, and there was one."""
        return bool(self.scenarios) and not self.not_run and all(scenario.ok for scenario in self.scenarios)

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """The record of every call."""
        return tuple(call.record for scenario in self.scenarios for call in scenario.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How some lengths of time are spread. All None when there are none."""

    count: int
    p50: timedelta | None
    p90: timedelta | None
    p99: timedelta | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """What callers heard and when, over some calls."""

    first_word: Spread
    gaps: Spread
    overrun: Spread
    first_byte: Spread  # the handler's
    final_chunk: Spread  # the handler's
    unanswered: int  # turns in which nothing was heard, and nothing done
    talk_ratio: float | None  # the agent's share of all speech, of 1; None when nobody spoke

    def spreads(self) -> Iterator[tuple[str, Spread]]:
        """The measures with their names for readers, the headline first."""
        yield "time to first word", self.first_word
        yield "silence", self.gaps
        yield "overrun after barge-in", self.overrun
        yield "handler: first byte", self.first_byte
        yield "handler: final chunk", self.final_chunk


def spread(lengths: Iterable[timedelta]) -> Spread:
    """Sum up lengths by nearest rank: a percentile is always one of them, never a value nobody has waited."""
    measured = list(lengths)
    ranks = percentiles(measured)
    if ranks is None:
        return Spread(count=0, p50=None, p90=None, p99=None, longest=None)
    return Spread(count=len(measured), p50=ranks.p50, p90=ranks.p90, p99=ranks.p99, longest=max(measured))


def ear(calls: Sequence[CallRecord]) -> Ear:
    """Measure some calls."""
    turns = [turn for call in calls for turn in call.turns]
    ratios = [call.talk_ratio for call in calls if call.speech]
    return Ear(
        first_word=spread(turn.first_word for turn in turns if turn.first_word is not None),
        gaps=spread(gap.length for turn in turns for gap in turn.gaps),
        overrun=spread(turn.overrun for turn in turns if turn.overrun is not None),
        first_byte=spread(turn.first_byte for turn in turns if turn.first_byte is not None),
        final_chunk=spread(turn.final_chunk for turn in turns if turn.final_chunk is not None),
        unanswered=sum(turn.unanswered for turn in turns),
        talk_ratio=sum(ratios) / len(ratios) if ratios else None,
    )
