"""Agents, and which numbers are theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from simulator.domain.agents import Agent, CustomTool, VoiceMode
from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.phone import normalise
from simulator.errors import BadRequest, NotFound
from simulator.world import numbers
from simulator.world.world import World

# Null means "not given" for these: every agent has a value, and `Agent` holds the default.
_NEVER_NULL: Final = frozenset(f.name for f in dataclass_fields(Agent) if "None" not in str(f.type))
_EMPTY_REMOVES: Final = ("transfer_number", "voicemail_message")


def create(world: World, fields: Mapping[str, Any], now: datetime) -> Agent:
    """Make an agent from snake_case `fields` of `Agent`, without `id` and `created_at`."""
    given = _cleaned(fields)
    # The id is drawn last: a refused agent uses none up.
    draft = _checked(world, Agent(id="", created_at=now, **given))
    return world.store_agent(replace(draft, id=world.entropy.new_id("agent")))


def get(world: World, agent_id: str) -> Agent:
    """Return the agent. Raises NotFound naming the id."""
    return world.require_agent(agent_id)


def listing(world: World) -> Sequence[Agent]:
    """Return every agent, newest first."""
    return list(reversed(world.agents.values()))


def update(world: World, agent_id: str, changes: Mapping[str, Any], now: datetime) -> Agent:
    """Change the given fields only.

    Turning a hosted agent to webhook mode takes its prompt and greeting away, unless the same request gives new ones.
    """
    agent = get(world, agent_id)
    given = _cleaned(changes)
    if agent.voice_mode is VoiceMode.HOSTED and given.get("voice_mode") is VoiceMode.WEBHOOK:
        given = {"system_prompt": None, "begin_message": None, **given}
    return world.store_agent(_checked(world, replace(agent, **given)))


def delete(world: World, agent_id: str, now: datetime) -> tuple[Agent, tuple[str, ...]]:
    """Remove the agent and its webhook endpoint; returns it with the ids of the numbers it leaves behind.

    Numbers, calls and conversations stay, without an agent. Live calls go on: the account's endpoint gets their turns.
    """
    agent = get(world, agent_id)
    left = world.agent_numbers.get(agent_id, ())
    for number_id in left:
        world.store_number(replace(world.numbers[number_id], agent_id=None))
    for call in [c for c in world.calls.values() if c.agent_id == agent_id]:
        world.store_call(replace(call, agent_id=None))
    for conversation in [c for c in world.conversations.values() if c.agent_id == agent_id]:
        world.conversations[conversation.id] = replace(conversation, agent_id=None)
    world.forget_agent(agent_id)
    return agent, left


def attach(world: World, agent_id: str, number_id: str) -> tuple[Agent, PhoneNumber]:
    """Give the number to the agent, taking it from another one if need be.

    An agent's first number is its caller id; a number that is attached again keeps its place.
    """
    agent = get(world, agent_id)
    number = numbers.get(world, number_id)
    if number.status is NumberStatus.RELEASED:
        raise BadRequest(
            f"number {number_id!r} ({number.phone_number}) cannot be attached: it was released; buy another"
        )
    if number.agent_id != agent_id:
        number = replace(number, agent_id=agent_id, attached_at=world.next_sequence())
        world.store_number(number)
    return agent, number


def detach(world: World, agent_id: str, number_id: str) -> PhoneNumber:
    """Take the number away from the agent. Raises NotFound when it is not this agent's."""
    get(world, agent_id)
    number = numbers.get(world, number_id)
    if number.agent_id != agent_id:
        raise NotFound(f"number {number_id!r} is not attached to agent {agent_id!r}")
    return world.store_number(replace(number, agent_id=None))


def numbers_of(world: World, agent_id: str) -> tuple[PhoneNumber, ...]:
    """Return the agent's numbers in the order they were attached."""
    get(world, agent_id)
    return tuple(world.numbers[number_id] for number_id in world.agent_numbers.get(agent_id, ()))


def _cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Drop nulls that mean nothing, turn empty texts that mean "remove" into None, write numbers as E.164."""
    given = {name: value for name, value in fields.items() if value is not None or name not in _NEVER_NULL}
    for name in _EMPTY_REMOVES:
        if given.get(name) == "":
            given[name] = None
    if given.get("transfer_number") is not None:
        given["transfer_number"] = normalise(given["transfer_number"])
    if "voice_mode" in given:
        given["voice_mode"] = VoiceMode(given["voice_mode"])
    if given.get("custom_tools") is not None:
        given["custom_tools"] = tuple(given["custom_tools"])
    return given


def _checked(world: World, agent: Agent) -> Agent:
    if not agent.name.strip():
        raise BadRequest("an agent needs a name: give it at least one visible character")
    if (
        agent.voice_mode is VoiceMode.HOSTED
        and not agent.system_prompt
        and world.policies["hosted_without_prompt"] == "refuse"
    ):
        raise BadRequest(f"hosted agent {agent.name!r} has no systemPrompt: give one, or use voiceMode 'webhook'")
    _check_tools(agent.custom_tools or ())
    return agent


def _check_tools(tools: tuple[CustomTool, ...]) -> None:
    twice = [name for name, count in Counter(tool.name for tool in tools).items() if count > 1]
    if twice:
        raise BadRequest(f"customTools has more than one tool named {twice[0]!r}: names must differ")
