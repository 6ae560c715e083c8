from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, Conversation, Message, MessageStatus
from simulator.wire.conversations import ConversationDetailOut, ConversationOut, ConversationQuery
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


def test_a_conversation_has_both_names_of_the_other_party() -> None:
    shown = ConversationOut.of(CONVERSATION).model_dump(by_alias=True)
    assert shown["participant"] == shown["contactNumber"] == "+14155550150"
    assert (shown["isGroup"], shown["metadata"], shown["messageCount"]) == (False, {"step": 2}, 1)
    assert "messages" not in shown


def test_a_conversation_in_detail_has_its_messages() -> None:
    shown = ConversationDetailOut.with_messages(CONVERSATION, [ConversationMessageOut.of(text(), None)])
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
    assert MessageSentOut.of(text(status=MessageStatus.SENT, reply_to_message_id="msg_0")).model_dump(
        by_alias=True
    ) == {
        "id": "msg_1",
        "status": "sent",
        "channel": "sms",
        "from_number": "+14155550150",
        "to_number": "+14155550100",
        "conversation_id": "conv_1",
        "media_urls": [],
        "reply_to_message_id": "msg_0",
        "reply_parent_unresolved": None,
    }


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        ({"body": "hi"}, ()),
        ({"media_url": URL}, (URL,)),
        ({"media_urls": [URL]}, (URL,)),
        ({"body": "", "media_urls": [URL], "media_url": URL}, (URL,)),
        ({"media_urls": [URL], "media_url": f"{URL}?2"}, (URL, f"{URL}?2")),
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
        {"body": "hi", "toNumber": "+14155550150", "to_number": None},
    ],
)
def test_a_text_of_the_wrong_shape_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MessageIn.model_validate({"to_number": "+14155550150", **fields})
