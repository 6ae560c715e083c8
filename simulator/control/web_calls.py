"""Being the browser at the other end of a web call."""

from __future__ import annotations

from typing import Any

from simulator.control.calls import started, whole
from simulator.control.models import CallStarted
from simulator.control.steps import steps_of
from simulator.control.web_models import JoinIn
from simulator.runtime.runner import Runner
from simulator.serving.operation import Context, Operation
from simulator.world import calls, web_calls


async def _join(ctx: Context, _query: Any, body: JoinIn) -> CallStarted:
    steps = steps_of(body.script)
    runner = _whose(ctx.runner, body.access_token)
    call = web_calls.joinable(runner.world, body.access_token)
    runner.telephone.join_call(call, steps=steps, live=steps is None)
    if not body.wait:
        return started(calls.get(runner.world, call.id))
    return whole(runner, await runner.telephone.wait_for_call(call.id, body.timeout, ctx.gone), ctx.base_url)


def _whose(runner: Runner, access_token: str) -> Runner:
    """The account or sub-account that made the call: a browser has the token and nothing else."""
    return next((scope for scope in runner.worlds() if access_token in scope.world.web_calls), runner)


OPERATIONS = (
    Operation(
        id="simJoinWebCall", method="POST", path="/_sim/calls/web/join", tag="simulator",
        summary="A browser joins a web call with its access token, with a script or live.",
        handler=_join, body=JoinIn, response=CallStarted, errors=(400, 404, 409),
    ),
)  # fmt: skip
