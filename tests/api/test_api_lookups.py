from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import Api

pytestmark = pytest.mark.anyio


async def test_a_number_for_sale_says_where_it_is_at_home_and_is_sold_next(api: Api) -> None:
    shown = (await api.get("/v1/numbers/available", areaCode="212", limit=3))["data"]
    assert [set(n) for n in shown] == [{"phoneNumber", "city", "state", "rateCenter", "areaCode"}] * 3
    assert {(n["state"], n["areaCode"], n["rateCenter"]) for n in shown} == {("NY", "212", None)}
    bought = [(await api.post("/v1/numbers", {"areaCode": "212"}))["phoneNumber"] for _ in range(3)]
    assert [n["phoneNumber"] for n in shown] == bought


async def test_twenty_us_numbers_are_shown_by_default_and_blank_filters_count_as_none(api: Api) -> None:
    shown = await api.get("/v1/numbers/available")
    assert len(shown["data"]) == 20
    assert await api.get("/v1/numbers/available", areaCode="", city=" ", state="", zip="") == shown


async def test_of_a_foreign_number_nothing_but_the_number_is_known(api: Api) -> None:
    (number,) = (await api.get("/v1/numbers/available", country="GB", limit=1))["data"]
    assert number.pop("phoneNumber").startswith("+44")
    assert set(number.values()) == {None}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"areaCode": "41"}, 422),
        ({"areaCode": "٤١٥"}, 422),
        ({"country": "us"}, 422),
        ({"limit": 0}, 422),
        ({"limit": 101}, 422),
        ({"city": "x" * 101}, 422),
        ({"country": "ZZ"}, 400),
        ({"state": "Utopia"}, 400),
        ({"zip": "1"}, 400),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(api: Api, query: dict[str, Any], status: int) -> None:
    assert (await api.get("/v1/numbers/available", expect=status, **query))["detail"]


async def test_numbers_are_looked_up(api: Api) -> None:
    found = await api.get("/v1/numbers/lookup", phoneNumbers="+14155550131, 415-555-0121,+442079460000")
    assert found["data"] == [
        {"phoneNumber": "+14155550131", "lineType": "mobile", "country": "US", "rcsEnabled": True},
        {"phoneNumber": "+14155550121", "lineType": "landline", "country": "US", "rcsEnabled": False},
        {"phoneNumber": "+442079460000", "lineType": "landline", "country": "GB", "rcsEnabled": False},
    ]


async def test_unescaped_pluses_are_understood_and_spaces_are_spaces(api: Api) -> None:
    raw = await api.ask("GET", "/v1/numbers/lookup?phoneNumbers=+4792123456,+442079460000")
    assert [n["phoneNumber"] for n in raw["data"]] == ["+4792123456", "+442079460000"]
    spaced = await api.get("/v1/numbers/lookup", phoneNumbers="4155552671, 4155550101,")
    assert [n["phoneNumber"] for n in spaced["data"]] == ["+14155552671", "+14155550101"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"phoneNumbers": ""}, 400),
        ({"phoneNumbers": ", ,"}, 400),
        ({"phoneNumbers": "ann"}, 400),
        ({"phoneNumbers": ",".join(f"+141555526{at:02d}" for at in range(26))}, 400),
    ],
)
async def test_what_cannot_be_looked_up_is_refused(api: Api, query: dict[str, Any], status: int) -> None:
    assert (await api.get("/v1/numbers/lookup", expect=status, **query))["detail"]
