"""Texts: sending them and reacting to them. Reading is per number and per conversation."""

from __future__ import annotations

from simulator.domain.messages import UNCONFIRMED, Channel
from simulator.errors import Conflict
from simulator.serving.operation import Context, Operation
from simulator.wire.messages import MessageIn, MessageSentOut, ReactionIn, ReactionSentOut
from simulator.world import carrier, messages, notices, reactions


def send(ctx: Context, _query: None, body: MessageIn) -> MessageSentOut:
    """Send a text and tell the webhook endpoint about it; what becomes of it shows a moment later."""
    message, _ = messages.send(
        ctx.world,
        agent_id=body.agent_id,
        number_id=body.number_id,
        from_number=body.from_number,
        to_number=body.to_number,
        recipients=body.recipients,
        body=body.body or "",
        media_urls=body.media,
        channel=None if body.channel is None else Channel(body.channel),
        content=body.content,
        send_style=body.send_style,
        reply_to_message_id=body.reply_to_message_id,
        now=ctx.now,
    )
    if carrier.is_unconfirmed(ctx.world, message):
        # Not a refusal: the text was handed over, so it stays, and nobody will ever say what became of it.
        raise Conflict(
            f"{UNCONFIRMED}: {message.id} to {message.to_number} may have been sent, and the carrier did not confirm "
            "it; do not send it again",
            code=UNCONFIRMED,
            type="carrier_error",
        )
    ctx.runner.notify(notices.for_message_sent(ctx.world, message, ctx.now))
    ctx.runner.chores.await_delivery(message)
    return MessageSentOut.of(message)


def react(ctx: Context, _query: None, body: ReactionIn) -> ReactionSentOut:
    """React to a text."""
    return ReactionSentOut.of(*reactions.send(ctx.world, ctx.path["message_id"], body.reaction, ctx.now))


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
        errors=(400, 402, 403, 404, 409, 429, 502),
    ),
    Operation(
        id="sendReaction",
        method="POST",
        path="/v1/messages/{message_id}/reactions",
        tag="messages",
        summary="React to an iMessage with a tapback or an emoji",
        handler=react,
        body=ReactionIn,
        response=ReactionSentOut,
        errors=(400, 404),
    ),
)
