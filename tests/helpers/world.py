"""Worlds and their inhabitants, with a default for everything a test does not care about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.domain.agents import Agent
from simulator.domain.calls import Call, DisconnectionReason, Party, Utterance
from simulator.domain.messages import Conversation, Message
from simulator.domain.numbers import PhoneNumber
from simulator.domain.policy import Policies
from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, Outcome, OutcomeKind, WebhookEndpoint
from simulator.engine.faults import Faults
from simulator.errors import ApiError
from simulator.world import agents, calls, messages, notices, numbers, webhooks
from simulator.world.journal import Journal
from simulator.world.tally import Tally
from simulator.world.world import Chain, World

NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
CALLER = "+14155550150"
OTHER_CALLER = "+14155550151"
HANDLER = "http://127.0.0.1:3000/webhook"


def after(**span: float) -> datetime:
    """The instant that lies this much after `NOW`: after(minutes=5)."""
    return NOW + timedelta(**span)


def make_world(contract: str = "all", *, seed: int = 7, **policies: str) -> World:
    """An empty world."""
    return World(account_id="acct_test", seed=seed, policies=Policies(contract, policies), journal=Journal(10_000))


def new_agent(world: World, name: str = "Support", *, now: datetime = NOW, **fields: Any) -> Agent:
    """An agent in webhook mode."""
    return agents.create(world, {"name": name, **fields}, now)


def new_number(world: World, agent: Agent | None = None, *, now: datetime = NOW, **options: Any) -> PhoneNumber:
    """A US number, attached when an agent is given."""
    return numbers.buy(world, agent_id=agent.id if agent else None, now=now, **options)


def new_endpoint(world: World, agent: Agent | None = None, *, now: datetime = NOW, **options: Any) -> WebhookEndpoint:
    """A webhook endpoint, of the account unless an agent is given."""
    return webhooks.set_endpoint(world, agent.id if agent else None, url=HANDLER, now=now, **options)


def new_line(world: World, name: str = "Support", **fields: Any) -> tuple[Agent, PhoneNumber]:
    """An agent with a number."""
    agent = new_agent(world, name, **fields)
    return agent, new_number(world, agent)


def dial_in(world: World, number: PhoneNumber, caller: str = CALLER, *, now: datetime = NOW) -> Call:
    """An inbound call that still rings."""
    return calls.receive(world, from_number=caller, to_number=number.phone_number, max_live=1_000_000, now=now)


def dial_out(
    world: World, agent: Agent, callee: str = CALLER, *, max_live: int = 1_000_000, now: datetime = NOW, **options: Any
) -> Call:
    """An outbound call that still rings."""
    return calls.place_outbound(world, agent_id=agent.id, to_number=callee, max_live=max_live, now=now, **options)


def hang_up(
    world: World,
    call: Call,
    reason: DisconnectionReason = DisconnectionReason.USER_HANGUP,
    *,
    now: datetime = NOW,
) -> Call:
    """The call, ended."""
    return calls.finish(world, call.id, reason, now)


def past_call(world: World, number: PhoneNumber, *, started: datetime, lasting: timedelta) -> Call:
    """An inbound call that was answered at once and is over."""
    call = dial_in(world, number, now=started)
    calls.connect(world, call.id, started)
    return hang_up(world, call, now=started + lasting)


def speak(
    world: World, call: Call, text: str, party: Party = Party.REMOTE, *, now: datetime = NOW, turn_id: str | None = None
) -> Call:
    """The call with one more utterance."""
    utterance = Utterance(id=world.entropy.new_id("transcript"), party=party, text=text, at=now, turn_id=turn_id)
    return calls.append_utterance(world, call.id, utterance)


def text_in(
    world: World, number: PhoneNumber, body: str = "hi", sender: str = CALLER, *, now: datetime = NOW, **options: Any
) -> tuple[Message, Conversation]:
    """An inbound text."""
    return messages.receive(world, from_number=sender, to_number=number.phone_number, body=body, now=now, **options)


def text_out(
    world: World,
    number: PhoneNumber,
    body: str = "hello",
    receiver: str = CALLER,
    *,
    now: datetime = NOW,
    **options: Any,
) -> tuple[Message, Conversation]:
    """An outbound text."""
    return messages.send(world, number_id=number.id, to_number=receiver, body=body, now=now, **options)


def apple_line(world: World, agent: Agent | None = None) -> PhoneNumber:
    """A number that speaks iMessage."""
    return new_number(world, agent, type="imessage")


def whatsapp_line(world: World, agent: Agent | None = None) -> PhoneNumber:
    """A number that speaks SMS and WhatsApp."""
    return world.store_number(replace(new_number(world, agent), whatsapp_enabled=True))


def text_group(
    world: World, number: PhoneNumber, *members: str, body: str = "hello", now: datetime = NOW, **options: Any
) -> tuple[Message, Conversation]:
    """An outbound text to the group of `members`, or of the usual two."""
    recipients = members or (CALLER, OTHER_CALLER)
    return messages.send(world, number_id=number.id, recipients=recipients, body=body, now=now, **options)


def owe(world: World, message: Message, endpoint: WebhookEndpoint, *, now: datetime = NOW) -> Delivery:
    """A pending delivery of the first event about an inbound text."""
    notice = notices.for_message_received(world, message, now)[0]
    return webhooks.add_delivery(world, notice, endpoint, b"{}", retryable=True, now=now)


def attempt(
    kind: OutcomeKind = OutcomeKind.ACCEPTED, *, number: int = 1, at: datetime = NOW, **outcome: Any
) -> Attempt:
    """One finished attempt."""
    return Attempt(number=number, at=at, outcome=Outcome(kind=kind, **outcome))


def settle(world: World, delivery: Delivery, status: DeliveryStatus = DeliveryStatus.SUCCESS) -> Delivery:
    """The delivery after its only attempt."""
    kind = OutcomeKind.ACCEPTED if status is DeliveryStatus.SUCCESS else OutcomeKind.REJECTED
    return webhooks.record_attempt(world, delivery.id, attempt(kind, at=delivery.created_at), status, None)


def refused(world: World, command: Callable[[], object], error: type[ApiError], why: str) -> None:
    """The command is refused for this reason and leaves everything as it was."""
    before = snapshot(world)
    with pytest.raises(error, match=why):
        command()
    assert snapshot(world) == before


def snapshot(world: World) -> dict[str, Any]:
    """Everything a refused command must leave alone, order included."""
    state: dict[str, Any] = {
        "entropy": dict(world.entropy._counters),
        "journal": world.journal.last_seq,
    }
    for name, value in vars(world).items():
        if isinstance(value, dict):
            state[name] = list(value.items())
        elif isinstance(value, Chain):
            state[name] = (list(value.last.items()), list(value.previous.items()))
        elif isinstance(value, Tally):
            state[name] = value.counts()
        elif isinstance(value, Faults):
            state[name] = (list(value.rules.items()), list(value.counts.items()), list(value.held.items()))
        elif name not in ("journal", "entropy"):
            state[name] = value
    return state
