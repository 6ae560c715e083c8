from __future__ import annotations

import pytest

from tests.helpers.api import HOOK, PERSON, Api, under

pytestmark = pytest.mark.anyio


async def test_usage_is_the_union_of_every_generation(api: Api) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON, "waitForCompletion": True})
    await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi"})
    await api.post("/v1/webhooks/test")
    usage = await api.get("/v1/usage")
    assert usage["plan"]["numberLimit"] == usage["plan"]["limits"]["numbers"] == usage["numbers"]["limit"]
    assert usage["numbers"]["used"] == 1
    assert usage["numbers"]["remaining"] == usage["numbers"]["limit"] - 1
    assert usage["stats"] == {
        "totalMessages": 1,
        "messagesLast24h": 1,
        "messagesLast7d": 1,
        "messagesLast30d": 1,
        "totalCalls": 1,
        "callsLast24h": 1,
        "callsLast7d": 1,
        "callsLast30d": 1,
        "totalWebhookDeliveries": 1,
        "successfulWebhookDeliveries": 1,
        "failedWebhookDeliveries": 0,
        "minutesLast30d": 1,
        "smsSegmentsLast30d": 1,
    }
    assert usage["periodStart"] == "2026-01-01T00:00:00.000Z"
    assert usage["periodEnd"] == "2026-02-01T00:00:00.000Z"
    assert usage["reportGeneratedAt"] == "2026-01-05T15:00:00.000Z"
    assert set(usage["plan"]["limits"]) == {
        "numbers",
        "messagesPerMonth",
        "voiceMinutesPerMonth",
        "maxCallDurationMinutes",
        "concurrentCalls",
    }


async def test_days_are_oldest_first_and_complete(api: Api) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi"})
    usage = await api.get("/v1/usage/daily", days=3)
    assert usage["days"] == 3
    assert [day["date"] for day in usage["data"]] == ["2026-01-03", "2026-01-04", "2026-01-05"]
    assert usage["data"][2] == {"date": "2026-01-05", "messages": 1, "calls": 0, "webhooks": 0, "voiceMinutes": 0.0}
    assert len((await api.get("/v1/usage/daily"))["data"]) == 30


async def test_months_are_oldest_first_and_complete(api: Api) -> None:
    usage = await api.get("/v1/usage/monthly", months=2)
    assert usage["months"] == 2
    assert [month["month"] for month in usage["data"]] == ["2025-12", "2026-01"]
    assert set(usage["data"][0]) == {"month", "messages", "calls", "webhooks", "voiceMinutes"}
    assert len((await api.get("/v1/usage/monthly"))["data"]) == 6


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [("/v1/usage/daily", "days", (0, 366, "x")), ("/v1/usage/monthly", "months", (0, 25, "1.5"))],
)
async def test_periods_out_of_range_are_refused(api: Api, path: str, name: str, values: tuple[object, ...]) -> None:
    for value in values:
        refused = await api.get(path, expect=422, **{name: value})
        assert refused["detail"][0]["loc"] == ["query", name]


async def test_usage_by_number_has_a_row_per_number(api: Api) -> None:
    agent_id, number_id = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi"})
    spare = await api.post("/v1/numbers")
    await api.delete(f"/v1/numbers/{spare['id']}")
    released, busy = (await api.get("/v1/usage/by-number"))["data"]
    assert (released["numberId"], released["status"], released["agentId"]) == (spare["id"], "released", None)
    assert busy == {
        "numberId": number_id,
        "phoneNumber": busy["phoneNumber"],
        "country": "US",
        "status": "active",
        "agentId": agent_id,
        "agentName": "Support",
        "messages": 1,
        "calls": 0,
    }


async def test_usage_by_agent_counts_the_period_and_names_its_ends(api: Api) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON, "waitForCompletion": True})
    orphan = await api.post("/v1/numbers")
    await api.post("/v1/messages", {"number_id": orphan["id"], "to_number": PERSON, "body": "hi"})
    used = await api.get("/v1/usage/by-agent", period="week", tz="America/New_York")
    row = {"agentId": agent_id, "agentName": "Support", "messages": 0, "calls": 1, "totalSeconds": 42}
    left = {"agentId": None, "agentName": "Unassigned", "messages": 1, "calls": 0, "totalSeconds": 0}
    assert used == {
        "data": [row | {"isOrphan": False}, left | {"isOrphan": True}],
        "period": "week",
        "periodStart": "2026-01-05T05:00:00.000Z",
        "periodEnd": "2026-01-12T05:00:00.000Z",
    }


async def test_without_a_period_usage_by_agent_is_the_months_or_refused_by_policy(api: Api) -> None:
    used = await api.get("/v1/usage/by-agent", tz="")
    assert (used["period"], used["periodStart"]) == ("month", "2026-01-01T00:00:00.000Z")
    strict = Api(policies=under(usage_period="required"))
    refused = await strict.get("/v1/usage/by-agent", 422)
    assert refused["detail"] == [{"loc": ["query", "period"], "msg": "Field required", "type": "missing"}]
    await strict.get("/v1/usage/by-agent", period="year")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "America", "x\0y", "ü", "a" * 200])
async def test_a_time_zone_that_does_not_exist_is_refused(api: Api, zone: str) -> None:
    refused = await api.get("/v1/usage/by-agent", 422, period="week", tz=zone)
    assert refused["detail"][0]["loc"] == ["query", "tz"]


@pytest.mark.parametrize("period", ["day", "", "WEEK"])
async def test_a_period_that_does_not_exist_is_refused(api: Api, period: str) -> None:
    assert (await api.get("/v1/usage/by-agent", 422, period=period))["detail"][0]["loc"] == ["query", "period"]
