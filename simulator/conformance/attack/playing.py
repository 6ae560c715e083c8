"""Plays plans against a handler over sockets, each in a simulator of its own, and takes down what came of them."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from simulator.conformance.attack.laws import Observed
from simulator.conformance.attack.plan import AFTERWARDS, Plan
from simulator.conformance.attack.staging import scenario_of
from simulator.conformance.verdicts import Profile
from simulator.errors import NotFound, SimulatorError
from simulator.scenarios.batch import Lane
from simulator.scenarios.model import Scenario
from simulator.scenarios.results import CallResult, TextResult
from simulator.scenarios.runner import Conditions, Performance
from simulator.scenarios.stage import Stage
from simulator.world.journal import Entry

FIRST_PERSON: Final = 12127400000  # somewhere in Manhattan, in no range of magic numbers
MOST_PEOPLE: Final = 500_000
PEOPLE: Final = 10  # of one plan
MOST_SEED: Final = 1_000_000_000
PREVENTS: Final = frozenset({"reset", "refuse", "status"})  # faults with which an attempt does not arrive


class OutOfTime(BaseException):
    """The real time of an attack is over. No Exception: it must pass through whatever plays the plans."""


class Player:
    """A context manager: one server, on which plans are played one after another, each with people of its own."""

    def __init__(self, conditions: Conditions, profile: Profile, *, port: int = 0) -> None:
        self._lane = Lane(port)
        self._conditions = conditions
        self._last = "text" if profile is Profile.SMS else "call"
        # A handler may have been attacked before, and remember it: no id and nobody's number comes twice.
        self._seed = secrets.randbelow(MOST_SEED)
        self._nobody = FIRST_PERSON + secrets.randbelow(MOST_PEOPLE)
        self._played = 0

    @property
    def base_url(self) -> str:
        """Where the handler reaches the API."""
        return self._lane.base_url

    def __enter__(self) -> Self:
        self._lane.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lane.__exit__(kind, error, at)

    def play(self, plan: Plan, patience: float | None = None) -> Observed:
        """Play a plan to its end; raises OutOfTime when that takes more than `patience` real seconds.

        Ids and numbers are new each time: a handler that remembers what it was sent must not mistake one for another.
        """
        first = self._nobody + self._played * PEOPLE
        scenario = Scenario.model_validate(
            scenario_of(plan, lambda person: f"+{first + person}", afterwards=self._last)
        )
        seed = self._seed + self._played
        self._played += 1
        stage = self._lane.stage
        assert stage.loop is not None
        playing = asyncio.run_coroutine_threadsafe(_observe(stage, scenario, self._conditions, seed), stage.loop)
        try:
            return playing.result(patience)
        except TimeoutError:
            raise OutOfTime from None
        finally:
            playing.cancel()


async def _observe(stage: Stage, scenario: Scenario, conditions: Conditions, seed: int) -> Observed:
    """Play one scenario on the stage's loop."""
    customer = stage.put_on(conditions.settings(scenario, seed))
    performance = Performance(scenario, customer, conditions.handler, conditions.faults)
    error: str | None = None
    try:
        try:
            await performance.play()
        except SimulatorError as failed:
            error = str(failed)
        return _observed(performance, customer.runner.world.journal.since(), error)
    except NotFound as forgotten:
        return Observed(error=str(forgotten))
    finally:
        performance.leave()
        await stage.clear()


def _observed(performance: Performance, entries: Iterable[Entry], error: str | None) -> Observed:
    calls, texts = performance.results()
    parts: list[CallResult | TextResult] = [*calls, *texts]
    fired = [entry.data for entry in entries if entry.kind == "fault.fired" and entry.data["fault"] in PREVENTS]
    return Observed(
        calls={part.where: part.record for part in calls if part.name != AFTERWARDS},
        threads={part.where: part.record for part in texts if part.name != AFTERWARDS},
        afterwards=next((part.record for part in parts if part.name == AFTERWARDS), None),
        struck=Counter(data["delivery_id"] for data in fired if data.get("delivery_id")),
        error=error,
    )
