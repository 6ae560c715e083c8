from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.domain.calls import Direction
from simulator.domain.messages import (
    Capabilities,
    Channel,
    Conversation,
    ConversationView,
    Group,
    Message,
    MessageStatus,
    Reaction,
)
from simulator.wire.conversations import BackgroundIn, ConversationDetailOut, ConversationOut, ConversationQuery
from simulator.wire.messages import ConversationMessageOut, MessageIn, MessageSentOut, NumberMessageOut

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
URL = "https://example.com/a.png"


def text(**fields: Any) -> Message:
    usual: dict[str, Any] = {
        "id": "msg_1",
        "conversation_id": "conv_1",
        "number_id": "num_1",
        "agent_id": "agt_1",
        "direction": Direction.INBOUND,
        "channel": Channel.SMS,
        "from_number": "+14155550150",
        "to_number": "+14155550100",
        "body": "hi",
        "at": AT,
        "sequence": 1,
        "status": MessageStatus.RECEIVED,
    }
    return Message(**{**usual, **fields})


CONVERSATION = Conversation(
    id="conv_1",
    number_id="num_1",
    phone_number="+14155550100",
    participant="+14155550150",
    agent_id="agt_1",
    created_at=AT,
    last_message_at=AT,
    last_message_preview="hi",
    message_count=1,
    metadata={"step": 2},
)


ABLE = Capabilities(
    send_channel=Channel.SMS,
    send_disabled_reason=None,
    channels=(Channel.SMS, Channel.MMS),
    media_channels=(Channel.MMS,),
    reactions=False,
    emoji_reactions=False,
)
VIEW = ConversationView(conversation=CONVERSATION, capabilities=ABLE, names={})


def test_both_numbers_stand_under_every_name() -> None:
    shown = NumberMessageOut.of(text()).model_dump(by_alias=True)
    assert shown["from"] == shown["from_"] == shown["fromNumber"] == "+14155550150"
    assert shown["to"] == shown["toNumber"] == "+14155550100"
    assert shown | {} == {
        **shown,
        "id": "msg_1",
        "conversationId": "conv_1",
        "body": "hi",
        "direction": "inbound",
        "channel": "sms",
        "receivedAt": "2026-01-05T15:00:00.000Z",
        "status": "received",
        "failureReason": None,
        "mediaUrl": None,
        "mediaUrls": [],
    }
    assert len(shown) == 15


def test_the_first_medium_is_shown_alone_too() -> None:
    shown = NumberMessageOut.of(text(media_urls=(URL, "https://example.com/b.png")))
    assert (shown.media_url, len(shown.media_urls)) == (URL, 2)


def test_a_text_in_its_conversation_names_what_it_answers() -> None:
    shown = ConversationMessageOut.of(text(), text(id="msg_0", body="before", media_urls=(URL,)))
    dumped = shown.model_dump(by_alias=True)
    assert dumped["replyTo"] == {"messageId": "msg_0", "message": "before", "mediaUrls": [URL]}
    assert dumped["reactions"] == []
    assert ConversationMessageOut.of(text(), None).reply_to is None


def test_a_text_in_its_conversation_tells_what_became_of_it() -> None:
    failed = text(status=MessageStatus.FAILED, failure_reason="out of reach", error_code="UNREACHABLE")
    read = text(status=MessageStatus.DELIVERED, delivered_at=AT, read_at=AT, channel=Channel.IMESSAGE)
    shown = [ConversationMessageOut.of(message, None).model_dump(by_alias=True) for message in (failed, read, text())]
    told = ("status", "failureReason", "errorCode", "deliveredAt", "deliveredChannel", "readAt")
    at = "2026-01-05T15:00:00.000Z"
    assert [[row[name] for name in told] for row in shown] == [
        ["failed", "out of reach", "UNREACHABLE", None, None, None],
        ["delivered", None, None, at, "imessage", at],
        ["received", None, None, None, None, None],
    ]


def test_a_text_in_its_conversation_shows_its_reactions_its_sender_and_its_buttons() -> None:
    loved = Reaction(id="rxn_1", kind="love", from_number="+14155550150", direction=Direction.INBOUND, at=AT)
    content = {"type": "buttons", "buttons": [{"id": "1", "title": "Yes"}]}
    message = text(reactions=(loved,), sender_identifier="+14155550151", content=content)
    shown = ConversationMessageOut.of(message, None).model_dump(by_alias=True)
    assert shown["reactions"] == [
        {
            "id": "rxn_1",
            "reactionType": "love",
            "fromNumber": "+14155550150",
            "direction": "inbound",
            "createdAt": "2026-01-05T15:00:00.000Z",
        }
    ]
    assert (shown["senderIdentifier"], shown["content"]) == ("+14155550151", content)


def test_a_conversation_has_both_names_of_the_other_party() -> None:
    shown = ConversationOut.of(VIEW).model_dump(by_alias=True)
    assert shown["participant"] == shown["contactNumber"] == "+14155550150"
    assert (shown["isGroup"], shown["metadata"], shown["messageCount"]) == (False, {"step": 2}, 1)
    assert (shown["groupId"], shown["groupName"], shown["groupIconUrl"], shown["participants"]) == (None,) * 4
    assert "messages" not in shown


def test_a_group_shows_its_members_with_the_names_that_are_known() -> None:
    group = Group(id="grp_1", members=("+14155550150", "ada@example.com"), name="Team", icon_url=URL)
    conversation = replace(CONVERSATION, participant="grp_1", group=group)
    view = ConversationView(conversation=conversation, capabilities=ABLE, names={"ada@example.com": "Ada"})
    shown = ConversationOut.of(view).model_dump(by_alias=True)
    assert (shown["isGroup"], shown["groupId"], shown["groupName"], shown["groupIconUrl"]) == (
        True,
        "grp_1",
        "Team",
        URL,
    )
    assert shown["participant"] == "grp_1"
    assert shown["participants"] == [
        {"identifier": "+14155550150", "name": None},
        {"identifier": "ada@example.com", "name": "Ada"},
    ]


def test_a_conversation_says_what_can_be_done_in_it() -> None:
    shown = ConversationOut.of(VIEW).model_dump(by_alias=True)["capabilities"]
    assert shown == {
        "canSendMessages": True,
        "media": True,
        "reactions": False,
        "emojiReactions": False,
        "sendDisabledReason": None,
        "sendChannel": "sms",
        "availableChannels": ["sms", "mms"],
        "mediaChannels": ["mms"],
    }
    closed = replace(ABLE, send_channel=None, send_disabled_reason="released", channels=(), media_channels=())
    view = ConversationView(conversation=CONVERSATION, capabilities=closed, names={})
    shown = ConversationOut.of(view).model_dump(by_alias=True)["capabilities"]
    assert (shown["canSendMessages"], shown["media"], shown["sendDisabledReason"]) == (False, False, "released")


def test_a_conversation_in_detail_has_its_messages() -> None:
    shown = ConversationDetailOut.with_messages(VIEW, [ConversationMessageOut.of(text(), None)])
    assert [m.id for m in shown.messages] == ["msg_1"]


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ({}, 50),
        ({"messageLimit": "7"}, 7),
        ({"message_limit": "9"}, 9),
        ({"message_limit": "9", "messageLimit": "7"}, 9),
    ],
)
def test_the_message_limit_has_two_names_and_the_newer_one_wins(query: dict[str, str], limit: int) -> None:
    assert ConversationQuery.model_validate(query).limit == limit


def test_a_sent_text_is_snake_case() -> None:
    answer = text(status=MessageStatus.SENT, reply_to_message_id="msg_0", reply_parent_unresolved=True)
    assert MessageSentOut.of(answer).model_dump(by_alias=True) == {
        "id": "msg_1",
        "status": "sent",
        "channel": "sms",
        "from_number": "+14155550150",
        "to_number": "+14155550100",
        "conversation_id": "conv_1",
        "media_urls": [],
        "reply_to_message_id": "msg_0",
        "reply_parent_unresolved": True,
    }


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        ({"body": "hi"}, ()),
        ({"media_url": URL}, (URL,)),
        ({"media_urls": [URL]}, (URL,)),
        ({"body": "", "media_urls": [URL], "media_url": URL}, (URL,)),
        ({"media_urls": [URL], "media_url": f"{URL}?2"}, (URL, f"{URL}?2")),
        ({"template": {"name": "hi"}}, ()),
    ],
)
def test_a_text_has_a_body_or_media(fields: dict[str, Any], media: tuple[str, ...]) -> None:
    assert MessageIn.model_validate({"to_number": "+14155550150", **fields}).media == media


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"body": ""},
        {"body": None, "media_urls": []},
        {"body": 5},
        {"body": "hi", "to_number": None},
        {"body": "hi", "media_urls": ["nowhere"]},
        {"body": "hi", "media_url": "ftp://a.test"},
        {"body": "hi", "media_urls": [URL] * 21},
        {"body": "hi", "recipients": ["+14155550150"]},
        {"body": "hi", "send_style": "rain"},
        {"body": "hi", "media_urls": ["http://example.com/a.png"]},
        {"body": "hi", "channel": "voice"},
        {"body": "hi", "buttons": []},
        {"body": "hi", "buttons": ["a", "b", "c", "d"]},
        {"body": "hi", "buttons": ["x" * 21]},
        {"body": "hi", "buttons": [{"id": "1"}]},
        {"body": "hi", "buttons": ["yes"], "cta": {"url": URL}},
        {"body": "hi", "template": {}},
        {"body": "hi", "template": {"name": "hi", "parameters": [float("inf")]}},
        {"body": "hi", "list": {"rows": [float("nan")]}},
        {"body": "hi", "toNumber": "+14155550150", "to_number": None},
    ],
)
def test_a_text_of_the_wrong_shape_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MessageIn.model_validate({"to_number": "+14155550150", **fields})


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({}, None),
        ({"buttons": ["Yes", {"id": "n", "title": "No"}]}, [{"id": "Yes", "title": "Yes"}, {"id": "n", "title": "No"}]),
        ({"list": {"rows": [1]}}, {"rows": [1]}),
        ({"cta": {"url": URL}}, {"url": URL}),
        ({"template": {"name": "hi", "language": "de", "any": [1]}}, {"name": "hi", "language": "de", "any": [1]}),
    ],
)
def test_what_stands_under_a_whatsapp_message_says_its_type(fields: dict[str, Any], content: Any) -> None:
    given = MessageIn.model_validate({"to_number": "+14155550150", "body": "hi", **fields}).content
    assert given == (None if content is None else {"type": next(iter(fields)), next(iter(fields)): content})


def test_a_background_is_fetched_by_others_so_it_is_https() -> None:
    assert BackgroundIn.model_validate({"image_url": URL}).image_url == URL
    for url in ("http://example.com/a.png", "nowhere", None):
        with pytest.raises(ValidationError):
            BackgroundIn.model_validate({"image_url": url})
