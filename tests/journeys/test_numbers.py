from __future__ import annotations

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import platform

pytestmark = pytest.mark.anyio
SOON, LATER = "2026-01-05T16:00:00.000Z", "2026-01-06T15:00:00.000Z"  # an hour and a day after the clock's start


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_number_that_expires_is_released_on_the_clock() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        number = await p.post("/v1/numbers", {"agentId": agent, "expiresAt": SOON})
        await p.post("/_sim/clock/advance", {"seconds": 3599})
        assert (await p.get(f"/v1/numbers/{number['id']}"))["status"] == "active"
        await p.post("/_sim/clock/advance", {"seconds": 1})
        gone = await p.get(f"/v1/numbers/{number['id']}")
        assert (gone["status"], gone["agentId"], gone["expiresAt"]) == ("released", None, SOON)
        assert [e["number_id"] for e in await p.journal("number.expired")] == [number["id"]]
        await p.post("/_sim/calls", {"from": "+14155550150", "to": number["phoneNumber"]}, expect=404)


async def test_an_idle_auto_clock_goes_to_an_expiry_by_itself() -> None:
    async with platform(ClockMode.AUTO) as p:
        number = await p.post("/v1/numbers", {"expiresAt": SOON})
        expired = (await p.get("/_sim/journal", kind="number.expired", wait=10))["entries"]
        assert [(e["number_id"], e["at"]) for e in expired] == [(number["id"], SOON)]


async def test_an_expiry_can_be_moved_and_taken_away() -> None:
    async with platform(ClockMode.MANUAL) as p:
        path = f"/v1/numbers/{(await p.post('/v1/numbers', {'expiresAt': SOON, 'externalId': 'a'}))['id']}"
        moved = await p.ask("PATCH", path, json={"expiresAt": LATER})
        assert (moved["expiresAt"], moved["externalId"]) == (LATER, "a")
        await p.post("/_sim/clock/advance", {"seconds": 7200})
        assert (await p.get(path))["status"] == "active"
        kept = await p.ask("PATCH", path, json={"expiresAt": None})
        assert (kept["expiresAt"], kept["externalId"]) == (None, "a")
        await p.post("/_sim/clock/advance", {"seconds": 200_000})
        assert (await p.get(path))["status"] == "active"
        assert (await p.get("/_sim/clock"))["timers"] == 0


async def test_a_number_released_by_hand_does_not_expire_as_well() -> None:
    async with platform(ClockMode.MANUAL) as p:
        number = await p.post("/v1/numbers", {"expiresAt": SOON})
        await p.ask("DELETE", f"/v1/numbers/{number['id']}")
        await p.post("/_sim/clock/run_until_idle")
        assert await p.journal("number.expired") == []
        refused = await p.ask("PATCH", f"/v1/numbers/{number['id']}", 400, json={"externalId": "b"})
        assert "released" in refused["detail"]


async def test_an_expiry_in_the_past_changes_nothing() -> None:
    async with platform(ClockMode.MANUAL) as p:
        number = await p.post("/v1/numbers", {"externalId": "a"})
        past = {"externalId": "b", "expiresAt": "2026-01-05T14:00:00Z"}
        await p.ask("PATCH", f"/v1/numbers/{number['id']}", 400, json=past)
        await p.ask("PATCH", f"/v1/numbers/{number['id']}", 422, json={"expiresAt": "tomorrow"})
        await p.ask("PATCH", "/v1/numbers/num_none", 404, json={})
        assert (await p.get(f"/v1/numbers/{number['id']}"))["externalId"] == "a"
