"""Dialling in, and being the remote party of a live call."""

from __future__ import annotations

from typing import Any

from simulator.control.models import CallStarted, DialIn, Done, FindingOut, ListenIn, PressIn, SayIn
from simulator.control.steps import steps_of
from simulator.control.timeline import TimelineOut
from simulator.domain.calls import Call
from simulator.domain.phone import normalise
from simulator.errors import Conflict
from simulator.runtime.runner import Runner
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.calls import CallOut
from simulator.world import calls


async def _dial(ctx: Context, _query: Any, body: DialIn) -> CallStarted:
    steps = steps_of(body.script)
    call = calls.receive(
        ctx.world,
        from_number=normalise(body.from_),
        to_number=normalise(body.to),
        max_live=ctx.runner.settings.max_live_calls,
        now=ctx.now,
    )
    ctx.runner.telephone.start_call(call, steps=steps, live=steps is None)
    if not body.wait:
        return started(call)
    return whole(ctx.runner, await ctx.runner.telephone.wait_for_call(call.id, body.timeout, ctx.gone), ctx.base_url)


def started(call: Call) -> CallStarted:
    """The answer for a call that goes on."""
    return CallStarted(call_id=call.id, status=call.status.value, agent_id=call.agent_id)


def whole(runner: Runner, call: Call, base_url: str) -> CallStarted:
    """The answer for a call that somebody waited for."""
    return CallStarted(
        call_id=call.id,
        status=call.status.value,
        agent_id=call.agent_id,
        disconnection_reason=call.disconnection_reason.value if call.disconnection_reason else None,
        duration_seconds=call.duration.total_seconds() if call.duration is not None else None,
        call=CallOut.of(call, base_url),
        findings=[
            FindingOut(
                kind=f.kind.value,
                message=f.message,
                turn_id=f.turn_id,
                at=iso(f.at),
                sample=f.sample.decode("utf-8", "replace"),
            )
            for f in runner.telephone.findings(call.id)
        ],
        timeline=TimelineOut.of(call, runner.world.journal),
    )


def _say(ctx: Context, _query: Any, body: SayIn) -> Done:
    call = _live(ctx)
    return _told(ctx, call, ctx.runner.telephone.say(call.id, body.text, body.confidence, over=body.over))


def _press(ctx: Context, _query: Any, body: PressIn) -> Done:
    call = _live(ctx)
    return _told(ctx, call, ctx.runner.telephone.press(call.id, body.digits))


def _hang_up(ctx: Context, _query: Any, _body: Any) -> Done:
    call = _live(ctx)
    return _told(ctx, call, ctx.runner.telephone.hang_up(call.id))


async def _listen(ctx: Context, _query: Any, body: ListenIn | None) -> Done:
    wanted = body or ListenIn()
    telephone = ctx.runner.telephone
    call = await telephone.listen(_live(ctx).id, wanted.timeout, ctx.gone, to_speech=wanted.until == "speech")
    return Done(call_id=call.id, status=call.status.value)


def _live(ctx: Context) -> Call:
    return calls.get(ctx.world, ctx.path["call_id"])


def _told(ctx: Context, call: Call, heard: bool) -> Done:
    if not heard:
        why = call.disconnection_reason.value if call.disconnection_reason else call.status.value
        raise Conflict(f"{call.id} has ended ({why}): dial again with POST /_sim/calls")
    return Done(call_id=call.id, status=calls.get(ctx.world, call.id).status.value)


OPERATIONS = (
    Operation(
        id="simDial", method="POST", path="/_sim/calls", tag="simulator",
        summary="Dial one of the account's numbers, with a script or as a live phone.",
        handler=_dial, body=DialIn, response=CallStarted, errors=(400, 404, 409),
    ),
    Operation(
        id="simSay", method="POST", path="/_sim/calls/{call_id}/say", tag="simulator",
        summary="The remote party of a live call says something.",
        handler=_say, body=SayIn, response=Done, errors=(404, 409),
    ),
    Operation(
        id="simPress", method="POST", path="/_sim/calls/{call_id}/press", tag="simulator",
        summary="The remote party of a live call presses keys.",
        handler=_press, body=PressIn, response=Done, errors=(404, 409),
    ),
    Operation(
        id="simHangUp", method="POST", path="/_sim/calls/{call_id}/hang_up", tag="simulator",
        summary="The remote party of a live call hangs up.", handler=_hang_up, response=Done, errors=(404, 409),
    ),
    Operation(
        id="simListen", method="POST", path="/_sim/calls/{call_id}/listen", tag="simulator",
        summary="Wait until the agent has had its say; on a manual clock, time moves as far as that takes.",
        handler=_listen, body=ListenIn, body_required=False, response=Done, errors=(404,),
    ),
)  # fmt: skip
