from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.domain.messages import Channel
from simulator.domain.webhooks import Outcome, OutcomeKind
from tests.helpers.api import HOOK, PERSON, Api, under

pytestmark = pytest.mark.anyio


async def paths(api: Api) -> list[str]:
    agent = await api.post("/v1/agents", {"name": "A"})
    return ["/v1/webhooks", f"/v1/agents/{agent['id']}/webhook"]


async def test_an_endpoint_is_set_shown_and_removed(api: Api) -> None:
    for path in await paths(api):
        assert await api.get(path) is None
        made = await api.post(path, {"url": HOOK, "contextLimit": 0, "timeout": 5})
        assert made.items() >= {"url": HOOK, "contextLimit": 0, "timeout": 5, "status": "active"}.items()
        assert made["secret"].startswith("whsec_")
        assert await api.get(path) == made
        assert await api.delete(path) == {"success": True}
        assert await api.get(path) is None


async def test_setting_again_makes_a_new_secret(api: Api) -> None:
    for path in await paths(api):
        first, second = await api.post(path, {"url": HOOK}), await api.post(path, {"url": HOOK})
        assert first["id"] == second["id"]
        assert first["secret"] != second["secret"]


async def test_removing_what_is_not_set_succeeds(api: Api) -> None:
    for path in await paths(api):
        assert await api.delete(path) == {"success": True}


async def test_an_agents_endpoint_is_not_the_accounts(api: Api) -> None:
    account, own = await paths(api)
    await api.post(account, {"url": HOOK})
    assert await api.get(own) is None


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_agent_has_no_endpoint(api: Api, method: str) -> None:
    body = {"url": "not even a url"} if method == "POST" else None
    refused = await api.ask(method, "/v1/agents/agt_none/webhook", body, expect=404)
    assert "agt_none" in refused["detail"]


async def test_a_bad_url_is_refused_in_both_envelopes(api: Api) -> None:
    for path in await paths(api):
        refused = await api.post(path, {"url": "http://user:secret@example.com"}, expect=400)
        assert refused["code"] == refused["error"]["code"] == "VALIDATION_ERROR_URL"
        assert refused["error"]["type"] == "validation_error"
        assert refused["detail"] == refused["error"]["message"]
        assert await api.get(path) is None


@pytest.mark.parametrize("body", [{}, {"url": 5}, {"url": HOOK, "timeout": 4}, {"url": HOOK, "contextLimit": 51}])
async def test_an_endpoint_of_the_wrong_shape_is_refused(api: Api, body: dict[str, Any]) -> None:
    for path in await paths(api):
        await api.post(path, body, expect=422)


async def test_a_test_event_goes_to_the_accounts_endpoint_and_names_the_first_agent(api: Api) -> None:
    _, number_id = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    result = await api.post("/v1/webhooks/test", {})
    assert result == {
        "success": True,
        "statusCode": 200,
        "httpStatus": 200,
        "responseMs": 12,
        "error": None,
        "errorMessage": None,
    }
    ((notice, endpoint),) = api.runner.tested
    assert (notice.test, endpoint.agent_id) == (True, None)
    assert notice.agent_id == api.world.numbers[number_id].agent_id


async def test_a_test_event_looks_as_asked(api: Api) -> None:
    await api.post("/v1/webhooks", {"url": HOOK})
    body = {"from": "415 555 0150", "to": "+14155550101", "message": "ping", "channel": "imessage"}
    await api.post("/v1/webhooks/test", body)
    ((notice, _),) = api.runner.tested
    assert notice.channel is Channel.IMESSAGE
    assert notice.message is not None
    assert (notice.message.from_number, notice.message.to_number) == (PERSON, "+14155550101")
    assert notice.message.body == "ping"


async def test_a_failed_test_is_an_answer_not_an_error(api: Api) -> None:
    await api.post("/v1/webhooks", {"url": HOOK})
    api.runner.outcome = Outcome(kind=OutcomeKind.UNREACHABLE, error="connection refused")
    result = await api.post("/v1/webhooks/test")
    assert (result["success"], result["statusCode"], result["error"]) == (False, None, "connection refused")


async def test_a_test_can_name_the_agent_whose_events_it_follows(api: Api) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.ask("POST", f"/v1/webhooks/test?agentId={agent_id}")
    await api.post(f"/v1/agents/{agent_id}/webhook", {"url": f"{HOOK}/own"})
    await api.ask("POST", f"/v1/webhooks/test?agentId={agent_id}")
    await api.post(f"/v1/agents/{agent_id}/webhook/test")
    assert [endpoint.url for _, endpoint in api.runner.tested] == [HOOK, f"{HOOK}/own", f"{HOOK}/own"]
    await api.ask("POST", "/v1/webhooks/test?agentId=agt_none", expect=404)
    await api.post("/v1/agents/agt_none/webhook/test", expect=404)


async def test_without_an_endpoint_there_is_nothing_to_test(api: Api) -> None:
    agent_id, _ = await api.line()
    assert "POST /v1/webhooks" in (await api.post("/v1/webhooks/test", expect=400))["detail"]
    await api.post("/v1/webhooks", {"url": HOOK})
    refused = await api.post(f"/v1/agents/{agent_id}/webhook/test", expect=400)
    assert agent_id in refused["detail"]


@pytest.mark.parametrize("body", [{"channel": "voice"}, {"from": 5}, {"message": ["x"]}])
async def test_a_test_of_the_wrong_shape_is_refused(api: Api, body: dict[str, Any]) -> None:
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.post("/v1/webhooks/test", body, expect=422)
    assert api.runner.tested == []


async def test_deliveries_are_listed_under_both_names(api: Api) -> None:
    await api.post("/v1/webhooks", {"url": HOOK})
    for _ in range(3):
        await api.post("/v1/webhooks/test")
    shown = await api.get("/v1/webhooks/deliveries", limit=2)
    assert shown["items"] == shown["data"]
    assert (len(shown["items"]), shown["total"], shown["hasMore"]) == (2, 3, True)
    assert (shown["limit"], shown["offset"]) == (2, 0)
    assert (await api.get("/v1/webhooks/deliveries"))["limit"] == 50
    assert len((await api.get("/v1/webhooks/deliveries", offset=2))["items"]) == 1


async def test_deliveries_and_counts_can_be_of_the_last_hours_only(api: Api) -> None:
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.post("/v1/webhooks/test")
    api.runner.instant += timedelta(hours=30)
    assert (await api.get("/v1/webhooks/deliveries"))["total"] == 1
    assert (await api.get("/v1/webhooks/deliveries", hours=24))["total"] == 0
    assert (await api.get("/v1/webhooks/deliveries/stats"))["total"] == 0
    assert (await api.get("/v1/webhooks/deliveries/stats", hours=48))["total"] == 1


async def test_counts_have_a_rate_in_the_unit_of_the_policy() -> None:
    for unit, rate in (("percent", 50.0), ("fraction", 0.5)):
        api = Api(policies=under(success_rate=unit))
        await api.post("/v1/webhooks", {"url": HOOK})
        await api.post("/v1/webhooks/test")
        api.runner.outcome = Outcome(kind=OutcomeKind.REJECTED, http_status=500)
        await api.post("/v1/webhooks/test")
        stats = await api.get("/v1/webhooks/deliveries/stats")
        assert stats == {
            "total": 2,
            "success": 1,
            "failed": 1,
            "pending": 0,
            "successRate": rate,
            "byEventType": {"agent.message": {"total": 2, "success": 1, "failed": 1, "pending": 0}},
            "byHour": [{"hour": "2026-01-05T15:00:00.000Z", "total": 2, "success": 1, "failed": 1}],
        }


async def test_an_agents_deliveries_are_a_bare_array_of_what_went_to_its_own_endpoint(api: Api) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    await api.post("/v1/webhooks/test")
    own = f"/v1/agents/{agent_id}/webhook"
    assert await api.get(f"{own}/deliveries") == []
    await api.post(own, {"url": HOOK})
    for _ in range(3):
        await api.post(f"{own}/test")
    shown = await api.get(f"{own}/deliveries")
    everything = (await api.get("/v1/webhooks/deliveries"))["items"]
    assert shown == everything[:3]
    assert [row["id"] for row in await api.get(f"{own}/deliveries", limit=2)] == [row["id"] for row in shown[:2]]
    api.runner.instant += timedelta(hours=2)
    assert await api.get(f"{own}/deliveries", hours=1) == []
    assert len(await api.get(f"{own}/deliveries", hours=3)) == 3


async def test_an_agents_deliveries_can_come_in_the_accounts_object() -> None:
    api = Api(policies=under(agent_deliveries_shape="object"))
    agent_id, _ = await api.line()
    own = f"/v1/agents/{agent_id}/webhook"
    await api.post(own, {"url": HOOK})
    for _ in range(2):
        await api.post(f"{own}/test")
    shown = await api.get(f"{own}/deliveries", limit=1)
    assert shown["items"] == shown["data"]
    assert (len(shown["data"]), shown["total"], shown["hasMore"], shown["limit"], shown["offset"]) == (1, 2, True, 1, 0)


async def test_deliveries_of_an_unknown_agent_are_not_found(api: Api) -> None:
    assert "agt_none" in (await api.get("/v1/agents/agt_none/webhook/deliveries", 404))["detail"]


async def test_all_time_counts_what_no_window_shows_any_more(api: Api) -> None:
    await api.post("/v1/webhooks", {"url": HOOK})
    for _ in range(3):
        await api.post("/v1/webhooks/test")
    api.runner.outcome = Outcome(kind=OutcomeKind.REJECTED, http_status=500)
    await api.post("/v1/webhooks/test")
    api.runner.instant += timedelta(days=400)
    ever = await api.get("/v1/webhooks/deliveries/all-time")
    assert ever == {"total": 4, "success": 3, "failed": 1, "successRate": 75.0}
    assert (await api.get("/v1/webhooks/deliveries/stats", hours=168))["total"] == 0


@pytest.mark.parametrize("hours", [0, -1, 169, 10**40, "x", ""])
@pytest.mark.parametrize(
    "path", ["/v1/webhooks/deliveries", "/v1/webhooks/deliveries/stats", "/v1/agents/{}/webhook/deliveries"]
)
async def test_hours_are_from_1_to_168_everywhere(api: Api, path: str, hours: Any) -> None:
    agent = (await api.post("/v1/agents", {"name": "A"}))["id"]
    await api.get(path.format(agent), hours=hours, expect=422)
    await api.get(path.format(agent), hours=1)
    await api.get(path.format(agent), hours=168)


@pytest.mark.parametrize("limit", [0, 101, "x"])
async def test_the_limit_of_an_agents_deliveries_is_from_1_to_100(api: Api, limit: Any) -> None:
    agent = (await api.post("/v1/agents", {"name": "A"}))["id"]
    await api.get(f"/v1/agents/{agent}/webhook/deliveries", limit=limit, expect=422)
