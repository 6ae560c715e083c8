from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.webhooks import DeliveryStatus
from simulator.world import agents, limits, numbers, usage
from tests.helpers.world import (
    NOW,
    after,
    dial_in,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    owe,
    past_call,
    settle,
    text_in,
    text_out,
)


def test_an_empty_account_has_used_nothing() -> None:
    summary = usage.summary(make_world(), NOW)
    assert (summary.numbers.used, summary.numbers.limit) == (0, usage.PLAN.numbers)
    assert summary.numbers.remaining == usage.PLAN.numbers == summary.plan.numbers
    assert set(vars_of(summary.stats)) == {0}
    assert summary.generated_at == NOW


def vars_of(stats: usage.UsageStats) -> list[int]:
    return [getattr(stats, name) for name in stats.__slots__]


def test_only_numbers_that_are_held_count_as_used() -> None:
    world = make_world()
    new_number(world)
    numbers.release(world, new_number(world).id, NOW)
    held = usage.summary(world, NOW).numbers
    assert (held.used, held.remaining) == (1, usage.PLAN.numbers - 1)


def test_messages_and_calls_are_counted_in_each_window() -> None:
    world = make_world()
    _, number = new_line(world)
    for days in (0, 5, 20, 39.5):
        text_in(world, number, now=after(days=days))
        text_out(world, number, now=after(days=days))
        past_call(world, number, started=after(days=days), lasting=timedelta(seconds=61))
    stats = usage.summary(world, after(days=40)).stats
    assert (stats.total_messages, stats.messages_last_24h, stats.messages_last_7d) == (8, 2, 2)
    assert (stats.total_calls, stats.calls_last_24h, stats.calls_last_7d) == (4, 1, 1)
    assert (stats.messages_last_30d, stats.calls_last_30d) == (4, 2)
    assert stats.minutes_last_30d == 3  # 122 s, rounded up once


def test_a_window_leaves_out_its_first_instant() -> None:
    world = make_world()
    text_in(world, new_number(world))
    assert usage.summary(world, after(hours=24)).stats.messages_last_24h == 0
    assert usage.summary(world, after(hours=23, minutes=59)).stats.messages_last_24h == 1


def test_deliveries_are_counted_by_what_became_of_them() -> None:
    world = make_world()
    endpoint, number = new_endpoint(world), new_number(world)
    for status in (DeliveryStatus.SUCCESS, DeliveryStatus.SUCCESS, DeliveryStatus.FAILED, DeliveryStatus.PENDING):
        delivery = owe(world, text_in(world, number)[0], endpoint)
        if status is not DeliveryStatus.PENDING:
            settle(world, delivery, status)
    stats = usage.summary(world, NOW).stats
    assert stats.total_webhook_deliveries == 4
    assert (stats.successful_webhook_deliveries, stats.failed_webhook_deliveries) == (2, 1)


def test_segments_are_counted_for_sms_of_the_last_thirty_days_only() -> None:
    world = make_world()
    number = new_number(world)
    text_in(world, number, "x" * 161)
    text_in(world, number, "long ago", now=after(days=-31))
    text_in(world, new_number(world, type="imessage"), "x")
    text_out(world, number, "ж" * 71)
    assert usage.summary(world, NOW).stats.sms_segments_last_30d == 4


def test_a_live_call_has_no_minutes_yet() -> None:
    world = make_world()
    call = dial_in(world, new_line(world)[1])
    world.store_call(replace(call, connected_at=NOW))
    (today,) = usage.daily(world, 1, after(hours=1))
    assert (today.calls, today.voice_minutes) == (1, 0.0)


def test_the_period_is_the_calendar_month() -> None:
    summary = usage.summary(make_world(), datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert summary.period_start == datetime(2026, 12, 1, tzinfo=UTC)
    assert summary.period_end == datetime(2027, 1, 1, tzinfo=UTC)


def test_days_come_oldest_first_with_quiet_ones_and_end_today() -> None:
    world = make_world()
    endpoint, (_, number) = new_endpoint(world), new_line(world)
    owe(world, text_in(world, number, now=after(days=-2))[0], endpoint, now=after(days=-2))
    past_call(world, number, started=NOW, lasting=timedelta(seconds=100))
    text_in(world, number, now=after(days=-3))  # too long ago, like the call that follows
    past_call(world, number, started=after(days=-3), lasting=timedelta(hours=1))
    days = usage.daily(world, 3, NOW)
    assert [(d.date, d.messages, d.calls, d.webhooks, d.voice_minutes) for d in days] == [
        (date(2026, 1, 3), 1, 0, 1, 0.0),
        (date(2026, 1, 4), 0, 0, 0, 0.0),
        (date(2026, 1, 5), 0, 1, 0, 1.67),
    ]


def test_a_day_is_a_utc_day_and_a_call_belongs_to_the_day_it_started() -> None:
    world = make_world()
    midnight = datetime(2026, 1, 6, tzinfo=UTC)
    past_call(world, new_line(world)[1], started=midnight - timedelta(seconds=30), lasting=timedelta(minutes=1))
    first, second = usage.daily(world, 2, midnight + timedelta(hours=1))
    assert (first.calls, first.voice_minutes, second.calls, second.voice_minutes) == (1, 1.0, 0, 0.0)


def test_instants_of_another_time_zone_count_on_their_utc_day() -> None:
    tokyo = timezone(timedelta(hours=9))
    world = make_world()
    text_in(world, new_number(world), now=datetime(2026, 2, 1, 8, 0, tzinfo=tokyo))
    now = datetime(2026, 2, 2, 8, 0, tzinfo=tokyo)
    assert [(d.date.isoformat(), d.messages) for d in usage.daily(world, 2, now)] == [
        ("2026-01-31", 1),
        ("2026-02-01", 0),
    ]
    assert [(m.month, m.messages) for m in usage.monthly(world, 2, now)] == [("2026-01", 1), ("2026-02", 0)]


def test_months_come_oldest_first_across_the_turn_of_the_year() -> None:
    world = make_world()
    _, number = new_line(world)
    text_in(world, number, now=datetime(2025, 11, 30, 23, 59, tzinfo=UTC))
    past_call(world, number, started=NOW, lasting=timedelta(seconds=90))
    months = usage.monthly(world, 3, NOW)
    assert [(m.month, m.messages, m.calls, m.webhooks, m.voice_minutes) for m in months] == [
        ("2025-11", 1, 0, 0, 0.0),
        ("2025-12", 0, 0, 0, 0.0),
        ("2026-01", 0, 1, 0, 1.5),
    ]


@settings(deadline=None)
@given(st.integers(1, 365), st.integers(-200_000, 200_000))
def test_every_day_is_there_once_and_in_order(days: int, hours: int) -> None:
    now = after(hours=hours)
    points = usage.daily(make_world(), days, now)
    assert len(points) == days
    assert points[-1].date == now.date()
    assert all(b.date - a.date == timedelta(days=1) for a, b in pairwise(points))


@settings(deadline=None)
@given(st.integers(1, 24), st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1)))
def test_every_month_is_there_once_and_in_order(months: int, day: date) -> None:
    points = usage.monthly(make_world(), months, datetime(day.year, day.month, day.day, tzinfo=UTC))
    written = [point.month for point in points]
    assert written == sorted(set(written))
    assert (len(written), written[-1]) == (months, f"{day:%Y-%m}")


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=20))
def test_days_and_months_and_totals_agree(days: list[int]) -> None:
    world = make_world()
    _, number = new_line(world)
    for day in sorted(days):
        text_in(world, number, now=after(days=day))
        past_call(world, number, started=after(days=day), lasting=timedelta(minutes=2))
    now = after(days=41)
    by_day, by_month = usage.daily(world, 60, now), usage.monthly(world, 3, now)
    total = usage.summary(world, now).stats
    assert sum(p.messages for p in by_day) == sum(p.messages for p in by_month) == total.total_messages
    assert sum(p.calls for p in by_day) == sum(p.calls for p in by_month) == total.total_calls
    assert sum(p.voice_minutes for p in by_day) == sum(p.voice_minutes for p in by_month) == 2 * len(days)


# -- limits ------------------------------------------------------------------------------------------------------


def test_the_plan_shows_the_limits_that_are_on() -> None:
    world = make_world()
    limits.change(world, NOW, numbers=3, concurrent_calls=2)
    new_number(world)
    shown = usage.summary(world, NOW)
    assert (shown.plan.numbers, shown.plan.concurrent_calls) == (3, 2)
    assert (shown.numbers.used, shown.numbers.limit, shown.numbers.remaining) == (1, 3, 2)


# -- by number and by agent --------------------------------------------------------------------------------------


def test_every_number_has_a_row_with_what_went_through_it() -> None:
    world = make_world()
    agent, busy = new_line(world)
    quiet = new_number(world)
    text_in(world, busy)
    text_out(world, busy)
    past_call(world, busy, started=NOW, lasting=timedelta(seconds=1))
    numbers.release(world, quiet.id, NOW)
    rows = usage.by_number(world)
    assert [(r.number.id, r.number.status, r.agent_name, r.messages, r.calls) for r in rows] == [
        (quiet.id, "released", None, 0, 0),
        (busy.id, "active", agent.name, 2, 1),
    ]


def test_every_agent_has_a_row_and_what_belongs_to_none_has_the_last() -> None:
    world = make_world()
    agent, number = new_line(world)
    idle, (gone, other) = new_agent(world, "Idle"), new_line(world, "Gone")
    text_in(world, number)
    past_call(world, number, started=NOW, lasting=timedelta(seconds=90))
    text_in(world, other)
    text_in(world, new_number(world))
    agents.delete(world, gone.id, NOW)
    found = usage.by_agent(world, "month", UTC, NOW)
    assert [(r.agent_id, r.agent_name, r.messages, r.calls, r.talking.total_seconds()) for r in found.agents] == [
        (idle.id, "Idle", 0, 0, 0),
        (agent.id, "Support", 1, 1, 90),
        (None, usage.UNASSIGNED, 2, 0, 0),
    ]


def test_an_account_without_leftovers_has_no_orphan_row() -> None:
    assert usage.by_agent(make_world(), "week", UTC, NOW).agents == ()


@pytest.mark.parametrize(
    ("period", "zone", "start", "end"),
    [
        ("week", "UTC", "2026-01-05T00:00:00", "2026-01-12T00:00:00"),
        ("month", "UTC", "2026-01-01T00:00:00", "2026-02-01T00:00:00"),
        ("year", "UTC", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("week", "Pacific/Kiritimati", "2026-01-04T10:00:00", "2026-01-11T10:00:00"),
        ("month", "America/New_York", "2026-01-01T05:00:00", "2026-02-01T05:00:00"),
        ("year", "America/New_York", "2026-01-01T05:00:00", "2027-01-01T05:00:00"),
    ],
)
def test_a_period_is_a_calendar_one_on_the_clocks_of_the_zone(period: str, zone: str, start: str, end: str) -> None:
    used = usage.by_agent(make_world(), period, ZoneInfo(zone), NOW)
    assert (used.start.isoformat(), used.end.isoformat()) == (f"{start}+00:00", f"{end}+00:00")


def test_a_month_in_which_clocks_change_has_an_hour_less() -> None:
    used = usage.by_agent(make_world(), "month", ZoneInfo("Europe/Berlin"), datetime(2026, 3, 10, tzinfo=UTC))
    assert used.end - used.start == timedelta(days=31, hours=-1)


def test_only_what_lies_in_the_period_counts_its_first_instant_included() -> None:
    world = make_world()
    _, number = new_line(world)
    zone = ZoneInfo("America/New_York")
    first, following = datetime(2026, 1, 1, tzinfo=zone), datetime(2026, 2, 1, tzinfo=zone)
    moment = timedelta(microseconds=1)
    for at in (first - moment, first, following - moment, following):
        text_in(world, number, now=at.astimezone(UTC))
    (row,) = usage.by_agent(world, "month", zone, NOW).agents
    assert row.messages == 2


@settings(deadline=None)
@given(
    st.sampled_from(usage.PERIODS),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.integers(0, 200_000),
)
def test_now_always_lies_in_its_period_and_periods_follow_one_another(period: str, zone: str, hours: int) -> None:
    now = after(hours=hours)
    used = usage.by_agent(make_world(), period, ZoneInfo(zone), now)
    assert used.start <= now < used.end
    assert usage.by_agent(make_world(), period, ZoneInfo(zone), used.end).start == used.end


def test_usage_reads_no_record_again() -> None:
    world = make_world()
    _, number = new_line(world)
    text_in(world, number)
    past_call(world, number, started=NOW, lasting=timedelta(minutes=1))
    counted = usage.summary(world, NOW), usage.daily(world, 3, NOW), usage.by_agent(world, "year", UTC, NOW)
    world.messages.clear()
    world.calls.clear()
    assert (usage.summary(world, NOW), usage.daily(world, 3, NOW), usage.by_agent(world, "year", UTC, NOW)) == counted
