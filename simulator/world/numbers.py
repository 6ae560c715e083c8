"""Phone numbers: bought, found, given back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.phone import country_of, is_subscriber_area
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world.world import World

TYPES: Final = ("sms", "imessage")
# Sold when no area code is asked for, and proposed when one has nothing to offer. All are in service.
AREA_CODES: Final = {
    "US": ("415", "212", "310", "312", "206", "512", "617", "305", "404", "303", "702", "713", "503", "602", "646"),
    "CA": ("416", "604", "514", "403", "613", "902", "204", "306", "250", "905"),
}
NUMBER_LIMIT: Final = 100_000  # held at once; more is a mistake in a loop
PROPOSALS: Final = 3  # other area codes named in a refusal
TRIES: Final = 256  # draws before we say that nothing is left: with nine in ten numbers gone, a wrong no is 1 in 10**11
# Central office codes that subscribers can have: not N11 services, not 555 (directory, and fiction from 0100 to 0199).
EXCHANGES: Final = tuple(code for code in range(200, 1000) if code % 100 != 11 and code != 555)
_KEPT: Final = 4  # leading digits of a foreign example number: enough to stay within its kind
_VARIED: Final = 4  # trailing digits that differ from number to number, at least


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
    now: datetime,
) -> PhoneNumber:
    """Buy a number, attached to `agent_id` when given.

    Raises BadRequest for a country or option that cannot be had, NotFound for an unknown agent, Conflict when the area
    code has nothing to offer.
    """
    kind = type or "sms"
    _check_options(kind, imessage_type, expires_at, now)
    _check_place(world, country, area_code)
    if agent_id is not None:
        world.require_agent(agent_id)
    if len(world.active_numbers) >= NUMBER_LIMIT:
        raise Conflict(
            f"{len(world.active_numbers)} of {NUMBER_LIMIT} allowed numbers are in use: release one first",
            code="VALIDATION_ERROR_NUMBER_LIMIT",
        )
    number = PhoneNumber(
        phone_number=_unsold(world, country, area_code),
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
    return world.store_number(number)


def get(world: World, number_id: str) -> PhoneNumber:
    """Return the number, released or not. Raises NotFound naming the id."""
    number = world.numbers.get(number_id)
    if number is None:
        raise NotFound(f"number {number_id!r} does not exist in this account")
    return number


def listing(world: World) -> Sequence[PhoneNumber]:
    """Return the numbers that were not released, newest first."""
    return [world.numbers[number_id] for number_id in reversed(world.active_numbers)]


def update(world: World, number_id: str, changes: Mapping[str, Any], now: datetime) -> PhoneNumber:
    """Change `external_id` or `expires_at`, whichever is given; None takes it away.

    Raises BadRequest for a released number, or for an expiry that has passed.
    """
    number = get(world, number_id)
    if number.status is NumberStatus.RELEASED:
        raise BadRequest(f"number {number_id!r} ({number.phone_number}) cannot be changed: it was released")
    _check_expiry(changes.get("expires_at"), now)
    return world.store_number(replace(number, **changes))


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
    if imessage_type is not None and kind != "imessage":
        raise BadRequest(f"imessageType {imessage_type!r} needs type 'imessage', not {kind!r}")
    _check_expiry(expires_at, now)


def _check_expiry(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise BadRequest(f"expiresAt {expires_at.isoformat()} has passed: it is {now.isoformat()}")


def _check_place(world: World, country: str, area_code: str | None) -> None:
    known = AREA_CODES.get(country)
    if known is None and world.policies["number_countries"] == "us_ca":
        raise BadRequest(f"numbers of country {country!r} cannot be bought: choose US or CA")
    if known is None and _example(country) is None:
        raise BadRequest(f"country {country!r} does not exist: use a two-letter ISO code such as US, CA or GB")
    if area_code is None:
        return
    if known is None:
        raise BadRequest(f"areaCode {area_code!r} cannot be chosen in {country}: only US and CA numbers have one")
    if not re.fullmatch("[0-9]{3}", area_code):
        raise BadRequest(f"areaCode {area_code!r} is not an area code: give three digits, for example {known[0]}")
    if area_code not in known and not (country_of(area_code) == country and is_subscriber_area(area_code)):
        raise _nothing_left(country, area_code)


def _unsold(world: World, country: str, area_code: str | None) -> str:
    """Draw a number that this account has never had."""
    make = _north_american(country, area_code) if country in AREA_CODES else _foreign(country)

    def accept(draw: int) -> str | None:
        e164 = make(draw)
        return None if e164 in world.number_ids else e164

    e164 = world.entropy.pick(f"e164/{country}/{area_code}", accept, TRIES)
    if e164 is None:
        raise _nothing_left(country, area_code)
    return e164


def _nothing_left(country: str, area_code: str | None) -> Conflict:
    if area_code is None:
        return Conflict(f"no {country} numbers are left: choose another country, or an areaCode in US or CA")
    others = [code for code in AREA_CODES[country] if code != area_code][:PROPOSALS]
    return Conflict(f"no numbers are available in {country} area code {area_code}: try {', '.join(others)}")


def _north_american(country: str, area_code: str | None) -> Callable[[int], str | None]:
    codes = (area_code,) if area_code is not None else AREA_CODES[country]

    def make(draw: int) -> str | None:
        draw, code = divmod(draw, len(codes))
        draw, exchange = divmod(draw, len(EXCHANGES))
        return f"+1{codes[code]}{EXCHANGES[exchange]}{draw % 10_000:04d}"

    return make


def _foreign(country: str) -> Callable[[int], str | None]:
    """Vary the last digits of the country's example of a mobile number, within what its numbering plan allows."""
    import phonenumbers

    code, national = _example(country) or ("", "")
    # The islands of country code 1 are one area code each, and only some of its exchanges are in service.
    varied = _VARIED if code == "1" else max(_VARIED, len(national) - _KEPT)
    kept = len(national) - varied

    def make(draw: int) -> str | None:
        e164 = f"+{code}{national[:kept]}{draw % 10**varied:0{varied}d}"
        return e164 if phonenumbers.is_valid_number(phonenumbers.parse(e164)) else None

    return make


def _example(country: str) -> tuple[str, str] | None:
    """Return the country's calling code and the national digits of an example number, or None when there is none."""
    import phonenumbers

    mobile = phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(country, mobile) or phonenumbers.example_number(country)
    if example is None:
        return None
    return str(example.country_code), phonenumbers.national_significant_number(example)
