"""Simulated time: read it, change who moves it, move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from simulator.clock import ClockMode
from simulator.control.models import AdvanceIn, ClockIn, ClockOut, IdleIn, TimerOut
from simulator.errors import BadRequest
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso

# Dates end with the year 9999; what is scheduled from here on still fits.
LAST_INSTANT: Final = datetime(9000, 1, 1, tzinfo=UTC)


def _read(ctx: Context, _query: Any, _body: Any) -> ClockOut:
    pacer = ctx.runner.pacer
    upcoming = next(iter(pacer.timers), None)
    return ClockOut(
        mode=pacer.clock.mode.value,
        now=iso(pacer.clock.now()),
        scale=pacer.clock.scale,
        handler_grace=pacer.order.grace.total_seconds(),
        flowing=pacer.clock.flowing,
        in_flight=pacer.in_flight,
        timers=len(pacer.timers),
        next_timer=upcoming and TimerOut(timer=":".join(str(p) for p in upcoming[1][1:]), due=iso(upcoming[0])),
    )


def _change(ctx: Context, query: Any, body: ClockIn) -> ClockOut:
    clock = ctx.runner.clock
    mode = clock.mode if body.mode is None else ClockMode(body.mode)
    if body.handler_grace is not None:
        ctx.runner.pacer.order.grace = timedelta(seconds=body.handler_grace)
    ctx.runner.pacer.set_mode(mode, clock.scale if body.scale is None else body.scale)
    return _read(ctx, query, body)


async def _advance(ctx: Context, query: Any, body: AdvanceIn) -> ClockOut:
    delta = timedelta(seconds=body.seconds)
    if ctx.now + delta > LAST_INSTANT:
        raise BadRequest(f"time cannot move past {iso(LAST_INSTANT)}: POST /_sim/reset starts it over")
    await ctx.runner.advance(delta, _patience(body.patience))
    return _read(ctx, query, body)


async def _run_until_idle(ctx: Context, query: Any, body: IdleIn | None) -> ClockOut:
    await ctx.runner.run_until_idle(_patience(body.patience if body else None))
    return _read(ctx, query, body)


async def _settle(ctx: Context, query: Any, body: IdleIn | None) -> ClockOut:
    await ctx.runner.settle(_patience(body.patience if body else None), ctx.gone)
    return _read(ctx, query, body)


def _patience(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


OPERATIONS = (
    Operation(
        id="simClock", method="GET", path="/_sim/clock", tag="simulator", scoped=False, summary="The account's time.",
        handler=_read, response=ClockOut,
    ),
    Operation(
        id="simSetClock", method="PUT", path="/_sim/clock", tag="simulator", scoped=False,
        summary="Change who moves time, and how long handlers may take none; the instant stays the same.",
        handler=_change, body=ClockIn, response=ClockOut,
    ),
    Operation(
        id="simAdvance", method="POST", path="/_sim/clock/advance", tag="simulator", scoped=False,
        summary="Move time forward, firing every timer on the way.", handler=_advance, body=AdvanceIn,
        response=ClockOut, errors=(400,),
    ),
    Operation(
        id="simRunUntilIdle", method="POST", path="/_sim/clock/run_until_idle", tag="simulator", scoped=False,
        summary="Jump from timer to timer until none is left and nothing is in flight.",
        handler=_run_until_idle, body=IdleIn, body_required=False, response=ClockOut,
    ),
    Operation(
        id="simSettle", method="POST", path="/_sim/clock/settle", tag="simulator", scoped=False,
        summary="Wait until nothing is in flight and, on an auto clock, no timer is left; moves no time itself.",
        handler=_settle, body=IdleIn, body_required=False, response=ClockOut,
    ),
)  # fmt: skip
