"""What happened, told to webhook endpoints: which events an occurrence leads to, and what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from simulator.domain.calls import Call, Direction, Party, Utterance
from simulator.domain.ids import PREFIXES
from simulator.domain.messages import Channel, HistoryEntry, Message, MessageStatus, Reaction
from simulator.domain.phone import normalise
from simulator.domain.webhooks import EventType, Notice, WebhookEndpoint
from simulator.world import chats, contacts, threads, webhooks
from simulator.world.world import World

# A test is about nothing that exists: its ids and its sender are fictional, and look it.
TEST_SENDER: Final = "+14155550199"
TEST_RECEIVER: Final = "+14155550100"
TEST_MESSAGE: Final = "Test message"
TEST_CONVERSATION_ID: Final = f"{PREFIXES['conversation']}test"
TEST_NUMBER_ID: Final = f"{PREFIXES['number']}test"


def for_call_started(world: World, call: Call, now: datetime) -> list[Notice]:
    """Tell that a call connected: inbound calls only, every call, or none, as the policy says."""
    policy = world.policies["call_started_event"]
    wanted = policy == "all" or (policy == "inbound" and call.direction is Direction.INBOUND)
    return [_about_call(world, EventType.CALL_STARTED, call, now)] if wanted else []


def for_call_ended(world: World, call: Call, now: datetime) -> list[Notice]:
    """Tell that a call ended, answered or not, under its old name, its new one, or both."""
    return [
        _about_call(world, event_type, call, now)
        for event_type, policy in (
            (EventType.CALL_ENDED, "call_ended_event"),
            (EventType.AGENT_CALL_ENDED, "agent_call_ended_event"),
        )
        if world.policies.on(policy)
    ]


def for_turn(
    world: World, call: Call, *, transcript: str, confidence: float | None, turn_id: str, now: datetime
) -> Notice:
    """Tell the handler what the remote party just said. Voice payloads have no conversation state."""
    utterances = call.utterances
    if not world.policies.on("history_includes_current") and _ends_with_turn(call, transcript):
        utterances = utterances[:-1]
    return Notice(
        event_type=EventType.AGENT_MESSAGE,
        at=now,
        agent_id=call.agent_id,
        channel=Channel.VOICE,
        call=call,
        history=_spoken(utterances, _context_limit(world, call.agent_id)),
        transcript=transcript,
        confidence=confidence,
        turn_id=turn_id,
    )


def for_message_received(world: World, message: Message, now: datetime) -> list[Notice]:
    """Tell that a text came in: to the agent, unless its messaging is off, and to the account by policy.

    A number without an agent has nobody to switch messaging off; its events name no agent.
    """
    agent = world.agents.get(message.agent_id) if message.agent_id else None
    events = []
    if agent is None or agent.enable_messaging:
        events.append(EventType.AGENT_MESSAGE)
    if world.policies.on("message_received_event"):
        events.append(EventType.MESSAGE_RECEIVED)
    if not events:
        return []
    first = _about_message(world, events[0], message, now)
    return [first, *(replace(first, event_type=event_type) for event_type in events[1:])]


def for_message_sent(world: World, message: Message, now: datetime) -> list[Notice]:
    """Tell that a text went out."""
    if not world.policies.on("message_sent_event"):
        return []
    return [_about_message(world, EventType.MESSAGE_SENT, message, now)]


def for_reaction(world: World, message: Message, reaction: Reaction, now: datetime) -> list[Notice]:
    """Tell the agent that somebody reacted to a text, unless its messaging is off."""
    agent_id = world.numbers[message.number_id].agent_id  # whoever has the number now, not when the text was sent
    agent = world.agents[agent_id] if agent_id else None
    if not world.policies.on("agent_reaction_event") or (agent is not None and not agent.enable_messaging):
        return []
    limit = _context_limit(world, agent_id)
    return [
        replace(
            _about_message(world, EventType.AGENT_REACTION, message, now),
            agent_id=agent_id,
            reaction=reaction,
            history=threads.history(world, message.conversation_id, limit, include_current=True),
        )
    ]


def for_test(
    world: World,
    endpoint: WebhookEndpoint,
    *,
    agent_id: str | None,
    from_: str | None = None,
    to: str | None = None,
    message: str | None = None,
    channel: Channel | None = None,
    now: datetime,
) -> Notice:
    """Make up an inbound text for trying `endpoint` out; nothing of it is stored.

    `to` is the agent's first number when left out, `from_` may be an e-mail address as on iMessage. Raises BadRequest.
    """
    first = world.agent_numbers.get(agent_id, ())[:1] if agent_id is not None else ()
    own = world.numbers[first[0]] if first else None
    body = TEST_MESSAGE if message is None else message
    sender = TEST_SENDER if from_ is None else _party(from_)
    receiver = _party(to) if to is not None else (own.phone_number if own else TEST_RECEIVER)
    text = Message(
        id=f"{PREFIXES['message']}{world.entropy.token('test_message')}",
        conversation_id=TEST_CONVERSATION_ID,
        number_id=own.id if own else TEST_NUMBER_ID,
        agent_id=agent_id,
        direction=Direction.INBOUND,
        channel=channel or Channel.SMS,
        from_number=sender,
        to_number=receiver,
        body=body,
        at=now,
        sequence=0,
        status=MessageStatus.RECEIVED,
    )
    line = HistoryEntry(content=body, direction=Direction.INBOUND, channel=text.channel, at=now, message_id=text.id)
    return Notice(
        event_type=EventType.AGENT_MESSAGE,
        at=now,
        agent_id=agent_id,
        channel=text.channel,
        message=text,
        history=(line,) if endpoint.context_limit else (),
        test=True,
        state={"testMode": True},
    )


def _about_call(world: World, event_type: EventType, call: Call, now: datetime) -> Notice:
    return Notice(
        event_type=event_type,
        at=now,
        agent_id=call.agent_id,
        channel=Channel.VOICE,
        call=call,
        contact=contacts.by_number(world, _remote(call)),
        history=_spoken(call.utterances, _context_limit(world, call.agent_id)),
    )


def _remote(call: Call) -> str:
    return call.to_number if call.direction is Direction.OUTBOUND else call.from_number


def _about_message(world: World, event_type: EventType, message: Message, now: datetime) -> Notice:
    conversation = threads.get_conversation(world, message.conversation_id)
    history = threads.history(
        world,
        conversation.id,
        _context_limit(world, message.agent_id),
        world.policies.on("history_includes_current"),
    )
    return Notice(
        event_type=event_type,
        at=now,
        agent_id=message.agent_id,
        channel=message.channel,
        message=message,
        parent=threads.parent_of(world, message),
        contact=contacts.by_number(world, message.sender_identifier or conversation.participant),
        conversation=conversation,
        names=chats.view(world, conversation).names,
        history=history,
        state=conversation.metadata,
    )


def _context_limit(world: World, agent_id: str | None) -> int:
    endpoint = webhooks.endpoint_for(world, agent_id)
    return endpoint.context_limit if endpoint else webhooks.DEFAULT_CONTEXT_LIMIT


def _spoken(utterances: tuple[Utterance, ...], limit: int) -> tuple[HistoryEntry, ...]:
    """The end of the call so far. Directions are seen from the platform: a human's words come in, whoever dialled."""
    return tuple(
        HistoryEntry(
            content=utterance.text,
            direction=Direction.INBOUND if utterance.party is Party.REMOTE else Direction.OUTBOUND,
            channel=Channel.VOICE,
            at=utterance.at,
        )
        for utterance in (utterances[-limit:] if limit > 0 else ())
    )


def _ends_with_turn(call: Call, transcript: str) -> bool:
    # Keys pressed, and the empty turn at connect, are turns without an utterance in the transcript.
    last = call.utterances[-1] if call.utterances else None
    return last is not None and last.party is Party.REMOTE and last.text == transcript


def _party(text: str) -> str:
    return text if "@" in text else normalise(text)
