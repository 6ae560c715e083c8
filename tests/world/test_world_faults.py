from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from simulator.domain.fault_rules import FaultSpec
from simulator.domain.messages import MessageStatus
from simulator.errors import NotFound
from simulator.world import carrier, faults
from simulator.world.world import World
from tests.helpers.world import NOW, make_world, new_endpoint, new_line, owe, snapshot, text_in, text_out

MINUTE = timedelta(minutes=1)


def rule(world: World, fault: str, on: str = "delivery", **more: Any) -> str:
    return faults.add(world, FaultSpec.of({"on": on, "fault": fault, **more}), NOW).id


def kinds(world: World) -> list[str]:
    return [entry.kind for entry in world.journal.since() if entry.kind.startswith("fault")]


def test_without_rules_nothing_is_looked_at() -> None:
    world = make_world()
    assert faults.strike(world, "delivery", {}, NOW) is None


def test_a_rule_that_does_not_exist_cannot_be_taken_off() -> None:
    world = make_world()
    rule(world, "refuse")
    before = snapshot(world)
    with pytest.raises(NotFound, match="fault rule 'flt_1' does not exist"):
        faults.remove(world, "flt_1")
    assert snapshot(world) == before


def test_a_firing_is_told_with_its_rule_its_parameters_and_what_it_hit() -> None:
    world = make_world()
    made = rule(world, "late", seconds=5)
    struck = faults.strike(world, "delivery", {}, NOW, delivery_id="del_1", attempt=1)
    assert struck is not None and struck.span == timedelta(seconds=5)
    (entry,) = world.journal.since(kind="fault")
    assert dict(entry.data) == {
        "rule_id": made, "on": "delivery", "fault": "late", "parameters": {"seconds": 5}, "fired": 1,
        "delivery_id": "del_1", "attempt": 1,
    }  # fmt: skip


def test_an_expiry_is_told_before_what_fires_instead() -> None:
    world = make_world()
    rule(world, "refuse", expires_in=60)
    rule(world, "duplicate")
    struck = faults.strike(world, "delivery", {}, NOW + MINUTE)
    assert struck is not None and struck.fault == "duplicate"
    assert kinds(world) == ["fault.expired", "fault.fired"]


def test_a_text_that_is_handed_over_keeps_the_fate_that_it_met() -> None:
    world = make_world()
    _, number = new_line(world)
    rule(world, "undelivered", on="carrier", reason="gone", code="X", times=1)
    message, _ = text_out(world, number)
    assert carrier.hand_over(world, message.id, NOW).fate is not None
    faults.remove(world, next(iter(world.faults.rules)))
    settled = carrier.settle(world, message.id, NOW + MINUTE)
    assert (settled.status, settled.failure_reason, settled.error_code) == (MessageStatus.FAILED, "gone", "X")


def test_an_agent_that_is_gone_is_still_known_by_its_id() -> None:
    world = make_world()
    agent, number = new_line(world)
    endpoint = new_endpoint(world)
    delivery = owe(world, text_in(world, number)[0], endpoint)
    assert faults.delivery_subject(world, delivery, endpoint)["agent"] == (agent.id, agent.name)
    world.forget_agent(agent.id)
    assert faults.delivery_subject(world, delivery, endpoint)["agent"] == (agent.id,)


def test_a_delivery_about_nobody_has_no_agent_and_no_number() -> None:
    world = make_world()
    _, number = new_line(world)
    endpoint = new_endpoint(world)
    delivery = replace(owe(world, text_in(world, number)[0], endpoint), agent_id=None, message_id=None, channel=None)
    subject = faults.delivery_subject(world, delivery, endpoint)
    assert (subject["agent"], subject.get("number"), subject["channel"]) == ((), None, None)
