from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import HOOK, PERSON, Api, under

pytestmark = pytest.mark.anyio


async def ready(api: Api) -> str:
    """An agent that can call."""
    agent_id, _ = await api.line()
    await api.post("/v1/webhooks", {"url": HOOK})
    return agent_id


async def test_a_call_is_placed_and_handed_to_the_runner(api: Api) -> None:
    agent_id = await ready(api)
    call = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": "(415) 555-0150", "initialGreeting": ""})
    assert call.items() >= {"agentId": agent_id, "toNumber": PERSON, "direction": "outbound"}.items()
    assert (call["status"], call["transcripts"], call["retellCallId"]) == ("in-progress", [], None)
    assert [(c.id, c.initial_greeting) for c in api.runner.started] == [(call["id"], "")]
    assert await api.get(f"/v1/calls/{call['id']}") == call
    assert api.runner.waits == []


async def test_waiting_for_completion_answers_with_the_ended_call(api: Api) -> None:
    agent_id = await ready(api)
    body = {"agentId": agent_id, "toNumber": PERSON, "waitForCompletion": True}
    call = await api.post("/v1/calls", body)
    assert (call["status"], call["durationSeconds"]) == ("completed", 42)
    await api.post("/v1/calls", {**body, "maxWaitSeconds": 10})
    assert [seconds for _, seconds in api.runner.waits] == [300, 10]


async def test_getting_a_call_can_wait_for_its_end(api: Api) -> None:
    agent_id = await ready(api)
    call = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON})
    path = f"/v1/calls/{call['id']}"
    assert (await api.get(path, wait="false"))["status"] == "in-progress"
    assert (await api.get(path, wait="true", timeout=10))["status"] == "completed"
    assert (await api.get(path, wait="true"))["status"] == "completed"
    assert api.runner.waits == [(call["id"], 10)]


@pytest.mark.parametrize("query", [{"timeout": 9}, {"timeout": 301}, {"wait": "perhaps"}])
async def test_a_wait_out_of_range_is_refused(api: Api, query: dict[str, Any]) -> None:
    await api.get("/v1/calls/call_1", expect=422, **query)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"agentId": "agt_none"}, 404),
        ({"agentId": None}, 422),
        ({"toNumber": "what"}, 400),
        ({"toNumber": "911"}, 403),
        ({"toNumber": "+1 911"}, 403),
        ({"toNumber": None}, 422),
        ({"fromNumberId": "num_none"}, 404),
        ({"variables": {"a": 1}}, 422),
    ],
)
async def test_a_call_that_cannot_be_placed_rings_nowhere(api: Api, change: dict[str, Any], status: int) -> None:
    agent_id = await ready(api)
    refused = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON, **change}, expect=status)
    assert refused["detail"]
    assert api.runner.started == []
    assert (await api.get("/v1/calls"))["total"] == 0


async def test_without_a_number_or_a_webhook_the_refusal_says_so(api: Api) -> None:
    agent = await api.post("/v1/agents", {"name": "A"})
    body = {"agentId": agent["id"], "toNumber": PERSON}
    assert "number" in (await api.post("/v1/calls", body, expect=400))["detail"]
    await api.post("/v1/numbers", {"agentId": agent["id"]})
    assert "webhook" in (await api.post("/v1/calls", body, expect=400))["detail"]


async def test_too_many_live_calls_are_refused() -> None:
    api = Api(max_live_calls=1, policies=under(no_webhook_call="silence"))
    agent_id, _ = await api.line()
    await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON})
    answer = await api.send("POST", "/v1/calls", json={"agentId": agent_id, "toNumber": PERSON})
    assert (answer.status_code, "retry-after" in answer.headers) == (409, True)


async def test_calls_are_filtered(api: Api) -> None:
    agent_id = await ready(api)
    first = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON, "waitForCompletion": True})
    second = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": "+442079460000"})

    async def ids(**query: str) -> list[str]:
        return [c["id"] for c in (await api.get("/v1/calls", **query))["data"]]

    assert await ids() == [second["id"], first["id"]]
    assert await ids(status="completed") == [first["id"]]
    assert await ids(status="in-progress", direction="outbound", type="pstn") == [second["id"]]
    assert await ids(direction="inbound") == await ids(direction="web") == await ids(type="web") == []
    assert await ids(status="no such status") == []
    assert await ids(search="+44 20") == await ids(search="794600") == [second["id"]]
    assert await ids(status="", direction="", type="", search="") == [second["id"], first["id"]]
    found = await api.ask("GET", "/v1/calls?search=+4420")
    assert [c["id"] for c in found["data"]] == [second["id"]]


async def test_a_transcript_has_both_forms(api: Api) -> None:
    agent_id = await ready(api)
    call = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON})
    assert await api.get(f"/v1/calls/{call['id']}/transcript") == {
        "callId": call["id"],
        "status": "in-progress",
        "data": [],
        "transcript": [],
    }


@pytest.mark.parametrize("rest", ["", "/transcript", "?wait=true"])
async def test_an_unknown_call_is_not_found(api: Api, rest: str) -> None:
    assert "call_none" in (await api.ask("GET", f"/v1/calls/call_none{rest}", expect=404))["detail"]
