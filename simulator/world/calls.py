"""Calls: placed or received, connected, spoken in, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from simulator.domain.agents import Agent
from simulator.domain.calls import Call, CallStatus, Direction, DisconnectionReason, Tones, Utterance
from simulator.domain.findings import Finding
from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.phone import normalise, service_number
from simulator.errors import BadRequest, Conflict, Forbidden, NotFound
from simulator.world import hosted, limits, money, numbers, recordings, webhooks
from simulator.world.world import World

RETRY_AFTER = "10"  # seconds; about as long as a short call lasts


def place_outbound(
    world: World,
    *,
    agent_id: str,
    to_number: str,
    from_number_id: str | None = None,
    initial_greeting: str | None = None,
    voice: str | None = None,
    system_prompt: str | None = None,
    model_tier: str | None = None,
    variables: Mapping[str, str] | None = None,
    call_screening_identity: str | None = None,
    call_screening_purpose: str | None = None,
    disable_recording: bool = False,
    max_live: int,
    now: datetime,
) -> Call:
    """Dial `to_number` for the agent, from its first number unless another of its numbers is named.

    With a `system_prompt`, or when the agent is hosted, the built-in model answers, and goes on to if the agent is
    changed meanwhile. Raises NotFound, BadRequest, Forbidden (service numbers) or Conflict (too many calls).
    """
    agent = world.require_agent(agent_id)
    number = _caller_id(world, agent, from_number_id)
    numbers.check_voice(number)
    service = service_number(to_number)
    if service is not None:
        raise Forbidden(f"{to_number!r} cannot be called: {service} is an emergency or service number")
    callee = normalise(to_number)
    if callee == number.phone_number:
        raise BadRequest(f"{callee} cannot call itself: give another toNumber or fromNumberId")
    check_may_call(world, agent, system_prompt, max_live)
    call = Call(
        id=world.entropy.new_id("call"),
        agent_id=agent.id,
        agent_name=agent.name,
        number_id=number.id,
        phone_number=number.phone_number,
        from_number=number.phone_number,
        to_number=callee,
        direction=Direction.OUTBOUND,
        status=_first_status(world),
        started_at=now,
        hosted=hosted.is_hosted(agent, system_prompt),
        voice=voice or agent.voice,
        initial_greeting=initial_greeting,
        system_prompt=system_prompt,
        model_tier=model_tier,
        variables=dict(variables) if variables is not None else None,
        disable_recording=disable_recording,
        call_screening_identity=call_screening_identity,
        call_screening_purpose=call_screening_purpose,
    )
    return placed(world, call)


def receive(world: World, *, from_number: str, to_number: str, max_live: int, now: datetime) -> Call:
    """Let somebody dial one of the account's numbers.

    Raises NotFound when nobody here has the number, BadRequest when no agent does, Conflict when too many calls are
    live. A missing webhook is no refusal here: the call rings, then fails.
    """
    caller, callee = normalise(from_number), normalise(to_number)
    number = _ours(world, callee)
    numbers.check_voice(number)
    if caller == callee:
        raise BadRequest(f"{caller} cannot call itself: give another from number")
    if number.agent_id is None:
        raise BadRequest(f"{callee} cannot be called: no agent is attached to number {number.id!r}; attach one")
    agent = world.require_agent(number.agent_id)
    _check_live(world, max_live)
    call = Call(
        id=world.entropy.new_id("call"),
        agent_id=agent.id,
        agent_name=agent.name,
        number_id=number.id,
        phone_number=number.phone_number,
        from_number=caller,
        to_number=callee,
        direction=Direction.INBOUND,
        status=_first_status(world),
        started_at=now,
        hosted=hosted.is_hosted(agent, None),
        voice=agent.voice,
    )
    return placed(world, call)


def check_may_call(world: World, agent: Agent, system_prompt: str | None, max_live: int) -> None:
    """Check that a call of the agent has a chance.

    Raises BadRequest (nobody would answer for the agent) or Conflict (too many calls). A hosted call needs no webhook.
    """
    answered = hosted.is_hosted(agent, system_prompt) or webhooks.endpoint_for(world, agent.id) is not None
    if not answered and world.policies["no_webhook_call"] == "fail":
        raise BadRequest(
            f"agent {agent.id!r} cannot call in webhook mode: no webhook is set; set one for the agent or the account"
        )
    _check_live(world, max_live)
    money.require_call(world)


def placed(world: World, call: Call) -> Call:
    """Write a new call down."""
    world.store_call(call)
    told = {"call_id": call.id, "direction": call.direction.value, "from": call.from_number, "to": call.to_number}
    given = {"metadata": call.metadata, "variables": call.variables}
    world.journal.append("call.placed", call.started_at, **told, **{k: v for k, v in given.items() if v is not None})
    return call


def connect(world: World, call_id: str, now: datetime) -> Call:
    """Somebody picked up. Raises Conflict when the call is connected or has ended."""
    call = require_live(world, call_id, "connected")
    if call.connected_at is not None:
        raise Conflict(f"{call_id} cannot be connected: it is, since {call.connected_at.isoformat()}")
    recorded = not call.disable_recording and recordings.included(world)
    call = world.store_call(replace(call, status=CallStatus.IN_PROGRESS, connected_at=now, recorded=recorded))
    world.journal.append("call.connected", now, call_id=call.id)
    return call


def append_utterance(world: World, call_id: str, utterance: Utterance) -> Call:
    """Add what was heard to the call's transcript. Raises Conflict when the call has ended."""
    call = require_live(world, call_id, "added to")
    return world.store_call(replace(call, utterances=(*call.utterances, utterance)))


def append_tones(world: World, call_id: str, tones: Tones) -> Call:
    """Add keys that were heard to the call. Raises Conflict when the call has ended."""
    call = require_live(world, call_id, "added to")
    return world.store_call(replace(call, tones=(*call.tones, tones)))


def finish(
    world: World, call_id: str, reason: DisconnectionReason, now: datetime, transferred_to: str | None = None
) -> Call:
    """End the call, once. Raises Conflict when it has ended already."""
    call = require_live(world, call_id, "ended")
    ended = replace(
        call, status=reason.status, ended_at=now, disconnection_reason=reason, transferred_to=transferred_to
    )
    world.store_call(ended)
    money.charge_call(world, ended, now)
    world.journal.append("call.ended", now, call_id=call.id, reason=reason.value, status=ended.status.value)
    return ended


def add_finding(world: World, finding: Finding) -> None:
    """Remember something that the handler did badly during a call."""
    world.findings[finding.call_id] = (*world.findings.get(finding.call_id, ()), finding)


def check_endable(call: Call) -> None:
    """Raise Conflict unless the call says of itself that it is in progress.

    A call that rings says so by default, and can be ended then; where the policy has it say `ringing`, it cannot.
    """
    if call.status is CallStatus.IN_PROGRESS:
        return
    if call.disconnection_reason is not None:
        raise Conflict(f"{call.id} cannot be ended: it has ended already ({call.disconnection_reason.value})")
    raise Conflict(f"{call.id} cannot be ended: it is {call.status.value}; wait until it is in-progress or over")


def get(world: World, call_id: str) -> Call:
    """Return the call. Raises NotFound naming the id."""
    call = world.calls.get(call_id)
    if call is None:
        raise NotFound(f"call {call_id!r} does not exist in this account")
    return call


def listing(
    world: World,
    *,
    status: str | None = None,
    direction: str | None = None,
    type: str | None = None,  # noqa: A002 - the wire's own word
    search: str | None = None,
    agent_id: str | None = None,
    number_id: str | None = None,
) -> list[Call]:
    """Return calls, newest first, that match every filter given.

    `type` is "pstn" or "web"; web calls are also found by `direction`. `search` is part of either number, with or
    without "+", spaces and punctuation.
    """
    if agent_id is not None:
        world.require_agent(agent_id)
    if number_id is not None:
        numbers.get(world, number_id)
    found: Iterator[Call] = reversed(world.calls.values())
    if status is not None:
        found = (c for c in found if c.status == status)
    if direction is not None:
        found = (c for c in found if c.direction == direction)
    if type is not None:
        found = (c for c in found if ("web" if c.direction is Direction.WEB else "pstn") == type)
    if agent_id is not None:
        found = (c for c in found if c.agent_id == agent_id)
    if number_id is not None:
        found = (c for c in found if c.number_id == number_id)
    digits = re.sub(r"[\s+().-]", "", search or "")
    if digits:
        found = (c for c in found if digits in c.from_number or digits in c.to_number)
    return list(found)


def _caller_id(world: World, agent: Agent, number_id: str | None) -> PhoneNumber:
    """Choose the number the callee sees."""
    if number_id is None:
        first = world.agent_numbers.get(agent.id, ())[:1]
        if not first:
            raise BadRequest(f"agent {agent.id!r} cannot call: no number is attached to it; buy one or attach one")
        return world.numbers[first[0]]
    number = numbers.get(world, number_id)
    if number.status is NumberStatus.RELEASED:
        raise BadRequest(f"number {number_id!r} ({number.phone_number}) cannot call: it was released")
    if number.agent_id != agent.id:
        raise BadRequest(
            f"number {number_id!r} cannot call for agent {agent.id!r}: it is attached to "
            f"{'another agent' if number.agent_id else 'no agent'}; attach it first"
        )
    return number


def _ours(world: World, e164: str) -> PhoneNumber:
    number = numbers.find_active(world, e164)
    if number is None:
        state = "was released" if e164 in world.number_ids else "is not a number of this account"
        raise NotFound(f"{e164} cannot be called: it {state}")
    return number


def _check_live(world: World, max_live: int) -> None:
    limits.check_call(world)
    if len(world.live_calls) >= max_live:
        raise Conflict(
            f"{len(world.live_calls)} calls are live and {max_live} are allowed: end one first",
            headers={"Retry-After": RETRY_AFTER},
        )


def require_live(world: World, call_id: str, verb: str) -> Call:
    """Return the call. Raises NotFound naming the id, Conflict when it has ended and cannot be `verb` any more."""
    call = get(world, call_id)
    if call.disconnection_reason is not None:
        raise Conflict(f"{call_id} cannot be {verb}: it ended ({call.disconnection_reason.value})")
    return call


def _first_status(world: World) -> CallStatus:
    return CallStatus(world.policies["ringing_status"])
