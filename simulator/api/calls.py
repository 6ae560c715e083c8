"""Calls: placed, watched, read."""

from __future__ import annotations

from typing import Final

from simulator.api.lists import page
from simulator.serving.operation import Context, Operation
from simulator.wire.calls import (
    CallIn,
    CallListOut,
    CallOut,
    CallQuery,
    CallsQuery,
    TranscriptListOut,
    WebCallIn,
    WebCallOut,
)
from simulator.world import calls, web_calls

DEFAULT_WAIT: Final = 300  # real seconds that `waitForCompletion` waits when `maxWaitSeconds` is left out
ENDING: Final = "ending"  # no status a call ever has; a word of this one answer


async def place(ctx: Context, _query: None, body: CallIn) -> CallOut:
    """Dial somebody; the answer comes while it rings, or after the call when `waitForCompletion` says so."""
    limit = ctx.runner.settings.max_live_calls
    call = calls.place_outbound(ctx.world, **body.fields(), max_live=limit, now=ctx.now)
    ctx.runner.telephone.start_call(call)
    if body.wait_for_completion:
        wait = body.max_wait_seconds or DEFAULT_WAIT
        return CallOut.of(await ctx.runner.telephone.wait_for_call(call.id, wait, ctx.gone), ctx.base_url)
    return CallOut.of(calls.get(ctx.world, call.id), ctx.base_url)


def place_web(ctx: Context, _query: None, body: WebCallIn) -> WebCallOut:
    """Prepare a call with a browser, which has 30 simulated seconds to join it."""
    limit = ctx.runner.settings.max_live_calls
    call = web_calls.register(ctx.world, **body.fields(), max_live=limit, now=ctx.now)
    ctx.runner.telephone.start_call(call)
    return WebCallOut(call_id=call.id, access_token=call.access_token or "")


def listing(ctx: Context, query: CallsQuery, _body: None) -> CallListOut:
    """Show the calls that match every filter. An empty filter is none."""
    found = calls.listing(
        ctx.world,
        status=query.status or None,
        direction=query.direction or None,
        type=query.type or None,
        search=query.search or None,
    )
    return page(CallListOut, found, query, lambda call: CallOut.of(call, ctx.base_url))


async def get(ctx: Context, query: CallQuery, _body: None) -> CallOut:
    """Show a call: now, or once it has ended or the wait is over."""
    call = calls.get(ctx.world, ctx.path["call_id"])
    if query.wait and call.live:
        call = await ctx.runner.telephone.wait_for_call(call.id, query.timeout, ctx.gone)
    return CallOut.of(call, ctx.base_url)


def end(ctx: Context, _query: None, _body: None) -> CallOut:
    """End a call in progress. The answer is the call as it was when asked, as on the platform; its true end follows."""
    call = calls.get(ctx.world, ctx.path["call_id"])
    calls.check_endable(call)
    ctx.runner.telephone.end_call(call.id)
    shown = CallOut.of(call, ctx.base_url)
    return shown if ctx.runner.policies["end_reply"] == "call" else shown.model_copy(update={"status": ENDING})


def transcript(ctx: Context, _query: None, _body: None) -> TranscriptListOut:
    """Show what was said so far."""
    return TranscriptListOut.of(calls.get(ctx.world, ctx.path["call_id"]))


_ONE = "/v1/calls/{call_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listCalls",
        method="GET",
        path="/v1/calls",
        tag="calls",
        summary="List calls, newest first",
        handler=listing,
        query=CallsQuery,
        response=CallListOut,
    ),
    Operation(
        id="createOutboundCall",
        method="POST",
        path="/v1/calls",
        tag="calls",
        summary="Place a call",
        handler=place,
        body=CallIn,
        response=CallOut,
        creates=True,
        errors=(400, 402, 403, 404, 409, 429),
    ),
    Operation(
        id="createWebCall",
        method="POST",
        path="/v1/calls/web",
        tag="calls",
        summary="Prepare a call with a browser; the answer's token is good for 30 seconds",
        handler=place_web,
        body=WebCallIn,
        response=WebCallOut,
        creates=True,
        errors=(400, 402, 404, 409, 429),
    ),
    Operation(
        id="getCall",
        method="GET",
        path=_ONE,
        tag="calls",
        summary="Get a call with its transcript, waiting for its end when asked to",
        handler=get,
        query=CallQuery,
        response=CallOut,
        errors=(404,),
    ),
    Operation(
        id="endCall",
        method="POST",
        path=f"{_ONE}/end",
        tag="calls",
        summary="End a call in progress",
        handler=end,
        response=CallOut,
        errors=(404, 409),
    ),
    Operation(
        id="getCallTranscript",
        method="GET",
        path=f"{_ONE}/transcript",
        tag="calls",
        summary="Get a call's transcript",
        handler=transcript,
        response=TranscriptListOut,
        errors=(404,),
    ),
)
