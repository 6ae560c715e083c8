from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.world import messages
from tests.helpers.api import PERSON, START, Api

pytestmark = pytest.mark.anyio


async def test_a_number_has_every_field_that_some_client_knows(api: Api) -> None:
    number = await api.post("/v1/numbers", {"country": "US", "areaCode": "415", "externalId": "x"})
    assert number["phoneNumber"].startswith("+1415")
    assert number.items() >= {"country": "US", "status": "active", "type": "sms", "externalId": "x"}.items()
    assert set(number) == {
        "id",
        "phoneNumber",
        "country",
        "status",
        "type",
        "agentId",
        "createdAt",
        "outboundSms",
        "inboundCallsEnabled",
        "readReceiptsEnabled",
        "whatsappEnabled",
        "dailyNewContacts",
        "purchasedAt",
        "externalId",
        "expiresAt",
        "rcsFallbackForAlias",
        "imessageType",
        "voiceRouting",
    }
    assert await api.get(f"/v1/numbers/{number['id']}") == number


async def test_a_number_can_be_bought_without_a_body_and_with_one_that_says_nothing(api: Api) -> None:
    for options in ({}, {"content": b""}, {"content": b"null"}, {"json": {}}):
        assert (await api.send("POST", "/v1/numbers", **options)).json()["country"] == "US"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "outbound_sms", "calls", "receipts", "routing"),
    [
        ("sms", "enabled", True, None, {"method": "agent"}),
        ("imessage", None, True, False, {"method": "agent"}),
        ("shared-imessage", None, False, False, None),
    ],
)
async def test_a_number_says_what_its_kind_of_line_can_do(
    api: Api, kind: str, outbound_sms: str | None, calls: bool, receipts: bool | None, routing: dict[str, str] | None
) -> None:
    number = await api.post("/v1/numbers", {"type": kind})
    assert (number["type"], number["outboundSms"], number["inboundCallsEnabled"]) == (kind, outbound_sms, calls)
    assert (number["readReceiptsEnabled"], number["voiceRouting"]) == (receipts, routing)
    assert (number["whatsappEnabled"], number["dailyNewContacts"]) == (False, None)


async def test_calls_are_routed_to_the_agent_and_other_methods_are_ignored(api: Api) -> None:
    number = await api.post("/v1/numbers")
    path = f"/v1/numbers/{number['id']}/voice-routing"
    for method in ("agent", "sip"):
        assert await api.patch(path, {"method": method}) == number
    await api.patch(path, {}, expect=422)
    await api.patch("/v1/numbers/num_none/voice-routing", {"method": "agent"}, expect=404)
    shared = await api.post("/v1/numbers", {"type": "shared-imessage"})
    await api.patch(f"/v1/numbers/{shared['id']}/voice-routing", {"method": "agent"}, expect=400)


async def test_a_country_without_stock_answers_503(api: Api) -> None:
    api.world.sold_out["US"] = None
    assert "US numbers" in (await api.post("/v1/numbers", expect=503))["detail"]


async def test_a_number_is_released_for_good(api: Api) -> None:
    number = await api.post("/v1/numbers")
    gone = await api.delete(f"/v1/numbers/{number['id']}")
    assert gone == {
        "success": True,
        "id": number["id"],
        "phoneNumber": number["phoneNumber"],
        "status": "released",
        "message": "Number released",
    }
    assert (await api.get("/v1/numbers"))["total"] == 0
    assert (await api.get(f"/v1/numbers/{number['id']}"))["status"] == "released"
    await api.delete(f"/v1/numbers/{number['id']}", expect=400)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"country": "us"}, 422),
        ({"country": "USA"}, 422),
        ({"country": None}, 422),
        ({"areaCode": "41"}, 422),
        ({"areaCode": "415\n"}, 422),
        ({"areaCode": "٤١٥"}, 422),
        ({"areaCode": 415}, 422),
        ({"expiresAt": "later"}, 422),
        ({"expiresAt": 5}, 422),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, 400),
        ({"type": "pigeon"}, 400),
        ({"imessageType": "pro"}, 400),
        ({"country": "ZZ"}, 400),
        ({"country": "GB", "areaCode": "415"}, 400),
        ({"agentId": "agt_none"}, 404),
        ({"areaCode": "999"}, 409),
    ],
)
async def test_what_cannot_be_bought_is_refused_and_nothing_is(api: Api, body: dict[str, Any], status: int) -> None:
    await api.post("/v1/numbers", body, expect=status)
    assert (await api.get("/v1/numbers"))["total"] == 0


async def test_an_expiry_is_kept_in_utc(api: Api) -> None:
    number = await api.post("/v1/numbers", {"expiresAt": "2026-02-01T10:00:00+01:00"})
    assert number["expiresAt"] == "2026-02-01T09:00:00.000Z"


async def test_numbers_are_listed_newest_first(api: Api) -> None:
    bought = [(await api.post("/v1/numbers"))["id"] for _ in range(3)]
    listed = await api.get("/v1/numbers", limit=2)
    assert ([n["id"] for n in listed["data"]], listed["hasMore"], listed["total"]) == (bought[:0:-1], True, 3)


@pytest.mark.parametrize("rest", ["", "/messages", "/calls"])
async def test_an_unknown_number_is_not_found(api: Api, rest: str) -> None:
    assert "num_none" in (await api.get(f"/v1/numbers/num_none{rest}", expect=404))["detail"]


async def texted(api: Api, count: int) -> tuple[str, list[str]]:
    _, number_id = await api.line()
    to = api.world.numbers[number_id].phone_number
    ids = []
    for at in range(count):
        now = START + timedelta(minutes=at)
        message, _ = messages.receive(api.world, from_number=PERSON, to_number=to, body=f"{at}", now=now)
        ids.append(message.id)
    return number_id, ids


async def test_texts_are_listed_newest_first_and_cut_by_limit(api: Api) -> None:
    number_id, ids = await texted(api, 3)
    listed = await api.get(f"/v1/numbers/{number_id}/messages", limit=2)
    assert ([m["id"] for m in listed["data"]], listed["hasMore"], listed["total"]) == (ids[:0:-1], True, 3)


@pytest.mark.parametrize(
    ("query", "bodies"),
    [
        ({"before": "2026-01-05T15:02:00Z"}, ["1", "0"]),
        ({"after": "2026-01-05T15:00:00.000Z"}, ["2", "1"]),
        ({"after": "2026-01-05T15:00:30+00:00", "before": "2026-01-05T15:01:30Z"}, ["1"]),
        ({"before": ""}, ["2", "1", "0"]),
    ],
)
async def test_texts_are_cut_by_time(api: Api, query: dict[str, str], bodies: list[str]) -> None:
    number_id, _ = await texted(api, 3)
    listed = await api.get(f"/v1/numbers/{number_id}/messages", **query)
    assert [m["body"] for m in listed["data"]] == bodies


async def test_an_unescaped_plus_in_a_time_is_understood(api: Api) -> None:
    number_id, _ = await texted(api, 3)
    listed = await api.ask("GET", f"/v1/numbers/{number_id}/messages?before=2026-01-05T16:01:00+01:00")
    assert [m["body"] for m in listed["data"]] == ["0"]


async def test_texts_are_cut_by_message_id(api: Api) -> None:
    number_id, ids = await texted(api, 3)
    listed = await api.get(f"/v1/numbers/{number_id}/messages", before=ids[2], after=ids[0])
    assert [m["id"] for m in listed["data"]] == [ids[1]]
    await api.get(f"/v1/numbers/{number_id}/messages", before="msg_none", expect=404)
    await api.get(f"/v1/numbers/{number_id}/messages", before="2026-99-99", expect=422)


@pytest.mark.parametrize("limit", [0, 201])
async def test_the_limit_of_texts_has_its_own_bounds(api: Api, limit: int) -> None:
    number_id, _ = await texted(api, 1)
    await api.get(f"/v1/numbers/{number_id}/messages", limit=200)
    await api.get(f"/v1/numbers/{number_id}/messages", limit=limit, expect=422)


async def test_a_numbers_calls_are_listed(api: Api) -> None:
    agent_id, number_id = await api.line()
    await api.post("/v1/webhooks", {"url": "http://127.0.0.1:9"})
    call = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON})
    assert await api.get(f"/v1/numbers/{number_id}/calls") == {"data": [call], "hasMore": False, "total": 1}
