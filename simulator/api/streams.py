"""A call's transcript while it is being spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from simulator.runtime.runner import Runner
from simulator.runtime.streams import follow
from simulator.serving.operation import Context, Operation
from simulator.serving.streaming import EventStream
from simulator.wire.streams import HEARTBEAT, ConnectedOut, EndedOut, SpokenOut, event
from simulator.world import calls

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


def stream(ctx: Context, _query: None, _body: None) -> EventStream:
    """Follow a call."""
    return EventStream(transcript_events(ctx.runner, calls.get(ctx.world, ctx.path["call_id"]).id))


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
