"""Plays cases against one handler and writes the report. Everything is done on the simulator's event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from simulator import __version__
from simulator.app import SimulatorApp
from simulator.conformance.bench import Bench, NotRun, contract_bench
from simulator.conformance.case import Case, Need
from simulator.conformance.cases import ALL
from simulator.conformance.doctor import look
from simulator.conformance.exchange import Ending
from simulator.conformance.platform import Platform
from simulator.conformance.prober import Prober
from simulator.conformance.results import CaseResult, Diagnosis, Report
from simulator.conformance.schemes import CONTRACT
from simulator.conformance.session import Budgets, Session
from simulator.conformance.symptoms import conclude
from simulator.conformance.verdicts import Profile, Verdict, verdict_of
from simulator.errors import SimulatorError, UsageError
from simulator.runtime.deliver import Sender

LONGEST: Final = 180.0  # seconds of the loop's time that one case may take
RISES: Final = 4  # times that a handler which no longer answers is asked again, ...
RISING: Final = 1.0  # ... with so many seconds in between, which are enough for a supervisor to start it again
CUT: Final = "the run was ended before its turn"

Done = Callable[[CaseResult], None]

MISSING: Final = {
    Need.SECRET: "the handler's secret is not known: give --secret or --secret-file",
    Need.API: "the handler's API calls do not come to the simulator: give --serve-api, or --app",
    Need.ROTATION: "the handler cannot be given another secret while it runs: give --secret-file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is examined, and how strictly."""

    profile: Profile = Profile.ALL
    numbers: tuple[str, ...] = ()  # of cases ("2.3") or groups ("2"); empty: all
    compliance: bool = False  # play the cases that are played only when somebody asks for them
    budgets: Budgets = field(default_factory=Budgets)


def chosen(options: Options, cases: Sequence[Case] = ALL) -> tuple[Case, ...]:
    """The cases that are to be played. Raises UsageError for a number that does not exist."""
    known = {case.number for case in cases} | {str(case.group) for case in cases}
    for number in options.numbers:
        if number not in known:
            raise UsageError(f"there is no case {number!r}: `conform --list` shows all of them")
    return tuple(case for case in cases if _wanted(case, options))


def _wanted(case: Case, options: Options) -> bool:
    if options.numbers:
        return case.number in options.numbers or str(case.group) in options.numbers
    if case.asked_for and not options.compliance:
        return False
    return Profile.ALL in (case.profile, options.profile) or case.profile is options.profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The handler: where it is, and what is known about it."""

    url: str
    name: str = ""  # how it is called in tables; the URL otherwise
    shown: str = ""  # what the report calls the target; the URL otherwise
    secret: str
    secret_known: bool = True
    serves_api: bool = True
    rotate: Callable[[str], object] | None = None
    replay: str = ""


async def examine(
    app: SimulatorApp,
    api_key: str,
    target: Target,
    options: Options | None = None,
    *,
    sender: Sender | None = None,
    cases: Sequence[Case] = ALL,
    done: Done | None = None,
) -> Report:
    """Play cases against a handler, on the loop that serves `app`; `api_key` is the account's that they are played in.

    `sender` is the way to the handler; by default the account's own, which knows what is mounted. Raises UsageError
    for numbers that do not exist, before anything is sent.
    """
    return await Examination(app, api_key, target, options, sender=sender, cases=cases, done=done).run()


class Examination:
    """One run against one handler; see `examine`. What is known so far can be asked at any time."""

    def __init__(
        self,
        app: SimulatorApp,
        api_key: str,
        target: Target,
        options: Options | None = None,
        *,
        sender: Sender | None = None,
        cases: Sequence[Case] = ALL,
        done: Done | None = None,
    ) -> None:
        self.options = options or Options()
        self.todo = chosen(self.options, cases)
        self._target = target
        self._platform = Platform(app, api_key)
        self._sender = sender
        self._done = done
        self._started = datetime.now(UTC)
        self._begun = time.monotonic()
        self._results: list[CaseResult] = []
        self._seen: Diagnosis | None = None  # by the doctor, before the cases
        self._adopted = CONTRACT.name

    async def run(self) -> Report:
        """Play every case; once only."""
        self._started, self._begun = datetime.now(UTC), time.monotonic()
        await self._platform.open()
        try:
            session = self._session()
            self._seen = await _look(session)
            self._adopted = session.scheme.name
            await self._play(session)
        finally:
            await self._platform.close()
        return self.report()

    async def _play(self, session: Session) -> None:
        for case in self.todo:
            result = await play(session, case)
            self._results.append(result)
            if self._done is not None:
                self._done(result)
            if unanswered(result) and not await _answers(session):
                session.gone = f"the handler is gone since case {case}: {result.exchanges[-1]}"

    def report(self) -> Report:
        """What has been found out; cases whose turn has not come were not run."""
        played = tuple(self._results)
        left = [CaseResult(case=case, verdict=Verdict.NOT_RUN, reason=CUT) for case in self.todo[len(played) :]]
        target = self._target
        return Report(
            target=target.shown or target.url,
            name=target.name or target.shown or target.url,
            version=__version__,
            profile=self.options.profile,
            contract=self._platform.runner.policies.contract,
            started_at=self._started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            seconds=time.monotonic() - self._begun,
            results=(*played, *left),
            diagnosis=conclude(self._seen, played),
            adopted=self._adopted,
            replay=target.replay,
        )

    def _session(self) -> Session:
        target, options = self._target, self.options
        sender = self._sender or self._platform.runner.sender
        return Session(
            platform=self._platform,
            prober=Prober(sender, target.url, options.budgets.timeout),
            secret=target.secret,
            secret_known=target.secret_known,
            serves_api=target.serves_api,
            rotate=target.rotate,
            profile=options.profile,
            budgets=options.budgets,
        )


def unanswered(result: CaseResult) -> bool:
    """Whether a case waited for answers and got none at all."""
    waited = [exchange for exchange in result.exchanges if exchange.ending is not Ending.LEFT]
    return bool(waited) and all(exchange.status is None for exchange in waited)


async def _answers(session: Session) -> bool:
    """Whether anybody is still there. A handler that fell over may have somebody who starts it again."""
    before = session.platform.seq
    for again in range(RISES):
        if again:
            await asyncio.sleep(RISING)
        event = await session.plain()
        exchange = await session.prober.send(session.request_for(event.id, event.name, event.raw))
        await session.platform.clear()
        if exchange.status is not None:
            if session.serves_api:
                await session.quiet(before)  # what it does about this text is no business of the next case
            return True
        if exchange.ending is Ending.TIMED_OUT:
            return False
    return False


async def _look(session: Session) -> Diagnosis | None:
    """See whether the handler takes an event at all, and which way of signing it follows if it does not."""
    found = await look(session)
    session.accepts = found.scheme is not None
    session.scheme = found.scheme or session.scheme
    return found.diagnosis


async def play(session: Session, case: Case) -> CaseResult:
    """Play one case."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    bench = contract_bench(session) if case.group == 1 else Bench(session)
    reason = _missing(session, case)
    if not reason:
        try:
            async with asyncio.timeout(LONGEST):
                await case.play(bench)
        except NotRun as skipped:
            reason = str(skipped)
        except TimeoutError:
            bench.must(False, "the case is over within a reasonable time", f"it took longer than {LONGEST:g} s")
        except SimulatorError as error:
            reason = f"it could not be prepared: {error}"
    await session.platform.clear()
    verdict = Verdict.NOT_RUN if reason else verdict_of(case.level, bench.checks)
    if verdict is Verdict.PASS and not bench.checks:
        verdict, reason = Verdict.NOT_RUN, "nothing could be compared"
    return CaseResult(
        case=case,
        verdict=verdict,
        checks=bench.checks,
        exchanges=bench.exchanges,
        notes=tuple(bench.notes),
        reason=reason,
        seconds=loop.time() - begun,
    )


def _missing(session: Session, case: Case) -> str:
    """Why a case cannot be played; "" when it can."""
    if session.gone:
        return session.gone
    there: Collection[Need] = {
        *([Need.SECRET] if session.secret_known else []),
        *([Need.API] if session.serves_api else []),
        *([Need.ROTATION] if session.rotate is not None else []),
    }
    for need in Need:
        if need in case.needs and need not in there:
            return MISSING[need]
    if not session.accepts and case.group != 1:
        return "the handler takes no event that is signed in any way we know: see case 1.1"
    return ""
