from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.domain.messages import UNCONFIRMED, MessageStatus, TextOutcome
from simulator.domain.webhooks import EventType
from simulator.world import messages, people
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
        ({"to_number": "grp_1"}, 404),
        ({"to_number": "someone@example.com"}, 400),
        ({"recipients": [PERSON, "+14155550151"]}, 400),
        ({"recipients": [PERSON, "+14155550151"], "to_number": None}, 400),
        ({"recipients": [PERSON], "to_number": None}, 422),
        ({"send_style": "slam"}, 400),
        ({"channel": "whatsapp"}, 400),
        ({"channel": "pigeon"}, 422),
        ({"buttons": ["Yes"]}, 400),
        ({"media_urls": ["http://example.com/a.png"]}, 422),
        ({"send_style": "rain"}, 422),
        ({"media_urls": ["nowhere"]}, 422),
    ],
)
async def test_a_text_that_cannot_be_sent_leaves_no_trace(api: Api, change: dict[str, Any], status: int) -> None:
    agent_id, _ = await api.line()
    await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi", **change}, expect=status)
    assert api.runner.notices == []
    assert api.runner.handed_over == []
    assert (await api.get("/v1/conversations"))["total"] == 0


async def apple(api: Api) -> str:
    """An iMessage number, with an agent: its id."""
    agent = await api.post("/v1/agents", {"name": "Support"})
    number: str = (await api.post("/v1/numbers", {"type": "imessage", "agentId": agent["id"]}))["id"]
    return number


async def test_what_becomes_of_a_sent_text_is_left_to_the_carrier(api: Api) -> None:
    agent_id, _ = await api.line()
    sent = await api.post("/v1/messages", {"agent_id": agent_id, "to_number": PERSON, "body": "hi"})
    assert [m.id for m in api.runner.handed_over] == [sent["id"]]


async def test_an_unconfirmed_text_answers_409_and_stays_sent(api: Api) -> None:
    _, number_id = await api.line()
    people.put(api.world, PERSON, texts=TextOutcome(status=MessageStatus.SENT, code=UNCONFIRMED))
    body = {"number_id": number_id, "to_number": PERSON, "body": "hi"}
    refused = await api.post("/v1/messages", body, expect=409)
    assert (refused["code"], refused["error"]["code"]) == (UNCONFIRMED, UNCONFIRMED)
    assert "do not send it again" in refused["detail"]
    (kept,) = (await api.get(f"/v1/numbers/{number_id}/messages"))["data"]
    assert (kept["status"], kept["id"] in refused["detail"]) == ("sent", True)
    assert (api.runner.notices, api.runner.handed_over) == ([], [])


async def test_recipients_open_a_group_that_conversations_show(api: Api) -> None:
    number_id = await apple(api)
    await api.post("/v1/contacts", {"phoneNumber": PERSON, "name": "Ann"}, expect=201)
    body = {"number_id": number_id, "recipients": [PERSON, "Bob@example.com"], "body": "Hello, both"}
    sent = await api.post("/v1/messages", body)
    again = await api.post("/v1/messages", {"number_id": number_id, "to_number": sent["to_number"], "body": "Again"})
    assert (again["conversation_id"], again["to_number"]) == (sent["conversation_id"], sent["to_number"])
    renamed = await api.patch(f"/v1/conversations/{sent['conversation_id']}", {"group_name": "Team"})
    (shown,) = (await api.get("/v1/conversations"))["data"]
    assert {name: renamed[name] for name in shown} == shown
    assert (shown["isGroup"], shown["groupId"], shown["groupName"]) == (True, sent["to_number"], "Team")
    assert shown["participants"] == [
        {"identifier": PERSON, "name": "Ann"},
        {"identifier": "bob@example.com", "name": None},
    ]
    assert shown["capabilities"]["sendChannel"] == "imessage"


async def test_buttons_are_shown_with_the_text_they_stand_under(api: Api) -> None:
    _, number_id = await api.line()
    api.world.store_number(replace(api.world.numbers[number_id], whatsapp_enabled=True))
    body = {"number_id": number_id, "to_number": PERSON, "body": "Coming?", "channel": "whatsapp", "buttons": ["Yes"]}
    sent = await api.post("/v1/messages", body)
    (shown,) = (await api.get(f"/v1/conversations/{sent['conversation_id']}"))["messages"]
    assert (sent["channel"], shown["channel"]) == ("whatsapp", "whatsapp")
    assert shown["content"] == {"type": "buttons", "buttons": [{"id": "Yes", "title": "Yes"}]}


async def test_a_reaction_is_shown_with_its_message(api: Api) -> None:
    number_id = await apple(api)
    sent = await api.post("/v1/messages", {"number_id": number_id, "to_number": PERSON, "body": "hi"})
    made = await api.post(f"/v1/messages/{sent['id']}/reactions", {"reaction": "love"})
    assert made == {"id": made["id"], "reaction_type": "love", "message_id": sent["id"], "channel": "imessage"}
    (shown,) = (await api.get(f"/v1/conversations/{sent['conversation_id']}/messages"))["data"]
    assert [(r["id"], r["reactionType"], r["direction"]) for r in shown["reactions"]] == [
        (made["id"], "love", "outbound")
    ]


@pytest.mark.parametrize(("body", "status"), [({"reaction": "smile"}, 400), ({}, 422), ({"reaction": ""}, 422)])
async def test_what_is_no_reaction_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    number_id = await apple(api)
    sent = await api.post("/v1/messages", {"number_id": number_id, "to_number": PERSON, "body": "hi"})
    await api.post(f"/v1/messages/{sent['id']}/reactions", body, expect=status)
    assert api.world.messages[sent["id"]].reactions == ()


async def test_an_sms_and_a_stranger_cannot_be_reacted_to(api: Api) -> None:
    conversation_id = await thread(api, 1)
    (text,) = (await api.get(f"/v1/conversations/{conversation_id}"))["messages"]
    refused = await api.post(f"/v1/messages/{text['id']}/reactions", {"reaction": "love"}, expect=400)
    assert "it is sms" in refused["detail"]
    assert "msg_x" in (await api.post("/v1/messages/msg_x/reactions", {"reaction": "love"}, expect=404))["detail"]


async def test_typing_and_a_background_are_shown_on_imessage(api: Api) -> None:
    number_id = await apple(api)
    sent = await api.post("/v1/messages", {"number_id": number_id, "to_number": PERSON, "body": "hi"})
    path = f"/v1/conversations/{sent['conversation_id']}"
    assert await api.post(f"{path}/typing") == {
        "conversationId": sent["conversation_id"],
        "channel": "imessage",
        "status": "sent",
    }
    picture = {"image_url": "https://example.com/a.png"}
    shown = await api.post(f"{path}/background", picture)
    assert (shown["hasBackground"], shown["backgroundVersion"], shown["changed"]) == (True, 1, True)
    assert (await api.post(f"{path}/background", picture)) == {**shown, "changed": False}
    for _ in range(2):
        gone = await api.send("DELETE", f"{path}/background")
        assert (gone.status_code, gone.content) == (204, b"")


async def test_an_sms_conversation_has_neither_typing_nor_a_background(api: Api) -> None:
    path = f"/v1/conversations/{await thread(api, 1)}"
    picture = {"image_url": "https://example.com/a.png"}
    assert "not iMessage" in (await api.post(f"{path}/typing", expect=400))["detail"]
    assert "not iMessage" in (await api.post(f"{path}/background", picture, expect=400))["detail"]
    assert "not iMessage" in (await api.delete(f"{path}/background", expect=400))["detail"]
    await api.post("/v1/conversations/conv_none/typing", expect=404)
    await api.post(f"{path}/background", {"image_url": "http://example.com/a.png"}, expect=422)


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
