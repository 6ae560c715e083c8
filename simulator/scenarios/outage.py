"""A handler that is away: texts and calls over simulated days, the whole ladder of attempts, and what became of each.

Time is moved by hand, from event to event, so that a day takes as long as its requests. While the handler is away its
webhook leads to a stand-in; what is due when it is back goes to the handler itself, signed like everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.clock import ClockMode
from simulator.errors import UsageError
from simulator.scenarios.reports.ladder import Chart, chart_as_json, chart_of
from simulator.scenarios.reports.ladder_records import Outage, Owed, order_of_arrival, owed_of
from simulator.scenarios.stage import Customer, Stage
from simulator.scenarios.stand_in import HANGS, StandIn
from simulator.settings import Settings

CALLER: Final = "+14155550150"
SCRIPT: Final = ("Hello, is anybody there?", "Goodbye")
MOST_EVENTS: Final = 2_000
BEFORE: Final = 2  # events of a kind that come before the outage, and after it
INSTANT: Final = timedelta(microseconds=1)  # what is due when the handler is back must find it there
AFTERWORK: Final = 0.25  # real seconds of quiet in which a handler may still answer through the API


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long the handler is away, how that looks, and what happens meanwhile. None: no such events."""

    down: timedelta
    does: int | str  # a status, or what a stand-in does
    texts_every: timedelta | None = timedelta(hours=1)
    calls_every: timedelta | None = None

    def __post_init__(self) -> None:
        intervals = [every for every in (self.texts_every, self.calls_every) if every is not None]
        if not intervals:
            raise UsageError("nothing is sent: give the texts or the calls an interval")
        if not all(intervals):
            raise UsageError("an interval of 0 never ends: give 1m or more")
        events = sum(self.length // every + 1 for every in intervals)
        if events > MOST_EVENTS:
            raise UsageError(f"that is {events:,} texts and calls, {MOST_EVENTS:,} at most: give longer intervals")

    @property
    def lead(self) -> timedelta:
        """How long all is well before the outage, and after it."""
        return BEFORE * min(every for every in (self.texts_every, self.calls_every) if every is not None)

    @property
    def length(self) -> timedelta:
        """From the first event to the last."""
        return self.lead + self.down + self.lead

    def events(self) -> list[tuple[timedelta, str]]:
        """When somebody texts or calls, from the beginning."""
        return sorted([*self._every("text", self.texts_every), *self._every("call", self.calls_every)])

    def _every(self, what: str, interval: timedelta | None) -> Iterator[tuple[timedelta, str]]:
        if interval is not None:
            yield from ((interval * number, what) for number in range(self.length // interval + 1))


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of everything that was sent."""

    owed: tuple[Owed, ...]
    outage: Outage

    def chart(self, most_rows: int) -> Chart:
        """Arranged to be drawn."""
        return chart_of(self.owed, [self.outage], most_rows=most_rows)

    @property
    def arrived(self) -> list[Owed]:
        """What arrived, in the order of arrival."""
        return order_of_arrival(self.owed)

    @property
    def overtaken(self) -> list[Owed]:
        """What arrived after something that was sent later."""
        found, newest = [], datetime.min.replace(tzinfo=self.outage.begin.tzinfo)
        for delivery in self.arrived:
            if delivery.created < newest:
                found.append(delivery)
            newest = max(newest, delivery.created)
        return found

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            **chart_as_json(self.chart(max(1, len(self.owed)))),
            "order_of_arrival": [delivery.id for delivery in self.arrived],
            "overtaken": [delivery.id for delivery in self.overtaken],
        }


async def play(stage: Stage, plan: Plan, settings: Settings, handler: str | None) -> Aftermath:
    """Play the plan against the handler at a URL, or a stand-in that accepts everything. On the stage's own loop."""
    assert settings.clock is ClockMode.MANUAL and settings.webhook_secret is not None
    async with AsyncExitStack() as stack:
        away = await stack.enter_async_context(StandIn(plan.does))
        there = handler or (await stack.enter_async_context(StandIn(200))).url
        stack.push_async_callback(stage.clear)
        return await _Story(stage.put_on(settings), plan, there, away).play(real=handler is not None)


class _Story:
    """One plan on its way."""

    def __init__(self, customer: Customer, plan: Plan, there: str, away: StandIn) -> None:
        self._customer = customer
        self._runner = customer.runner
        self._plan = plan
        self._there = there
        self._away = away
        self._begin = customer.runner.now()
        # Nobody waits for a stand-in that hangs.
        self._patience: timedelta | None = None

    async def play(self, *, real: bool) -> Aftermath:
        ask, plan = self._customer.ask, self._plan
        agent = await ask("POST", "/v1/agents", {"name": "Support", "voiceMode": "webhook"})
        number = (await ask("POST", "/v1/numbers", {"agentId": agent["id"]}))["phoneNumber"]
        await self._lead_to(self._there)
        events = plan.events()
        for at, what in [event for event in events if event[0] < plan.lead]:
            await self._send(at, what, number)
        await self._leave()
        for at, what in [event for event in events if plan.lead <= event[0] < plan.lead + plan.down]:
            await self._send(at, what, number)
        await self._return()
        for at, what in [event for event in events if event[0] >= plan.lead + plan.down]:
            await self._send(at, what, number)
        await self._finish(real=real)
        begin = self._begin + plan.lead
        owed = tuple(owed_of(delivery) for delivery in self._runner.world.deliveries.values())
        return Aftermath(owed, Outage(begin, begin + plan.down))

    async def _send(self, at: timedelta, what: str, number: str) -> None:
        await self._move_to(at)
        if what == "text":
            told = {"from": CALLER, "to": number, "body": f"Text of {self._runner.now():%a %H:%M}"}
            await self._customer.ask("POST", "/_sim/messages", told)
        else:
            await self._customer.ask("POST", "/_sim/calls", {"from": CALLER, "to": number, "script": list(SCRIPT)})

    async def _move_to(self, at: timedelta) -> None:
        left = self._begin + at - self._runner.now()
        if left > timedelta():
            await self._runner.advance(left, self._patience)

    async def _lead_to(self, url: str) -> None:
        await self._customer.ask("POST", "/v1/webhooks", {"url": url})

    async def _leave(self) -> None:
        await self._move_to(self._plan.lead)
        await self._lead_to(self._away.url)
        if self._plan.does == HANGS:
            self._patience = timedelta()

    async def _return(self) -> None:
        await self._move_to(self._plan.lead + self._plan.down - INSTANT)
        await self._lead_to(self._there)
        await self._away.hang_up()
        self._patience = None

    async def _finish(self, *, real: bool) -> None:
        """Climb every ladder to its end; a real handler may have more to say through the API each time."""
        await self._runner.run_until_idle()
        while real:
            seen = self._runner.world.journal.last_seq
            question = {"kind": "api.request", "after": seen, "patience": AFTERWORK}
            if not (await self._customer.ask("POST", "/_sim/expect", question))["found"]:
                return
            await self._runner.run_until_idle()
