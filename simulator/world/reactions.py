"""Reactions to texts: tapbacks and emoji, ours and theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from simulator.domain.calls import Direction
from simulator.domain.messages import EMOJI, PAST_TENSE, TAPBACKS, Channel, Message, Reaction
from simulator.domain.numbers import NumberStatus
from simulator.errors import BadRequest
from simulator.world import parties, threads
from simulator.world.world import World

_IN_PRESENT: Final = {past.lower(): tapback for tapback, past in PAST_TENSE.items()}


def send(world: World, message_id: str, kind: str, now: datetime) -> tuple[Message, Reaction]:
    """React to a message as its number; a second reaction takes the place of the first.

    Raises NotFound, and BadRequest for what is no reaction, for a released number, and for anything but iMessage.
    """
    message = threads.get_message(world, message_id)
    if message.channel is not Channel.IMESSAGE:
        raise BadRequest(
            f"{message_id} cannot be reacted to: reactions are for iMessage, it is {message.channel.value}"
        )
    number = world.numbers[message.number_id]
    if number.status is NumberStatus.RELEASED:
        raise BadRequest(f"{message_id} cannot be reacted to: {number.phone_number} was released")
    return _add(world, message, _kind(world, kind), number.phone_number, Direction.OUTBOUND, now)


def receive(
    world: World, message_id: str, kind: str, now: datetime, *, from_number: str | None = None
) -> tuple[Message, Reaction]:
    """Let the other party react to a message; in a group, `from_number` says which member.

    Raises NotFound, and BadRequest for what is no reaction, for strangers, and for channels without reactions: a phone
    sends its tapback to an SMS as a text.
    """
    message = threads.get_message(world, message_id)
    if message.channel not in (Channel.IMESSAGE, Channel.WHATSAPP):
        raise BadRequest(
            f"{message_id} cannot be reacted to: it is {message.channel.value}, and only iMessage and WhatsApp have "
            "reactions"
        )
    reaction = _kind(world, kind)
    if message.channel is Channel.WHATSAPP and reaction in TAPBACKS:
        raise BadRequest(f"{kind!r} is no reaction on WhatsApp: give an emoji")
    return _add(world, message, reaction, _who(world, message, from_number), Direction.INBOUND, now)


def _add(
    world: World, message: Message, kind: str, party: str, direction: Direction, now: datetime
) -> tuple[Message, Reaction]:
    reaction = Reaction(id=world.entropy.new_id("reaction"), kind=kind, from_number=party, direction=direction, at=now)
    others = tuple(r for r in message.reactions if r.from_number != party)
    message = replace(message, reactions=(*others, reaction))
    world.messages[message.id] = message
    world.journal.append(
        "reaction.received" if direction is Direction.INBOUND else "reaction.sent",
        now,
        message_id=message.id,
        reaction=kind,
        **{"from": party},
    )
    return message, reaction


def _kind(world: World, text: str) -> str:
    word = text.strip().lower()
    tapback = _IN_PRESENT.get(word, word)
    if tapback in TAPBACKS:
        return tapback
    if EMOJI.fullmatch(text) is None:
        raise BadRequest(f"{text[:40]!r} is no reaction: give one of {', '.join(TAPBACKS)}, or one emoji")
    if not world.policies.on("emoji_reactions"):
        raise BadRequest(f"{text!r} cannot be used on this line: give one of {', '.join(TAPBACKS)}")
    return text


def _who(world: World, message: Message, from_number: str | None) -> str:
    conversation = world.conversations[message.conversation_id]
    members = conversation.group.members if conversation.group else (conversation.participant,)
    if from_number is None and conversation.group is None:
        return conversation.participant
    if from_number is None:
        raise BadRequest(f"{conversation.participant} is a group: say from whom, one of {', '.join(members)}")
    party = parties.read(from_number)
    if party not in members:
        raise BadRequest(f"{party} cannot react in {conversation.id}: only {', '.join(members)} can")
    return party
