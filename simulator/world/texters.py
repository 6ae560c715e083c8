"""People who text by a script: the record of what they do, and their texts on the way in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.domain.messages import Channel, Conversation, Message, Reaction
from simulator.domain.numbers import PhoneNumber
from simulator.domain.phone import normalise
from simulator.domain.text_threads import Author, StepTaken, TextThread, ThreadFailure, ThreadStatus, ThreadText
from simulator.errors import Conflict, NotFound
from simulator.world import carrier, channels, messages, numbers, parties, reactions
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.engine.thread_script import SendText, ThreadStep

Pair = tuple[str, frozenset[str]]  # number id, and everybody at the other end


def pair_of(world: World, message: Message) -> Pair:
    """Say between whom a text went."""
    return message.number_id, members_of(world.conversations[message.conversation_id])


def members_of(conversation: Conversation) -> frozenset[str]:
    """Everybody at the other end of a conversation."""
    return frozenset(conversation.group.members if conversation.group else (conversation.participant,))


def begin(
    world: World,
    *,
    from_number: str,
    to_number: str,
    participants: Iterable[str] | None = None,
    opener: Message | None = None,
    now: datetime,
) -> TextThread:
    """Open the record of somebody who begins to text `to_number`; in a group, with these other `participants`.

    `opener` is the account's text that they answer. Raises BadRequest and NotFound for parties that cannot be, Conflict
    while the same person writes in the same thread by another script.
    """
    sender, receiver = parties.read(from_number), normalise(to_number)
    number = numbers.find_active(world, receiver)
    if number is None:
        raise NotFound(f"{receiver} cannot be texted: it is no active number of this account")
    parties.check_not_oneself(sender, receiver)
    members = _together(number, sender, participants)
    for other in latest(world, (number.id, members)):
        if other.from_number == sender and other.status is ThreadStatus.RUNNING:
            raise Conflict(f"{sender} texts {receiver} by {other.id} already: let it end, or take another number")
    thread = TextThread(
        id=world.entropy.new_id("thread"),
        number_id=number.id,
        from_number=sender,
        to_number=receiver,
        members=members,
        started_at=now,
        conversation_id=opener.conversation_id if opener else None,
    )
    data = {
        "thread_id": thread.id,
        "from": sender,
        "to": receiver,
        "number_id": number.id,
        "participants": sorted(members) if thread.in_group else None,
        "opener_message_id": opener.id if opener else None,
    }
    world.journal.append("thread.started", now, **data)
    return world.store_text_thread(thread)


def latest(world: World, pair: Pair) -> list[TextThread]:
    """Return the last thread of everybody who has texted by a script between these parties, running or ended."""
    return [world.text_threads[thread_id] for thread_id in world.texters.get(pair, ())]


def get(world: World, thread_id: str) -> TextThread:
    """Return the thread. Raises NotFound naming the id."""
    thread = world.text_threads.get(thread_id)
    if thread is None:
        raise NotFound(f"thread {thread_id!r} does not exist in this account")
    return thread


def script_of(world: World, party: str) -> tuple[ThreadStep, ...] | None:
    """Return what somebody does when the account texts them first; None for nothing."""
    person = world.people.get(party)
    return None if person is None else person.text_steps


# -- what they do ------------------------------------------------------------------------------------------------


def send(world: World, thread_id: str, step: SendText, now: datetime) -> tuple[list[Message], ThreadText | None]:
    """Let the person send a text; returns it, in as many messages as it makes, and the carrier's answer if any.

    Raises what `messages.receive_all` does.
    """
    thread = get(world, thread_id)
    came = messages.receive_all(
        world,
        from_number=thread.from_number,
        to_number=thread.to_number,
        body=step.text,
        media_urls=step.media,
        channel=None if step.channel is None else Channel(step.channel),
        members=thread.members - {thread.from_number} if thread.in_group else None,
        now=now,
    )
    for message, conversation in came:
        text = _text(message, Author.PERSON, now)
        thread = replace(thread, conversation_id=conversation.id, texts=(*thread.texts, text))
        _note_text(world, "thread.sent", thread, text)
    world.store_text_thread(thread)
    sent = [message for message, _ in came]
    return sent, _automatic(world, thread_id, sent[0], now)


def react(world: World, thread_id: str, message_id: str, reaction: str, now: datetime) -> tuple[Message, Reaction]:
    """Let the person react to a text. Raises what `reactions.receive` does."""
    thread = get(world, thread_id)
    message, made = reactions.receive(world, message_id, reaction, now, from_number=thread.from_number)
    world.journal.append("thread.reacted", now, thread_id=thread_id, message_id=message_id, reaction=made.kind)
    return message, made


def note_step(world: World, thread_id: str, place: tuple[int, ...], verb: str, now: datetime) -> TextThread:
    """Take note that a step of the script begins."""
    thread = get(world, thread_id)
    world.journal.append("thread.step", now, thread_id=thread_id, step=list(place), verb=verb)
    return world.store_text_thread(replace(thread, steps=(*thread.steps, StepTaken(place=place, verb=verb, at=now))))


def note_reply(world: World, thread_id: str, message: Message, now: datetime) -> TextThread:
    """Take note that a text of the account has arrived; it may do so when the script has ended."""
    return _note_reply(world, thread_id, _text(message, Author.AGENT, now), message.conversation_id)


def fail(world: World, thread_id: str, place: tuple[int, ...], expected: str, heard: str, now: datetime) -> TextThread:
    """End the script at a step that did not come true."""
    thread = get(world, thread_id)
    failure = ThreadFailure(place=place, at=now, expected=expected, heard=heard)
    world.journal.append("thread.failed", now, thread_id=thread_id, step=list(place), expected=expected, heard=heard)
    return world.store_text_thread(replace(thread, status=ThreadStatus.FAILED, ended_at=now, failure=failure))


def finish(world: World, thread_id: str, now: datetime) -> TextThread:
    """End the script behind its last step."""
    thread = get(world, thread_id)
    world.journal.append("thread.done", now, thread_id=thread_id)
    return world.store_text_thread(replace(thread, status=ThreadStatus.DONE, ended_at=now))


def _together(number: PhoneNumber, sender: str, participants: Iterable[str] | None) -> frozenset[str]:
    if participants is None:
        return frozenset({sender})
    return parties.group_of(number, {sender, *map(parties.read, participants)} - {number.phone_number})


def _automatic(world: World, thread_id: str, sent: Message, now: datetime) -> ThreadText | None:
    """What a carrier answered to the text that just went in."""
    body = carrier.help_answer(world, sent.number_id, sent.body) if sent.channel in channels.TELEPHONY else None
    if body is None:
        return None
    text = ThreadText(by=Author.CARRIER, at=now, body=body, channel=Channel.SMS)
    return _note_reply(world, thread_id, text, sent.conversation_id).texts[-1]


def _note_reply(world: World, thread_id: str, text: ThreadText, conversation_id: str) -> TextThread:
    thread = get(world, thread_id)
    asked = thread.last_sent_at
    text = replace(text, delay=None if asked is None else text.at - asked)
    thread = replace(thread, conversation_id=conversation_id, texts=(*thread.texts, text))
    _note_text(world, "thread.reply", thread, text)
    return world.store_text_thread(thread)


def _text(message: Message, by: Author, now: datetime) -> ThreadText:
    return ThreadText(
        by=by,
        at=now,
        body=message.body,
        channel=message.channel,
        media_urls=message.media_urls,
        message_id=message.id,
        sent_at=message.at if by is Author.AGENT else None,
    )


def _note_text(world: World, kind: str, thread: TextThread, text: ThreadText) -> None:
    world.journal.append(
        kind,
        text.at,
        thread_id=thread.id,
        message_id=text.message_id,
        conversation_id=thread.conversation_id,
        by=text.by.value,
        body=text.body,
        media_urls=text.media_urls,
        channel=text.channel.value,
        sent_at=text.sent_at,
        delay_seconds=text.delay,
    )
