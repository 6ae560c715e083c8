"""What a call's engine has to know when the phone begins to ring."""

from __future__ import annotations

from datetime import timedelta

from simulator.domain.calls import WEB_TOKEN_LIFE, Call, Direction
from simulator.engine.call import CallSetup
from simulator.engine.script import Answer, Step
from simulator.settings import Settings
from simulator.world import people
from simulator.world.world import World

INBOUND_RING = timedelta(seconds=1)  # the platform answers after the first ring
DEFAULT_MAX_SILENCE = timedelta(minutes=10)  # of a call whose agent was deleted before it rang


def dialled(world: World, settings: Settings, call: Call, steps: tuple[Step, ...] | None) -> CallSetup:
    """Settle who picks up, and when.

    Inbound, the agent does after one ring. Outbound, it is the person registered for the number, with a script of their
    own. A web call waits for a browser, and fails when its access token has expired before one came.
    """
    if call.direction is Direction.OUTBOUND:
        person = people.find(world, call.to_number)
        answer = Answer(person.answer)
        return _setup(world, settings, call, person.steps, answer, person.ring, person.patience)
    if call.direction is Direction.WEB:
        return _setup(world, settings, call, None, Answer.NOT_JOINED, WEB_TOKEN_LIFE)
    return _setup(world, settings, call, steps, Answer.ANSWERED, INBOUND_RING)


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
    return CallSetup(
        direction=call.direction,
        greeting=greeting,
        voice_speed=agent.voice_speed if agent else 1.0,
        max_silence=agent.max_silence if agent else DEFAULT_MAX_SILENCE,
        max_duration=settings.max_call_duration,
        transfer_number=agent.transfer_number if agent else None,
        policies=settings.policies,
        steps=steps,
        answer=answer,
        ring=ring,
        patience=patience,
    )
