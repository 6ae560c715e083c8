"""Texts, sent and received. Conversations are one per pair of our number and the other party, or the other group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, Conversation, Group, Message, MessageStatus
from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.phone import normalise
from simulator.errors import BadRequest, NotFound
from simulator.world import carrier, channels, contents, limits, money, numbers, parties, registration
from simulator.world.parties import End
from simulator.world.world import World

PREVIEW_LENGTH: Final = 100  # characters of lastMessagePreview; enough for a line on a screen


def receive(world: World, **text: Any) -> tuple[Message, Conversation]:
    """Let somebody text one of the account's numbers, as `receive_all` does; returns the first message of it."""
    return receive_all(world, **text)[0]


def receive_all(
    world: World,
    *,
    from_number: str,
    to_number: str,
    body: str,
    media_urls: Sequence[str] = (),
    channel: Channel | None = None,
    group_id: str | None = None,
    members: Iterable[str] | None = None,
    group_name: str | None = None,
    group_icon_url: str | None = None,
    reply_to_message_id: str | None = None,
    now: datetime,
) -> list[tuple[Message, Conversation]]:
    """Let somebody text one of the account's numbers, in as many messages as the channel makes of it.

    An SMS with media is an MMS; several pictures by iMessage are several messages. In a group: `group_id` names one
    that exists, `members` finds or opens the one of these people and the sender. Raises NotFound when nobody here has
    the number, or there is no such group or message to reply to; BadRequest for parties, channels or content that
    cannot be.
    """
    contents.check(body, media_urls)
    sender, receiver = parties.read(from_number), normalise(to_number)
    number = numbers.find_active(world, receiver)
    if number is None:
        state = "was released" if receiver in world.number_ids else "is not a number of this account"
        raise NotFound(f"{receiver} cannot be texted: it {state}")
    parties.check_not_oneself(sender, receiver)
    end = parties.of_receiving(world, number, sender, group_id, members)
    channel = channels.for_receiving(number, sender, in_group=end.in_group, wanted=channel, media=bool(media_urls))
    if reply_to_message_id is not None:
        _parent(world, number, end, reply_to_message_id)
        if channel not in channels.THREADED:
            raise BadRequest(f"{channel.value} has no replies to a message: leave reply_to_message_id out")
    if channel in channels.TELEPHONY:
        carrier.heed(world, number.id, sender, body, now)
    named_after_group = end.in_group and world.policies["group_sender"] == "group"
    made: list[tuple[Message, Conversation]] = []
    for at, (words, media) in enumerate(_parts(channel, body, media_urls)):
        draft = _Draft(
            direction=Direction.INBOUND,
            channel=channel,
            body=words,
            media_urls=media,
            from_number="" if named_after_group else sender,
            sender_identifier=sender if end.in_group else None,
            reply_to_message_id=reply_to_message_id if at == 0 else None,
            group_name=group_name,
            group_icon_url=group_icon_url,
        )
        message, conversation = _store(world, number, end, draft, now)
        money.charge_text(world, channel, words, now, about=message.id)
        end = replace(end, party=conversation.participant, conversation=conversation)
        made.append((message, conversation))
    return made


def send(
    world: World,
    *,
    agent_id: str | None = None,
    number_id: str | None = None,
    from_number: str | None = None,
    to_number: str | None = None,
    recipients: Sequence[str] | None = None,
    body: str,
    media_urls: Sequence[str] = (),
    channel: Channel | None = None,
    content: Mapping[str, Any] | None = None,
    send_style: str | None = None,
    reply_to_message_id: str | None = None,
    now: datetime,
) -> tuple[Message, Conversation]:
    """Send a text from `from_number`, else `number_id`, else the first number of `agent_id`.

    It goes to `to_number` (a number, short code, e-mail address or group id), or to the group of `recipients`, which
    is opened when there is none. `content` is what WhatsApp shows besides the body, under the key `type` says.
    Raises BadRequest, NotFound, Forbidden (service numbers, no registration), PaymentRequired, RateLimited or
    CarrierFailed.
    """
    group = parties.named_group(world, to_number)
    number = _sender(world, agent_id, number_id, from_number, group)
    end = parties.of_sending(world, number, to_number, recipients, group)
    channel = channels.for_sending(
        world, number, end.party, end.conversation, in_group=end.in_group, wanted=channel, media=bool(media_urls)
    )
    contents.check(body, media_urls, content)
    contents.check_extras(world, number, channel, body, media_urls, content, send_style)
    unresolved = None
    if reply_to_message_id is not None:
        parent = _parent(world, number, end, reply_to_message_id)
        linked = channel in channels.THREADED and parent.channel is channel
        unresolved = not linked or parent.status is MessageStatus.FAILED
    draft = _Draft(
        direction=Direction.OUTBOUND,
        channel=channel,
        body=body,
        media_urls=tuple(media_urls),
        from_number=number.phone_number,
        send_style=send_style,
        content=content,
        reply_to_message_id=reply_to_message_id,
        reply_parent_unresolved=unresolved,
    )
    receivers = sorted(end.members or (end.party,))
    people = len(receivers)
    if channel in money.PAID_TEXTS:
        registration.check_outbound_sms(world, number)
    money.require_text(world, channel, body, people)
    if end.conversation is None:
        limits.check_new_contact(world, number, now, people)
    carrier.check_taken(world, receivers)
    message, conversation = _store(world, number, end, draft, now)
    money.charge_text(world, channel, body, now, about=message.id, recipients=people)
    if end.conversation is None:
        limits.note_new_contact(world, number, now, people)
    return message, conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A text before it has an id and a place."""

    direction: Direction
    channel: Channel
    body: str
    media_urls: tuple[str, ...]
    from_number: str  # "" is the group, once it has an id
    sender_identifier: str | None = None
    send_style: str | None = None
    content: Mapping[str, Any] | None = None
    reply_to_message_id: str | None = None
    reply_parent_unresolved: bool | None = None
    group_name: str | None = None
    group_icon_url: str | None = None


def _store(world: World, number: PhoneNumber, end: End, draft: _Draft, now: datetime) -> tuple[Message, Conversation]:
    """Write the message down in the conversation with the other end, which is opened when there is none."""
    inbound = draft.direction is Direction.INBOUND
    before = end.conversation or _opened(world, number, end, now)
    message = Message(
        id=world.entropy.new_id("message"),
        conversation_id=before.id,
        number_id=number.id,
        agent_id=number.agent_id,
        direction=draft.direction,
        channel=draft.channel,
        from_number=draft.from_number or before.participant,
        to_number=number.phone_number if inbound else before.participant,
        body=draft.body,
        at=now,
        sequence=world.next_sequence(),
        media_urls=draft.media_urls,
        status=MessageStatus.RECEIVED if inbound else MessageStatus.SENT,
        sender_identifier=draft.sender_identifier,
        send_style=draft.send_style,
        content=draft.content,
        reply_to_message_id=draft.reply_to_message_id,
        reply_parent_unresolved=draft.reply_parent_unresolved,
    )
    conversation = replace(
        before,
        agent_id=number.agent_id,  # the thread follows the number to whoever has it now
        last_message_at=now,
        last_sequence=message.sequence,
        last_message_preview=draft.body[:PREVIEW_LENGTH],
        message_count=before.message_count + 1,
        channel=draft.channel,
        group=_dressed(before.group, draft),
    )
    world.store_message(message, conversation)
    _note(world, message)
    return message, conversation


def _opened(world: World, number: PhoneNumber, end: End, now: datetime) -> Conversation:
    group = None
    if end.members is not None:
        group = Group(id=world.entropy.new_id("group"), members=tuple(sorted(end.members)))
    return Conversation(
        id=world.entropy.new_id("conversation"),
        number_id=number.id,
        phone_number=number.phone_number,
        participant=group.id if group else end.party,
        agent_id=number.agent_id,
        created_at=now,
        last_message_at=now,
        group=group,
    )


def _dressed(group: Group | None, draft: _Draft) -> Group | None:
    """The group with the name and icon that its members gave it since."""
    if group is None or (draft.group_name is None and draft.group_icon_url is None):
        return group
    return replace(group, name=draft.group_name or group.name, icon_url=draft.group_icon_url or group.icon_url)


def _note(world: World, message: Message) -> None:
    kind = "message.received" if message.direction is Direction.INBOUND else "message.sent"
    data = {
        "message_id": message.id,
        "conversation_id": message.conversation_id,
        "from": message.from_number,
        "to": message.to_number,
        "body": message.body,
    }
    if message.send_style is not None:  # seen by the recipient, and nowhere in the API
        data["send_style"] = message.send_style
    world.journal.append(kind, message.at, **data)


# -- who ---------------------------------------------------------------------------------------------------------


def _sender(
    world: World, agent_id: str | None, number_id: str | None, from_number: str | None, group: Conversation | None
) -> PhoneNumber:
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
    attached = world.agent_numbers.get(agent.id, ())
    if not attached:
        raise BadRequest(f"agent {agent.id!r} cannot send: no number is attached to it; buy one or attach one")
    first = group.number_id if group is not None and group.number_id in attached else attached[0]
    return world.numbers[first]


# -- what --------------------------------------------------------------------------------------------------------


def _parts(channel: Channel, body: str, media_urls: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Cut a text into the messages that it comes as: one per picture on iMessage, the words with the first."""
    if channel is not Channel.IMESSAGE or len(media_urls) < 2:
        return [(body, tuple(media_urls))]
    return [(body if at == 0 else "", (url,)) for at, url in enumerate(media_urls)]


def _parent(world: World, number: PhoneNumber, end: End, message_id: str) -> Message:
    target = world.messages.get(message_id)
    if target is None or end.conversation is None or target.conversation_id != end.conversation.id:
        raise NotFound(
            f"reply target not found: message {message_id!r} is not in the conversation of "
            f"{number.phone_number} with {end}"
        )
    return target
