"""Usage on the wire: the union of what every generation of clients reads."""

from __future__ import annotations

from pydantic import Field

from simulator.wire.base import Out, Query


class DailyQuery(Query):
    """How many days back, today included."""

    days: int = Field(default=30, ge=1, le=365)


class MonthlyQuery(Query):
    """How many months back, this one included."""

    months: int = Field(default=6, ge=1, le=24)


class PlanLimitsOut(Out):
    """What the plan allows."""

    numbers: int
    messages_per_month: int
    voice_minutes_per_month: int
    max_call_duration_minutes: int
    concurrent_calls: int


class PlanOut(Out):
    """The plan, with the limit on numbers under its older name as well."""

    name: str
    limits: PlanLimitsOut
    number_limit: int


class NumberLimitsOut(Out):
    """Numbers held against the plan."""

    used: int
    limit: int
    remaining: int


class UsageStatsOut(Out):
    """Counts over all time and over the last day, week and thirty days."""

    total_messages: int
    messages_last_24h: int = Field(alias="messagesLast24h")
    messages_last_7d: int = Field(alias="messagesLast7d")
    messages_last_30d: int = Field(alias="messagesLast30d")
    total_calls: int
    calls_last_24h: int = Field(alias="callsLast24h")
    calls_last_7d: int = Field(alias="callsLast7d")
    calls_last_30d: int = Field(alias="callsLast30d")
    total_webhook_deliveries: int
    successful_webhook_deliveries: int
    failed_webhook_deliveries: int
    minutes_last_30d: int = Field(alias="minutesLast30d")
    sms_segments_last_30d: int = Field(alias="smsSegmentsLast30d")


class UsageOut(Out):
    """The account at a glance."""

    plan: PlanOut
    numbers: NumberLimitsOut
    stats: UsageStatsOut
    period_start: str
    period_end: str
    report_generated_at: str


class DayOut(Out):
    """One UTC day."""

    date: str
    messages: int
    calls: int
    webhooks: int
    voice_minutes: float


class DailyOut(Out):
    """Days, oldest first."""

    data: list[DayOut]
    days: int


class MonthOut(Out):
    """One UTC month."""

    month: str
    messages: int
    calls: int
    webhooks: int
    voice_minutes: float


class MonthlyOut(Out):
    """Months, oldest first."""

    data: list[MonthOut]
    months: int
