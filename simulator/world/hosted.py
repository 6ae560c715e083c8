"""Hosted agents: what stands in for the built-in model on their calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from simulator.domain.agents import Agent, VoiceMode
from simulator.domain.calls import Call
from simulator.engine import hosted
from simulator.engine.hosted_events import Line, Role
from simulator.engine.variables import fill
from simulator.world.world import World


def is_hosted(agent: Agent, system_prompt: str | None) -> bool:
    """Whether a call of the agent is answered by the built-in model: the agent is hosted, or the call has a prompt."""
    return bool(system_prompt) or agent.voice_mode is VoiceMode.HOSTED


def put_lines(world: World, agent_id: str | None, lines: tuple[Line, ...], now: datetime) -> None:
    """Write down what an agent says (None: every agent without lines of its own), from the next call on.

    No lines at all take them away. Raises NotFound naming the agent.
    """
    if agent_id is not None:
        world.require_agent(agent_id)
    if lines:
        world.hosted_lines[agent_id] = lines
    else:
        world.hosted_lines.pop(agent_id, None)
    world.journal.append("hosted.script", now, agent_id=agent_id, lines=len(lines))


def role_of(world: World, call: Call, *, has_function: bool = False, has_model: bool = False) -> Role:
    """Settle what the agent is for one call. A change of the agent while the call goes on makes no difference to it."""
    agent = world.agents.get(call.agent_id) if call.agent_id else None
    name = call.agent_name or "the agent"
    values = variables_of(call, agent)
    unknown: dict[str, None] = {}
    prompt = call.system_prompt or (agent.system_prompt if agent else None) or ""
    filled = fill(prompt, values, unknown=unknown.setdefault)
    fill(_written_greeting(call, agent) or "", values, unknown=unknown.setdefault)
    lines = world.hosted_lines.get(call.agent_id) or world.hosted_lines.get(None, ())
    return Role(
        call_id=call.id,
        agent_name=name,
        prompt=filled,
        variables=values,
        tools=(agent.custom_tools or ()) if agent else (),
        lines=lines,
        unknown=tuple(unknown),
        has_function=has_function,
        has_model=has_model,
    )


def greeting_of(call: Call, agent: Agent | None) -> str:
    """Give what a hosted call begins with, its variables filled in; "" where it was asked to stay silent."""
    written = _written_greeting(call, agent)
    return hosted.greeting(call.agent_name or "the agent") if written is None else in_call(written, call, agent)


def in_call(text: str, call: Call, agent: Agent | None) -> str:
    """Fill in the variables of a call."""
    return fill(text, variables_of(call, agent))


def variables_of(call: Call, agent: Agent | None) -> Mapping[str, str]:
    """Give what `{{names}}` mean on a call: its own variables, and what is known of the agent and the call."""
    known = {
        "agent_id": call.agent_id,
        "agent_name": call.agent_name,
        "agent_description": agent.description if agent else None,
        "language": agent.language if agent else None,
        "transfer_number": agent.transfer_number if agent else None,
        "call_id": call.id,
        "direction": call.direction.value,
        "from_number": call.from_number,
        "to_number": call.to_number,
    }
    return {**{name: value for name, value in known.items() if value is not None}, **(call.variables or {})}


def _written_greeting(call: Call, agent: Agent | None) -> str | None:
    if call.initial_greeting is not None:
        return call.initial_greeting
    return agent.begin_message if agent else None
