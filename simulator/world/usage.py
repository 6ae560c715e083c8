"""What an account has used, counted from its records; nothing is kept on the side.

Days and months are UTC. A call belongs to the day it started and counts its connected time once it has ended, to the
hundredth of a minute; nothing is rounded up per call, so that a sum of days equals their month within rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, Generic, TypeVar

from simulator.domain.calls import Call
from simulator.domain.messages import Channel
from simulator.domain.segments import segments
from simulator.domain.webhooks import DeliveryStatus
from simulator.world.numbers import NUMBER_LIMIT
from simulator.world.world import World

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the account may do. Only the number limit is enforced; the rest is far beyond what a test needs."""

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


def summary(world: World, now: datetime) -> UsageSummary:
    """Count everything as of `now`."""
    used = len(world.active_numbers)
    start = _month_start(now.astimezone(UTC).date())
    return UsageSummary(
        plan=PLAN,
        numbers=NumberUsage(used=used, limit=PLAN.numbers, remaining=max(0, PLAN.numbers - used)),
        stats=_stats(world, now),
        period_start=_midnight(start),
        period_end=_midnight(_months_later(start, 1)),
        generated_at=now,
    )


def daily(world: World, days: int, now: datetime) -> tuple[DayUsage, ...]:
    """Return the last `days` days up to today, oldest first, quiet days included."""
    today = now.astimezone(UTC).date()
    wanted = [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    tally = _tally(world, wanted, lambda at: at.astimezone(UTC).date())
    return tuple(
        DayUsage(
            date=day,
            messages=tally.messages[day],
            calls=tally.calls[day],
            webhooks=tally.webhooks[day],
            voice_minutes=_minutes(tally.voice[day]),
        )
        for day in wanted
    )


def monthly(world: World, months: int, now: datetime) -> tuple[MonthUsage, ...]:
    """Return the last `months` calendar months up to this one, oldest first, quiet months included."""
    current = _month_start(now.astimezone(UTC).date())
    firsts = [_months_later(current, -ago) for ago in range(months - 1, -1, -1)]
    wanted = [(first.year, first.month) for first in firsts]
    tally = _tally(world, wanted, _month)
    return tuple(
        MonthUsage(
            month=f"{month[0]:04d}-{month[1]:02d}",
            messages=tally.messages[month],
            calls=tally.calls[month],
            webhooks=tally.webhooks[month],
            voice_minutes=_minutes(tally.voice[month]),
        )
        for month in wanted
    )


@dataclass(slots=True)
class _Tally(Generic[K]):
    messages: dict[K, int] = field(default_factory=dict)
    calls: dict[K, int] = field(default_factory=dict)
    webhooks: dict[K, int] = field(default_factory=dict)
    voice: dict[K, timedelta] = field(default_factory=dict)


def _tally(world: World, wanted: list[K], period: Callable[[datetime], K]) -> _Tally[K]:
    """Count every record in the period it belongs to; periods that are not wanted are left out."""
    tally = _Tally[K](
        messages=dict.fromkeys(wanted, 0),
        calls=dict.fromkeys(wanted, 0),
        webhooks=dict.fromkeys(wanted, 0),
        voice=dict.fromkeys(wanted, timedelta()),
    )
    _count(tally.messages, (period(message.at) for message in world.messages.values()))
    _count(tally.webhooks, (period(delivery.created_at) for delivery in world.deliveries.values()))
    for call in world.calls.values():
        key = period(call.started_at)
        if key in tally.calls:
            tally.calls[key] += 1
            tally.voice[key] += _voice(call)
    return tally


def _count(counts: dict[K, int], keys: Iterable[K]) -> None:
    for key in keys:
        if key in counts:
            counts[key] += 1


def _stats(world: World, now: datetime) -> UsageStats:
    day, week, month = (now - timedelta(days=days) for days in (1, 7, 30))
    texts = [message.at for message in world.messages.values()]
    started = [call.started_at for call in world.calls.values()]
    outcomes = [delivery.status for delivery in world.deliveries.values()]
    voice = sum((_voice(call) for call in world.calls.values() if call.started_at > month), timedelta())
    sms = (m.body for m in world.messages.values() if m.channel is Channel.SMS and m.at > month)
    return UsageStats(
        total_messages=len(texts),
        messages_last_24h=_after(texts, day),
        messages_last_7d=_after(texts, week),
        messages_last_30d=_after(texts, month),
        total_calls=len(started),
        calls_last_24h=_after(started, day),
        calls_last_7d=_after(started, week),
        calls_last_30d=_after(started, month),
        total_webhook_deliveries=len(outcomes),
        successful_webhook_deliveries=outcomes.count(DeliveryStatus.SUCCESS),
        failed_webhook_deliveries=outcomes.count(DeliveryStatus.FAILED),
        minutes_last_30d=math.ceil(voice / timedelta(minutes=1)),
        sms_segments_last_30d=sum(segments(body) for body in sms),
    )


def _after(instants: list[datetime], start: datetime) -> int:
    return sum(1 for instant in instants if instant > start)


def _voice(call: Call) -> timedelta:
    return call.duration or timedelta()


def _minutes(voice: timedelta) -> float:
    return round(voice / timedelta(minutes=1), 2)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _month(at: datetime) -> tuple[int, int]:
    at = at.astimezone(UTC)
    return at.year, at.month


def _month_start(day: date) -> date:
    return day.replace(day=1)


def _months_later(first: date, months: int) -> date:
    """Move the first day of a month by whole months."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)
