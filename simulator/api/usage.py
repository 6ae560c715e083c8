"""What the account has used."""

from __future__ import annotations

from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.usage import (
    DailyOut,
    DailyQuery,
    DayOut,
    MonthlyOut,
    MonthlyQuery,
    MonthOut,
    NumberLimitsOut,
    PlanLimitsOut,
    PlanOut,
    UsageOut,
    UsageStatsOut,
)
from simulator.world import usage


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
)
