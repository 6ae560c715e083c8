from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.agents import CustomTool
from simulator.domain.calls import Call
from simulator.domain.hosted import HostedAnswer
from simulator.engine.hosted_events import Line
from simulator.errors import NotFound
from simulator.world import agents, calls, hosted
from simulator.world.world import World
from tests.helpers.world import CALLER, NOW, dial_in, dial_out, make_world, new_agent, new_endpoint, new_line, snapshot

TOOL = CustomTool(name="book", description="", url="http://127.0.0.1/")
ONE, TWO = ((Line(answer=HostedAnswer(say=text)),) for text in ("One", "Two"))


def call_of(world: World, **agent: Any) -> Call:
    fields = {"voice_mode": "hosted", "system_prompt": "Be kind to {{who}}", **agent}
    return dial_in(world, new_line(world, "Ann", **fields)[1])


@pytest.mark.parametrize(
    ("mode", "prompt", "hosts"),
    [("hosted", None, True), ("webhook", "Sell", True), ("webhook", None, False), ("webhook", "", False)],
)
def test_a_call_is_hosted_by_its_agent_or_by_its_own_prompt(mode: str, prompt: str | None, hosts: bool) -> None:
    world = make_world()
    new_endpoint(world)
    agent, _ = new_line(world, voice_mode=mode)
    assert dial_out(world, agent, system_prompt=prompt).hosted is hosts
    assert call_of(world, voice_mode=mode).hosted is (mode == "hosted")


def test_a_change_of_mode_is_for_the_next_call() -> None:
    world = make_world()
    call = call_of(world)
    agents.update(world, call.agent_id or "", {"voice_mode": "webhook"}, NOW)
    assert calls.get(world, call.id).hosted


def test_the_roles_prompt_is_the_calls_own_before_the_agents() -> None:
    world = make_world()
    agent, _ = new_line(world, voice_mode="hosted", system_prompt="Agent's", custom_tools=(TOOL,))
    own = dial_out(world, agent, system_prompt="{{a}} and {{agent_name}}", variables={"a": "A"})
    assert hosted.role_of(world, own).prompt == "A and Support"
    role = hosted.role_of(world, dial_out(world, agent))
    assert (role.prompt, role.tools, role.unknown) == ("Agent's", (TOOL,), ())


def test_variables_of_the_call_win_over_what_is_known_anyway() -> None:
    world = make_world()
    agent, number = new_line(world, voice_mode="hosted", language="de-DE")
    call = dial_out(world, agent, variables={"agent_name": "Bob", "x": "1"})
    values = hosted.variables_of(call, agent)
    assert (values["agent_name"], values["x"], values["language"]) == ("Bob", "1", "de-DE")
    assert (values["from_number"], values["to_number"]) == (number.phone_number, CALLER)
    assert "transfer_number" not in values


def test_names_without_a_value_are_known_before_the_call_is_connected() -> None:
    role = hosted.role_of(world := make_world(), call_of(world, begin_message="{{hi}} {{agent_name}}"))
    assert (role.unknown, role.prompt) == (("who", "hi"), "Be kind to {{who}}")


@pytest.mark.parametrize(
    ("begin", "initial", "greeting"),
    [
        (None, None, "Hello, this is the simulated voice of Support."),
        ("I am {{agent_name}}", None, "I am Support"),
        ("Hi", "Own {{n}}", "Own 1"),
        ("Hi", "", ""),
        ("", None, ""),
    ],
)
def test_a_greeting_is_made_up_only_where_none_was_given(begin: str | None, initial: str | None, greeting: str) -> None:
    world = make_world()
    agent, _ = new_line(world, voice_mode="hosted", begin_message=begin)
    call = dial_out(world, agent, initial_greeting=initial, variables={"n": "1"})
    assert hosted.greeting_of(call, agent) == greeting


def test_an_agents_own_lines_win_over_everybodys() -> None:
    world = make_world()
    call = call_of(world)
    assert hosted.role_of(world, call).lines == ()
    hosted.put_lines(world, None, ONE, NOW)
    assert hosted.role_of(world, call).lines == ONE
    hosted.put_lines(world, call.agent_id, TWO, NOW)
    assert hosted.role_of(world, call).lines == TWO
    hosted.put_lines(world, call.agent_id, (), NOW)
    assert hosted.role_of(world, call).lines == ONE


def test_lines_go_with_their_agent_and_a_call_goes_on_without_it() -> None:
    world = make_world()
    call = call_of(world)
    hosted.put_lines(world, call.agent_id, ONE, NOW)
    agents.delete(world, call.agent_id or "", NOW)
    role = hosted.role_of(world, calls.get(world, call.id))
    assert (world.hosted_lines, role.agent_name, role.prompt) == ({}, "Ann", "")


def test_lines_of_nobody_are_refused_and_change_nothing() -> None:
    world = make_world()
    new_agent(world)
    before = snapshot(world)
    with pytest.raises(NotFound, match="'agt_x'"):
        hosted.put_lines(world, "agt_x", ONE, NOW)
    assert snapshot(world) == before
