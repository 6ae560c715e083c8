"""Conversations: the threads that texts make."""

from __future__ import annotations

from simulator.api.lists import page
from simulator.domain.messages import Conversation
from simulator.serving.operation import Context, Operation
from simulator.wire.conversations import (
    BackgroundIn,
    BackgroundOut,
    ConversationDetailOut,
    ConversationListOut,
    ConversationOut,
    ConversationPatch,
    ConversationQuery,
    TypingOut,
)
from simulator.wire.messages import ConversationMessageListOut, ConversationMessageOut
from simulator.wire.pages import MessagesQuery, PageQuery, window
from simulator.world import chats, parties, threads


def listing(ctx: Context, query: PageQuery, _body: None) -> ConversationListOut:
    """Show the conversations, most recent activity first."""
    found = threads.conversations(ctx.world)
    return page(ConversationListOut, found, query, lambda c: ConversationOut.of(chats.view(ctx.world, c)))


def get(ctx: Context, query: ConversationQuery, _body: None) -> ConversationDetailOut:
    """Show a conversation with its latest messages, oldest of them first."""
    return _detail(ctx, threads.get_conversation(ctx.world, ctx.path["conversation_id"]), query.limit)


def texts(ctx: Context, query: MessagesQuery, _body: None) -> ConversationMessageListOut:
    """Show a conversation's texts, newest first. `total` counts those between `after` and `before`."""
    found = threads.in_conversation(ctx.world, ctx.path["conversation_id"], query.before, query.after)
    shown, has_more, total = window(found, query.limit, 0)
    data = [ConversationMessageOut.of(message, threads.parent_of(ctx.world, message)) for message in shown]
    return ConversationMessageListOut(data=data, has_more=has_more, total=total)


def update(ctx: Context, _query: None, body: ConversationPatch) -> ConversationDetailOut:
    """Change what the conversation remembers, which its handler gets back as `conversationState`, or a group's name."""
    conversation = threads.get_conversation(ctx.world, ctx.path["conversation_id"])
    if body.group_name is not None:  # first: this one can be refused
        conversation = parties.rename_group(ctx.world, conversation.id, body.group_name)
    if body.replaces_metadata:
        conversation = threads.set_metadata(ctx.world, conversation.id, body.metadata)
    return _detail(ctx, conversation, ConversationQuery().limit)


def show_typing(ctx: Context, _query: None, _body: None) -> TypingOut:
    """Let the other end see that something is being written."""
    return TypingOut.of(chats.show_typing(ctx.world, ctx.path["conversation_id"], ctx.now))


def set_background(ctx: Context, _query: None, body: BackgroundIn) -> BackgroundOut:
    """Put a picture behind a conversation."""
    return BackgroundOut.of(*chats.set_background(ctx.world, ctx.path["conversation_id"], body.image_url, ctx.now))


def remove_background(ctx: Context, _query: None, _body: None) -> None:
    """Take the picture behind a conversation away."""
    chats.remove_background(ctx.world, ctx.path["conversation_id"], ctx.now)


def _detail(ctx: Context, conversation: Conversation, limit: int) -> ConversationDetailOut:
    latest = threads.messages_of(ctx.world, conversation.id, limit)
    shown = [ConversationMessageOut.of(message, threads.parent_of(ctx.world, message)) for message in latest]
    return ConversationDetailOut.with_messages(chats.view(ctx.world, conversation), shown)


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
        summary="Replace a conversation's metadata, its handler's conversationState, or rename a group",
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
    Operation(
        id="sendTypingIndicator",
        method="POST",
        path="/v1/conversations/{conversation_id}/typing",
        tag="conversations",
        summary="Show that something is being written; iMessage only",
        handler=show_typing,
        response=TypingOut,
        errors=(400, 404),
    ),
    Operation(
        id="setChatBackground",
        method="POST",
        path="/v1/conversations/{conversation_id}/background",
        tag="conversations",
        summary="Put a picture behind a conversation; iMessage only",
        handler=set_background,
        body=BackgroundIn,
        response=BackgroundOut,
        errors=(400, 404),
    ),
    Operation(
        id="removeChatBackground",
        method="DELETE",
        path="/v1/conversations/{conversation_id}/background",
        tag="conversations",
        summary="Take the picture behind a conversation away, if there is one",
        handler=remove_background,
        status=204,
        errors=(400, 404),
    ),
)
