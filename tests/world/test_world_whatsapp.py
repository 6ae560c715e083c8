from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world import agents, numbers, whatsapp
from tests.helpers.world import NOW, make_world, new_agent, new_number, snapshot


def connect(world: Any, **fields: Any) -> Any:
    return whatsapp.connect(world, **{"code": "AQD", **fields}, now=NOW)


def test_a_connection_keeps_what_it_was_given_and_makes_up_a_waba_id_otherwise() -> None:
    world = make_world()
    given = connect(world, waba_id="104", business_id="9", phone_number_id="77")
    assert (given.waba_id, given.business_id, given.phone_number_id) == ("104", "9", "77")
    made = connect(world)
    assert made.waba_id.isdigit() and len(made.waba_id) == 15
    assert whatsapp.listing(world) == [made, given]
    assert connect(make_world(seed=7)).waba_id == made.waba_id


def test_active_sms_numbers_can_be_connected_and_others_cannot() -> None:
    world = make_world()
    connection = connect(world)
    line, taken, released = (new_number(world) for _ in range(3))
    new_number(world, type="imessage")
    numbers.release(world, released.id, NOW)
    whatsapp.connect_number(world, connection.id, whatsapp.phone_number_id(taken), None, NOW)
    assert whatsapp.available_numbers(world, connection.id) == [line]


def test_ids_of_numbers_stay_the_same_and_look_like_metas() -> None:
    first, second = new_number(make_world()), new_number(make_world())
    assert whatsapp.phone_number_id(first) == whatsapp.phone_number_id(second)
    assert whatsapp.phone_number_id(first).isdigit() and len(whatsapp.phone_number_id(first)) == 15


def test_a_connected_number_is_enabled_and_belongs_to_the_named_agent() -> None:
    world = make_world()
    agent, number = new_agent(world), new_number(world)
    connection = connect(world)
    meta_id = whatsapp.phone_number_id(number)
    enabled = whatsapp.connect_number(world, connection.id, meta_id, agent.id, NOW)
    assert (enabled.whatsapp_enabled, enabled.agent_id) == (True, agent.id)
    assert agents.numbers_of(world, agent.id) == (enabled,)
    assert whatsapp.connected_numbers(world, whatsapp.get(world, connection.id)) == [enabled]


def test_a_number_without_an_agent_of_its_own_goes_to_the_connections() -> None:
    world = make_world()
    agent, other = new_agent(world), new_agent(world)
    connection = connect(world, agent_id=agent.id)
    lines = [new_number(world) for _ in range(3)]
    ids = [whatsapp.phone_number_id(n) for n in lines]
    assert whatsapp.connect_number(world, connection.id, ids[0], None, NOW).agent_id == agent.id
    assert whatsapp.connect_number(world, connection.id, ids[1], other.id, NOW).agent_id == other.id
    agents.delete(world, agent.id, NOW)
    assert whatsapp.connect_number(world, connection.id, ids[2], None, NOW).agent_id is None


def test_connecting_with_an_id_of_one_of_our_numbers_connects_the_number_too() -> None:
    world = make_world()
    number = new_number(world)
    connection = connect(world, phone_number_id=whatsapp.phone_number_id(number))
    assert connection.number_ids == (number.id,)
    assert world.numbers[number.id].whatsapp_enabled


def test_disconnecting_turns_whatsapp_off_and_leaves_the_number() -> None:
    world = make_world()
    agent, number = new_agent(world), new_number(world)
    connection = connect(world)
    whatsapp.connect_number(world, connection.id, whatsapp.phone_number_id(number), agent.id, NOW)
    whatsapp.disconnect(world, connection.id, NOW)
    assert (world.numbers[number.id].whatsapp_enabled, world.numbers[number.id].agent_id) == (False, agent.id)
    again = connect(world)
    assert whatsapp.connect_number(world, again.id, whatsapp.phone_number_id(number), None, NOW).whatsapp_enabled


def test_a_released_number_is_no_longer_the_connections() -> None:
    world = make_world()
    number = new_number(world)
    connection = connect(world, phone_number_id=whatsapp.phone_number_id(number))
    numbers.release(world, number.id, NOW)
    assert whatsapp.connected_numbers(world, connection) == []
    whatsapp.disconnect(world, connection.id, NOW)


def test_what_cannot_be_connected_is_refused_and_changes_nothing() -> None:
    world = make_world()
    taken, free = new_number(world), new_number(world)
    connection = connect(world, waba_id="104", phone_number_id=whatsapp.phone_number_id(taken))
    taken_id, free_id = whatsapp.phone_number_id(taken), whatsapp.phone_number_id(free)
    before = snapshot(world)
    for command, error in (
        (lambda: connect(world, code=" "), BadRequest),
        (lambda: connect(world, agent_id="agt_nope"), NotFound),
        (lambda: connect(world, waba_id="104"), Conflict),
        (lambda: connect(world, phone_number_id=taken_id), Conflict),
        (lambda: whatsapp.connect_number(world, connection.id, taken_id, None, NOW), Conflict),
        (lambda: whatsapp.connect_number(world, connection.id, "104", None, NOW), NotFound),
        (lambda: whatsapp.connect_number(world, connection.id, free_id, "agt_nope", NOW), NotFound),
        (lambda: whatsapp.connect_number(world, "wac_nope", free_id, None, NOW), NotFound),
        (lambda: whatsapp.available_numbers(world, "wac_nope"), NotFound),
        (lambda: whatsapp.disconnect(world, "wac_nope", NOW), NotFound),
    ):
        with pytest.raises(error):
            command()
    assert snapshot(world) == before


class Everything(frozenset[str]):
    def __contains__(self, _: object) -> bool:
        return True


def test_an_id_that_is_taken_is_never_given_again() -> None:
    first = whatsapp.new_meta_id(make_world(), "waba", frozenset())
    assert whatsapp.new_meta_id(make_world(), "waba", frozenset({first})) != first
    world = make_world()
    before = snapshot(world)
    with pytest.raises(Conflict, match="waba"):
        whatsapp.new_meta_id(world, "waba", Everything())
    assert snapshot(world) == before
