"""Texts from the outside world, and what the outside world does with ours."""

from __future__ import annotations

from typing import Any

from simulator.control.text_models import (
    GroupIn,
    ReactionIn,
    ReactionMadeOut,
    StatusIn,
    StatusOut,
    TextIn,
    TextOut,
)
from simulator.domain.messages import Channel, MessageStatus
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso_or_none
from simulator.world import carrier, messages, notices, reactions, threads


def _text(ctx: Context, _query: Any, body: TextIn) -> TextOut:
    group = body.group
    came = messages.receive_all(
        ctx.world,
        from_number=body.from_,
        to_number=body.to,
        body=body.body,
        media_urls=tuple(body.media_urls),
        channel=None if body.channel is None else Channel(body.channel),
        reply_to_message_id=body.reply_to_message_id,
        now=ctx.now,
        **_in_group(group),
    )
    for message, _ in came:
        ctx.runner.notify(notices.for_message_received(ctx.world, message, ctx.now))
    ids = [message.id for message, _ in came]
    conversation = came[-1][1]
    group_id = conversation.group.id if conversation.group else None
    return TextOut(message_id=ids[0], message_ids=ids, conversation_id=conversation.id, group_id=group_id)


def _in_group(group: GroupIn | None) -> dict[str, Any]:
    if group is None:
        return {}
    return {
        "group_id": group.id,
        "members": group.participants,
        "group_name": group.name,
        "group_icon_url": group.icon_url,
    }


def _react(ctx: Context, _query: Any, body: ReactionIn) -> ReactionMadeOut:
    message, reaction = reactions.receive(
        ctx.world, ctx.path["message_id"], body.reaction, ctx.now, from_number=body.from_
    )
    ctx.runner.notify(notices.for_reaction(ctx.world, message, reaction, ctx.now))
    return ReactionMadeOut(reaction_id=reaction.id, message_id=message.id, reaction_type=reaction.kind)


def _status(ctx: Context, _query: Any, body: StatusIn) -> StatusOut:
    message_id = ctx.path["message_id"]
    before = threads.get_message(ctx.world, message_id).status
    if body.status == "failed":
        message = carrier.mark_failed(ctx.world, message_id, body.failure_reason, body.error_code, ctx.now)
    elif body.status == "read":
        message = carrier.mark_read(ctx.world, message_id, ctx.now)
    else:
        message = carrier.mark_delivered(ctx.world, message_id, ctx.now)
    if message.status is MessageStatus.DELIVERED and before is not MessageStatus.DELIVERED:
        ctx.runner.text_arrived(message)
    return StatusOut(
        message_id=message.id,
        status=message.status.value,
        failure_reason=message.failure_reason,
        error_code=message.error_code,
        delivered_at=iso_or_none(message.delivered_at),
        read_at=iso_or_none(message.read_at),
    )


OPERATIONS = (
    Operation(
        id="simText", method="POST", path="/_sim/messages", tag="simulator",
        summary="Text one of the account's numbers.", handler=_text, body=TextIn, response=TextOut, errors=(400, 404),
    ),
    Operation(
        id="simReact", method="POST", path="/_sim/messages/{message_id}/reactions", tag="simulator",
        summary="React to a message as the other party.",
        handler=_react, body=ReactionIn, response=ReactionMadeOut, errors=(400, 404),
    ),
    Operation(
        id="simTextStatus", method="POST", path="/_sim/messages/{message_id}/status", tag="simulator",
        summary="Say what became of a text that was sent.",
        handler=_status, body=StatusIn, response=StatusOut, errors=(400, 404),
    ),
)  # fmt: skip
