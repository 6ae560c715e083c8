"""Signing up against a whole simulator: a new account is more than one world can make."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.api import Api
from tests.helpers.platform import Platform, platform

pytestmark = pytest.mark.anyio
ADA = {"human_email": "ada@example.com", "agent_name": "Front desk"}
NO_KEY = {"Authorization": ""}


async def mailed(p: Platform, **fields: Any) -> tuple[dict[str, Any], str]:
    """What signing up answers, and the code that was mailed."""
    asked = await p.ask("POST", "/v0/agent/sign-up", json={**ADA, **fields}, headers=NO_KEY)
    codes = (await p.get("/_sim/verifications"))["verifications"]
    return asked, next(c["code"] for c in codes if c["verification_id"] == asked["verification_id"])


async def verify(p: Platform, verification_id: str, code: str, expect: int = 200) -> Any:
    body = {"verification_id": verification_id, "otp_code": code, "source": "test"}
    return await p.ask("POST", "/v0/agent/verify", expect, json=body, headers=NO_KEY)


def key(account: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {account['api_key']}"}


async def test_signing_up_mails_a_code_that_lives_ten_minutes() -> None:
    async with platform(ClockMode.MANUAL) as p:
        asked, code = await mailed(p)
        assert asked.items() >= {"human_email": ADA["human_email"], "expires_at": "2026-01-05T15:10:00.000Z"}.items()
        assert asked["verification_id"].startswith("ver_")
        assert code not in str(asked)
        await p.post("/_sim/clock/advance", {"seconds": 600})
        assert "expired" in (await verify(p, asked["verification_id"], code, 400))["detail"]


async def test_the_code_opens_an_account_whose_key_works_at_once() -> None:
    async with platform(ClockMode.MANUAL) as p:
        asked, code = await mailed(p)
        await p.post("/_sim/clock/advance", {"seconds": 60})
        account = await verify(p, asked["verification_id"], code)
        agents = (await p.ask("GET", "/v1/agents", headers=key(account)))["data"]
        assert [(a["id"], a["name"], a["voiceMode"]) for a in agents] == [(account["agent_id"], "Front desk", "hosted")]
        numbers = (await p.ask("GET", "/v1/numbers", headers=key(account)))["data"]
        assert [(n["id"], n["phoneNumber"], n["agentId"], n["createdAt"]) for n in numbers] == [
            (account["number_id"], account["phone_number"], account["agent_id"], "2026-01-05T15:01:00.000Z")
        ]
        assert account["account_id"].startswith("acct_") and account["api_key"].startswith("sk_live_")


async def test_the_new_account_and_the_first_one_never_meet() -> None:
    async with platform(ClockMode.MANUAL) as p:
        asked, code = await mailed(p)
        account = await verify(p, asked["verification_id"], code)
        assert (await p.get("/v1/agents"))["total"] == 0
        await p.get(f"/v1/numbers/{account['number_id']}", 404)
        assert account["account_id"] != p.runner.world.account_id
        seen = await p.ask("GET", "/_sim/verifications", headers=key(account))
        assert seen == {"verifications": []}


async def test_a_wrong_code_and_an_unknown_id_open_nothing() -> None:
    async with platform(ClockMode.MANUAL) as p:
        asked, code = await mailed(p)
        assert "wrong" in (await verify(p, asked["verification_id"], "12345x", 400))["detail"]
        assert "ver_nope" in (await verify(p, "ver_nope", code, 404))["detail"]
        assert await verify(p, asked["verification_id"], code)


async def test_a_known_address_is_a_conflict() -> None:
    async with platform(ClockMode.MANUAL) as p:
        asked, code = await mailed(p)
        await verify(p, asked["verification_id"], code)
        await p.ask("POST", "/v0/agent/sign-up", 409, json=ADA, headers=NO_KEY)
        await verify(p, asked["verification_id"], code, 409)
        other, other_code = await mailed(p, human_email="grace@example.com", agent_name=None)
        assert (await verify(p, other["verification_id"], other_code))["account_id"]


async def test_the_first_account_keeps_sign_ups_whoevers_key_came_along() -> None:
    async with platform(ClockMode.MANUAL, api_keys=("sk_live_simulator", "sk_live_second")) as p:
        second = {"Authorization": "Bearer sk_live_second"}
        asked = await p.ask("POST", "/v0/agent/sign-up", json=ADA, headers=second)
        rows = (await p.get("/_sim/verifications"))["verifications"]
        assert [(r["verification_id"], r["kind"], r["to"]) for r in rows] == [
            (asked["verification_id"], "sign_up", ADA["human_email"])
        ]


async def test_signing_up_again_after_a_reset_opens_another_account() -> None:
    async with platform(ClockMode.MANUAL) as p:
        first = await verify(p, *await _id_and_code(p))
        await p.post("/_sim/reset")
        second = await verify(p, *await _id_and_code(p))
        assert second["api_key"] != first["api_key"]
        assert (await p.ask("GET", "/v1/agents", headers=key(first)))["total"] == 1


async def _id_and_code(p: Platform) -> tuple[str, str]:
    asked, code = await mailed(p)
    return asked["verification_id"], code


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "human_email"),
        ({"human_email": "a@b"}, "human_email"),
        ({"human_email": "nobody.example.com"}, "human_email"),
        ({"human_email": f"{'a' * 200}@b.com"}, "human_email"),
        ({"human_email": "a b@example.com"}, "human_email"),
        ({**ADA, "agent_name": "x" * 101}, "agent_name"),
    ],
)
async def test_an_application_of_the_wrong_shape_is_a_422(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.send("POST", "/v0/agent/sign-up", headers={}, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


async def test_an_account_that_runs_by_itself_cannot_open_others(api: Api) -> None:
    asked = (await api.send("POST", "/v0/agent/sign-up", headers={}, json=ADA)).json()
    code = api.world.sign_ups[asked["verification_id"]].code
    body = {"verification_id": asked["verification_id"], "otp_code": code}
    assert (await api.send("POST", "/v0/agent/verify", headers={}, json=body)).status_code == 501
