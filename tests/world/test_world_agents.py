from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.domain.agents import Agent, CustomTool, VoiceMode
from simulator.errors import BadRequest, NotFound
from simulator.world import agents, calls, numbers, threads, webhooks
from tests.helpers.world import (
    NOW,
    after,
    dial_in,
    hang_up,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    text_in,
)


def test_a_new_agent_has_the_documented_defaults() -> None:
    world = make_world()
    agent = agents.create(world, {"name": "Support"}, NOW)
    assert agent == Agent(id=agent.id, name="Support", created_at=NOW)
    assert agents.get(world, agent.id) is agent


def test_agents_are_listed_newest_first() -> None:
    world = make_world()
    made = [new_agent(world, name) for name in "abc"]
    assert agents.listing(world) == made[::-1]


def test_a_null_for_something_every_agent_has_means_the_default() -> None:
    world = make_world()
    agent = new_agent(world, enable_messaging=None, voice=None, max_silence=None, language=None)
    assert agent == Agent(id=agent.id, name="Support", created_at=NOW)


def test_a_null_in_an_update_clears_what_can_be_empty_and_leaves_the_rest() -> None:
    world = make_world()
    agent = new_agent(world, description="old", voice_speed=1.5)
    changed = agents.update(world, agent.id, {"description": None, "voice_speed": None, "name": None}, NOW)
    assert changed == replace(agent, description=None)


def test_an_update_changes_only_what_is_given() -> None:
    world = make_world()
    agent = new_agent(world, begin_message="Hi", voice="alloy")
    changed = agents.update(world, agent.id, {"voice": "nova"}, after(hours=1))
    assert changed == replace(agent, voice="nova")
    assert agents.get(world, agent.id) == changed


@pytest.mark.parametrize("written", ["+14155550123", "(415) 555-0123", "415 555 0123", "1-415-555-0123"])
def test_a_transfer_number_is_kept_as_e164(written: str) -> None:
    assert new_agent(make_world(), transfer_number=written).transfer_number == "+14155550123"


def test_an_empty_transfer_number_or_voicemail_message_removes_it() -> None:
    world = make_world()
    agent = new_agent(world, transfer_number="+14155550123", voicemail_message="Call me back")
    changed = agents.update(world, agent.id, {"transfer_number": "", "voicemail_message": ""}, NOW)
    assert (changed.transfer_number, changed.voicemail_message) == (None, None)


def tool(name: str) -> CustomTool:
    return CustomTool(name=name, description="", url="http://127.0.0.1/")


def test_tools_are_replaced_as_a_whole_and_cleared_by_an_empty_list() -> None:
    world = make_world()
    agent = new_agent(world, custom_tools=[tool("a"), tool("b")])
    assert agent.custom_tools == (tool("a"), tool("b"))
    assert agents.update(world, agent.id, {"custom_tools": (tool("c"),)}, NOW).custom_tools == (tool("c"),)
    assert agents.update(world, agent.id, {"custom_tools": []}, NOW).custom_tools == ()


HOSTED: dict[str, Any] = {"voice_mode": VoiceMode.HOSTED, "system_prompt": "Be kind", "begin_message": "Hi"}


@pytest.mark.parametrize("mode", [VoiceMode.WEBHOOK, "webhook"])
def test_turning_a_hosted_agent_to_webhook_mode_clears_prompt_and_greeting(mode: str) -> None:
    world = make_world()
    agent = new_agent(world, **HOSTED)
    changed = agents.update(world, agent.id, {"voice_mode": mode}, NOW)
    assert (changed.voice_mode, changed.system_prompt, changed.begin_message) == (VoiceMode.WEBHOOK, None, None)


def test_a_greeting_given_with_the_change_of_mode_stays() -> None:
    world = make_world()
    agent = new_agent(world, **HOSTED)
    changed = agents.update(world, agent.id, {"voice_mode": VoiceMode.WEBHOOK, "begin_message": "Hello"}, NOW)
    assert (changed.system_prompt, changed.begin_message) == (None, "Hello")


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        (HOSTED, {"voice_mode": VoiceMode.HOSTED}),
        (HOSTED, {"name": "New"}),
        ({**HOSTED, "voice_mode": VoiceMode.WEBHOOK}, {"voice_mode": VoiceMode.WEBHOOK}),
        ({**HOSTED, "voice_mode": VoiceMode.WEBHOOK}, {"voice_mode": VoiceMode.HOSTED}),
    ],
)
def test_any_other_change_keeps_prompt_and_greeting(fields: dict[str, Any], changes: dict[str, Any]) -> None:
    world = make_world()
    changed = agents.update(world, new_agent(world, **fields).id, changes, NOW)
    assert (changed.system_prompt, changed.begin_message) == ("Be kind", "Hi")


def test_a_hosted_agent_without_a_prompt_is_accepted_by_default() -> None:
    assert new_agent(make_world(), voice_mode="hosted").voice_mode is VoiceMode.HOSTED


def test_a_hosted_agent_without_a_prompt_is_refused_by_policy() -> None:
    world = make_world(hosted_without_prompt="refuse")
    with pytest.raises(BadRequest, match="no systemPrompt"):
        new_agent(world, voice_mode=VoiceMode.HOSTED)
    agent = new_agent(world, **HOSTED)
    with pytest.raises(BadRequest, match="no systemPrompt"):
        agents.update(world, agent.id, {"system_prompt": ""}, NOW)


def test_deleting_leaves_numbers_calls_and_conversations_behind_without_an_agent() -> None:
    world = make_world()
    (agent, number), (other, others_number) = new_line(world), new_line(world, "Sales")
    second = new_number(world, agent)
    live, past = dial_in(world, number), hang_up(world, dial_in(world, number))
    kept = dial_in(world, others_number)
    _, thread = text_in(world, number)
    _, others_thread = text_in(world, others_number)

    assert agents.delete(world, agent.id, NOW) == (agent, (number.id, second.id))

    assert agents.listing(world) == [other]
    assert [numbers.get(world, n.id).agent_id for n in (number, second, others_number)] == [None, None, other.id]
    assert [calls.get(world, c.id).agent_id for c in (live, past, kept)] == [None, None, other.id]
    assert calls.get(world, live.id).live
    owners = [threads.get_conversation(world, c.id).agent_id for c in (thread, others_thread)]
    assert owners == [None, other.id]


def test_deleting_drops_the_agents_webhook_only() -> None:
    world = make_world()
    agent = new_agent(world)
    account, own = new_endpoint(world), new_endpoint(world, agent)
    assert webhooks.endpoint_for(world, agent.id) == own
    agents.delete(world, agent.id, NOW)
    assert list(world.endpoints.values()) == [account]


def test_a_deleted_agent_is_gone_and_its_numbers_can_be_attached_again() -> None:
    world = make_world()
    agent, number = new_line(world)
    agents.delete(world, agent.id, NOW)
    with pytest.raises(NotFound, match=agent.id):
        agents.get(world, agent.id)
    heir = new_agent(world, "Heir")
    agents.attach(world, heir.id, number.id)
    assert [n.id for n in agents.numbers_of(world, heir.id)] == [number.id]


def test_an_agents_numbers_come_in_the_order_they_were_attached() -> None:
    world = make_world()
    agent = new_agent(world)
    bought = [new_number(world) for _ in range(3)]
    for number in reversed(bought):
        agents.attach(world, agent.id, number.id)
    assert [n.id for n in agents.numbers_of(world, agent.id)] == [n.id for n in reversed(bought)]
    assert agents.numbers_of(world, new_agent(world).id) == ()


def test_attaching_again_keeps_the_place() -> None:
    world = make_world()
    agent, first = new_line(world)
    second = new_number(world, agent)
    assert agents.attach(world, agent.id, first.id) == (agent, first)
    assert [n.id for n in agents.numbers_of(world, agent.id)] == [first.id, second.id]


def test_attaching_a_number_of_another_agent_moves_it() -> None:
    world = make_world()
    (loser, number), (winner, own) = new_line(world, "a"), new_line(world, "b")
    returned, moved = agents.attach(world, winner.id, number.id)
    assert (returned, moved.agent_id) == (winner, winner.id)
    assert agents.numbers_of(world, loser.id) == ()
    assert [n.id for n in agents.numbers_of(world, winner.id)] == [own.id, number.id]


def test_a_detached_number_belongs_to_nobody() -> None:
    world = make_world()
    agent, number = new_line(world)
    assert agents.detach(world, agent.id, number.id).agent_id is None
    assert agents.numbers_of(world, agent.id) == ()
