"""What a test sets around an account: stock, phones, whereabouts; and the feedback it reads."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import platform

pytestmark = pytest.mark.anyio
PERSON = "+14155552671"
HOME = {"latitude": 37.77, "longitude": -122.42}
WORK = {"latitude": 37.79, "longitude": -122.4}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_sold_out_places_are_said_and_seen() -> None:
    async with platform() as p:
        assert await p.get("/_sim/inventory") == {"sold_out": []}
        said = await p.ask("PUT", "/_sim/inventory", json={"sold_out": ["415", "CA"]})
        assert said == await p.get("/_sim/inventory") == {"sold_out": ["415", "CA"]}
        refused = await p.post("/v1/numbers", {"areaCode": "415"}, expect=409)
        assert refused["detail"].endswith("try 212, 310, 312")
        await p.post("/v1/numbers", {"country": "CA"}, expect=503)
        await p.ask("PUT", "/_sim/inventory", json={"sold_out": []})
        await p.post("/v1/numbers", {"areaCode": "415"})


@pytest.mark.parametrize(
    ("body", "status"), [({}, 422), ({"sold_out": "US"}, 422), ({"sold_out": ["Mars"]}, 400), ({"soldOut": []}, 422)]
)
async def test_what_cannot_be_sold_out_is_refused(body: dict[str, Any], status: int) -> None:
    async with platform() as p:
        await p.ask("PUT", "/_sim/inventory", status, json=body)
        assert await p.get("/_sim/inventory") == {"sold_out": []}


async def test_what_is_said_of_a_phone_is_what_look_ups_and_capabilities_tell() -> None:
    async with platform() as p:
        await p.post("/v1/numbers", {"type": "imessage"})
        said = await p.ask("PUT", f"/_sim/people/{PERSON}/device", json={"imessage": False, "rcs": True})
        assert said == {
            "number": PERSON, "line_type": "mobile", "country": "US", "imessage": False, "sms": True, "rcs": True,
        }  # fmt: skip
        (entry,) = (await p.get("/v1/numbers/lookup", phoneNumbers=PERSON))["data"]
        assert (entry["lineType"], entry["rcsEnabled"]) == ("mobile", True)
        told = await p.get("/v1/contacts/capabilities", phone_number=PERSON)
        assert told["capabilities"] == {"imessage": False, "sms": True}
        assert (await p.ask("PUT", f"/_sim/people/{PERSON}/device"))["imessage"] is True
        await p.ask("PUT", f"/_sim/people/{PERSON}/device", 400, json={"line_type": "pigeon"})


async def test_a_move_is_seen_after_a_refresh_on_the_clock() -> None:
    async with platform(ClockMode.MANUAL) as p:
        place = f"/_sim/people/{PERSON}/location"
        await p.ask("PUT", place, json=HOME)
        moved = await p.ask("PUT", place, json=WORK)
        assert (moved["latitude"], moved["found_latitude"]) == (37.79, 37.77)
        await p.post("/_sim/clock/advance", {"seconds": 120})
        before = await p.get(f"/v1/location/{PERSON}")
        assert (before["latitude"], before["status"]) == (37.77, "stale")
        wait = (await p.post("/v1/location/refresh"))["pollAfterSeconds"]
        await p.post("/_sim/clock/advance", {"seconds": 10})
        assert (await p.get(f"/v1/location/{PERSON}"))["status"] == "locating"
        await p.post("/_sim/clock/advance", {"seconds": wait - 10})
        after = await p.get(f"/v1/location/{PERSON}")
        assert (after["latitude"], after["longitude"], after["status"]) == (37.79, -122.4, "live")
        assert after["lastUpdated"] - before["lastUpdated"] == 135_000
        assert [e["people"] for e in await p.journal("location.refreshed")] == [1]


async def test_a_refresh_of_one_account_leaves_its_sub_accounts_alone() -> None:
    async with platform(ClockMode.MANUAL) as p:
        branch = {"X-Sub-Account-Id": (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]}
        await p.ask("PUT", f"/_sim/people/{PERSON}/location", json=HOME, headers=branch)
        await p.post("/v1/location/refresh")
        await p.post("/_sim/clock/advance", {"seconds": 20})
        await p.get(f"/v1/location/{PERSON}", expect=404)
        found = await p.ask("GET", f"/v1/location/{PERSON}", headers=branch)
        assert found["status"] == "live"


async def test_who_stops_sharing_is_not_found() -> None:
    async with platform() as p:
        await p.ask("PUT", f"/_sim/people/{PERSON}/location", json={"latitude": None, "longitude": None})
        assert (await p.get(f"/v1/location/{PERSON}"))["status"] == "unavailable"
        await p.ask("DELETE", f"/_sim/people/{PERSON}/location")
        await p.get(f"/v1/location/{PERSON}", expect=404)
        await p.ask("DELETE", f"/_sim/people/{PERSON}/location", 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"latitude": 1},
        {"latitude": 1, "longitude": None},
        {"latitude": 90.1, "longitude": 0},
        {"latitude": 0, "longitude": -180.1},
        {"latitude": "1", "longitude": 1},
        {"latitude": 1, "longitude": 1, "altitude": 1},
    ],
)
async def test_a_place_that_is_nowhere_is_refused(body: dict[str, Any]) -> None:
    async with platform() as p:
        await p.ask("PUT", f"/_sim/people/{PERSON}/location", 422, json=body)
        await p.get(f"/v1/location/{PERSON}", expect=404)


async def test_feedback_can_be_read() -> None:
    async with platform() as p:
        sent = {"category": "idea", "note": "Ring thrice", "request_id": "req_1", "url": None, "tags": ["voice"]}
        made = await p.post("/v1/feedback", sent)
        (entry,) = (await p.get("/_sim/feedback"))["data"]
        assert entry == sent | {"id": made["id"], "at": entry["at"]}
