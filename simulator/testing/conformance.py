"""Whether the application under test keeps the contract: `agentphone.conform(app).check()`, or a test per case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final, Self
from unittest import SkipTest

from simulator.conformance.results import CaseResult, Report
from simulator.conformance.verdicts import Level, Profile, Verdict
from simulator.errors import UsageError
from simulator.scenarios.reports.texts import printable

if TYPE_CHECKING:
    from simulator.app import SimulatorApp
    from simulator.conformance.case import Case
    from simulator.conformance.examine import Target
    from simulator.testing.places import Place

__tracebackhide__ = True  # a failed test should be shown at its own line

MOST: Final = 10  # cases that a failure tells in full
WIDTH: Final = 110  # of its lines
COMPLIANCE: Final = 8  # the group of what law and carriers want: whoever names it wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceReport(Report):
    """A report that a test asserts on."""

    def check(self, *, strict: bool = False) -> Self:
        """Raise AssertionError, in words that say how to mend it, for a handler that breaks a MUST.

        With `strict` a SHOULD counts as well. A handler that refuses every event fails, whichever cases were asked for.
        Where nothing could be played the test is skipped (`unittest.SkipTest`), with the reasons. Returns the report.
        """
        wrong = _wrong(self, strict=strict)
        if wrong or self.refuses:
            raise AssertionError(told(self, strict=strict))
        if self.results and len(self.having(Verdict.NOT_RUN)) == len(self.results):
            raise SkipTest("; ".join(sorted({f"{result.number}: {result.reason}" for result in self.results})))
        return self

    @classmethod
    def of(cls, report: Report) -> Self:
        """The same report."""
        return cls(**{field.name: getattr(report, field.name) for field in fields(Report)})


def cases(profile: str = Profile.ALL, *, group: int | None = None, compliance: bool = False) -> tuple[Case, ...]:
    """The cases for a handler of this profile, to give a test each: `@pytest.mark.parametrize("case", cases("voice"))`.

    With `ids=str` the tests are called by their numbers. `group` is the first part of those. Raises UsageError for a
    profile or a group that does not exist.
    """
    from simulator.conformance.case import GROUPS
    from simulator.conformance.examine import Options, chosen

    if group is not None and group not in GROUPS:
        raise UsageError(f"group cannot be {group!r}: choose one of {', '.join(map(str, GROUPS))}")
    found = chosen(Options(profile=profile_of(profile), compliance=compliance or group == COMPLIANCE))
    return tuple(case for case in found if group in (None, case.group))


def profile_of(word: str) -> Profile:
    """The profile of this name. Raises UsageError when there is none."""
    try:
        return Profile(word)
    except ValueError:
        raise UsageError(f"profile cannot be {word!r}: choose one of {', '.join(Profile)}") from None


def target_of(handler: Any, url: str, secret: str, rotate: Callable[[str], object] | None) -> Target:
    """What is examined: an application that is served at `url`, or whatever runs there."""
    from simulator.conformance.address import read_address
    from simulator.conformance.examine import Target

    if isinstance(handler, str):
        address = read_address(handler)
        return Target(url=address.url, name=address.shown, shown=address.shown, secret=secret, rotate=rotate)
    name = getattr(handler, "__name__", type(handler).__name__)
    return Target(url=url, name=name, shown=f"{name} at {url}", secret=secret, rotate=rotate)


def conducted(
    place: Place, target: Target, *, profile: str, cases: Sequence[Case | str], compliance: bool
) -> ConformanceReport:
    """Examine a handler in an account. Whoever names its URL wants it contacted, on this machine or not."""
    from simulator.conformance.address import read_address
    from simulator.conformance.examine import Options, examine
    from simulator.runtime.deliver import Sender

    options = Options(profile=profile_of(profile), numbers=tuple(map(str, cases)), compliance=compliance)
    host = read_address(target.url).host

    async def work(app: SimulatorApp) -> Report:
        runner = app.simulator.runner_for(place.api_key)
        sender = Sender((host,), mounts=None if runner is None else runner.sender.mounts)
        try:
            return await examine(app, place.api_key, target, options, sender=sender)
        finally:
            await sender.close()

    return ConformanceReport.of(place.conduct(work))


def told(report: Report, *, strict: bool = False) -> str:
    """What is wrong with a handler, for the person who has to mend it."""
    lines = [_headline(report, strict=strict)]
    if report.diagnosis is not None and report.diagnosis.mistake:
        lines += ["", *_labelled("signature", report.diagnosis.mistake), *_labelled("mend", report.diagnosis.mend)]
    wrong = _wrong(report, strict=strict)
    for result in wrong[:MOST]:
        lines += ["", *_case(result, strict=strict)]
    if left := wrong[MOST:]:
        lines += ["", f"and {len(left)} more: {', '.join(result.number for result in left)}"]
    return printable("\n".join(lines))


def _headline(report: Report, *, strict: bool) -> str:
    if report.refuses:
        return f"{report.name} takes no event, however it is signed"
    failed, missed = len(report.failed), len(report.having(Verdict.NON_STRICT))
    played = len(report.results) - len(report.having(Verdict.NOT_RUN))
    broken = f"{report.name} breaks {failed} of {played} cases"
    if not missed:
        return broken
    return f"{report.name}: {failed} of {played} cases fail, {missed} {'are' if strict else 'more are'} not strict"


def _case(result: CaseResult, *, strict: bool) -> Iterator[str]:
    yield f"{result.number} {result.case.title} ({result.case.level})"
    for check in result.broken:
        if strict or check.level is Level.MUST:
            yield from _labelled("expected", check.expected)
            yield from _labelled("observed", check.observed)
    yield from _labelled("why", result.case.why)
    yield from _labelled("mend", result.case.mend)


def _labelled(label: str, text: str) -> list[str]:
    return fill(text, WIDTH, initial_indent=f"    {label:<10}", subsequent_indent=" " * 14).splitlines()


def _wrong(report: Report, *, strict: bool) -> tuple[CaseResult, ...]:
    return report.having(Verdict.FAIL, *([Verdict.NON_STRICT] if strict else []))
