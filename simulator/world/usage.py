"""What an account has used, read from the running counts of `world.tally`.

Days and months are UTC. A call belongs to the day it started and counts its connected time once it has ended, to the
hundredth of a minute; nothing is rounded up per call, so that a sum of days equals their month within rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from simulator.domain.numbers import PhoneNumber
from simulator.domain.webhooks import DeliveryStatus
from simulator.world import limits
from simulator.world.numbers import NUMBER_LIMIT
from simulator.world.tally import MICROSECOND, Activity
from simulator.world.world import World

PERIODS: Final = ("week", "month", "year")
UNASSIGNED: Final = "Unassigned"  # what was used without an agent, or by one that was deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the account may do: the limits that are on, else figures that are far beyond what a test needs."""

    name: str = "simulator"  # no plan of the platform: nobody should mistake these limits for real ones
    numbers: int = NUMBER_LIMIT
    messages_per_month: int = 1_000_000
    voice_minutes_per_month: int = 1_000_000
    max_call_duration_minutes: int = 120  # the default of the simulator's own longest call
    concurrent_calls: int = 5_000  # the default of the simulator's own limit


PLAN: Final = Plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUsage:
    """Numbers held now, against the plan."""

    used: int
    limit: int
    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageStats:
    """Counts over all time and over the last day, week and thirty days."""

    total_messages: int
    messages_last_24h: int
    messages_last_7d: int
    messages_last_30d: int
    total_calls: int
    calls_last_24h: int
    calls_last_7d: int
    calls_last_30d: int
    total_webhook_deliveries: int
    successful_webhook_deliveries: int
    failed_webhook_deliveries: int
    minutes_last_30d: int  # the sum, rounded up once
    sms_segments_last_30d: int  # SMS only, both ways


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSummary:
    """The account at a glance. The period is the calendar month that `generated_at` lies in."""

    plan: Plan
    numbers: NumberUsage
    stats: UsageStats
    period_start: datetime
    period_end: datetime
    generated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """One UTC day."""

    date: date
    messages: int
    calls: int
    webhooks: int
    voice_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthUsage:
    """One UTC month, written "2026-01"."""

    month: str
    messages: int
    calls: int
    webhooks: int
    voice_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberTotals:
    """What went through one number since it was bought."""

    number: PhoneNumber
    agent_name: str | None
    messages: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTotals:
    """What one agent did in a period. The orphan row, without an agent, is what belongs to none that exists."""

    agent_id: str | None
    agent_name: str
    messages: int
    calls: int
    talking: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsUsage:
    """The period, from its first instant to the first one after it, and a row per agent."""

    start: datetime
    end: datetime
    agents: tuple[AgentTotals, ...]


def summary(world: World, now: datetime) -> UsageSummary:
    """Count everything as of `now`."""
    plan, used = _plan(world), limits.counted_numbers(world)
    start = _month_start(now.astimezone(UTC).date())
    return UsageSummary(
        plan=plan,
        numbers=NumberUsage(used=used, limit=plan.numbers, remaining=max(0, plan.numbers - used)),
        stats=_stats(world, now),
        period_start=_midnight(start),
        period_end=_midnight(_months_later(start, 1)),
        generated_at=now,
    )


def daily(world: World, days: int, now: datetime) -> tuple[DayUsage, ...]:
    """Return the last `days` days up to today, oldest first, quiet days included."""
    today = now.astimezone(UTC).date()
    return tuple(_day(world, today - timedelta(days=ago)) for ago in range(days - 1, -1, -1))


def monthly(world: World, months: int, now: datetime) -> tuple[MonthUsage, ...]:
    """Return the last `months` calendar months up to this one, oldest first, quiet months included."""
    current = _month_start(now.astimezone(UTC).date())
    return tuple(_month(world, _months_later(current, -ago)) for ago in range(months - 1, -1, -1))


def by_number(world: World) -> tuple[NumberTotals, ...]:
    """Return a row per number, released ones included, newest first."""
    return tuple(_number(world, number) for number in reversed(world.numbers.values()))


def by_agent(world: World, period: str, zone: tzinfo, now: datetime) -> AgentsUsage:
    """Count the calendar week (from Monday), month or year that `now` lies in, as the clocks of `zone` show it.

    Every agent has a row, newest first; what belongs to none of them is in a last row, when there is anything.
    """
    first, following = _period(period, now.astimezone(zone).date())
    start, end = _midnight(first, zone), _midnight(following, zone)
    rows = [_agent(world, (agent.id,), agent.id, agent.name, start, end) for agent in reversed(world.agents.values())]
    orphans = _agent(world, (a for a in world.tally.agents if a not in world.agents), None, UNASSIGNED, start, end)
    if orphans.messages or orphans.calls:
        rows.append(orphans)
    return AgentsUsage(start=start, end=end, agents=tuple(rows))


def _plan(world: World) -> Plan:
    most, live = limits.most_numbers(world), world.limits.concurrent_calls
    return replace(
        PLAN,
        numbers=PLAN.numbers if most is None else most,
        concurrent_calls=PLAN.concurrent_calls if live is None else int(live),
    )


def _day(world: World, day: date) -> DayUsage:
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    whole = world.tally.whole
    return DayUsage(
        date=day,
        messages=whole.messages.between(start, end),
        calls=whole.calls.between(start, end),
        webhooks=world.tally.deliveries.between(start, end),
        voice_minutes=_minutes(whole.voice.between(start, end)),
    )


def _month(world: World, first: date) -> MonthUsage:
    start, end = _midnight(first), _midnight(_months_later(first, 1))
    whole = world.tally.whole
    return MonthUsage(
        month=f"{first.year:04d}-{first.month:02d}",
        messages=whole.messages.between(start, end),
        calls=whole.calls.between(start, end),
        webhooks=world.tally.deliveries.between(start, end),
        voice_minutes=_minutes(whole.voice.between(start, end)),
    )


def _number(world: World, number: PhoneNumber) -> NumberTotals:
    count = world.tally.numbers.get(number.id)
    agent = world.agents.get(number.agent_id) if number.agent_id else None
    return NumberTotals(
        number=number,
        agent_name=agent.name if agent else None,
        messages=count.messages if count else 0,
        calls=count.calls if count else 0,
    )


def _agent(
    world: World, ids: Iterable[str | None], agent_id: str | None, name: str, start: datetime, end: datetime
) -> AgentTotals:
    """Add up what the agents `ids` did, as one row."""
    found = [activity for i in ids if (activity := world.tally.agents.get(i)) is not None]

    def add_up(count: Callable[[Activity], int]) -> int:
        return sum(map(count, found))

    return AgentTotals(
        agent_id=agent_id,
        agent_name=name,
        messages=add_up(lambda a: a.messages.between(start, end)),
        calls=add_up(lambda a: a.calls.between(start, end)),
        talking=add_up(lambda a: a.voice.between(start, end)) * MICROSECOND,
    )


def _stats(world: World, now: datetime) -> UsageStats:
    day, week, month = (now - timedelta(days=days) for days in (1, 7, 30))
    tally, whole = world.tally, world.tally.whole
    return UsageStats(
        total_messages=whole.messages.total,
        messages_last_24h=whole.messages.after(day),
        messages_last_7d=whole.messages.after(week),
        messages_last_30d=whole.messages.after(month),
        total_calls=whole.calls.total,
        calls_last_24h=whole.calls.after(day),
        calls_last_7d=whole.calls.after(week),
        calls_last_30d=whole.calls.after(month),
        total_webhook_deliveries=tally.deliveries.total,
        successful_webhook_deliveries=tally.outcomes[DeliveryStatus.SUCCESS],
        failed_webhook_deliveries=tally.outcomes[DeliveryStatus.FAILED],
        minutes_last_30d=math.ceil(whole.voice.after(month) * MICROSECOND / timedelta(minutes=1)),
        sms_segments_last_30d=whole.segments.after(month),
    )


def _minutes(microseconds: int) -> float:
    return round(microseconds * MICROSECOND / timedelta(minutes=1), 2)


def _period(period: str, today: date) -> tuple[date, date]:
    """Return the first day of the period that `today` lies in, and the first day after it."""
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    if period == "year":
        return date(today.year, 1, 1), date(today.year + 1, 1, 1)
    first = _month_start(today)
    return first, _months_later(first, 1)


def _midnight(day: date, zone: tzinfo = UTC) -> datetime:
    """Return the instant at which a day begins. Where clocks skip midnight, that is the first instant they show."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _month_start(day: date) -> date:
    return day.replace(day=1)


def _months_later(first: date, months: int) -> date:
    """Move the first day of a month by whole months."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)
