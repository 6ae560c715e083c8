"""Texts: sending them. Reading is per number and per conversation."""

from __future__ import annotations

from simulator.errors import BadRequest, NotSimulated
from simulator.serving.operation import Context, Operation
from simulator.wire.messages import MessageIn, MessageSentOut
from simulator.world import messages, notices


def send(ctx: Context, _query: None, body: MessageIn) -> MessageSentOut:
    """Send a text and tell the webhook endpoint about it."""
    message, _ = messages.send(
        ctx.world,
        agent_id=body.agent_id,
        number_id=body.number_id,
        from_number=body.from_number,
        to_number=_addressee(body),
        body=body.body or "",
        media_urls=body.media,
        send_style=body.send_style,
        reply_to_message_id=body.reply_to_message_id,
        now=ctx.now,
    )
    ctx.runner.notify(notices.for_message_sent(ctx.world, message, ctx.now))
    return MessageSentOut.of(message)


def _addressee(body: MessageIn) -> str:
    """The one number to send to; `recipients` would open a group."""
    if body.recipients is not None and body.to_number is not None:
        raise BadRequest("to_number and recipients cannot both be given: a text goes to one number or to a new group")
    if body.to_number is None:
        count = len(body.recipients or ())
        raise NotSimulated(f"a group of {count} recipients is not simulated: send to one number with to_number")
    return body.to_number


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="sendMessage",
        method="POST",
        path="/v1/messages",
        tag="messages",
        summary="Send a text",
        handler=send,
        body=MessageIn,
        response=MessageSentOut,
        errors=(400, 403, 404, 501),
    ),
)
