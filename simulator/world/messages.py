"""Texts, and the conversations they make: one per pair of our number and the other party."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, Conversation, HistoryEntry, Message, MessageStatus
from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.phone import normalise, service_number
from simulator.errors import BadRequest, Forbidden, NotFound, NotSimulated
from simulator.world import numbers
from simulator.world.world import World

PREVIEW_LENGTH: Final = 100  # characters of lastMessagePreview; enough for a line on a screen
MAX_MEDIA: Final = 20  # the documented size of a carousel
_SHORT_CODE: Final = re.compile(r"\d{5,6}")


def receive(
    world: World,
    *,
    from_number: str,
    to_number: str,
    body: str,
    media_urls: Sequence[str] = (),
    channel: Channel = Channel.SMS,
    now: datetime,
) -> tuple[Message, Conversation]:
    """Let somebody text one of the account's numbers. An SMS with media is an MMS.

    Raises NotFound when nobody here has the number, BadRequest for numbers or content that cannot be, NotSimulated for
    senders that are not telephones.
    """
    _check_content(body, media_urls)
    _check_telephone(from_number, "from")
    sender, receiver = normalise(from_number), normalise(to_number)
    number = numbers.find_active(world, receiver)
    if number is None:
        state = "was released" if receiver in world.number_ids else "is not a number of this account"
        raise NotFound(f"{receiver} cannot be texted: it {state}")
    _check_parties(sender, receiver)
    return _store(
        world,
        number,
        sender,
        Direction.INBOUND,
        body=body,
        media_urls=tuple(media_urls),
        channel=Channel.MMS if media_urls and channel is Channel.SMS else channel,
        now=now,
    )


def send(
    world: World,
    *,
    agent_id: str | None = None,
    number_id: str | None = None,
    from_number: str | None = None,
    to_number: str,
    body: str,
    media_urls: Sequence[str] = (),
    send_style: str | None = None,
    reply_to_message_id: str | None = None,
    now: datetime,
) -> tuple[Message, Conversation]:
    """Send a text from `from_number`, else `number_id`, else the first number of `agent_id`.

    Raises BadRequest, Forbidden (service numbers), NotFound, or NotSimulated (groups, and recipients that are not
    telephones).
    """
    number = _sender(world, agent_id, number_id, from_number)
    service = service_number(to_number)
    if service is not None:
        raise Forbidden(f"{to_number!r} cannot be texted: {service} is an emergency or service number")
    _check_telephone(to_number, "to_number")
    receiver = normalise(to_number)
    _check_parties(number.phone_number, receiver)
    _check_content(body, media_urls)
    if number.type == "imessage" and len(media_urls) > 1 and body:
        raise BadRequest(f"a carousel of {len(media_urls)} media URLs needs an empty body: send the text by itself")
    if reply_to_message_id is not None:
        _check_reply(world, number, receiver, reply_to_message_id)
    return _store(
        world,
        number,
        receiver,
        Direction.OUTBOUND,
        body=body,
        media_urls=tuple(media_urls),
        channel=_outbound_channel(number, media_urls),
        now=now,
        send_style=send_style,
        reply_to_message_id=reply_to_message_id,
    )


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
    newest = islice(world.conversation_messages.newest_first(conversation_id), limit)
    return tuple(world.messages[message_id] for message_id in newest)[::-1]


def history(world: World, conversation_id: str, limit: int, include_current: bool) -> tuple[HistoryEntry, ...]:
    """Return the last `limit` messages as history, oldest first; the newest one is the current one."""
    skipped = 0 if include_current else 1
    recent = messages_of(world, conversation_id, limit + skipped)
    return tuple(_entry(message) for message in recent[: len(recent) - skipped])


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


def _entry(message: Message) -> HistoryEntry:
    return HistoryEntry(
        content=message.body,
        direction=message.direction,
        channel=message.channel,
        at=message.at,
        message_id=message.id,
    )


def _store(
    world: World,
    number: PhoneNumber,
    other: str,
    direction: Direction,
    *,
    body: str,
    media_urls: tuple[str, ...],
    channel: Channel,
    now: datetime,
    send_style: str | None = None,
    reply_to_message_id: str | None = None,
) -> tuple[Message, Conversation]:
    """Write the message down in the conversation with `other`, which is opened when there is none."""
    inbound = direction is Direction.INBOUND
    thread = world.threads.get((number.id, other))
    message = Message(
        id=world.entropy.new_id("message"),
        conversation_id=thread or world.entropy.new_id("conversation"),
        number_id=number.id,
        agent_id=number.agent_id,
        direction=direction,
        channel=channel,
        from_number=other if inbound else number.phone_number,
        to_number=number.phone_number if inbound else other,
        body=body,
        at=now,
        sequence=world.next_sequence(),
        media_urls=media_urls,
        status=MessageStatus.RECEIVED if inbound else MessageStatus.SENT,
        send_style=send_style,
        reply_to_message_id=reply_to_message_id,
    )
    before = world.conversations[thread] if thread else _opened(message, number, other)
    conversation = replace(
        before,
        agent_id=number.agent_id,  # the thread follows the number to whoever has it now
        last_message_at=now,
        last_sequence=message.sequence,
        last_message_preview=body[:PREVIEW_LENGTH],
        message_count=before.message_count + 1,
        channel=channel,
    )
    world.store_message(message, conversation)
    _note(world, message)
    return message, conversation


def _opened(message: Message, number: PhoneNumber, other: str) -> Conversation:
    return Conversation(
        id=message.conversation_id,
        number_id=number.id,
        phone_number=number.phone_number,
        participant=other,
        agent_id=number.agent_id,
        created_at=message.at,
        last_message_at=message.at,
    )


def _note(world: World, message: Message) -> None:
    kind = "message.received" if message.direction is Direction.INBOUND else "message.sent"
    data = {
        "message_id": message.id,
        "conversation_id": message.conversation_id,
        "from": message.from_number,
        "to": message.to_number,
        "body": message.body,
    }
    world.journal.append(kind, message.at, **data)


def _sender(world: World, agent_id: str | None, number_id: str | None, from_number: str | None) -> PhoneNumber:
    """Choose the sending number; what ranks lower must still exist, so that a slip is not swallowed."""
    agent = world.require_agent(agent_id) if agent_id is not None else None
    by_id = numbers.get(world, number_id) if number_id is not None else None
    if from_number is not None:
        e164 = normalise(from_number)
        owned = world.number_ids.get(e164)
        if owned is None:
            raise BadRequest(f"{e164} cannot send: it is not a number of this account")
        by_id = world.numbers[owned]
    if by_id is not None:
        if by_id.status is NumberStatus.RELEASED:
            raise BadRequest(f"number {by_id.id!r} ({by_id.phone_number}) cannot send: it was released")
        return by_id
    if agent is None:
        raise BadRequest("no sender: give from_number, number_id or agent_id")
    first = world.agent_numbers.get(agent.id, ())[:1]
    if not first:
        raise BadRequest(f"agent {agent.id!r} cannot send: no number is attached to it; buy one or attach one")
    return world.numbers[first[0]]


def _outbound_channel(number: PhoneNumber, media_urls: Sequence[str]) -> Channel:
    if number.type == "imessage":
        return Channel.IMESSAGE
    return Channel.MMS if media_urls else Channel.SMS


def _check_content(body: str, media_urls: Sequence[str]) -> None:
    if not body and not media_urls:
        raise BadRequest("the text is empty: give a body or media_urls")
    if len(media_urls) > MAX_MEDIA:
        raise BadRequest(f"{len(media_urls)} media URLs are too many: give at most {MAX_MEDIA}")


def _check_telephone(party: str, field: str) -> None:
    """Refuse by name what the platform can reach and this simulator cannot yet."""
    kind = None
    if party.startswith("grp_"):
        kind = "groups"
    elif "@" in party:
        kind = "e-mail addresses (iMessage)"
    elif _SHORT_CODE.fullmatch(party):
        kind = "short codes"
    if kind is not None:
        raise NotSimulated(f"texts with {kind} are not simulated yet: {field} {party!r} must be a phone number")


def _check_parties(sender: str, receiver: str) -> None:
    if sender == receiver:
        raise BadRequest(f"{sender} cannot text itself: give another number")


def _check_reply(world: World, number: PhoneNumber, receiver: str, message_id: str) -> None:
    target = world.messages.get(message_id)
    if target is None or target.conversation_id != world.threads.get((number.id, receiver)):
        raise NotFound(
            f"reply target not found: message {message_id!r} is not in the conversation of "
            f"{number.phone_number} with {receiver}"
        )


def _side(world: World, bound: datetime | str) -> Callable[[Message], float]:
    """Say on which side of an instant or another message a message lies: below 0 before it, above 0 after it."""
    if isinstance(bound, datetime):
        return lambda message: (message.at - bound).total_seconds()
    named = world.messages.get(bound)
    if named is None:
        raise NotFound(f"message {bound!r} does not exist in this account")
    return lambda message: message.sequence - named.sequence
