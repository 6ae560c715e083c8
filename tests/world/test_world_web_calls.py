from __future__ import annotations

import pytest

from simulator.domain.calls import CallStatus, Direction, DisconnectionReason
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world import calls, web_calls
from simulator.world.world import World
from tests.helpers.world import NOW, after, hang_up, make_world, new_agent, new_endpoint, snapshot


def office(**policies: str) -> tuple[World, str]:
    """An account whose agent can be called from a browser; it needs no number for that."""
    world = make_world(**policies)
    new_endpoint(world)
    return world, new_agent(world, voice="alloy").id


def test_a_web_call_has_no_number_on_either_end_and_keeps_what_it_was_given() -> None:
    world, agent_id = office()
    metadata, variables = {"cart": [1, 2]}, {"name": "Ada"}
    call = web_calls.register(world, agent_id=agent_id, metadata=metadata, variables=variables, max_live=9, now=NOW)
    assert (call.direction, call.status, call.voice) == (Direction.WEB, CallStatus.IN_PROGRESS, "alloy")
    assert (call.number_id, call.phone_number, call.from_number, call.to_number) == (None, None, "", "")
    assert (call.metadata, call.variables) == (metadata, variables)
    placed = list(world.journal.since())[-1]
    assert (placed.kind, placed.data["metadata"], placed.data["variables"]) == ("call.placed", metadata, variables)


def test_every_web_call_has_a_token_of_its_own_that_opens_it() -> None:
    world, agent_id = office()
    one, two = (web_calls.register(world, agent_id=agent_id, max_live=9, now=NOW) for _ in range(2))
    assert one.access_token != two.access_token
    assert web_calls.joinable(world, one.access_token or "") == one
    assert web_calls.joinable(world, two.access_token or "") == two


def test_a_token_nobody_was_given_opens_nothing() -> None:
    world, _ = office()
    with pytest.raises(NotFound, match="opens no call"):
        web_calls.joinable(world, "wct_made_up")


def test_a_token_is_good_once() -> None:
    world, agent_id = office()
    call = web_calls.register(world, agent_id=agent_id, max_live=9, now=NOW)
    calls.connect(world, call.id, after(seconds=5))
    with pytest.raises(Conflict, match=f"{call.id} cannot be joined: its access token was used"):
        web_calls.joinable(world, call.access_token or "")


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (DisconnectionReason.REGISTERED_CALL_TIMEOUT, "expired after 30 s"),
        (DisconnectionReason.API_HANGUP, "it ended \\(api_hangup\\)"),
    ],
)
def test_a_web_call_that_is_over_cannot_be_joined(reason: DisconnectionReason, why: str) -> None:
    world, agent_id = office()
    call = web_calls.register(world, agent_id=agent_id, max_live=9, now=NOW)
    hang_up(world, call, reason, now=after(seconds=30))
    with pytest.raises(Conflict, match=why):
        web_calls.joinable(world, call.access_token or "")


def test_a_web_call_that_cannot_be_made_changes_nothing() -> None:
    world, agent_id = office()
    before = snapshot(world)
    for agent, max_live, error in ((agent_id, 0, Conflict), ("agt_x", 9, NotFound)):
        with pytest.raises(error):
            web_calls.register(world, agent_id=agent, max_live=max_live, now=NOW)
    assert snapshot(world) == before


def test_a_web_call_of_a_hosted_agent_needs_no_webhook() -> None:
    world = make_world()
    hosted = new_agent(world, "Hosted", voice_mode="hosted", system_prompt="Be kind").id
    assert web_calls.register(world, agent_id=hosted, max_live=9, now=NOW).hosted


def test_a_web_call_needs_a_webhook_unless_the_policy_is_silence() -> None:
    world, lenient = make_world(), make_world(no_webhook_call="silence")
    with pytest.raises(BadRequest, match="no webhook is set"):
        web_calls.register(world, agent_id=new_agent(world).id, max_live=9, now=NOW)
    assert web_calls.register(lenient, agent_id=new_agent(lenient).id, max_live=9, now=NOW).live


def test_web_calls_are_found_by_type_and_by_direction_and_by_no_number() -> None:
    world, agent_id = office()
    call = web_calls.register(world, agent_id=agent_id, max_live=9, now=NOW)
    assert calls.listing(world, type="web") == calls.listing(world, direction="web") == [call]
    assert calls.listing(world, agent_id=agent_id) == [call]
    assert calls.listing(world, type="pstn") == calls.listing(world, search="1") == []
