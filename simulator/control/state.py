"""Health and reset."""

from __future__ import annotations

from typing import Any

from simulator.control.models import Health, ResetOut
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso


def _health(ctx: Context, _query: Any, _body: Any) -> Health:
    from simulator import __version__

    settings = ctx.runner.settings
    return Health(
        status="ok", version=__version__, clock=ctx.runner.clock.mode.value, contract=settings.policies.contract
    )


async def _reset(ctx: Context, _query: Any, _body: Any) -> ResetOut:
    await ctx.runner.reset()
    return ResetOut(status="ok", now=iso(ctx.runner.now()))


OPERATIONS = (
    Operation(
        id="simHealth", method="GET", path="/_sim/health", tag="simulator", scoped=False,
        summary="Is the simulator up? No key needed.",
        handler=_health, response=Health, public=True,
    ),
    Operation(
        id="simReset", method="POST", path="/_sim/reset", tag="simulator", scoped=False,
        summary="Empty the account: world, journal, timers and time start over.", handler=_reset, response=ResetOut,
    ),
)  # fmt: skip
