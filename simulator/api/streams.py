"""A call's transcript while it is being spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from simulator.domain.faults import STREAM
from simulator.runtime.runner import Runner
from simulator.runtime.streams import follow
from simulator.serving.breaking import Enough, Severed
from simulator.serving.dispatch import Response
from simulator.serving.operation import Context, Operation
from simulator.serving.streaming import EventStream
from simulator.wire.streams import HEARTBEAT, ConnectedOut, EndedOut, SpokenOut, event
from simulator.world import calls, faults

HEARTBEAT_SECONDS: Final = 15.0  # real ones: clients give up after 30 s without a byte


async def transcript_events(
    runner: Runner, call_id: str, heartbeat: float = HEARTBEAT_SECONDS
) -> AsyncGenerator[bytes, None]:
    """`connected`, everything said so far, everything as it is said, and `ended` when the call is over."""
    told = -1  # utterances the reader has; -1: not even that it is connected
    async with aclosing(follow(runner, call_id, heartbeat)) as changes:
        async for call in changes:
            if call is None:
                yield HEARTBEAT
                continue
            if told < 0:
                yield event("connected", ConnectedOut.of(call))
                told = 0
            for spoken in call.utterances[told:]:
                yield event("turn", SpokenOut.of(spoken))
            told = len(call.utterances)
            if not call.live:
                yield event("ended", EndedOut.of(call))


def stream(ctx: Context, _query: None, _body: None) -> Response:
    """Follow a call."""
    call = calls.get(ctx.world, ctx.path["call_id"])
    events, subject = transcript_events(ctx.runner, call.id), faults.call_subject(ctx.world, call)
    return answer(events, faults.strike(ctx.world, STREAM, subject, ctx.now, call_id=call.id))


def answer(events: AsyncGenerator[bytes, None], struck: faults.Struck | None) -> Response:
    """The stream of some events, as a fault has it."""
    if struck is None:
        return EventStream(events)
    if struck.fault == "cut":
        return Severed(EventStream(_first(events, int(struck["after_events"]))))
    return EventStream(_without_heartbeat(events))


async def _without_heartbeat(events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for piece in events:
            if piece != HEARTBEAT:
                yield piece


async def _first(events: AsyncGenerator[bytes, None], count: int) -> AsyncGenerator[bytes, None]:
    """The first `count` events, after which the connection breaks. Whatever has fewer ends as it would have."""
    async with aclosing(events):
        if count == 0:
            raise Enough
        async for piece in events:
            yield piece
            count -= piece != HEARTBEAT
            if count == 0:
                raise Enough


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="streamCallTranscript",
        method="GET",
        path="/v1/calls/{call_id}/transcript/stream",
        tag="calls",
        summary="Follow a call's transcript as server-sent events",
        handler=stream,
        media="text/event-stream",
        errors=(404,),
    ),
)
