"""Texts from the outside world."""

from __future__ import annotations

from typing import Any

from simulator.control.models import TextIn, TextOut
from simulator.domain.messages import Channel
from simulator.domain.phone import normalise
from simulator.serving.operation import Context, Operation
from simulator.world import messages, notices


def _text(ctx: Context, _query: Any, body: TextIn) -> TextOut:
    channel = body.channel or ("mms" if body.media_urls else "sms")
    message, conversation = messages.receive(
        ctx.world,
        from_number=normalise(body.from_),
        to_number=normalise(body.to),
        body=body.body,
        media_urls=tuple(body.media_urls),
        channel=Channel(channel),
        now=ctx.now,
    )
    ctx.runner.notify(notices.for_message_received(ctx.world, message, ctx.now))
    return TextOut(message_id=message.id, conversation_id=conversation.id)


OPERATIONS = (
    Operation(
        id="simText", method="POST", path="/_sim/messages", tag="simulator",
        summary="Text one of the account's numbers.", handler=_text, body=TextIn, response=TextOut, errors=(400, 404),
    ),
)  # fmt: skip
