from __future__ import annotations

import pytest

from simulator.domain import places
from simulator.domain.phone import country_of, is_subscriber_area


def test_every_area_code_serves_a_state_and_few_serve_several() -> None:
    codes = [(country_of(f"{c}"), f"{c}") for c in range(200, 1000) if is_subscriber_area(f"{c}")]
    served = {code: places.states_of(country, code) for country, code in codes if country in places.STATES}
    assert len(served) > 350
    assert {code: states for code, states in served.items() if len(states) != 1} == {
        "782": ("NS", "PE"),
        "867": ("NT", "NU", "YT"),
        "902": ("NS", "PE"),
    }


@pytest.mark.parametrize("country", sorted(places.STATES))
def test_every_state_has_an_area_code_of_its_country(country: str) -> None:
    for state in places.STATES[country]:
        assert {country_of(code) for code in places.area_codes(country, state)} == {country}


def test_the_area_codes_of_a_state_are_in_order() -> None:
    assert places.area_codes("US", "CT") == ("203", "475", "860", "959")


@pytest.mark.parametrize(
    ("country", "national", "home"),
    [
        ("US", "4152090000", ("Novato", "CA")),
        ("US", "2125550123", ("New York", "NY")),
        ("US", "2025550123", (None, "DC")),
        ("US", "2065550123", (None, "WA")),
        ("CA", "8673930000", ("Whitehorse", "YT")),
        ("CA", "9025550123", (None, None)),
        ("US", "9995550123", (None, None)),
    ],
)
def test_a_number_is_at_home_where_the_data_says(
    country: str, national: str, home: tuple[str | None, str | None]
) -> None:
    assert places.home(country, national) == home


def test_of_a_place_within_a_city_the_city_is_kept() -> None:
    cities = {
        city for country in places.STATES for city in (places._read(country, "Cherry Street, Philadelphia, PA")[0],)
    }
    assert cities == {"Philadelphia", None}


@pytest.mark.parametrize(
    ("country", "text", "state"),
    [
        ("US", "ca", "CA"),
        ("US", " New York ", "NY"),
        ("US", "washington", "WA"),
        ("US", "Washington D.C.", "DC"),
        ("CA", "Québec", "QC"),
        ("US", "Québec", None),
        ("CA", "CA", None),
        ("US", "", None),
    ],
)
def test_a_state_is_known_by_its_letters_or_its_name(country: str, text: str, state: str | None) -> None:
    assert places.state_named(country, text) == state


@pytest.mark.parametrize(
    ("country", "text", "state"),
    [
        ("US", "94103", "CA"),
        ("US", "10001-1234", "NY"),
        ("US", "20500", "DC"),
        ("US", "73301", "TX"),
        ("US", "99950", "AK"),
        ("US", "00501", "NY"),
        ("US", "00000", None),
        ("US", "00901", None),
        ("US", "96201", None),
        ("CA", "m5v 3l9", "ON"),
        ("CA", "M5V3L9", "ON"),
        ("CA", "V6B", "BC"),
        ("CA", "X0A 0H0", "NU"),
        ("CA", "X1A 1A1", "NT"),
        ("CA", "Z1A 1A1", None),
    ],
)
def test_a_post_code_names_its_state(country: str, text: str, state: str | None) -> None:
    assert places.state_of_zip(country, text) == state


@pytest.mark.parametrize(("country", "text"), [("US", "9410"), ("US", "M5V 3L9"), ("CA", "94103"), ("US", "٩٤١٠٣")])
def test_what_is_no_post_code_is_refused(country: str, text: str) -> None:
    with pytest.raises(ValueError, match="code"):
        places.state_of_zip(country, text)


def test_the_table_of_post_codes_is_in_order() -> None:
    assert [row[0] for row in places._ZIPS] == sorted({row[0] for row in places._ZIPS})
    assert {row[1] for row in places._ZIPS} == {"", *places.STATES["US"]}


def test_every_exchange_of_a_city_is_in_it() -> None:
    exchanges = places.prefixes_of("US", "san francisco")
    assert len(exchanges) > 50
    assert {places.home("US", prefix) for prefix in exchanges} == {("San Francisco", "CA")}
    assert places.prefixes_of("CA", "San Francisco") == ()
