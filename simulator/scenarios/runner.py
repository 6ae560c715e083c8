"""Plays one scenario against one handler, and holds what happened against what was expected.

Everything starts in one instant: time stands still until every call and thread without an `at` has begun. Then it moves
by itself, and follows real time only while the handler works. A scenario is over when its calls and threads have ended
and every event that was owed to the handler is settled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from simulator.errors import NotFound, SimulatorError
from simulator.runtime.in_flight import Key
from simulator.scenarios import texting
from simulator.scenarios.durations import render
from simulator.scenarios.expectations import check_call
from simulator.scenarios.model import CallPart, Scenario, TextPart
from simulator.scenarios.recording import record_of_call
from simulator.scenarios.references import outbound
from simulator.scenarios.results import CallResult, ScenarioResult, TextResult
from simulator.scenarios.setting import Setting
from simulator.scenarios.sim_steps import sim_script
from simulator.scenarios.stage import Customer, Stage
from simulator.scenarios.thread_expectations import check_thread
from simulator.settings import DEFAULT_API_KEY, Settings
from simulator.world.journal import Entry

OWNER: Final = "scenario"  # of our timers
TIMEOUT: Final = "timeout"
# Real seconds without anything new in the journal until a scenario is given up. A handler may be silent for as long as
# its webhook's timeout, which is 120 s at most.
REAL_PATIENCE: Final = 150.0
# Real seconds that a handler has after everything is over to make the requests that are expected of it: it answers
# first, so that it isn't late, and then does its work.
AFTERWORK: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What all scenarios of a run have in common. None leaves a thing to the scenario."""

    handler: str  # the URL that webhooks go to
    base_url: str  # where the handler reaches us
    api_key: str = DEFAULT_API_KEY
    secret: str | None = None  # None: every registration makes one
    contract: str | None = None
    policies: Mapping[str, str] = field(default_factory=dict)
    allow_hosts: tuple[str, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()  # as `POST /_sim/faults` takes them

    def settings(self, scenario: Scenario, seed: int) -> Settings:
        """The settings of the simulator for one scenario. Raises UnknownPolicy."""
        contract = self.contract or scenario.contract or "all"
        return Settings(
            api_keys=(self.api_key,),
            clock=ClockMode.MANUAL,  # until everything has begun
            seed=seed,
            policies=Policies(contract, {**scenario.policies, **self.policies}),
            webhook_secret=self.secret,
            allow_hosts=self.allow_hosts,
            public_url=self.base_url,
        )


async def play(
    stage: Stage, scenario: Scenario, conditions: Conditions, *, file: str, seed: int = 0, round_: int = 1
) -> ScenarioResult:
    """Play a scenario once. What goes wrong on the way is the result's `error`. Call it on the stage's loop."""
    began = time.monotonic()
    customer = stage.put_on(conditions.settings(scenario, seed))
    performance = Performance(scenario, customer, conditions.handler, conditions.faults)
    calls: tuple[CallResult, ...] = ()
    texts: tuple[TextResult, ...] = ()
    error: str | None = None
    try:
        try:
            await performance.play()
        except SimulatorError as failed:
            error = str(failed)
        calls, texts = performance.results()
    except NotFound as forgotten:
        error = f"{forgotten}: too much has happened since (Settings.journal_limit)"
    finally:
        performance.leave()
        await stage.clear()
    return ScenarioResult(
        file=file,
        name=scenario.name,
        description=scenario.description or "",
        tags=tuple(scenario.tags),
        seed=seed,
        round=round_,
        calls=calls,
        texts=texts,
        error=error,
        real_seconds=time.monotonic() - began,
    )


class Stuck(SimulatorError):
    """A scenario did not come to its end."""


class Performance:
    """One scenario being played."""

    def __init__(
        self, scenario: Scenario, customer: Customer, handler: str, faults: tuple[Mapping[str, Any], ...] = ()
    ) -> None:
        self._scenario = scenario
        self._customer = customer
        self._runner = customer.runner
        self._setting = Setting(scenario, customer, handler, faults)
        self._calls: dict[int, str] = {}  # call ids by index in the file
        self._texts: dict[int, str] = {}  # thread ids by index in the file
        self._waiting: dict[str, CallPart | TextPart] = {}  # what begins later, by the way to it in the file
        self._error: SimulatorError | None = None
        self._news = asyncio.Event()
        self._deaf = self._runner.world.journal.on_append(self._heard)

    def _heard(self, _entry: Entry) -> None:
        self._news.set()

    def leave(self) -> None:
        """Listen no more."""
        self._deaf()
        self._runner.pacer.disown(OWNER)

    # --- what happens ---

    async def play(self) -> None:
        """Play it to its end. Raises Refused or Stuck when that cannot be reached."""
        await self._setting.make()
        pacer = self._runner.pacer
        pacer.own(OWNER, self._due)
        if self._scenario.timeout is not None:
            pacer.start_timer((OWNER, TIMEOUT), self._scenario.timeout)
        for where, part in self._parts():
            if part.at:
                self._waiting[where] = part
                pacer.start_timer((OWNER, where), part.at)
            else:
                await self._begin(where, part)
        await self._customer.ask("PUT", "/_sim/clock", {"mode": ClockMode.AUTO.value})
        await self._until(self._over, REAL_PATIENCE)
        pacer.timers.stop((OWNER, TIMEOUT))
        await self._afterwork()

    def _parts(self) -> list[tuple[str, CallPart | TextPart]]:
        calls: list[tuple[str, CallPart | TextPart]] = [
            (f"calls[{index}]", part) for index, part in enumerate(self._scenario.calls)
        ]
        return calls + [(f"texts[{index}]", part) for index, part in enumerate(self._scenario.texts)]

    def _due(self, key: Key) -> None:
        name = str(key[0])
        if name == TIMEOUT:
            limit = render(self._scenario.timeout or timedelta())
            self._error = Stuck(f"not over after {limit} of simulated time (timeout)")
            self._news.set()
        elif (part := self._waiting.get(name)) is not None:
            self._runner.pacer.track(self._begin_late(name, part))

    async def _begin_late(self, where: str, part: CallPart | TextPart) -> None:
        try:
            await self._begin(where, part)
        except SimulatorError as error:
            self._error = error
        del self._waiting[where]
        self._news.set()

    async def _begin(self, where: str, part: CallPart | TextPart) -> None:
        index = int(where.partition("[")[2].removesuffix("]"))
        try:
            if isinstance(part, TextPart):
                self._texts[index] = await texting.begin(self._customer, self._setting, part)
            elif outbound(self._scenario, part):
                self._calls[index] = await self._place(part)
            else:
                self._calls[index] = await self._dial(part)
        except SimulatorError as error:
            raise Stuck(f"{where}: {error}") from error

    async def _dial(self, part: CallPart) -> str:
        """Somebody phones us."""
        person = self._setting.person(part.from_)
        script = part.script if part.script is not None else person.script if person else None
        body = {
            "from": self._setting.number(part.from_),
            "to": self._setting.number(part.to),
            "script": sim_script(script or []),
        }
        return str((await self._customer.ask("POST", "/_sim/calls", body))["call_id"])

    async def _place(self, part: CallPart) -> str:
        """We phone somebody, who does what this call's script says."""
        assert part.to is not None
        number = self._setting.number(part.to)
        await self._setting.register(number, self._setting.person(part.to), part.script, part.answer)
        request = part.request.model_dump(by_alias=True, exclude_unset=True) if part.request else {}
        body = {**self._setting.caller(part.from_), "toNumber": number, **request}
        return str((await self._customer.ask("POST", "/v1/calls", body))["id"])

    # --- the end ---

    def _over(self) -> bool:
        if self._error is not None:
            raise self._error
        calls = self._runner.world.calls
        ended = not any(calls[call_id].live for call_id in self._calls.values())
        written = all(texting.over(self._runner, thread_id) for thread_id in self._texts.values())
        return not self._waiting and ended and written and self._runner.unsettled() == (0, 0)

    async def _until(self, reached: Callable[[], bool], patience: float) -> None:
        while not reached():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), patience)
            except TimeoutError:
                raise Stuck(f"nothing has happened for {patience:g} s of real time, and it is not over") from None

    async def _afterwork(self) -> None:
        """Give the handler time to make the requests that are expected of it and have not come yet."""
        if not any(part.expect and part.expect.api_calls for _, part in self._parts()):
            return
        deadline = time.monotonic() + AFTERWORK
        while time.monotonic() < deadline and self._requests_missing():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), deadline - time.monotonic())
            except TimeoutError:
                return

    def _requests_missing(self) -> bool:
        calls, texts = self.results()
        parts: tuple[CallResult | TextResult, ...] = (*calls, *texts)
        checks = [check for part in parts for check in part.checks]
        return any(check.name == "api_calls" and not check.ok for check in checks)

    # --- what it came to ---

    def results(self) -> tuple[tuple[CallResult, ...], tuple[TextResult, ...]]:
        """The calls and threads that have begun, with their checks."""
        journal = self._runner.world.journal
        entries = [entry for entry in journal.since() if not self._customer.is_own(entry.seq)]
        calls = tuple(self._call(index, call_id, entries) for index, call_id in sorted(self._calls.items()))
        texts = tuple(self._text(index, thread_id, entries) for index, thread_id in sorted(self._texts.items()))
        return calls, texts

    def _call(self, index: int, call_id: str, entries: list[Entry]) -> CallResult:
        part, where = self._scenario.calls[index], f"calls[{index}]"
        record = record_of_call(entries, call_id)
        name = part.name or f"call {index + 1}"
        return CallResult(where=where, name=name, record=record, checks=check_call(part, record, where))

    def _text(self, index: int, thread_id: str, entries: list[Entry]) -> TextResult:
        part, where = self._scenario.texts[index], f"texts[{index}]"
        record = texting.record_of_thread(entries, thread_id)
        name = part.name or f"thread {index + 1}"
        return TextResult(where=where, name=name, record=record, checks=check_thread(part, record, where))
