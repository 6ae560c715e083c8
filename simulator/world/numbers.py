"""Phone numbers: bought, found, given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from simulator.domain.money import Item
from simulator.domain.numbers import DEFAULT_ROUTING, TYPES, NumberStatus, PhoneNumber
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world import inventory, limits, money
from simulator.world.world import World

NUMBER_LIMIT: Final = 100_000  # held at once; more is a mistake in a loop


def buy(
    world: World,
    *,
    country: str = "US",
    area_code: str | None = None,
    agent_id: str | None = None,
    type: str | None = "sms",  # noqa: A002 - the wire's own word
    imessage_type: str | None = None,
    external_id: str | None = None,
    expires_at: datetime | None = None,
    gift: bool = False,
    now: datetime,
) -> PhoneNumber:
    """Buy a number, attached to `agent_id` when given. A `gift` costs nothing, and no limit is in its way.

    Raises BadRequest for a country or option that cannot be had, NotFound for an unknown agent, Conflict when the area
    code has nothing to offer or the account has too many, Unavailable when the whole country has nothing,
    PaymentRequired.
    """
    kind = type or "sms"
    _check_options(kind, imessage_type, expires_at, now)
    inventory.check_place(world, country, area_code)
    if agent_id is not None:
        world.require_agent(agent_id)
    if not gift:
        limits.check_number(world)
        money.require(world, Item.NUMBER)
    if len(world.active_numbers) >= NUMBER_LIMIT:
        raise Conflict(
            f"{len(world.active_numbers)} of {NUMBER_LIMIT} allowed numbers are in use: release one first",
            code="VALIDATION_ERROR_NUMBER_LIMIT",
        )
    number = PhoneNumber(
        phone_number=inventory.draw(world, country, area_code),
        id=world.entropy.new_id("number"),
        country=country,
        created_at=now,
        type=kind,
        imessage_type=imessage_type,
        agent_id=agent_id,
        attached_at=world.next_sequence() if agent_id is not None else 0,
        external_id=external_id,
        expires_at=expires_at,
    )
    world.store_number(number)
    if not gift:
        money.charge(world, Item.NUMBER, now, about=number.id)
    return number


def get(world: World, number_id: str) -> PhoneNumber:
    """Return the number, released or not. Raises NotFound naming the id."""
    number = world.numbers.get(number_id)
    if number is None:
        raise NotFound(f"number {number_id!r} does not exist in this account")
    return number


def get_active(world: World, number_id: str) -> PhoneNumber:
    """Return the number. Raises NotFound naming the id, BadRequest when the number was released."""
    number = get(world, number_id)
    if number.status is NumberStatus.RELEASED:
        raise BadRequest(f"number {number_id!r} ({number.phone_number}) cannot be changed: it was released")
    return number


def listing(world: World) -> Sequence[PhoneNumber]:
    """Return the numbers that were not released, newest first."""
    return [world.numbers[number_id] for number_id in reversed(world.active_numbers)]


def update(world: World, number_id: str, changes: Mapping[str, Any], now: datetime) -> PhoneNumber:
    """Change `external_id` or `expires_at`, whichever is given; None takes it away.

    Raises BadRequest for a released number, or for an expiry that has passed.
    """
    number = get_active(world, number_id)
    _check_expiry(changes.get("expires_at"), now)
    return world.store_number(replace(number, **changes))


def route_voice(world: World, number_id: str, method: str) -> PhoneNumber:
    """Say who takes the number's calls. Only "agent" means something; anything else is ignored.

    Raises NotFound, or BadRequest for a released number or a line without calls.
    """
    number = get_active(world, number_id)
    check_voice(number)
    # Users found other methods to be taken and to change nothing.
    return number if method != DEFAULT_ROUTING else world.store_number(replace(number, voice_routing=method))


def check_voice(number: PhoneNumber) -> None:
    """Raise BadRequest for a number that can neither place nor take calls."""
    if not number.voice:
        raise BadRequest(
            f"number {number.id!r} ({number.phone_number}) has no calls: it is a {number.type} line; use another number"
        )


def release(world: World, number_id: str, now: datetime) -> PhoneNumber:
    """Give the number back for good. Its messages, conversations and calls stay, and live calls go on."""
    number = get(world, number_id)
    if number.released_at is not None:
        raise BadRequest(
            f"number {number_id!r} ({number.phone_number}) was released already, at {number.released_at.isoformat()}"
        )
    return world.store_number(replace(number, status=NumberStatus.RELEASED, agent_id=None, released_at=now))


def find_active(world: World, e164: str) -> PhoneNumber | None:
    """Return the account's number with these digits, or None when it has none or released it."""
    number_id = world.number_ids.get(e164)
    if number_id is None or number_id not in world.active_numbers:
        return None
    return world.numbers[number_id]


def _check_options(kind: str, imessage_type: str | None, expires_at: datetime | None, now: datetime) -> None:
    if kind not in TYPES:
        raise BadRequest(f"a number of type {kind!r} cannot be bought: choose one of {', '.join(TYPES)}")
    if imessage_type is not None and kind == "sms":
        raise BadRequest(f"imessageType {imessage_type!r} needs type 'imessage', not {kind!r}")
    _check_expiry(expires_at, now)


def _check_expiry(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise BadRequest(f"expiresAt {expires_at.isoformat()} has passed: it is {now.isoformat()}")
