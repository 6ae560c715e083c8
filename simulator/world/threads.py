"""Texts, read: by number, by conversation, as history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from simulator.domain.messages import Conversation, HistoryEntry, Message
from simulator.errors import NotFound
from simulator.world import numbers
from simulator.world.world import World


def get_message(world: World, message_id: str) -> Message:
    """Return the message. Raises NotFound naming the id."""
    message = world.messages.get(message_id)
    if message is None:
        raise NotFound(f"message {message_id!r} does not exist in this account")
    return message


def for_number(
    world: World, number_id: str, before: datetime | str | None = None, after: datetime | str | None = None
) -> list[Message]:
    """Return the number's messages, newest first, strictly between `after` and `before` (instants or message ids)."""
    numbers.get(world, number_id)
    return _between(world, world.number_messages.newest_first(number_id), before, after)


def in_conversation(
    world: World, conversation_id: str, before: datetime | str | None = None, after: datetime | str | None = None
) -> list[Message]:
    """Return the conversation's messages, newest first, strictly between `after` and `before`, as `for_number` does."""
    get_conversation(world, conversation_id)
    return _between(world, world.conversation_messages.newest_first(conversation_id), before, after)


def newest_first(world: World, conversation_id: str) -> Iterator[Message]:
    """Walk the conversation's messages, newest first."""
    return (world.messages[message_id] for message_id in world.conversation_messages.newest_first(conversation_id))


def conversations(world: World, agent_id: str | None = None) -> list[Conversation]:
    """Return conversations, of one agent when given, most recent activity first."""
    if agent_id is not None:
        world.require_agent(agent_id)
    recent = (world.conversations[conversation_id] for conversation_id in reversed(world.recent_conversations))
    return [c for c in recent if agent_id is None or c.agent_id == agent_id]


def get_conversation(world: World, conversation_id: str) -> Conversation:
    """Return the conversation. Raises NotFound naming the id."""
    conversation = world.conversations.get(conversation_id)
    if conversation is None:
        raise NotFound(f"conversation {conversation_id!r} does not exist in this account")
    return conversation


def set_metadata(world: World, conversation_id: str, metadata: Mapping[str, Any] | None) -> Conversation:
    """Replace what the conversation remembers for its handler (`conversationState`); None forgets it."""
    conversation = replace(get_conversation(world, conversation_id), metadata=metadata)
    world.conversations[conversation_id] = conversation
    return conversation


def messages_of(world: World, conversation_id: str, limit: int) -> tuple[Message, ...]:
    """Return the last `limit` messages of the conversation, oldest first."""
    get_conversation(world, conversation_id)
    return tuple(islice(newest_first(world, conversation_id), limit))[::-1]


def history(world: World, conversation_id: str, limit: int, include_current: bool) -> tuple[HistoryEntry, ...]:
    """Return the last `limit` messages as history, oldest first; the newest one is the current one."""
    skipped = 0 if include_current else 1
    recent = messages_of(world, conversation_id, limit + skipped)
    return tuple(_entry(message) for message in recent[: len(recent) - skipped])


def parent_of(world: World, message: Message) -> Message | None:
    """Return what a reply answers, or None for a message that is no reply."""
    return None if message.reply_to_message_id is None else world.messages[message.reply_to_message_id]


def _between(
    world: World, ids: Iterable[str], before: datetime | str | None, after: datetime | str | None
) -> list[Message]:
    earlier = _side(world, before) if before is not None else None
    later = _side(world, after) if after is not None else None
    found: list[Message] = []
    for message_id in ids:
        message = world.messages[message_id]
        if (earlier is None or earlier(message) < 0) and (later is None or later(message) > 0):
            found.append(message)
    return found


def _side(world: World, bound: datetime | str) -> Callable[[Message], float]:
    """Say on which side of an instant or another message a message lies: below 0 before it, above 0 after it."""
    if isinstance(bound, datetime):
        return lambda message: (message.at - bound).total_seconds()
    named = get_message(world, bound)
    return lambda message: message.sequence - named.sequence


def _entry(message: Message) -> HistoryEntry:
    return HistoryEntry(
        content=message.body,
        direction=message.direction,
        channel=message.channel,
        at=message.at,
        message_id=message.id,
    )
