from __future__ import annotations

from types import SimpleNamespace

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain import places
from simulator.domain.phone import country_of, is_e164, is_subscriber_area
from simulator.errors import BadRequest, Conflict, Unavailable
from simulator.world import inventory, numbers
from simulator.world.world import World
from tests.helpers.world import NOW, make_world, new_number, snapshot


@settings(deadline=None)
@given(st.integers(), st.sampled_from([("US", None), ("US", "415"), ("US", "970"), ("CA", None), ("CA", "782")]))
def test_a_north_american_number_could_be_a_real_one(seed: int, place: tuple[str, str | None]) -> None:
    country, area_code = place
    number = new_number(make_world(seed=seed), country=country, area_code=area_code).phone_number
    assert is_e164(number)
    assert phonenumbers.is_possible_number(phonenumbers.parse(number))
    assert number[2:5] == (area_code or number[2:5])
    assert country_of(number[2:5]) == country
    exchange = number[5:8]
    assert exchange[0] in "23456789"
    assert not exchange.endswith("11")
    assert exchange != "555"


def test_subscribers_have_every_exchange_but_the_reserved_ones() -> None:
    reserved = {211, 311, 411, 511, 611, 711, 811, 911, 555}
    assert {int(code) for code in inventory.EXCHANGES} == set(range(200, 1000)) - reserved


def test_every_area_code_on_offer_is_in_service_in_its_country() -> None:
    for country, codes in inventory.AREA_CODES.items():
        assert len(set(codes)) == len(codes) > inventory.PROPOSALS
        for code in codes:
            assert country_of(code) == country
            assert is_subscriber_area(code)


@settings(deadline=None)
@given(st.integers(), st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_a_number_can_be_bought_in_every_country(seed: int, country: str) -> None:
    number = new_number(make_world(seed=seed), country=country)
    parsed = phonenumbers.parse(number.phone_number)
    assert number.country == country
    assert parsed.country_code == phonenumbers.country_code_for_region(country)
    assert phonenumbers.is_valid_number(parsed) or country in inventory.AREA_CODES


def test_foreign_numbers_differ() -> None:
    world = make_world()
    assert len({new_number(world, country="GB").phone_number for _ in range(200)}) == 200


def test_the_first_numbers_come_from_several_area_codes() -> None:
    world = make_world()
    assert len({new_number(world).phone_number[:5] for _ in range(40)}) > 5


@settings(deadline=None)
@given(st.integers(), st.integers(1, 5))
def test_numbers_of_one_area_code_shift_no_other(seed: int, more: int) -> None:
    plain, disturbed = make_world(seed=seed), make_world(seed=seed)
    for _ in range(more):
        new_number(disturbed, area_code="212")
    assert new_number(plain, area_code="415").phone_number == new_number(disturbed, area_code="415").phone_number


def test_ten_thousand_numbers_of_one_area_code_all_differ() -> None:
    world = make_world()
    bought = [new_number(world, area_code="415") for _ in range(10_000)]
    assert len({number.phone_number for number in bought}) == 10_000
    assert len({number.id for number in bought}) == 10_000


@pytest.mark.parametrize(
    ("country", "area_code", "why"),
    [
        ("US", "416", "Canadian"),
        ("CA", "415", "of the US"),
        ("US", "787", "of Puerto Rico"),
        ("US", "999", "not assigned"),
        ("US", "000", "not assigned"),
        ("US", "800", "toll-free"),
        ("US", "900", "premium"),
        ("CA", "600", "non-geographic"),
    ],
)
def test_an_area_code_without_numbers_proposes_others(country: str, area_code: str, why: str) -> None:
    with pytest.raises(Conflict) as refused:
        new_number(make_world(), country=country, area_code=area_code)
    detail = refused.value.detail
    assert f"{country} area code {area_code}" in detail, why
    assert all(code in detail for code in inventory.AREA_CODES[country][: inventory.PROPOSALS])


def test_an_area_code_that_is_used_up_proposes_others_and_not_itself() -> None:
    world = make_world()
    taken = new_number(world, area_code="415").phone_number
    world.entropy = SimpleNamespace(pick=lambda kind, accept, tries: None)  # type: ignore[assignment]
    with pytest.raises(Conflict, match="area code 415: try 212, 310, 312"):
        new_number(world, area_code="415")
    with pytest.raises(Unavailable, match="no US numbers are in stock"):
        new_number(world)
    assert [n.phone_number for n in numbers.listing(world)] == [taken]


def test_a_number_is_never_sold_twice_even_when_it_was_released() -> None:
    world = make_world()
    first = new_number(world, area_code="415")
    numbers.release(world, first.id, NOW)
    world.entropy._counters.clear()  # the same draws again
    world.entropy.new_id("number")
    assert new_number(world, area_code="415").phone_number != first.phone_number


def test_only_us_and_canadian_numbers_under_the_older_contract() -> None:
    world = make_world(number_countries="us_ca")
    assert new_number(world, country="CA").country == "CA"
    with pytest.raises(BadRequest, match="'GB' cannot be bought"):
        new_number(world, country="GB")


# -- searching -----------------------------------------------------------------------------------------------------


def found(world: World, **filters: str) -> list[str]:
    return [number.phone_number for number in inventory.search(world, **filters)]  # type: ignore[arg-type]


@given(
    st.integers(),
    st.sampled_from([("US", None), ("US", "415"), ("US", "628"), ("CA", None), ("CA", "782"), ("GB", None)]),
    st.integers(1, 30),
)
def test_what_is_shown_is_what_is_sold_next_in_that_order(seed: int, place: tuple[str, str | None], limit: int) -> None:
    country, area_code = place
    world = make_world(seed=seed)
    shown = inventory.search(world, country=country, area_code=area_code, limit=limit)
    sold = [new_number(world, country=country, area_code=area_code).phone_number for _ in range(limit)]
    assert [number.phone_number for number in shown] == sold


@given(st.integers(), st.sampled_from([{}, {"area_code": "212"}, {"city": "Novato"}, {"state": "VT"}]))
def test_a_search_changes_nothing_and_repeats(seed: int, filters: dict[str, str]) -> None:
    world = make_world(seed=seed)
    before = snapshot(world)
    assert found(world, **filters) == found(world, **filters)
    assert snapshot(world) == before


def test_a_number_that_was_sold_is_not_for_sale() -> None:
    world = make_world()
    first = found(world, area_code="415")[0]
    assert new_number(world, area_code="415").phone_number == first
    assert first not in found(world, area_code="415")


def test_a_state_offers_the_next_number_of_each_of_its_area_codes() -> None:
    world = make_world()
    offers = inventory.search(world, state="vermont", limit=3)
    assert {(n.state, n.area_code) for n in offers} == {("VT", "802")}
    offers = inventory.search(world, state="CA", limit=100)
    assert {n.state for n in offers} == {"CA"}
    assert {"415", "628", "213", "916"} <= {n.area_code for n in offers}
    shown = next(n.phone_number for n in offers if n.area_code == "628")
    assert shown == new_number(world, area_code="628").phone_number


def test_a_city_offers_numbers_of_its_exchanges() -> None:
    offers = inventory.search(make_world(), city=" novato", limit=50)
    assert {(n.city, n.state, n.area_code) for n in offers} == {("Novato", "CA", "415")}
    assert {n.phone_number[2:8] for n in offers} <= set(places.prefixes_of("US", "Novato"))
    assert len({n.phone_number for n in offers}) == 50


def test_a_city_offers_no_fictional_exchange_though_the_data_has_one_there() -> None:
    assert "801555" in places.prefixes_of("US", "Orem")
    assert "801555" not in {n.phone_number[2:8] for n in inventory.search(make_world(), city="Orem", limit=100)}


@given(st.integers())
def test_no_number_is_shown_twice_however_few_there_are(seed: int) -> None:
    assert places.prefixes_of("US", "Bolinas") == ("415868",)
    shown = [n.phone_number for n in inventory.search(make_world(seed=seed), city="Bolinas", limit=100)]
    assert len(shown) == len(set(shown)) == 100


def test_a_city_name_of_several_states_is_told_apart_by_state() -> None:
    world = make_world()
    assert {n.state for n in inventory.search(world, city="Springfield", limit=100)} > {"IL", "MO"}
    assert {n.state for n in inventory.search(world, city="Springfield", state="IL")} == {"IL"}
    assert {n.area_code for n in inventory.search(world, city="Springfield", area_code="417")} == {"417"}


@pytest.mark.parametrize("state", ["NS", "PE", "NT", "NU", "YT"])
def test_states_that_share_an_area_code_offer_its_numbers_but_none_that_is_known_to_be_in_another(state: str) -> None:
    offers = inventory.search(make_world(), country="CA", state=state, limit=100)
    assert {n.area_code for n in offers} <= {"902", "782", "867"}
    assert len(offers) == 100
    assert {n.state for n in offers} <= {None, state}


@pytest.mark.parametrize("country", sorted(places.STATES))
def test_every_state_has_numbers_to_offer(country: str) -> None:
    world = make_world()
    assert [s for s in places.STATES[country] if not inventory.search(world, country=country, state=s, limit=1)] == []


def test_a_post_code_stands_for_its_state() -> None:
    world = make_world()
    assert found(world, zip="05401") == found(world, state="VT")
    assert found(world, zip="V6B 1A1", country="CA") == found(world, state="BC", country="CA")


@pytest.mark.parametrize(
    "filters",
    [
        {"area_code": "999"},
        {"area_code": "416"},
        {"area_code": "415", "state": "NY"},
        {"state": "NY", "zip": "94103"},
        {"city": "Gotham"},
        {"city": "Novato", "area_code": "212"},
        {"city": "Novato", "state": "NY"},
        {"zip": "00601"},
    ],
)
def test_a_place_with_nothing_to_offer_shows_nothing(filters: dict[str, str]) -> None:
    assert found(make_world(), **filters) == []


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ({"state": "ZZ"}, "'ZZ' is no state"),
        ({"state": "CA", "country": "CA"}, "'CA' is no state or province of CA"),
        ({"zip": "9410"}, "five digits"),
        ({"zip": "94103", "country": "CA"}, "M5V 3L9"),
        ({"country": "ZZ"}, "does not exist"),
        ({"country": "GB", "city": "London"}, "US and CA numbers only"),
        ({"country": "GB", "area_code": "415"}, "only US and CA numbers have one"),
        ({"area_code": "41"}, "three digits"),
    ],
)
def test_a_place_that_cannot_exist_is_refused(filters: dict[str, str], why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        found(make_world(), **filters)


# -- sold out ------------------------------------------------------------------------------------------------------


def test_a_sold_out_area_code_proposes_others_that_are_not() -> None:
    world = make_world()
    inventory.sell_out(world, ["415", "212"])
    before = snapshot(world)
    with pytest.raises(Conflict, match="area code 415: try 310, 312, 206"):
        new_number(world, area_code="415")
    assert snapshot(world) == before
    assert found(world, area_code="415") == found(world, city="Novato") == []
    assert not {n.phone_number[2:5] for n in inventory.search(world, limit=100)} & {"415", "212"}
    assert new_number(world, area_code="310").phone_number.startswith("+1310")


def test_a_sold_out_country_has_nothing_anywhere() -> None:
    world = make_world()
    inventory.sell_out(world, ["US"])
    for area_code in (None, "415"):
        with pytest.raises(Unavailable, match="no US numbers are in stock"):
            new_number(world, area_code=area_code)
        assert inventory.search(world, area_code=area_code) == []
    assert new_number(world, country="CA").country == "CA"


def test_every_usual_area_code_sold_out_leaves_those_that_are_asked_for_by_name() -> None:
    world = make_world()
    inventory.sell_out(world, inventory.AREA_CODES["US"])
    with pytest.raises(Unavailable):
        new_number(world)
    with pytest.raises(Conflict, match="415: choose another one"):
        new_number(world, area_code="415")
    assert new_number(world, area_code="628").phone_number.startswith("+1628")


def test_other_numbers_are_sold_as_before_when_an_area_code_is_sold_out() -> None:
    plain, short = make_world(), make_world()
    inventory.sell_out(short, ["415"])
    rest = [n for n in (new_number(plain).phone_number for _ in range(20)) if not n.startswith("+1415")]
    assert len(set(rest) & {new_number(short).phone_number for _ in range(20)}) >= len(rest) - 2


def test_full_shelves_again() -> None:
    world = make_world()
    inventory.sell_out(world, ["US", "GB"])
    inventory.sell_out(world, [])
    assert new_number(world).country == "US"


@pytest.mark.parametrize("name", ["us", "ZZ", "999", "41", "800x", ""])
def test_only_places_that_sell_numbers_can_be_sold_out(name: str) -> None:
    world = make_world()
    inventory.sell_out(world, ["415"])
    with pytest.raises(BadRequest, match=f"'{name}' is neither"):
        inventory.sell_out(world, ["212", name])
    assert list(world.sold_out) == ["415"]
