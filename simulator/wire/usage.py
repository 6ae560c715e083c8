"""Usage on the wire: the union of what every generation of clients reads."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from simulator.wire.base import OneOf, Out, Query

PERIODS: Final = ("week", "month", "year")


class DailyQuery(Query):
    """How many days back, today included."""

    days: int = Field(default=30, ge=1, le=365)


class MonthlyQuery(Query):
    """How many months back, this one included."""

    months: int = Field(default=6, ge=1, le=24)


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; a blank name is UTC. Raises a ValueError of some kind for anything else."""
    if not name or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # no such file, a folder, or a way out of the folder of zones
        raise PydanticCustomError(
            "time_zone", "Input should be an IANA time zone such as Europe/Berlin or America/New_York"
        ) from None


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


class AgentUsageQuery(Query):
    """The calendar week (from Monday), month or year that it is now on the clocks of `tz`, an IANA zone."""

    period: Annotated[str, OneOf(PERIODS)] | None = None
    tz: Annotated[str, Field(max_length=100), AfterValidator(_known_zone)] | None = Field(
        default=None, description="IANA time zone; UTC when it is left out."
    )


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


class NumberUsageOut(Out):
    """What went through one number since it was bought."""

    number_id: str
    phone_number: str
    country: str
    status: str
    agent_id: str | None
    agent_name: str | None
    messages: int
    calls: int


class NumbersUsageOut(Out):
    """Every number, released ones included, newest first."""

    data: list[NumberUsageOut]


class AgentUsageOut(Out):
    """What one agent did. The orphan row is what belongs to no agent that exists; it has no id."""

    agent_id: str | None
    agent_name: str
    messages: int
    calls: int
    total_seconds: int = Field(description="Of talking, in calls that have ended.")
    is_orphan: bool


class AgentsUsageOut(Out):
    """The agents' rows, newest agent first. `periodEnd` is the first instant after the period."""

    data: list[AgentUsageOut]
    period: str
    period_start: str
    period_end: str
