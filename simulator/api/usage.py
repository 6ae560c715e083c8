"""What the account has used."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from simulator.errors import RequestInvalid
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.usage import (
    AgentsUsageOut,
    AgentUsageOut,
    AgentUsageQuery,
    DailyOut,
    DailyQuery,
    DayOut,
    MonthlyOut,
    MonthlyQuery,
    MonthOut,
    NumberLimitsOut,
    NumbersUsageOut,
    NumberUsageOut,
    PlanLimitsOut,
    PlanOut,
    UsageOut,
    UsageStatsOut,
    zone_of,
)
from simulator.world import usage

ONE_SECOND: Final = timedelta(seconds=1)


def summary(ctx: Context, _query: None, _body: None) -> UsageOut:
    """Show the account at a glance."""
    counted = usage.summary(ctx.world, ctx.now)
    plan, numbers = counted.plan, counted.numbers
    return UsageOut(
        plan=PlanOut(
            name=plan.name,
            limits=PlanLimitsOut.model_validate(plan, from_attributes=True),
            number_limit=plan.numbers,
        ),
        numbers=NumberLimitsOut.model_validate(numbers, from_attributes=True),
        stats=UsageStatsOut.model_validate(counted.stats, from_attributes=True),
        period_start=iso(counted.period_start),
        period_end=iso(counted.period_end),
        report_generated_at=iso(counted.generated_at),
    )


def daily(ctx: Context, query: DailyQuery, _body: None) -> DailyOut:
    """Show the last days, oldest first, quiet ones included."""
    days = [
        DayOut(
            date=day.date.isoformat(),
            messages=day.messages,
            calls=day.calls,
            webhooks=day.webhooks,
            voice_minutes=day.voice_minutes,
        )
        for day in usage.daily(ctx.world, query.days, ctx.now)
    ]
    return DailyOut(data=days, days=query.days)


def monthly(ctx: Context, query: MonthlyQuery, _body: None) -> MonthlyOut:
    """Show the last months, oldest first, quiet ones included."""
    months = [
        MonthOut.model_validate(month, from_attributes=True)
        for month in usage.monthly(ctx.world, query.months, ctx.now)
    ]
    return MonthlyOut(data=months, months=query.months)


def by_number(ctx: Context, _query: None, _body: None) -> NumbersUsageOut:
    """Show what went through each number."""
    rows = [
        NumberUsageOut(
            number_id=row.number.id,
            phone_number=row.number.phone_number,
            country=row.number.country,
            status=row.number.status.value,
            agent_id=row.number.agent_id,
            agent_name=row.agent_name,
            messages=row.messages,
            calls=row.calls,
        )
        for row in usage.by_number(ctx.world)
    ]
    return NumbersUsageOut(data=rows)


def by_agent(ctx: Context, query: AgentUsageQuery, _body: None) -> AgentsUsageOut:
    """Show what each agent did in the current week, month or year."""
    if query.period is None and ctx.runner.policies["usage_period"] == "required":
        raise RequestInvalid([{"loc": ["query", "period"], "msg": "Field required", "type": "missing"}])
    period = query.period or "month"
    used = usage.by_agent(ctx.world, period, zone_of(query.tz or ""), ctx.now)
    rows = [
        AgentUsageOut(
            agent_id=row.agent_id,
            agent_name=row.agent_name,
            messages=row.messages,
            calls=row.calls,
            total_seconds=row.talking // ONE_SECOND,
            is_orphan=row.agent_id is None,
        )
        for row in used.agents
    ]
    return AgentsUsageOut(data=rows, period=period, period_start=iso(used.start), period_end=iso(used.end))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getUsage",
        method="GET",
        path="/v1/usage",
        tag="usage",
        summary="Get the plan, the numbers held and the counts",
        handler=summary,
        response=UsageOut,
    ),
    Operation(
        id="getDailyUsage",
        method="GET",
        path="/v1/usage/daily",
        tag="usage",
        summary="Get usage by UTC day, oldest first",
        handler=daily,
        query=DailyQuery,
        response=DailyOut,
    ),
    Operation(
        id="getMonthlyUsage",
        method="GET",
        path="/v1/usage/monthly",
        tag="usage",
        summary="Get usage by UTC month, oldest first",
        handler=monthly,
        query=MonthlyQuery,
        response=MonthlyOut,
    ),
    Operation(
        id="getUsageByNumber",
        method="GET",
        path="/v1/usage/by-number",
        tag="usage",
        summary="Get what went through each number, released ones included",
        handler=by_number,
        response=NumbersUsageOut,
    ),
    Operation(
        id="getUsageByAgent",
        method="GET",
        path="/v1/usage/by-agent",
        tag="usage",
        summary="Get what each agent did in the current week, month or year",
        handler=by_agent,
        query=AgentUsageQuery,
        response=AgentsUsageOut,
    ),
)
