from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.domain.locations import Position
from simulator.world import locations
from tests.helpers.api import START, Api

pytestmark = pytest.mark.anyio
NUMBER = "+14155552671"


@pytest.mark.parametrize("written", [NUMBER, "%2B14155552671", "4155552671", "415-555-2671"])
async def test_a_location_is_found_however_the_number_is_written(api: Api, written: str) -> None:
    locations.share(api.world, NUMBER, Position(latitude=37.5, longitude=-122.25), START)
    assert await api.ask("GET", f"/v1/location/{written}") == {
        "phoneNumber": NUMBER,
        "latitude": 37.5,
        "longitude": -122.25,
        "status": "live",
        "lastUpdated": 1767625200000,
    }


async def test_an_old_location_is_stale(api: Api) -> None:
    locations.share(api.world, NUMBER, Position(latitude=0, longitude=0), START)
    api.runner.instant += timedelta(minutes=2)
    found = await api.ask("GET", f"/v1/location/{NUMBER}")
    assert (found["status"], found["lastUpdated"], found["latitude"]) == ("stale", 1767625200000, 0)


async def test_a_refresh_is_asked_for_once_and_says_when_to_come_back(api: Api) -> None:
    locations.share(api.world, NUMBER, None, START)
    for _ in range(2):
        assert await api.post("/v1/location/refresh") == {"success": True, "pollAfterSeconds": 20}
    assert api.runner.locating == 1
    found = await api.ask("GET", f"/v1/location/{NUMBER}")
    assert (found["status"], found["latitude"], found["longitude"]) == ("locating", None, None)


async def test_who_does_not_share_is_not_found(api: Api) -> None:
    assert NUMBER in (await api.ask("GET", f"/v1/location/{NUMBER}", expect=404))["detail"]
    await api.ask("GET", "/v1/location/refresh", expect=400)
