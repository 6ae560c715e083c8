from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.webhooks import EventType
from simulator.world import messages
from tests.helpers.api import PERSON, START, Api, under

pytestmark = pytest.mark.anyio


async def test_a_text_is_sent_and_its_webhook_told(api: Api) -> None:
    agent_id, number_id = await api.line()
    sent = await api.post("/v1/messages", {"agent_id": agent_id, "to_number": "415 555 0150", "body": "hi"})
    number = await api.get(f"/v1/numbers/{number_id}")
    assert sent.items() >= {"from_number": number["phoneNumber"], "to_number": PERSON, "status": "sent"}.items()
    assert (sent["channel"], sent["media_urls"], sent["reply_to_message_id"]) == ("sms", [], None)
    assert [n.event_type for n in api.runner.notices] == [EventType.MESSAGE_SENT]
    listed = await api.get(f"/v1/numbers/{number_id}/messages")
    assert [m["id"] for m in listed["data"]] == [sent["id"]]


async def test_no_event_is_sent_when_the_policy_says_so() -> None:
    api = Api(policies=under(message_sent_event="off"))
    agent_id, _ = await api.line()
    await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi"})
    assert api.runner.notices == []


async def test_media_need_no_body(api: Api) -> None:
    _, number_id = await api.line()
    body = {"number_id": number_id, "to_number": PERSON, "media_url": "https://example.com/a.png"}
    sent = await api.post("/v1/messages", body)
    assert (sent["channel"], sent["media_urls"]) == ("mms", ["https://example.com/a.png"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": None}, 422),
        ({"to_number": None}, 422),
        ({"to_number": "what"}, 400),
        ({"to_number": "911"}, 403),
        ({"agent_id": None}, 400),
        ({"agent_id": "agt_none"}, 404),
        ({"number_id": "num_none"}, 404),
        ({"from_number": "+14155550199"}, 400),
        ({"reply_to_message_id": "msg_none"}, 404),
        ({"to_number": "grp_1"}, 501),
        ({"to_number": "someone@example.com"}, 501),
        ({"recipients": [PERSON, "+14155550151"]}, 400),
        ({"recipients": [PERSON, "+14155550151"], "to_number": None}, 501),
        ({"send_style": "rain"}, 422),
        ({"media_urls": ["nowhere"]}, 422),
    ],
)
async def test_a_text_that_cannot_be_sent_leaves_no_trace(api: Api, change: dict[str, Any], status: int) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi", **change}, expect=status)
    assert api.runner.notices == []
    assert (await api.get("/v1/conversations"))["total"] == 0


async def thread(api: Api, count: int) -> str:
    _, number_id = await api.line()
    to = api.world.numbers[number_id].phone_number
    for at in range(count):
        _, conversation = messages.receive(api.world, from_number=PERSON, to_number=to, body=f"{at}", now=START)
    return conversation.id


async def test_a_conversation_shows_its_latest_messages_oldest_first(api: Api) -> None:
    conversation_id = await thread(api, 4)
    shown = await api.get(f"/v1/conversations/{conversation_id}")
    assert [m["body"] for m in shown["messages"]] == ["0", "1", "2", "3"]
    assert (shown["messageCount"], shown["lastMessagePreview"], shown["participant"]) == (4, "3", PERSON)
    for query in ({"message_limit": 2}, {"messageLimit": 2}, {"message_limit": 2, "messageLimit": 3}):
        shown = await api.get(f"/v1/conversations/{conversation_id}", **query)
        assert [m["body"] for m in shown["messages"]] == ["2", "3"]


@pytest.mark.parametrize("query", [{"message_limit": 0}, {"messageLimit": 101}, {"message_limit": "many"}])
async def test_a_message_limit_out_of_range_is_refused(api: Api, query: dict[str, Any]) -> None:
    refused = await api.get("/v1/conversations/conv_1", expect=422, **query)
    assert refused["detail"][0]["loc"] == ["query", next(iter(query))]


async def test_a_reply_shows_what_it_answers(api: Api) -> None:
    conversation_id = await thread(api, 1)
    (asked,) = (await api.get(f"/v1/conversations/{conversation_id}"))["messages"]
    number_id = (await api.get(f"/v1/conversations/{conversation_id}"))["phoneNumberId"]
    body = {"number_id": number_id, "to_number": PERSON, "body": "yes", "reply_to_message_id": asked["id"]}
    sent = await api.post("/v1/messages", body)
    answer = (await api.get(f"/v1/conversations/{conversation_id}"))["messages"][-1]
    assert (sent["reply_to_message_id"], sent["conversation_id"]) == (asked["id"], conversation_id)
    assert answer["replyTo"] == {"messageId": asked["id"], "message": "0", "mediaUrls": []}
    assert (answer["direction"], answer["reactions"]) == ("outbound", [])


async def test_conversations_are_listed_by_latest_activity(api: Api) -> None:
    first, second = await thread(api, 1), await thread(api, 1)
    listed = await api.get("/v1/conversations", limit=1)
    assert ([c["id"] for c in listed["data"]], listed["hasMore"], listed["total"]) == ([second], True, 2)
    assert (await api.get("/v1/conversations", offset=1))["data"][0]["id"] == first


async def test_an_unknown_conversation_is_not_found(api: Api) -> None:
    assert "conv_none" in (await api.get("/v1/conversations/conv_none", expect=404))["detail"]


async def test_metadata_is_replaced_whole_cleared_by_null_and_kept_when_absent(api: Api) -> None:
    path = f"/v1/conversations/{await thread(api, 2)}"
    changed = await api.patch(path, {"metadata": {"step": 1, "tags": ["a", None]}})
    assert (changed["metadata"], len(changed["messages"])) == ({"step": 1, "tags": ["a", None]}, 2)
    assert (await api.patch(path, {"metadata": {"other": True}}))["metadata"] == {"other": True}
    assert (await api.patch(path, {}))["metadata"] == {"other": True}
    assert (await api.patch(path, {"metadata": None}))["metadata"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [({"metadata": []}, 422), ({"metadata": "x"}, 422), ({"metadata": {"a": 1}, "group_name": "Us"}, 400)],
)
async def test_a_conversation_is_not_changed_by_half(api: Api, body: dict[str, Any], status: int) -> None:
    conversation_id = await thread(api, 1)
    before = api.world.conversations[conversation_id]
    await api.patch(f"/v1/conversations/{conversation_id}", body, status)
    assert api.world.conversations[conversation_id] is before


async def test_remembering_something_is_no_activity(api: Api) -> None:
    agent_id, _ = await api.line()
    for person in (PERSON, "+14155550151"):
        await api.post("/v1/messages", {"agent_id": agent_id, "to_number": person, "body": "hi"})
    newest, oldest = (c["id"] for c in (await api.get("/v1/conversations"))["data"])
    await api.patch(f"/v1/conversations/{oldest}", {"metadata": {"vip": True}})
    assert [c["id"] for c in (await api.get("/v1/conversations"))["data"]] == [newest, oldest]
