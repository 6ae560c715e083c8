"""What can be bought: numbers that this account has never had, in places that are not sold out.

Every place has a stream of numbers, drawn from the seed. A search shows the head of the stream that a purchase in the
same area code (or country) takes its number from, so the first one shown is the next one sold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from simulator.domain import places
from simulator.domain.numbers import AvailableNumber
from simulator.domain.phone import country_of, is_subscriber_area
from simulator.errors import ApiError, BadRequest, Conflict, Unavailable
from simulator.world.world import World

# Sold when no area code is asked for, and proposed when one has nothing to offer. All are in service.
AREA_CODES: Final = {
    "US": ("415", "212", "310", "312", "206", "512", "617", "305", "404", "303", "702", "713", "503", "602", "646"),
    "CA": ("416", "604", "514", "403", "613", "902", "204", "306", "250", "905"),
}
PROPOSALS: Final = 3  # other area codes named in a refusal
TRIES: Final = 256  # draws before we say that nothing is left: with nine in ten numbers gone, a wrong no is 1 in 10**11
MOST_LOOKED_AT: Final = 2000  # numbers in one search; twenty times the longest answer, however few of them fit
# Central office codes that subscribers can have: not N11 services, not 555 (directory, and fiction from 0100 to 0199).
EXCHANGES: Final = tuple(f"{code}" for code in range(200, 1000) if code % 100 != 11 and code != 555)
_SERVED: Final = frozenset(EXCHANGES)
_KEPT: Final = 4  # leading digits of a foreign example number: enough to stay within its kind
_VARIED: Final = 4  # trailing digits that differ from number to number, at least

Make = Callable[[int], str | None]


def check_place(world: World, country: str, area_code: str | None) -> None:
    """Refuse a place that does not exist (BadRequest), is sold out (Conflict), or whose country is (Unavailable)."""
    known = _check_country(world, country)
    if area_code is not None:
        _check_area_code(country, area_code, known)
    if country in world.sold_out:
        raise _nothing_left(world, country, None)
    if area_code is not None and not _sells(world, country, area_code):
        raise _nothing_left(world, country, area_code)


def draw(world: World, country: str, area_code: str | None) -> str:
    """Take the next number of a place that was checked. Raises Conflict or Unavailable when none is left."""
    e164 = world.entropy.pick(_stream(country, area_code), _unsold(world, _maker(world, country, area_code)), TRIES)
    if e164 is None:
        raise _nothing_left(world, country, area_code)
    return e164


def search(
    world: World,
    *,
    country: str = "US",
    area_code: str | None = None,
    city: str | None = None,
    state: str | None = None,
    zip: str | None = None,  # noqa: A002 - the wire's own word
    limit: int = 20,
) -> list[AvailableNumber]:
    """Return numbers for sale that fit every filter; an empty list when a place has nothing to offer.

    A post code stands for its state: the data knows no more. Raises BadRequest for a place that cannot exist.
    """
    known = _check_country(world, country)
    if area_code is not None:
        _check_area_code(country, area_code, known)
    if not known and (city or state or zip):
        raise BadRequest(f"city, state and zip choose among US and CA numbers only, not in {country}")
    states = _states(country, state, zip)
    if country in world.sold_out or (states is not None and len(states) != 1):
        return []
    within = states[0] if states else None
    if city is not None:
        found = _in_city(world, country, city, area_code, within)
    elif area_code is not None and within not in (None, *places.states_of(country, area_code)):
        return []
    elif area_code is not None:
        found = _in_area(world, country, area_code)
    elif within is not None:
        found = _in_turn([_in_area(world, country, code) for code in places.area_codes(country, within)])
    else:
        found = _ahead(world, _stream(country, None), _maker(world, country, None))
    offers = (_described(country, e164) for e164 in islice(found, MOST_LOOKED_AT))
    return list(islice((offer for offer in offers if within is None or offer.state in (None, within)), limit))


def sell_out(world: World, names: Iterable[str]) -> None:
    """Say which countries ("US") and area codes ("415") have nothing to offer, instead of those said before.

    Raises BadRequest for one that never had anything.
    """
    wanted = dict.fromkeys(names)
    for name in wanted:
        area_country = country_of(name) if re.fullmatch("[2-9][0-9]{2}", name) else None
        if area_country not in AREA_CODES and not (re.fullmatch("[A-Z]{2}", name) and _exists(name)):
            raise BadRequest(f"{name!r} is neither a country such as US nor a US or CA area code such as 415")
    world.sold_out.clear()
    world.sold_out.update(wanted)


def _check_country(world: World, country: str) -> Sequence[str]:
    """Return the usual area codes of a country that sells numbers: none outside the US and Canada."""
    known = AREA_CODES.get(country, ())
    if not known and world.policies["number_countries"] == "us_ca":
        raise BadRequest(f"numbers of country {country!r} cannot be bought: choose US or CA")
    if not known and not _exists(country):
        raise BadRequest(f"country {country!r} does not exist: use a two-letter ISO code such as US, CA or GB")
    return known


def _check_area_code(country: str, area_code: str, known: Sequence[str]) -> None:
    if not known:
        raise BadRequest(f"areaCode {area_code!r} cannot be chosen in {country}: only US and CA numbers have one")
    if not re.fullmatch("[0-9]{3}", area_code):
        raise BadRequest(f"areaCode {area_code!r} is not an area code: give three digits, for example {known[0]}")


def _nothing_left(world: World, country: str, area_code: str | None) -> ApiError:
    if area_code is None:
        return Unavailable(f"no {country} numbers are in stock now: choose another country, or try again later")
    others = [code for code in AREA_CODES[country] if code != area_code and code not in world.sold_out][:PROPOSALS]
    way_out = f"try {', '.join(others)}" if others else "choose another one"
    return Conflict(f"no numbers are available in {country} area code {area_code}: {way_out}")


def _states(country: str, state: str | None, zip_code: str | None) -> tuple[str, ...] | None:
    """Return the states that fit: None for any, an empty tuple or more than one for a contradiction."""
    found: list[str] = []
    if state is not None:
        code = places.state_named(country, state)
        if code is None:
            example = next(iter(places.STATES[country]))
            raise BadRequest(f"{state!r} is no state or province of {country}: use two letters such as {example}")
        found.append(code)
    if zip_code is not None:
        try:
            within = places.state_of_zip(country, zip_code)
        except ValueError as error:
            raise BadRequest(f"zip {zip_code!r} is no post code of {country}: {error}") from None
        if within is None:
            return ()
        found.append(within)
    return tuple(dict.fromkeys(found)) if found else None


def _sells(world: World, country: str, area_code: str) -> bool:
    return area_code not in world.sold_out and country_of(area_code) == country and is_subscriber_area(area_code)


def _in_area(world: World, country: str, area_code: str) -> Iterator[str]:
    """The numbers that purchases in an area code will get, in their order."""
    if not _sells(world, country, area_code):
        return iter(())
    return _ahead(world, _stream(country, area_code), _maker(world, country, area_code))


def _in_city(world: World, country: str, city: str, area_code: str | None, state: str | None) -> Iterator[str]:
    """Numbers of the exchanges of a city. A purchase cannot ask for a city, so these are a stream of their own."""
    exchanges = tuple(
        prefix
        for prefix in places.prefixes_of(country, city)
        if prefix[3:] in _SERVED
        and area_code in (None, prefix[:3])
        and state in (None, places.home(country, prefix)[1])
        and _sells(world, country, prefix[:3])
    )
    if not exchanges:
        return iter(())

    def make(number: int) -> str:
        number, exchange = divmod(number, len(exchanges))
        return f"+1{exchanges[exchange]}{number % 10_000:04d}"

    return _ahead(world, f"e164/{country}/{','.join(exchanges)}", make)


def _in_turn(streams: list[Iterator[str]]) -> Iterator[str]:
    """One from each stream, then the second from each, and so on."""
    while streams:
        for stream in list(streams):
            e164 = next(stream, None)
            if e164 is None:
                streams.remove(stream)
            else:
                yield e164


def _ahead(world: World, stream: str, make: Make) -> Iterator[str]:
    """What the next draws from a stream will be, in their order, without drawing them."""
    shown: set[str] = set()
    accept = _unsold(world, make, shown)
    while (e164 := world.entropy.peek(stream, len(shown), accept, TRIES)) is not None:
        shown.add(e164)
        yield e164


def _unsold(world: World, make: Make, promised: Container[str] = ()) -> Make:
    """Refuse numbers that the account has or had, and those that earlier draws will have taken by then."""

    def accept(number: int) -> str | None:
        e164 = make(number)
        return None if e164 in world.number_ids or e164 in promised else e164

    return accept


def _described(country: str, e164: str) -> AvailableNumber:
    if country not in AREA_CODES:
        return AvailableNumber(phone_number=e164)
    city, state = places.home(country, e164[2:])
    return AvailableNumber(phone_number=e164, city=city, state=state, area_code=e164[2:5])


def _stream(country: str, area_code: str | None) -> str:
    return f"e164/{country}/{area_code}"


def _maker(world: World, country: str, area_code: str | None) -> Make:
    return _north_american(world, country, area_code) if country in AREA_CODES else _foreign(country)


def _north_american(world: World, country: str, area_code: str | None) -> Make:
    codes = (area_code,) if area_code is not None else AREA_CODES[country]

    def make(number: int) -> str | None:
        number, code = divmod(number, len(codes))
        number, exchange = divmod(number, len(EXCHANGES))
        if codes[code] in world.sold_out:
            return None
        return f"+1{codes[code]}{EXCHANGES[exchange]}{number % 10_000:04d}"

    return make


def _foreign(country: str) -> Make:
    """Vary the last digits of the country's example of a mobile number, within what its numbering plan allows."""
    import phonenumbers

    code, national = _example(country) or ("", "")
    # The islands of country code 1 are one area code each, and only some of its exchanges are in service.
    varied = _VARIED if code == "1" else max(_VARIED, len(national) - _KEPT)
    kept = len(national) - varied

    def make(number: int) -> str | None:
        e164 = f"+{code}{national[:kept]}{number % 10**varied:0{varied}d}"
        return e164 if phonenumbers.is_valid_number(phonenumbers.parse(e164)) else None

    return make


def _exists(country: str) -> bool:
    return country in AREA_CODES or _example(country) is not None


def _example(country: str) -> tuple[str, str] | None:
    """Return the country's calling code and the national digits of an example number, or None when there is none."""
    import phonenumbers

    mobile = phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(country, mobile) or phonenumbers.example_number(country)
    if example is None:
        return None
    return str(example.country_code), phonenumbers.national_significant_number(example)
