from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.domain.numbers import NumberStatus
from simulator.errors import BadRequest, Conflict
from simulator.world import agents, numbers, threads
from tests.helpers.world import (
    NOW,
    after,
    dial_in,
    dial_out,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    snapshot,
    text_in,
)


def test_a_number_remembers_how_it_was_bought() -> None:
    world = make_world()
    agent = new_agent(world)
    number = numbers.buy(
        world,
        country="US",
        area_code="415",
        agent_id=agent.id,
        type="imessage",
        imessage_type="dedicated",
        external_id="crm-7",
        expires_at=after(days=30),
        now=NOW,
    )
    assert (number.status, number.created_at, number.released_at) == (NumberStatus.ACTIVE, NOW, None)
    assert (number.country, number.type, number.imessage_type) == ("US", "imessage", "dedicated")
    assert (number.external_id, number.expires_at, number.agent_id) == ("crm-7", after(days=30), agent.id)
    assert numbers.get(world, number.id) == number
    assert agents.numbers_of(world, agent.id) == (number,)


def test_a_number_without_options_is_an_unattached_us_sms_number() -> None:
    number = numbers.buy(
        make_world(), country="US", area_code=None, agent_id=None, type=None, imessage_type=None, external_id=None,
        expires_at=None, now=NOW,
    )  # fmt: skip
    assert (number.country, number.type, number.agent_id) == ("US", "sms", None)


def test_more_numbers_than_the_plan_allows_are_refused() -> None:
    world = make_world()
    world.active_numbers.update((f"num_{number}", None) for number in range(numbers.NUMBER_LIMIT - 1))
    new_number(world)
    with pytest.raises(Conflict, match=f"{numbers.NUMBER_LIMIT} of {numbers.NUMBER_LIMIT} allowed") as refused:
        new_number(world)
    assert refused.value.code == "VALIDATION_ERROR_NUMBER_LIMIT"


def test_numbers_are_listed_newest_first_without_released_ones() -> None:
    world = make_world()
    first, gone, last = (new_number(world) for _ in range(3))
    numbers.release(world, gone.id, NOW)
    assert numbers.listing(world) == [last, first]


def test_a_released_number_is_kept_without_its_agent() -> None:
    world = make_world()
    agent, number = new_line(world)
    released = numbers.release(world, number.id, after(hours=1))
    assert (released.status, released.released_at, released.agent_id) == (NumberStatus.RELEASED, after(hours=1), None)
    assert numbers.get(world, number.id) == released
    assert agents.numbers_of(world, agent.id) == ()


def test_messages_and_calls_of_a_released_number_stay() -> None:
    world = make_world()
    _, number = new_line(world)
    message, conversation = text_in(world, number)
    call = dial_in(world, number)
    numbers.release(world, number.id, NOW)
    assert threads.for_number(world, number.id) == [message]
    assert threads.conversations(world) == [conversation]
    assert world.calls[call.id].live


def test_only_active_numbers_are_found_by_their_digits() -> None:
    world = make_world()
    number = new_number(world)
    assert numbers.find_active(world, number.phone_number) == number
    numbers.release(world, number.id, NOW)
    assert numbers.find_active(world, number.phone_number) is None
    assert numbers.find_active(world, "+14155550100") is None


def test_an_expiry_must_lie_ahead() -> None:
    with pytest.raises(BadRequest, match="has passed"):
        new_number(make_world(), expires_at=NOW)
    assert new_number(make_world(), expires_at=NOW + timedelta(microseconds=1)).expires_at is not None


@pytest.mark.parametrize(("kind", "imessage", "voice"), [("sms", 0, 1), ("imessage", 1, 1), ("shared-imessage", 1, 0)])
def test_each_kind_of_line_carries_what_it_can(kind: str, imessage: bool, voice: bool) -> None:
    number = new_number(make_world(), type=kind)
    assert (number.type, number.imessage, number.voice) == (kind, imessage, voice)


def test_a_tier_of_imessage_needs_an_imessage_line() -> None:
    assert new_number(make_world(), type="shared-imessage", imessage_type="pro").imessage_type == "pro"
    with pytest.raises(BadRequest, match="needs type 'imessage', not 'sms'"):
        new_number(make_world(), imessage_type="pro")


def test_calls_of_a_line_with_calls_go_to_its_agent_whatever_else_is_asked_for() -> None:
    world = make_world()
    number = new_number(world)
    assert numbers.route_voice(world, number.id, "sip") == number
    assert numbers.route_voice(world, number.id, "agent").voice_routing == "agent"


def test_a_shared_imessage_line_has_no_calls_to_route() -> None:
    world = make_world()
    number = new_number(world, type="shared-imessage")
    with pytest.raises(BadRequest, match="shared-imessage line"):
        numbers.route_voice(world, number.id, "agent")


def test_a_released_number_cannot_be_routed() -> None:
    world = make_world()
    number = new_number(world)
    numbers.release(world, number.id, NOW)
    with pytest.raises(BadRequest, match="was released"):
        numbers.route_voice(world, number.id, "agent")


def test_a_shared_imessage_line_neither_places_nor_takes_calls() -> None:
    world = make_world()
    agent = new_agent(world)
    number = new_number(world, agent, type="shared-imessage")
    new_endpoint(world)
    before = snapshot(world)
    for dial in (lambda: dial_out(world, agent), lambda: dial_in(world, number)):
        with pytest.raises(BadRequest, match=r"has no calls: it is a shared-imessage line"):
            dial()
    assert snapshot(world) == before
    spare = new_number(world, agent)
    assert dial_out(world, agent, from_number_id=spare.id).from_number == spare.phone_number
