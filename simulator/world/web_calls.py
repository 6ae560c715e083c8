"""Web calls: between an agent and a browser, without a phone number on either end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.domain.calls import NO_NUMBER, WEB_TOKEN_LIFE, Call, CallStatus, Direction, DisconnectionReason
from simulator.errors import Conflict, NotFound
from simulator.world import calls, hosted
from simulator.world.world import World


def register(
    world: World,
    *,
    agent_id: str,
    metadata: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    max_live: int,
    now: datetime,
) -> Call:
    """Prepare a call between the agent and a browser; it rings until somebody joins it with its access token.

    Raises NotFound, BadRequest or Conflict (too many calls). The agent needs no number.
    """
    agent = world.require_agent(agent_id)
    calls.check_may_call(world, agent, None, max_live)
    call = Call(
        id=world.entropy.new_id("call"),
        agent_id=agent.id,
        agent_name=agent.name,
        number_id=None,
        phone_number=None,
        from_number=NO_NUMBER,
        to_number=NO_NUMBER,
        direction=Direction.WEB,
        status=CallStatus(world.policies["ringing_status"]),
        started_at=now,
        hosted=hosted.is_hosted(agent, None),
        voice=agent.voice,
        variables=dict(variables) if variables is not None else None,
        metadata=dict(metadata) if metadata is not None else None,
        access_token=world.entropy.new_id("web_token"),
    )
    return calls.placed(world, call)


def joinable(world: World, access_token: str) -> Call:
    """Return the web call that the token opens.

    Raises NotFound for a token nobody was given, Conflict for one that was used or has expired. The caller connects the
    call, which uses the token up.
    """
    call_id = world.web_calls.get(access_token)
    if call_id is None:
        raise NotFound("the access token opens no call of this account: use the accessToken of POST /v1/calls/web")
    call = world.calls[call_id]
    if call.connected_at is not None:
        raise Conflict(f"{call_id} cannot be joined: its access token was used at {call.connected_at.isoformat()}")
    if call.disconnection_reason is DisconnectionReason.REGISTERED_CALL_TIMEOUT:
        life = f"{WEB_TOKEN_LIFE.total_seconds():g} s"
        raise Conflict(f"{call_id} cannot be joined: its access token has expired after {life}; make another web call")
    return calls.require_live(world, call_id, "joined")
