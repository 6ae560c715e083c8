"""Conversations: the threads that texts make."""

from __future__ import annotations

from simulator.api.lists import page
from simulator.domain.messages import Conversation, Message
from simulator.errors import BadRequest
from simulator.serving.operation import Context, Operation
from simulator.wire.conversations import (
    ConversationDetailOut,
    ConversationListOut,
    ConversationOut,
    ConversationPatch,
    ConversationQuery,
)
from simulator.wire.messages import ConversationMessageListOut, ConversationMessageOut
from simulator.wire.pages import MessagesQuery, PageQuery, window
from simulator.world import messages


def listing(ctx: Context, query: PageQuery, _body: None) -> ConversationListOut:
    """Show the conversations, most recent activity first."""
    return page(ConversationListOut, messages.conversations(ctx.world), query, ConversationOut.of)


def get(ctx: Context, query: ConversationQuery, _body: None) -> ConversationDetailOut:
    """Show a conversation with its latest messages, oldest of them first."""
    return _detail(ctx, messages.get_conversation(ctx.world, ctx.path["conversation_id"]), query.limit)


def texts(ctx: Context, query: MessagesQuery, _body: None) -> ConversationMessageListOut:
    """Show a conversation's texts, newest first. `total` counts those between `after` and `before`."""
    found = messages.in_conversation(ctx.world, ctx.path["conversation_id"], query.before, query.after)
    shown, has_more, total = window(found, query.limit, 0)
    data = [ConversationMessageOut.of(message, _parent(ctx, message)) for message in shown]
    return ConversationMessageListOut(data=data, has_more=has_more, total=total)


def update(ctx: Context, _query: None, body: ConversationPatch) -> ConversationDetailOut:
    """Change what the conversation remembers; its handler gets it back as `conversationState`."""
    conversation = messages.get_conversation(ctx.world, ctx.path["conversation_id"])
    if body.group_name is not None:
        raise BadRequest(f"{conversation.id} is no group, so it cannot have a name: leave group_name out")
    if body.replaces_metadata:
        conversation = messages.set_metadata(ctx.world, conversation.id, body.metadata)
    return _detail(ctx, conversation, ConversationQuery().limit)


def _detail(ctx: Context, conversation: Conversation, limit: int) -> ConversationDetailOut:
    latest = messages.messages_of(ctx.world, conversation.id, limit)
    shown = [ConversationMessageOut.of(message, _parent(ctx, message)) for message in latest]
    return ConversationDetailOut.with_messages(conversation, shown)


def _parent(ctx: Context, message: Message) -> Message | None:
    """The message that this one answers."""
    parent_id = message.reply_to_message_id
    return None if parent_id is None else ctx.world.messages.get(parent_id)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listConversations",
        method="GET",
        path="/v1/conversations",
        tag="conversations",
        summary="List conversations, most recent activity first",
        handler=listing,
        query=PageQuery,
        response=ConversationListOut,
    ),
    Operation(
        id="getConversation",
        method="GET",
        path="/v1/conversations/{conversation_id}",
        tag="conversations",
        summary="Get a conversation with its latest messages",
        handler=get,
        query=ConversationQuery,
        response=ConversationDetailOut,
        errors=(404,),
    ),
    Operation(
        id="updateConversation",
        method="PATCH",
        path="/v1/conversations/{conversation_id}",
        tag="conversations",
        summary="Replace a conversation's metadata, its handler's conversationState",
        handler=update,
        body=ConversationPatch,
        response=ConversationDetailOut,
        errors=(400, 404),
    ),
    Operation(
        id="getConversationMessages",
        method="GET",
        path="/v1/conversations/{conversation_id}/messages",
        tag="conversations",
        summary="List a conversation's texts, newest first",
        handler=texts,
        query=MessagesQuery,
        response=ConversationMessageListOut,
        errors=(404,),
    ),
)
