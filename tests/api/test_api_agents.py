from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import PERSON, Api, under

pytestmark = pytest.mark.anyio


async def test_an_agent_is_created_shown_changed_and_deleted(api: Api) -> None:
    made = await api.post("/v1/agents", {"name": "Support", "beginMessage": "Hello!"})
    assert made["createdAt"] == "2026-01-05T15:00:00.000Z"
    assert await api.get(f"/v1/agents/{made['id']}") == made
    changed = await api.patch(f"/v1/agents/{made['id']}", {"name": "Sales", "voiceSpeed": 1.5, "beginMessage": None})
    assert changed == {**made, "name": "Sales", "voiceSpeed": 1.5}
    assert await api.get(f"/v1/agents/{made['id']}") == changed
    gone = await api.delete(f"/v1/agents/{made['id']}")
    assert gone == {
        "success": True,
        "id": made["id"],
        "name": "Sales",
        "message": "Agent deleted",
        "unassignedNumbers": [],
    }
    await api.get(f"/v1/agents/{made['id']}", expect=404)


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/calls")])
async def test_an_unknown_agent_is_not_found_by_its_id(api: Api, method: str, rest: str) -> None:
    refused = await api.ask(method, f"/v1/agents/agt_none{rest}", {} if method == "PATCH" else None, expect=404)
    assert "agt_none" in refused["detail"]
    assert "No route" not in refused["detail"]


async def test_agents_are_listed_newest_first_in_windows(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.post("/v1/agents", {"name": name})
    first = await api.get("/v1/agents", limit=2)
    assert ([a["name"] for a in first["data"]], first["hasMore"], first["total"]) == (["c", "b"], True, 3)
    rest = await api.get("/v1/agents", limit=2, offset=2)
    assert ([a["name"] for a in rest["data"]], rest["hasMore"], rest["total"]) == (["a"], False, 3)
    assert (await api.get("/v1/agents", offset=10**30))["data"] == []


@pytest.mark.parametrize("window", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": "x"}])
@pytest.mark.parametrize("path", ["/v1/agents", "/v1/numbers", "/v1/calls", "/v1/conversations"])
async def test_a_window_out_of_range_is_refused(api: Api, path: str, window: dict[str, Any]) -> None:
    refused = await api.get(path, expect=422, **window)
    assert refused["detail"][0]["loc"] == ["query", next(iter(window))]


async def test_numbers_are_attached_and_detached(api: Api) -> None:
    agent = await api.post("/v1/agents", {"name": "A"})
    number = await api.post("/v1/numbers")
    path = f"/v1/agents/{agent['id']}"
    assert (await api.get(path))["numbers"] == []
    attached = await api.post(f"{path}/numbers", {"numberId": number["id"]})
    shown = {"id": number["id"], "phoneNumber": number["phoneNumber"], "status": "active", "type": "sms"}
    assert attached == {"agentId": agent["id"], "number": shown}
    assert (await api.get(path))["phoneNumbers"] == [shown]
    assert await api.delete(f"{path}/numbers/{number['id']}") == {"success": True}
    assert (await api.get(path))["numbers"] == []
    await api.delete(f"{path}/numbers/{number['id']}", expect=404)
    await api.post(f"{path}/numbers", {"numberId": "num_none"}, expect=404)
    await api.post(f"{path}/numbers", {}, expect=422)


async def test_an_agent_shows_its_number_as_it_is_now(api: Api) -> None:
    agent_id, number_id = await api.line()
    assert (await api.get(f"/v1/agents/{agent_id}"))["numbers"][0]["id"] == number_id
    await api.delete(f"/v1/numbers/{number_id}")
    assert (await api.get(f"/v1/agents/{agent_id}"))["numbers"] == []


async def test_a_deleted_agent_leaves_its_numbers_behind(api: Api) -> None:
    agent_id, number_id = await api.line()
    assert (await api.delete(f"/v1/agents/{agent_id}"))["unassignedNumbers"] == [number_id]
    assert (await api.get(f"/v1/numbers/{number_id}"))["agentId"] is None


async def test_a_refused_change_changes_nothing(api: Api) -> None:
    made = await api.post("/v1/agents", {"name": "A"})
    path = f"/v1/agents/{made['id']}"
    await api.patch(path, {"name": "B", "voiceSpeed": 9}, expect=422)
    await api.patch(path, {"name": "B", "transferNumber": "what"}, expect=400)
    assert await api.get(path) == made


async def test_a_transfer_number_is_set_and_removed(api: Api) -> None:
    made = await api.post("/v1/agents", {"name": "A", "transferNumber": "(415) 555-0150"})
    assert made["transferNumber"] == PERSON
    assert (await api.patch(f"/v1/agents/{made['id']}", {"transferNumber": ""}))["transferNumber"] is None


async def test_a_hosted_agent_without_a_prompt_follows_the_policy() -> None:
    strict = Api(policies=under(hosted_without_prompt="refuse"))
    await strict.post("/v1/agents", {"name": "A", "voiceMode": "hosted"}, expect=400)
    await Api().post("/v1/agents", {"name": "A", "voiceMode": "hosted"})


async def test_creating_can_answer_201() -> None:
    api = Api(policies=under(create_status="201"))
    await api.post("/v1/agents", {"name": "A"}, expect=201)
    await api.post("/v1/numbers", {}, expect=201)


async def test_voices_are_listed_in_both_spellings(api: Api) -> None:
    voices = (await api.get("/v1/agents/voices"))["data"]
    assert all(v["voice_id"] == v["voiceId"] and v["voice_name"] == v["name"] for v in voices)
    assert {"voice_id", "voice_name", "provider", "gender", "accent", "preview_audio_url"} <= voices[0].keys()
    assert "11labs-Brian" in {v["voiceId"] for v in voices}


async def test_an_agents_conversations_and_calls_are_its_own(api: Api) -> None:
    agent_id, number_id = await api.line()
    other_id, _ = await api.line()
    sent = await api.post("/v1/messages", {"number_id": number_id, "to_number": PERSON, "body": "hi"})
    found = await api.get(f"/v1/agents/{agent_id}/conversations")
    assert [c["id"] for c in found["data"]] == [sent["conversation_id"]]
    assert (await api.get(f"/v1/agents/{other_id}/conversations"))["total"] == 0
    await api.get("/v1/agents/agt_none/conversations", expect=404)
    await api.post("/v1/webhooks", {"url": "http://127.0.0.1:9"})
    call = await api.post("/v1/calls", {"agentId": agent_id, "toNumber": PERSON})
    assert (await api.get(f"/v1/agents/{agent_id}/calls"))["data"] == [call]
    assert (await api.get(f"/v1/agents/{other_id}/calls"))["data"] == []
