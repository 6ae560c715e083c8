"""Health and reset."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso

# Here and not among the other models: the first answer of every start should not wait for those.


class Health(BaseModel):
    """The simulator answers."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    status: str
    version: str
    clock: str
    contract: str


class ResetOut(BaseModel):
    """The account is empty again."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    status: str
    now: str


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
