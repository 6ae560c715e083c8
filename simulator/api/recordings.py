"""Recordings: fetching one, and the add-on that makes the platform keep them."""

from __future__ import annotations

from typing import Final

from starlette.responses import StreamingResponse

from simulator.errors import NotFound
from simulator.runtime.recording import wav
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.recordings import RecordingAddonOut
from simulator.world import recordings

PRICE: Final = 5.0  # USD a month


def fetch(ctx: Context, _query: None, _body: None) -> StreamingResponse:
    """Send a recording. The call's id is the token: no key is asked for, and any account's call is found."""
    call_id = ctx.path["call_id"]
    call = ctx.runner.find_call(call_id)
    if call is None:
        raise NotFound(f"call {call_id!r} does not exist")
    recordings.check_available(call)
    size, pieces = wav(call)
    headers = {
        "content-length": str(size),
        "content-disposition": f'attachment; filename="recording-{call.id}.wav"',
        "accept-ranges": "none",
    }
    return StreamingResponse(pieces, headers=headers, media_type="audio/wav")


def enable(ctx: Context, _query: None, _body: None) -> RecordingAddonOut:
    """Switch the add-on on, once and for good."""
    since = recordings.enable(ctx.world, ctx.now)
    return RecordingAddonOut(enabled_at=iso(since), monthly_price_usd=PRICE)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getCallRecording",
        method="GET",
        path="/v1/calls/{call_id}/recording",
        tag="calls",
        summary="Download a call's recording (WAV); needs no key",
        handler=fetch,
        media="audio/wav",
        errors=(404,),
        public=True,
    ),
    Operation(
        id="enableRecording",
        method="POST",
        path="/credits/recording/enable",
        tag="credits",
        summary="Switch the recording add-on on",
        handler=enable,
        response=RecordingAddonOut,
        errors=(402,),
    ),
)
