from __future__ import annotations

import pytest

from simulator.domain.cards import ContactCard
from simulator.errors import BadRequest, NotFound
from simulator.world import cards, numbers
from tests.helpers.world import NOW, make_world, new_number, snapshot

ADA = ContactCard(first_name="Ada", last_name="King", avatar_url="https://example.com/a.png")


def test_a_card_is_put_and_then_replaced_as_a_whole() -> None:
    world = make_world()
    number = new_number(world)
    assert cards.put(world, number.id, ADA) == cards.get(world, number.id) == ADA
    cards.put(world, number.id, ContactCard(first_name="Grace"))
    assert cards.get(world, number.id) == ContactCard(first_name="Grace")


def test_each_number_has_a_card_of_its_own() -> None:
    world = make_world()
    first, second = new_number(world), new_number(world)
    cards.put(world, first.id, ADA)
    with pytest.raises(NotFound, match=f"{second.id}.*has no contact card"):
        cards.get(world, second.id)


def test_a_deleted_card_is_gone() -> None:
    world = make_world()
    number = new_number(world)
    cards.put(world, number.id, ADA)
    cards.delete(world, number.id)
    for use in (cards.get, cards.delete):
        with pytest.raises(NotFound, match=f"{number.id}.*has no contact card"):
            use(world, number.id)


def test_the_card_of_a_released_number_is_kept_as_it_was() -> None:
    world = make_world()
    number = new_number(world)
    card = cards.put(world, number.id, ADA)
    numbers.release(world, number.id, NOW)
    before = snapshot(world)
    for refused in (lambda: cards.put(world, number.id, ContactCard()), lambda: cards.delete(world, number.id)):
        with pytest.raises(BadRequest, match="was released"):
            refused()
    assert snapshot(world) == before
    assert cards.get(world, number.id) == card


def test_a_number_that_does_not_exist_has_no_card() -> None:
    world = make_world()
    with pytest.raises(NotFound, match="num_none"):
        cards.get(world, "num_none")
    with pytest.raises(NotFound, match="num_none"):
        cards.put(world, "num_none", ADA)
    assert world.cards == {}
