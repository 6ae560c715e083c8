from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.limits import Limits
from simulator.domain.policy import Policies
from tests.helpers.platform import platform
from tests.helpers.registration import brand

pytestmark = pytest.mark.anyio
OFF: dict[str, Any] = {
    "numbers": None,
    "balance_cents": None,
    "rate_limits": None,
    "concurrent_calls": None,
    "daily_new_contacts": None,
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_limits_are_off_and_are_switched_one_by_one() -> None:
    async with platform() as p:
        assert await p.get("/_sim/limits") == OFF
        assert await p.ask("PUT", "/_sim/limits", json={"numbers": 2}) == OFF | {"numbers": 2}
        changed = await p.ask("PUT", "/_sim/limits", json={"rate_limits": "documented"})
        assert changed == OFF | {"numbers": 2, "rate_limits": "documented"}
        assert await p.ask("PUT", "/_sim/limits", json={"numbers": None, "rate_limits": None}) == OFF


@pytest.mark.parametrize(
    "body", [{"numbers": -1}, {"numbers": "5"}, {"rate_limits": True}, {"concurrent_calls": "documented"}, {"speed": 1}]
)
async def test_a_limit_that_cannot_be_is_refused_and_nothing_changes(body: dict[str, Any]) -> None:
    async with platform() as p:
        await p.ask("PUT", "/_sim/limits", 422, json={"daily_new_contacts": 7} | body)
        assert await p.get("/_sim/limits") == OFF


async def test_a_reset_brings_back_the_limits_of_the_settings() -> None:
    async with platform(limits=Limits(numbers=1)) as p:
        await p.ask("PUT", "/_sim/limits", json={"numbers": 5, "concurrent_calls": 3})
        await p.post("/_sim/reset")
        assert await p.get("/_sim/limits") == OFF | {"numbers": 1}


async def test_one_number_too_many_is_refused_in_both_envelopes_and_seen_in_usage() -> None:
    async with platform(limits=Limits(numbers=1)) as p:
        await p.post("/v1/numbers")
        refused = await p.post("/v1/numbers", expect=409)
        assert refused["code"] == refused["error"]["code"] == "VALIDATION_ERROR_NUMBER_LIMIT"
        assert refused["detail"].startswith("Number limit reached. You have created 1 of 1 allowed phone numbers.")
        assert (await p.get("/v1/usage"))["numbers"] == {"used": 1, "limit": 1, "remaining": 0}


async def test_what_is_bought_is_paid_for_until_the_money_is_gone() -> None:
    async with platform(limits=Limits(balance_cents=500)) as p:
        number = await p.post("/v1/numbers")
        refused = await p.post("/v1/numbers", expect=402)
        assert refused["error"] == {
            "message": refused["detail"], "code": "INSUFFICIENT_BALANCE", "type": "billing_error", "details": None,
        }  # fmt: skip
        shown = await p.get("/_sim/balance")
        assert (shown["balance_cents"], shown["total"]) == (200, 1)
        (entry,) = shown["entries"]
        assert (entry["item"], entry["amount_cents"], entry["about"]) == ("number", -300, number["id"])
        assert {"item": "lookup", "cents": 0.9, "unit": "number looked up"} in shown["prices"]


async def test_money_is_added_under_way_and_the_ledger_is_cut_to_its_newest_entries() -> None:
    async with platform() as p:
        assert (await p.get("/_sim/balance"))["balance_cents"] is None
        await p.ask("PUT", "/_sim/limits", json={"balance_cents": 900})
        for _ in range(3):
            await p.post("/v1/numbers")
        shown = await p.get("/_sim/balance", limit=2)
        assert ([e["balance_cents"] for e in shown["entries"]], shown["total"]) == ([300, 0], 4)
        await p.post("/v1/numbers", expect=402)
        await p.ask("PUT", "/_sim/limits", json={"balance_cents": None})
        await p.post("/v1/numbers")


async def test_a_call_is_paid_by_the_second_and_a_text_by_the_segment() -> None:
    async with platform(limits=Limits(balance_cents=1000)) as p:
        _, number = await p.line("http://127.0.0.1:9/hook")
        script = ["Hello", {"wait": 60}]
        call = await p.post("/_sim/calls", {"from": "+14155550150", "to": number, "script": script, "wait": True})
        await p.post("/_sim/messages", {"from": "+14155550150", "to": number, "body": "x" * 161})
        await p.post("/v1/messages", {"from_number": number, "to_number": "+14155550150", "body": "hi"})
        ledger = (await p.get("/_sim/balance"))["entries"]
        items = [(e["item"], e["quantity"]) for e in ledger]
        seconds = -(-int(call["duration_seconds"] * 1000) // 1000)
        assert items == [("number", 1), ("voice_webhook", seconds), ("sms_segment", 2), ("sms_segment", 1)]
        assert ledger[1]["amount_cents"] == pytest.approx(-13 * seconds / 60, abs=0.0001)
        assert ledger[1]["about"] == call["call_id"]


async def test_without_money_nobody_is_called_or_texted_and_nothing_is_left_behind() -> None:
    async with platform() as p:
        agent, number = await p.line("http://127.0.0.1:9/hook")
        await p.ask("PUT", "/_sim/limits", json={"balance_cents": 0})
        await p.post("/v1/calls", {"agentId": agent, "toNumber": "+14155550150"}, expect=402)
        await p.post("/v1/messages", {"from_number": number, "to_number": "+14155550150", "body": "hi"}, expect=402)
        assert ((await p.get("/v1/calls"))["total"], (await p.get("/v1/conversations"))["total"]) == (0, 0)
        await p.post("/_sim/messages", {"from": "+14155550150", "to": number, "body": "are you there?"})
        assert (await p.get("/_sim/balance"))["balance_cents"] == -2


async def test_one_call_too_many_is_refused_and_told_when_to_come_again() -> None:
    async with platform(limits=Limits(concurrent_calls=1)) as p:
        agent, number = await p.line("http://127.0.0.1:9/hook")
        await p.post("/_sim/calls", {"from": "+14155550150", "to": number})
        answer = await p.client.post("/v1/calls", json={"agentId": agent, "toNumber": "+14155550151"})
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "10")
        assert "1 are allowed" in answer.json()["detail"]


async def test_an_imessage_number_shows_whom_it_may_still_text_first() -> None:
    async with platform(limits=Limits(daily_new_contacts=1)) as p:
        number = (await p.post("/v1/numbers", {"type": "imessage"}))["id"]
        assert (await p.get(f"/v1/numbers/{number}"))["dailyNewContacts"] == {"used": 0, "limit": 1}
        text = {"number_id": number, "to_number": "+14155550150", "body": "hi"}
        await p.post("/v1/messages", text)
        await p.post("/v1/messages", text)
        refused = await p.post("/v1/messages", text | {"to_number": "+14155550151"}, expect=429)
        assert refused["code"] == "RATE_LIMIT_EXCEEDED"
        assert (await p.get(f"/v1/numbers/{number}"))["dailyNewContacts"] == {"used": 1, "limit": 1}


async def test_a_limited_route_says_what_is_left_and_opens_again_on_the_simulated_clock() -> None:
    async with platform(ClockMode.MANUAL, limits=Limits(rate_limits=2)) as p:
        for left in ("1", "0"):
            answer = await p.client.post("/v1/agents", json={"name": "A"})
            assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("2", left)
        refused = await p.client.post("/v1/agents", json={"name": "A"})
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
        assert refused.headers["x-ratelimit-remaining"] == "0"
        await p.post("/_sim/clock/advance", {"seconds": int(refused.headers["retry-after"])})
        assert (await p.client.post("/v1/agents", json={"name": "A"})).status_code == 200
        assert "x-ratelimit-limit" not in (await p.client.get("/v1/agents")).headers


async def test_refused_requests_of_a_limited_route_count_too_and_are_journalled() -> None:
    async with platform(limits=Limits(rate_limits=2)) as p:
        assert (await p.client.post("/v1/agents", json={})).status_code == 422
        assert (await p.client.post("/v1/agents", json={"name": "A"})).headers["x-ratelimit-remaining"] == "0"
        assert (await p.client.post("/v1/agents", json={"name": "A"})).status_code == 429
        assert [entry["status"] for entry in await p.journal("api.request")] == [422, 200, 429]


async def test_what_a_test_does_to_the_simulator_is_never_limited() -> None:
    async with platform(policies=Policies("2026-03"), limits=Limits(rate_limits=1)) as p:
        await p.get("/v1/agents")
        await p.get("/v1/agents", expect=429)
        for _ in range(3):
            await p.get("/_sim/limits")


async def test_a_sub_account_has_limits_and_money_of_its_own() -> None:
    async with platform(limits=Limits(numbers=1)) as p:
        inside = {"X-Sub-Account-Id": (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]}
        await p.ask("PUT", "/_sim/limits", json={"numbers": 2, "balance_cents": 300}, headers=inside)
        await p.ask("POST", "/v1/numbers", json={}, headers=inside)
        await p.ask("POST", "/v1/numbers", 402, json={}, headers=inside)
        assert (await p.ask("GET", "/_sim/balance", headers=inside))["balance_cents"] == 0
        await p.post("/v1/numbers")
        await p.post("/v1/numbers", expect=409)
        assert (await p.get("/_sim/balance"))["balance_cents"] is None


@pytest.mark.parametrize(("contract", "code"), [("all", "CARRIER_ERROR"), ("2026-03", "TWILIO_ERROR")])
async def test_a_text_that_the_carrier_does_not_take_is_a_502_and_costs_nothing(contract: str, code: str) -> None:
    async with platform(policies=Policies(contract), limits=Limits(balance_cents=302)) as p:
        number = (await p.post("/v1/numbers"))["id"]
        text = {"number_id": number, "to_number": "+12125550128", "body": "hi"}
        refused = await p.post("/v1/messages", text, expect=502)
        assert (refused["code"], refused["error"]["type"]) == (code, "carrier_error")
        assert (await p.get("/v1/conversations"))["total"] == 0
        assert (await p.get("/_sim/balance"))["balance_cents"] == 2
        await p.ask("PUT", "/_sim/people/+12125550128", json={})
        await p.post("/v1/messages", text)


async def test_a_look_up_is_paid_by_the_number_and_a_wrong_one_is_free() -> None:
    async with platform(limits=Limits(balance_cents=2)) as p:
        await p.get("/v1/numbers/lookup", 400, phoneNumbers="nobody")
        await p.get("/v1/numbers/lookup", phoneNumbers="+14155550121,+14155550131")
        assert (await p.get("/_sim/balance"))["balance_cents"] == pytest.approx(0.2)
        assert (await p.get("/v1/numbers/lookup", 402, phoneNumbers="+14155550121"))["code"] == "INSUFFICIENT_BALANCE"


async def test_a_registration_is_paid_by_the_account_that_asks_also_for_a_sub_account() -> None:
    async with platform(limits=Limits(balance_cents=2600)) as p:
        filed = await p.post("/v1/register", brand())
        (entry,) = (await p.get("/_sim/balance"))["entries"]
        assert (entry["item"], entry["amount_cents"]) == ("registration", -2500)
        refused = await p.post("/v1/register", brand(create_sub_account=False), expect=402)
        assert "registration needs $25" in refused["detail"]
        assert (await p.get("/v1/sub-accounts"))["total"] == 1
        assert entry["amount_cents"] == -filed["fee_cents"]


async def test_the_recording_add_on_costs_five_dollars_once() -> None:
    async with platform(limits=Limits(balance_cents=500)) as p:
        for _ in range(2):
            await p.post("/credits/recording/enable")
        assert (await p.get("/_sim/balance"))["balance_cents"] == 0


async def test_a_new_account_gets_its_number_for_nothing_and_whatever_the_limit() -> None:
    async with platform(limits=Limits(numbers=0, balance_cents=0)) as p:
        asked = await p.post("/v0/agent/sign-up", {"human_email": "ada@example.com", "agent_name": "Ada"})
        (mailed,) = (await p.get("/_sim/verifications"))["verifications"]
        opened = await p.post(
            "/v0/agent/verify", {"verification_id": asked["verification_id"], "otp_code": mailed["code"]}
        )
        assert opened["phone_number"].startswith("+1")
