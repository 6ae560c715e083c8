from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from simulator.world import registration
from tests.helpers.platform import Platform, platform
from tests.helpers.registration import application

pytestmark = pytest.mark.anyio
HOUR = 3600


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def status(p: Platform, **headers: str) -> tuple[str, str | None]:
    answer = await p.ask("GET", "/v1/register/status", headers=headers)
    return answer["campaign_status"], answer["stage"]


async def wait(p: Platform, seconds: float) -> None:
    await p.post("/_sim/clock/advance", {"seconds": seconds})


async def register(p: Platform, **fields: Any) -> Any:
    return await p.post("/v1/register", application(create_sub_account=False, **fields))


async def test_a_registration_is_approved_by_time_alone_stage_by_stage() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await register(p)
        seen = [await status(p)]
        for hours in (1, 5 * 24, 2):
            await wait(p, hours * HOUR - 1)
            assert await status(p) == seen[-1]
            await wait(p, 1)
            seen.append(await status(p))
        assert seen == [
            ("pending", "brand_review"),
            ("pending", "campaign_review"),
            ("pending", "number_activation"),
            ("approved", None),
        ]
        assert (await p.get("/_sim/clock"))["timers"] == 0


async def test_a_registration_in_a_sub_account_is_reviewed_on_the_same_clock() -> None:
    async with platform(ClockMode.MANUAL) as p:
        opened = (await p.post("/v1/register", application()))["sub_account_id"]
        await wait(p, 30 * 24 * HOUR)
        assert await status(p, **{"X-Sub-Account-Id": opened}) == ("approved", None)
        assert await status(p) == ("none", None)


async def test_a_test_rejects_a_registration_and_time_changes_nothing_more() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await register(p)
        decided = await p.post("/_sim/registration", {"decision": "reject", "reason": "The picture is blurred"})
        assert (decided["campaign_status"], decided["stage"]) == ("rejected", None)
        assert (await p.get("/_sim/clock"))["timers"] == 0
        await wait(p, 30 * 24 * HOUR)
        answer = await p.get("/v1/register/status")
        assert answer["campaign_status"] == "rejected"
        assert "The picture is blurred" in answer["message"]
        await register(p)
        assert await status(p) == ("pending", "brand_review")


async def test_the_time_of_an_earlier_registration_does_not_move_the_next_one() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await register(p)
        registration.decide(p.runner.world, approved=False, now=p.runner.now())
        await wait(p, HOUR - 1)
        await register(p)
        await wait(p, 1)
        assert await status(p) == ("pending", "brand_review")


async def test_a_test_ends_one_stage_and_the_next_takes_its_whole_time() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await register(p)
        decided = await p.post("/_sim/registration", {"decision": "advance"})
        assert (decided["campaign_status"], decided["stage"]) == ("pending", "campaign_review")
        await wait(p, 5 * 24 * HOUR - 1)
        assert await status(p) == ("pending", "campaign_review")
        await p.post("/_sim/registration", {"decision": "approve"})
        assert await status(p) == ("approved", None)
        refused = await p.post("/_sim/registration", {"decision": "approve"}, 400)
        assert "approved" in refused["detail"]


@pytest.mark.parametrize(
    ("body", "code"), [({"decision": "perhaps"}, 422), ({}, 422), ({"decision": "approve"}, 400), ({"stage": 1}, 422)]
)
async def test_a_decision_that_cannot_be_is_refused(body: dict[str, Any], code: int) -> None:
    async with platform(ClockMode.MANUAL) as p:
        assert (await p.post("/_sim/registration", body, code))["detail"]


async def test_a_decision_for_a_sub_account_is_made_with_its_header() -> None:
    async with platform(ClockMode.MANUAL) as p:
        inside = {"X-Sub-Account-Id": (await p.post("/v1/register", application()))["sub_account_id"]}
        await p.ask("POST", "/_sim/registration", 400, json={"decision": "approve"})
        await p.ask("POST", "/_sim/registration", headers=inside, json={"decision": "approve"})
        assert await status(p, **inside) == ("approved", None)


async def test_the_gate_keeps_sms_in_until_the_registration_is_approved() -> None:
    async with platform(ClockMode.MANUAL, policies=Policies("all", {"registration_gate": "on"})) as p:
        agent, ours = await p.line(None)
        text = {"agent_id": agent, "to_number": "+14155552671", "body": "Hello"}

        async def outbound() -> str:
            return str((await p.get("/v1/numbers"))["data"][0]["outboundSms"])

        assert await outbound() == "registration_required"
        refused = await p.post("/v1/messages", text, 403)
        assert "POST /v1/register" in refused["detail"] and ours in refused["detail"]
        await p.post("/_sim/messages", {"from": "+14155552671", "to": ours, "body": "Inbound is fine"})
        await register(p)
        await wait(p, 6 * 24 * HOUR)
        await p.post("/v1/messages", text, 200)
        assert await outbound() == "enabled"


async def test_a_number_that_is_being_activated_says_so() -> None:
    async with platform(ClockMode.MANUAL, policies=Policies("all", {"registration_gate": "on"})) as p:
        agent, _ = await p.line(None)
        await register(p)
        for _ in range(2):
            await p.post("/_sim/registration", {"decision": "advance"})
        assert (await p.get("/v1/numbers"))["data"][0]["outboundSms"] == "activating"
        text = {"agent_id": agent, "to_number": "+14155552671", "body": "Hello"}
        assert "activat" in (await p.post("/v1/messages", text, 403))["detail"]


async def proposed(p: Platform) -> tuple[str, str]:
    connection = (await p.post("/integrations/whatsapp/connect", {"code": "AQD"}))["id"]
    path = f"/integrations/whatsapp/{connection}/templates"
    made = await p.post(path, {"name": "welcome", "category": "UTILITY", "language": "en_US"})
    return path, made["id"]


async def test_a_template_is_approved_after_five_minutes() -> None:
    async with platform(ClockMode.MANUAL) as p:
        path, _ = await proposed(p)
        await wait(p, 299)
        assert [t["status"] for t in (await p.get(path))["data"]] == ["PENDING"]
        await wait(p, 1)
        assert [t["status"] for t in (await p.get(path))["data"]] == ["APPROVED"]


async def test_a_test_rejects_a_template_and_time_does_not_approve_it() -> None:
    async with platform(ClockMode.MANUAL) as p:
        path, template = await proposed(p)
        url = f"/_sim/whatsapp/templates/{template}"
        decided = await p.post(url, {"decision": "reject", "reason": "INVALID_FORMAT"})
        assert decided == {"template_id": template, "status": "REJECTED", "rejected_reason": "INVALID_FORMAT"}
        await wait(p, HOUR)
        assert [t["status"] for t in (await p.get(path))["data"]] == ["REJECTED"]
        await p.post(url, {"decision": "approve"}, 400)
        await p.post("/_sim/whatsapp/templates/1", {"decision": "approve"}, 404)


async def test_a_template_that_was_deleted_meanwhile_is_not_missed() -> None:
    async with platform(ClockMode.MANUAL) as p:
        path, _ = await proposed(p)
        await p.ask("DELETE", f"{path}?name=welcome")
        await wait(p, HOUR)
        assert (await p.get(path))["data"] == []


async def test_the_code_of_a_verification_can_be_read_and_used() -> None:
    async with platform(ClockMode.MANUAL) as p:
        sent = await p.post("/v1/verify/send", {"phone_number": "+14155550150"})
        row = (await p.get("/_sim/verifications"))["verifications"][0]
        assert (row["verification_id"], row["kind"], row["to"]) == (sent["verification_id"], "phone", "+14155550150")
        assert (row["status"], row["attempts_remaining"]) == ("pending", 3)
        assert row["expires_at"] == "2026-01-05T15:10:00.000Z"
        body = {"verification_id": sent["verification_id"], "code": row["code"]}
        assert (await p.post("/v1/verify/check", body))["result"] == "ok"
        assert (await p.get("/_sim/verifications"))["verifications"][0]["status"] == "verified"


async def test_a_code_expires_on_the_simulated_clock() -> None:
    async with platform(ClockMode.MANUAL) as p:
        sent = await p.post("/v1/verify/send", {"phone_number": "+14155550150"})
        await wait(p, 600)
        row = (await p.get("/_sim/verifications"))["verifications"][0]
        body = {"verification_id": sent["verification_id"], "code": row["code"]}
        assert row["status"] == (await p.post("/v1/verify/check", body))["result"] == "expired"
