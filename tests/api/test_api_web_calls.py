from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import HOOK, Api, under

pytestmark = pytest.mark.anyio


async def ready(api: Api) -> str:
    """An agent that can be called from a browser."""
    agent = await api.post("/v1/agents", {"name": "Support"})
    await api.post("/v1/webhooks", {"url": HOOK})
    agent_id: str = agent["id"]
    return agent_id


async def test_a_web_call_is_made_and_waits_for_its_browser(api: Api) -> None:
    agent_id = await ready(api)
    made = await api.post("/v1/calls/web", {"agentId": agent_id, "metadata": {"cart": 7}, "variables": {"a": None}})
    assert set(made) == {"callId", "accessToken"}
    assert [(c.id, c.metadata, c.variables) for c in api.runner.started] == [(made["callId"], {"cart": 7}, {})]
    call = await api.get(f"/v1/calls/{made['callId']}")
    assert call.items() >= {"direction": "web", "fromNumber": "", "toNumber": "", "phoneNumberId": None}.items()
    assert made["accessToken"] not in str(call)


async def test_the_answer_is_201_where_the_contract_says_so() -> None:
    api = Api(policies=under(create_status="201", no_webhook_call="silence"))
    agent = await api.post("/v1/agents", {"name": "Support"}, expect=201)
    await api.post("/v1/calls/web", {"agentId": agent["id"]}, expect=201)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"agentId": "agt_none"}, 404),
        ({"agentId": None}, 422),
        ({"agentId": ""}, 422),
        ({"metadata": "x"}, 422),
        ({"variables": {"a": 1}}, 422),
    ],
)
async def test_a_web_call_that_cannot_be_made_rings_nowhere(api: Api, change: dict[str, Any], status: int) -> None:
    body = {"agentId": await ready(api), **change}
    refused = await api.post("/v1/calls/web", body, expect=status)
    assert refused["detail"]
    assert api.runner.started == []
    assert (await api.get("/v1/calls"))["total"] == 0


async def test_without_a_webhook_nobody_would_answer(api: Api) -> None:
    agent = await api.post("/v1/agents", {"name": "Support"})
    refused = await api.post("/v1/calls/web", {"agentId": agent["id"]}, expect=400)
    assert "webhook" in refused["detail"]


async def test_web_calls_are_filtered_by_both_words_and_listed_with_their_agent(api: Api) -> None:
    agent_id = await ready(api)
    number = await api.post("/v1/numbers", {"agentId": agent_id})
    web = (await api.post("/v1/calls/web", {"agentId": agent_id}))["callId"]
    pstn = (await api.post("/v1/calls", {"agentId": agent_id, "toNumber": "+14155550150"}))["id"]

    async def ids(path: str = "/v1/calls", **query: str) -> list[str]:
        return [c["id"] for c in (await api.get(path, **query))["data"]]

    assert await ids(type="web") == await ids(direction="web") == await ids(type="web", direction="web") == [web]
    assert await ids(type="pstn") == await ids(direction="outbound") == [pstn]
    assert await ids(f"/v1/agents/{agent_id}/calls") == [pstn, web]
    assert await ids(f"/v1/numbers/{number['id']}/calls") == [pstn]
