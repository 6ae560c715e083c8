"""Sub-accounts over the whole application: worlds that never meet, one clock for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Receiver, answer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def p() -> AsyncIterator[Platform]:
    async with platform(ClockMode.MANUAL) as made:
        yield made


async def opened(p: Platform, name: str = "Branch") -> str:
    made: str = (await p.post("/v1/sub-accounts", {"name": name}))["id"]
    return made


def of(sub_account_id: str) -> dict[str, str]:
    return {"X-Sub-Account-Id": sub_account_id}


async def test_sub_accounts_are_listed_newest_first_and_renamed(p: Platform) -> None:
    first, second = await opened(p, "First"), await opened(p, "Second")
    await p.ask("PATCH", f"/v1/sub-accounts/{first}", json={"name": "Oldest"})
    listed = await p.get("/v1/sub-accounts")
    assert [(a["id"], a["name"]) for a in listed["data"]] == [(second, "Second"), (first, "Oldest")]
    assert (listed["total"], listed["hasMore"]) == (2, False)
    assert (await p.get("/v1/sub-accounts", limit=1, offset=1))["data"][0]["id"] == first


async def test_what_is_in_a_sub_account_is_not_in_the_account(p: Platform) -> None:
    branch = await opened(p)
    agent = await p.ask("POST", "/v1/agents", json={"name": "Theirs"}, headers=of(branch))
    assert (await p.get("/v1/agents"))["data"] == []
    await p.get(f"/v1/agents/{agent['id']}", 404)
    shown = await p.ask("GET", "/v1/agents", headers=of(branch))
    assert [a["name"] for a in shown["data"]] == ["Theirs"]


async def test_two_sub_accounts_make_different_ids(p: Platform) -> None:
    made = [
        await p.ask("POST", "/v1/agents", json={"name": "Same"}, headers=of(branch))
        for branch in (await opened(p), await opened(p))
    ]
    assert made[0]["id"] != made[1]["id"]


async def test_time_is_the_accounts(p: Platform) -> None:
    branch = await opened(p)
    until = "2026-01-06T15:00:00Z"
    number = await p.ask("POST", "/v1/numbers", json={"expiresAt": until}, headers=of(branch))
    await p.post("/_sim/clock/advance", {"seconds": 86_400})
    assert (await p.ask("GET", f"/v1/numbers/{number['id']}", headers=of(branch)))["status"] == "released"
    journal = await p.ask("GET", "/_sim/journal", params={"kind": "number.expired"}, headers=of(branch))
    assert len(journal["entries"]) == 1
    assert await p.journal("number.expired") == []


async def test_a_sub_account_has_no_time_and_no_sub_accounts_of_its_own(p: Platform) -> None:
    branch = await opened(p)
    for method, path in (("GET", "/_sim/clock"), ("POST", "/_sim/reset"), ("GET", "/v1/sub-accounts")):
        refused = await p.ask(method, path, 400, headers=of(branch))
        assert "whole account" in refused["detail"]


async def test_a_closed_sub_account_leaves_nothing_behind(p: Platform) -> None:
    branch = await opened(p)
    number = await p.ask("POST", "/v1/numbers", json={"expiresAt": "2026-01-06T15:00:00Z"}, headers=of(branch))
    caller = {"from": "+14155550150", "to": number["phoneNumber"]}
    agent = await p.ask("POST", "/v1/agents", json={"name": "A", "beginMessage": "Hi"}, headers=of(branch))
    await p.ask("POST", f"/v1/agents/{agent['id']}/numbers", json={"numberId": number["id"]}, headers=of(branch))
    await p.ask("POST", "/_sim/calls", json=caller, headers=of(branch))
    assert (await p.get("/_sim/clock"))["timers"] > 0
    assert p.runner.unsettled()[0] == 1
    await p.ask("DELETE", f"/v1/sub-accounts/{branch}")
    assert (await p.get("/_sim/clock"))["timers"] == 0
    assert p.runner.unsettled() == (0, 0)
    await p.ask("GET", "/v1/agents", 404, headers=of(branch))


async def test_a_failed_delivery_is_not_tried_again_once_its_sub_account_is_closed() -> None:
    async with Receiver(answer(503), answer(200)) as receiver, platform(ClockMode.MANUAL) as p:
        branch = await opened(p)
        await p.ask("POST", "/v1/webhooks", json={"url": receiver.url}, headers=of(branch))
        number = await p.ask("POST", "/v1/numbers", headers=of(branch))
        text = {"from": "+14155550150", "to": number["phoneNumber"], "body": "hi"}
        await p.ask("POST", "/_sim/messages", json=text, headers=of(branch))
        await p.post("/_sim/clock/advance", {"seconds": 1})
        assert (await p.get("/_sim/clock"))["timers"] == 1
        await p.ask("DELETE", f"/v1/sub-accounts/{branch}")
        await p.post("/_sim/clock/run_until_idle")
        assert (await p.get("/_sim/clock"))["timers"] == 0
        assert len(receiver.requests) == 2  # agent.message, refused once, and message.received


async def test_reset_empties_the_sub_accounts_too(p: Platform) -> None:
    branch = await opened(p)
    await p.ask("POST", "/v1/agents", json={"name": "Theirs"}, headers=of(branch))
    await p.post("/_sim/reset")
    assert (await p.get("/v1/sub-accounts"))["data"] == []
    await p.ask("GET", "/v1/agents", 404, headers=of(branch))
