from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import Api
from tests.helpers.registration import application, brand

pytestmark = pytest.mark.anyio
OWN: dict[str, Any] = {"create_sub_account": False}


async def test_an_account_without_a_registration_says_none(api: Api) -> None:
    status = await api.get("/v1/register/status")
    assert (status["campaign_status"], status["stage"]) == ("none", None)
    assert "POST /v1/register" in status["message"]
    detail = await api.get("/v1/register")
    assert (detail["campaign_status"], detail["brand"], detail["campaign"]) == ("none", {}, {})


async def test_registering_the_account_itself(api: Api) -> None:
    taken = await api.post("/v1/register", application(**OWN))
    assert (
        taken.items()
        >= {
            "ok": True,
            "campaign_status": "pending",
            "sub_account_id": None,
            "fee_cents": 2500,
        }.items()
    )
    status = await api.get("/v1/register/status")
    assert (status["campaign_status"], status["stage"]) == ("pending", "brand_review")
    assert (await api.get("/v1/sub-accounts"))["total"] == 0
    assert api.runner.reviewed == list(api.world.registrations.values())


async def test_a_registration_opens_a_sub_account_unless_told_otherwise_and_belongs_to_it(api: Api) -> None:
    taken = await api.post("/v1/register", brand())
    opened = (await api.get("/v1/sub-accounts"))["data"]
    assert [(a["id"], a["name"]) for a in opened] == [(taken["sub_account_id"], "Analytical Engines")]
    assert (await api.get("/v1/register/status"))["campaign_status"] == "none"
    inside = {**api.headers, "X-Sub-Account-Id": taken["sub_account_id"]}
    status = await api.ask("GET", "/v1/register/status", headers=inside)
    assert status["campaign_status"] == "pending"
    assert taken["sub_account_id"] in taken["message"]


async def test_a_person_names_the_sub_account_they_open(api: Api) -> None:
    await api.post("/v1/register", application())
    assert (await api.get("/v1/sub-accounts"))["data"][0]["name"] == "Ada Lovelace"


async def test_a_sub_account_registers_itself_and_cannot_open_another(api: Api) -> None:
    made = await api.post("/v1/sub-accounts", {"name": "Branch"})
    inside = {**api.headers, "X-Sub-Account-Id": made["id"]}
    refused = await api.ask("POST", "/v1/register", application(create_sub_account=True), headers=inside, expect=400)
    assert made["id"] in refused["detail"]
    taken = await api.ask("POST", "/v1/register", application(), headers=inside)
    assert taken["sub_account_id"] is None
    assert (await api.ask("GET", "/v1/register/status", headers=inside))["campaign_status"] == "pending"
    assert (await api.get("/v1/register/status"))["campaign_status"] == "none"


async def test_a_refused_application_opens_no_sub_account(api: Api) -> None:
    for wrong in ({"email": "nobody"}, {"first_name": " ", "last_name": " "}, {"registration_type": "high_volume"}):
        await api.post("/v1/register", application(**wrong), expect=400)
    assert (await api.get("/v1/sub-accounts"))["total"] == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"registration_type": "big"}, "registration_type"),
        ({"description": "too short"}, "description"),
        ({"use_cases": []}, "use_cases"),
        ({"use_cases": ["fun"]}, "use_cases"),
        ({"message_samples": ["One sample is not enough, two are."]}, "message_samples"),
        ({"message_samples": ["short", "short"]}, "message_samples"),
        ({"consent_flow": None}, "consent_flow"),
        ({"opt_in_image_url": "picture"}, "opt_in_image_url"),
        ({"includes": ["cats"]}, "includes"),
        ({"planned_numbers": 0}, "planned_numbers"),
        ({"contact_title": "king"}, "contact_title"),
    ],
)
async def test_an_application_of_the_wrong_shape_is_a_422(api: Api, wrong: dict[str, Any], field: str) -> None:
    refused = await api.post("/v1/register", application(**wrong), expect=422)
    assert refused["detail"][0]["loc"][:2] == ["body", field]


async def test_the_detail_shows_what_was_filed_by_brand_and_campaign(api: Api) -> None:
    await api.post("/v1/register", brand(**OWN, phone_number="(415) 555-0150", registration_type="high_volume"))
    detail = await api.get("/v1/register")
    assert (detail["registration_type"], detail["fee_cents"]) == ("high_volume", 7000)
    assert detail["brand"].items() >= {"ein": "12-3456789", "phone_number": "+14155550150", "country": "US"}.items()
    assert detail["campaign"].items() >= {"volume": "low", "use_cases": ["customer_care"], "includes": []}.items()
    assert detail["submitted_at"] == "2026-01-05T15:00:00.000Z"


async def test_a_pending_registration_is_changed_field_by_field(api: Api) -> None:
    await api.post("/v1/register", application(**OWN))
    changed = await api.patch("/v1/register", {"brand_name": "Engines", "volume": "high", "website_url": None})
    assert (changed["brand"]["brand_name"], changed["campaign"]["volume"]) == ("Engines", "high")
    assert await api.get("/v1/register") == changed
    assert await api.patch("/v1/register", {}) == changed


async def test_there_is_nothing_to_change_without_a_registration_and_no_second_one(api: Api) -> None:
    assert "POST /v1/register" in (await api.patch("/v1/register", {"volume": "high"}, expect=400))["detail"]
    await api.post("/v1/register", application(**OWN))
    await api.post("/v1/register", application(**OWN), expect=409)
