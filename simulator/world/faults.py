"""What goes wrong on purpose in this account: rules made and deleted, and everything that they strike journalled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.domain.calls import Call
from simulator.domain.fault_rules import FaultRule, FaultSpec
from simulator.domain.faults import MOST_RULES
from simulator.domain.webhooks import Delivery, WebhookEndpoint
from simulator.engine.faults import Count, Path, Struck, Subject, could_be_on_route, is_over, segments_of
from simulator.errors import Conflict, NotFound
from simulator.world.world import World

__all__ = ["Count", "Path", "Struck", "could_be_on_route", "segments_of"]  # serving reaches the engine through us


def add(world: World, spec: FaultSpec, now: datetime) -> FaultRule:
    """Put a rule after all others. Raises Conflict when there are too many."""
    if len(world.faults.rules) >= MOST_RULES:
        raise Conflict(f"{MOST_RULES} fault rules are there already, spent ones included: delete some first")
    expires_at = None if spec.expires_in is None else now + spec.expires_in
    rule = FaultRule(id=world.entropy.new_id("fault"), spec=spec, expires_at=expires_at)
    world.faults.add(rule)
    return rule


def remove(world: World, rule_id: str) -> tuple[FaultRule, Count]:
    """Take a rule off; it as it was last. Raises NotFound naming the id."""
    count = world.faults.counts.get(rule_id)
    rule = world.faults.remove(rule_id)
    if rule is None or count is None:
        raise NotFound(f"fault rule {rule_id!r} does not exist in this account")
    return rule, count


def listing(world: World, now: datetime) -> list[tuple[FaultRule, Count]]:
    """Every rule with its count, in the order in which they are looked at."""
    _tell_lapsed(world, now)
    return [(rule, world.faults.counts[rule.id]) for rule in world.faults.rules.values()]


def state_of(rule: FaultRule, count: Count, now: datetime) -> str:
    """Say what is left of a rule: `active`, `spent` (its times are used up) or `expired`."""
    if rule.spec.times is not None and count.fired >= rule.spec.times:
        return "spent"
    return "expired" if is_over(rule, now) else "active"


def strike(
    world: World, on: str, subject: Subject, now: datetime, kinds: tuple[str, ...] = (), /, **hit: Any
) -> Struck | None:
    """Let the rules look at a subject. When one strikes it, the journal says which, and `hit` says what was struck.

    `kinds` are the faults that can happen to it; none: all of them can.
    """
    if not world.faults:
        return None
    _tell_lapsed(world, now)
    struck = world.faults.strike(on, subject, now, world.entropy.roll, kinds)
    if struck is not None:
        spec = struck.rule.spec
        told = {"rule_id": struck.rule.id, "on": on, "fault": spec.fault, "parameters": spec.parameters}
        world.journal.append("fault.fired", now, **told, fired=struck.fired, **hit)
    return struck


def _tell_lapsed(world: World, now: datetime) -> None:
    # Told when somebody next looks: a timer would be something to wait for, and an idle `auto` clock would jump to it.
    for rule in world.faults.lapsed(now):
        told = {"rule_id": rule.id, "on": rule.spec.on, "fault": rule.spec.fault, "expires_at": rule.expires_at}
        world.journal.append("fault.expired", now, **told, fired=world.faults.counts[rule.id].fired)


# -- what the rules look at --------------------------------------------------------------------------------------


def delivery_subject(world: World, delivery: Delivery, endpoint: WebhookEndpoint) -> Mapping[str, Any]:
    """A delivery's next attempt."""
    about: dict[str, Any] = {}
    if delivery.call_id is not None and delivery.call_id in world.calls:
        about = call_subject(world, world.calls[delivery.call_id])
    elif delivery.message_id is not None and delivery.message_id in world.messages:
        message = world.messages[delivery.message_id]
        about = {"number": (message.from_number, message.to_number)}
    return {
        **about,
        "agent": _agent(world, delivery.agent_id),
        "event": delivery.event_type.value,
        "channel": None if delivery.channel is None else delivery.channel.value,
        "url": endpoint.url,
        "attempt": len(delivery.attempts) + 1,
    }


def call_subject(world: World, call: Call) -> dict[str, Any]:
    """A call, and who is on it."""
    return {"agent": _agent(world, call.agent_id), "number": (call.from_number, call.to_number), "call": call.id}


def _agent(world: World, agent_id: str | None) -> tuple[str, ...]:
    """What a rule may call an agent."""
    if agent_id is None:
        return ()
    agent = world.agents.get(agent_id)
    return (agent_id,) if agent is None else (agent_id, agent.name)
