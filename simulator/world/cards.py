"""Contact cards: the name and picture that people see when a number texts them."""

from __future__ import annotations

from simulator.domain.cards import ContactCard
from simulator.errors import NotFound
from simulator.world import numbers
from simulator.world.world import World


def get(world: World, number_id: str) -> ContactCard:
    """Return the number's card. Raises NotFound naming the number, when it does not exist or has no card."""
    number = numbers.get(world, number_id)
    card = world.cards.get(number.id)
    if card is None:
        raise NotFound(f"number {number_id!r} ({number.phone_number}) has no contact card: put one first")
    return card


def put(world: World, number_id: str, card: ContactCard) -> ContactCard:
    """Give the number a card instead of the one it had. Raises NotFound, or BadRequest for a released number."""
    world.cards[numbers.get_active(world, number_id).id] = card
    return card


def delete(world: World, number_id: str) -> None:
    """Take the number's card away. Raises NotFound as `get` does, or BadRequest for a released number."""
    numbers.get_active(world, number_id)
    get(world, number_id)
    del world.cards[number_id]
