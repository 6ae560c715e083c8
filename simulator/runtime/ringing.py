"""What a call's engine has to know when the phone begins to ring."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from simulator.domain.calls import WEB_TOKEN_LIFE, Call, Direction
from simulator.domain.faults import CARRIER
from simulator.domain.policy import Policies
from simulator.engine.script import Answer, Step
from simulator.engine.setup import CallSetup
from simulator.settings import Settings
from simulator.world import faults, hosted, people
from simulator.world.world import World

UNANSWERED_RING: Final = timedelta(seconds=30)  # as long as that of the number where nobody ever answers
INBOUND_RING = timedelta(seconds=1)  # the platform answers after the first ring
# Of a call whose agent was deleted before it rang.
DEFAULT_MAX_SILENCE = timedelta(minutes=10)
DEFAULT_SENSITIVITY = 0.8


def dialled(world: World, settings: Settings, call: Call, steps: tuple[Step, ...] | None, now: datetime) -> CallSetup:
    """Settle who picks up, and when.

    Inbound, the agent does after one ring. Outbound, it is the person registered for the number, with a script of their
    own. A web call waits for a browser, and fails when its access token has expired before one came.
    """
    if call.direction is Direction.OUTBOUND:
        person = people.find(world, call.to_number)
        answer, ring = Answer(person.answer), person.ring
        if world.faults:
            answer, ring = _struck(world, call, now) or (answer, ring)
        setup = _setup(world, settings, call, person.steps, answer, ring, person.patience)
        return setup if person.greeting is None else replace(setup, machine_greeting=person.greeting)
    if call.direction is Direction.WEB:
        return _setup(world, settings, call, None, Answer.NOT_JOINED, WEB_TOKEN_LIFE)
    return _setup(world, settings, call, steps, Answer.ANSWERED, INBOUND_RING)


def _struck(world: World, call: Call, now: datetime) -> tuple[Answer, timedelta] | None:
    """What a fault lets happen instead of an answer, and how long it rings until then; None: no fault does."""
    subject = {"from": call.from_number, "to": call.to_number}
    kinds = (Answer.FAILED.value, Answer.BUSY.value, Answer.NO_ANSWER.value)
    struck = faults.strike(world, CARRIER, subject, now, kinds, call_id=call.id)
    if struck is None:
        return None
    answer = Answer(struck.fault)
    return answer, UNANSWERED_RING if answer is Answer.NO_ANSWER else people.DEFAULT_RING


def joined(world: World, settings: Settings, call: Call, steps: tuple[Step, ...] | None) -> CallSetup:
    """The same for a web call whose browser is there."""
    return _setup(world, settings, call, steps, Answer.ANSWERED, timedelta())


def _setup(
    world: World,
    settings: Settings,
    call: Call,
    steps: tuple[Step, ...] | None,
    answer: Answer,
    ring: timedelta,
    patience: timedelta | None = None,
) -> CallSetup:
    agent = world.agents.get(call.agent_id) if call.agent_id else None
    greeting = call.initial_greeting
    if greeting is None and agent is not None:
        greeting = agent.begin_message
    voicemail, policies = agent.voicemail_message if agent else None, settings.policies
    if call.hosted:
        greeting = hosted.greeting_of(call, agent)
        voicemail = None if voicemail is None else hosted.in_call(voicemail, call, agent)
        # The built-in model stops when it is interrupted; a handler that does not is what the other value is for.
        policies = Policies(policies.contract, {**dict(policies.items()), "overlapping_turns": "cancel"})
    return CallSetup(
        direction=call.direction,
        greeting=greeting,
        voice_speed=agent.voice_speed if agent else 1.0,
        max_silence=agent.max_silence if agent else DEFAULT_MAX_SILENCE,
        max_duration=settings.max_call_duration,
        transfer_number=agent.transfer_number if agent else None,
        policies=policies,
        steps=steps,
        answer=answer,
        ring=ring,
        patience=patience,
        interruption_sensitivity=agent.interruption_sensitivity if agent else DEFAULT_SENSITIVITY,
        backchannel=agent.enable_backchannel if agent else True,
        voicemail_message=voicemail,
        screening_identity=call.call_screening_identity or (agent.call_screening_identity if agent else None),
        screening_purpose=call.call_screening_purpose or (agent.call_screening_purpose if agent else None),
    )
