from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.calls import Call, CallStatus, Direction, DisconnectionReason, Party, Utterance
from simulator.domain.contacts import Contact
from simulator.domain.messages import (
    PAST_TENSE,
    Channel,
    Conversation,
    Group,
    HistoryEntry,
    Message,
    MessageStatus,
    Reaction,
)
from simulator.domain.policy import Policies
from simulator.domain.webhooks import EventType, Notice
from simulator.errors import UsageError
from simulator.wire.calls import CallOut
from simulator.wire.messages import NumberMessageOut
from simulator.wire.payloads import render, retold

FOLDER = Path(__file__).parent.parent.parent / "fixtures" / "webhooks"
AT = datetime(2026, 1, 5, 15, 4, 5, 678_900, tzinfo=UTC)
DEFAULT = Policies()
PAST = Policies(overrides={"reaction_names": "past"})
RAGGED = Policies(overrides={"voice_envelope": "ragged"})

OURS, THEIRS = "+12025550143", "+14155550123"


def message(**changes: Any) -> Message:
    base = Message(
        id="msg_7",
        conversation_id="conv_3",
        number_id="num_2",
        agent_id="agt_1",
        direction=Direction.INBOUND,
        channel=Channel.SMS,
        from_number=THEIRS,
        to_number=OURS,
        body="Is my table ready?",
        at=AT,
        sequence=7,
        status=MessageStatus.RECEIVED,
    )
    return replace(base, **changes)


def said(n: int, party: Party, text: str, turn_id: str | None = None) -> Utterance:
    return Utterance(
        id=f"tr_{n}",
        party=party,
        text=text,
        at=AT + timedelta(seconds=n),
        confidence=0.95 if party is Party.REMOTE else None,
        turn_id=turn_id,
    )


def call(**changes: Any) -> Call:
    base = Call(
        id="call_9",
        agent_id="agt_1",
        agent_name="Front desk",
        number_id="num_2",
        phone_number=OURS,
        from_number=THEIRS,
        to_number=OURS,
        direction=Direction.INBOUND,
        status=CallStatus.IN_PROGRESS,
        started_at=AT,
        connected_at=AT + timedelta(seconds=2),
    )
    return replace(base, **changes)


def finished(**changes: Any) -> Call:
    spoken = (
        said(3, Party.AGENT, "Corner Bistro, hello."),
        said(6, Party.REMOTE, "A table for two, please."),
        said(9, Party.AGENT, "One moment.", "1"),
        said(11, Party.AGENT, "Eight o'clock is free.", "1"),
        said(14, Party.REMOTE, "Lovely, bye!"),
    )
    ended = {
        "status": CallStatus.COMPLETED,
        "ended_at": AT + timedelta(seconds=46.74),
        "disconnection_reason": DisconnectionReason.USER_HANGUP,
        "utterances": spoken,
    }
    return call(**(ended | changes))


def entry(n: int, text: str, channel: Channel = Channel.SMS) -> HistoryEntry:
    direction = Direction.OUTBOUND if n % 2 else Direction.INBOUND
    return HistoryEntry(
        content=text, direction=direction, channel=channel, at=AT - timedelta(minutes=n), message_id=f"msg_{n}"
    )


def text_notice(event: EventType = EventType.AGENT_MESSAGE, **changes: Any) -> Notice:
    text = message(**changes)
    return Notice(event_type=event, at=AT, agent_id="agt_1", channel=text.channel, message=text)


def turn_notice(**changes: Any) -> Notice:
    base = Notice(
        event_type=EventType.AGENT_MESSAGE,
        at=AT,
        agent_id="agt_1",
        channel=Channel.VOICE,
        call=call(),
        transcript="A table for two, please.",
        confidence=0.95,
        turn_id="1",
        history=(replace(entry(1, "Corner Bistro, hello.", Channel.VOICE), message_id=None),),
    )
    return replace(base, **changes)


def call_notice(event: EventType, record: Call) -> Notice:
    return Notice(event_type=event, at=AT, agent_id="agt_1", channel=Channel.VOICE, call=record)


ANN = Contact(
    id="contact_5", phone_number=THEIRS, name="Ann", email="ann@example.com", notes="VIP", created_at=AT, updated_at=AT
)
TEAM = Conversation(
    id="conv_4",
    number_id="num_2",
    phone_number=OURS,
    participant="grp_6",
    agent_id="agt_1",
    created_at=AT,
    last_message_at=AT,
    group=Group(
        id="grp_6", members=(THEIRS, "bob@example.com"), name="Dinner", icon_url="https://files.example.com/d.png"
    ),
)


def reaction_notice(kind: str = "love", **changes: Any) -> Notice:
    made = Reaction(
        id="rxn_1", kind=kind, from_number=THEIRS, direction=Direction.INBOUND, at=AT + timedelta(minutes=1)
    )
    about = text_notice(EventType.AGENT_REACTION, channel=Channel.IMESSAGE, **changes)
    return replace(about, at=made.at, reaction=made)


PICTURES = ("https://files.example.com/a.jpg", "https://files.example.com/b.jpg")
SENT = {
    "direction": Direction.OUTBOUND,
    "from_number": OURS,
    "to_number": THEIRS,
    "body": "Ready at eight.",
    "status": MessageStatus.SENT,
}

EXAMPLES: dict[str, tuple[Notice, Policies]] = {
    "agent_message_sms": (
        replace(
            text_notice(),
            history=(entry(2, "Hello"), entry(1, "Hi, what can I do for you?")),
            state={"order": 41, "tags": ["vip"]},
        ),
        DEFAULT,
    ),
    "agent_message_mms": (text_notice(channel=Channel.MMS, body="", media_urls=PICTURES), DEFAULT),
    "agent_message_imessage": (text_notice(channel=Channel.IMESSAGE, from_number="ann@example.com"), DEFAULT),
    "agent_message_whatsapp": (text_notice(channel=Channel.WHATSAPP), DEFAULT),
    "agent_message_rcs": (text_notice(channel=Channel.RCS), DEFAULT),
    "agent_message_contact": (replace(text_notice(channel=Channel.IMESSAGE), contact=ANN), DEFAULT),
    "agent_message_reply": (
        replace(
            text_notice(channel=Channel.IMESSAGE, body="Yes!", reply_to_message_id="msg_6"),
            parent=message(id="msg_6", body="Eight o'clock?", media_urls=PICTURES[:1]),
        ),
        DEFAULT,
    ),
    "agent_message_group": (
        replace(
            text_notice(
                channel=Channel.IMESSAGE, conversation_id="conv_4", from_number="grp_6", sender_identifier=THEIRS
            ),
            conversation=TEAM,
            contact=ANN,
            names={THEIRS: "Ann"},
        ),
        DEFAULT,
    ),
    "agent_reaction": (reaction_notice(), DEFAULT),
    "agent_reaction_emoji": (reaction_notice("👍🏽", body="", media_urls=PICTURES), DEFAULT),
    "agent_reaction_past": (reaction_notice(), PAST),
    "agent_message_test": (replace(text_notice(), test=True, state={"testMode": True}), DEFAULT),
    "agent_message_voice": (turn_notice(), DEFAULT),
    "agent_message_voice_ragged": (turn_notice(), RAGGED),
    "agent_message_voice_empty_first_turn": (turn_notice(transcript="", confidence=None, history=()), DEFAULT),
    "agent_call_ended": (call_notice(EventType.AGENT_CALL_ENDED, finished()), DEFAULT),
    "agent_call_ended_busy": (
        call_notice(
            EventType.AGENT_CALL_ENDED,
            call(
                direction=Direction.OUTBOUND,
                from_number=OURS,
                to_number=THEIRS,
                status=CallStatus.BUSY,
                connected_at=None,
                ended_at=AT + timedelta(seconds=2),
                disconnection_reason=DisconnectionReason.DIAL_BUSY,
            ),
        ),
        DEFAULT,
    ),
    "call_started": (call_notice(EventType.CALL_STARTED, call()), DEFAULT),
    "call_ended": (call_notice(EventType.CALL_ENDED, finished()), DEFAULT),
    "message_received": (text_notice(EventType.MESSAGE_RECEIVED), DEFAULT),
    "message_sent": (text_notice(EventType.MESSAGE_SENT, **SENT), DEFAULT),
}


def body(notice: Notice, policies: Policies = DEFAULT) -> dict[str, Any]:
    read = json.loads(render(notice, policies))
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_body_is_what_the_fixture_says(name: str) -> None:
    fixture = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    notice, policies = EXAMPLES[name]
    assert body(notice, policies) == fixture["body"]
    assert list(body(notice, policies)) == list(fixture["body"])


def test_every_fixture_is_rendered_and_names_its_source() -> None:
    files = sorted(FOLDER.glob("*.json"))
    assert {path.stem for path in files} == set(EXAMPLES)
    for path in files:
        fixture = json.loads(path.read_text(encoding="utf-8"))
        assert fixture["source"]
        assert fixture["trust"] in ("doc", "off", "usr-live", "usr", "inf")


def test_the_bytes_are_compact_utf8() -> None:
    rendered = render(text_notice(body="Grüße 電話 👋"), DEFAULT)
    assert "Grüße 電話 👋".encode() in rendered
    assert b'": ' not in rendered
    assert b"\n" not in rendered


def test_the_same_notice_gives_the_same_bytes() -> None:
    assert render(turn_notice(), DEFAULT) == render(turn_notice(), DEFAULT)


def test_test_is_there_only_when_it_is_true() -> None:
    assert "test" not in body(text_notice())
    assert body(replace(text_notice(), test=True))["test"] is True


def test_the_state_of_a_conversation_is_sent_whole_and_null_without_one() -> None:
    assert body(text_notice())["conversationState"] is None
    state = MappingProxyType({"a": {"b": [1, None, True]}, "inner": MappingProxyType({"c": 1})})
    sent = body(replace(text_notice(), state=state))["conversationState"]
    assert sent == {"a": {"b": [1, None, True]}, "inner": {"c": 1}}


def test_history_keeps_its_order() -> None:
    history = tuple(entry(n, f"line {n}") for n in (5, 4, 3))
    sent = body(replace(text_notice(), history=history))["recentHistory"]
    assert [line["content"] for line in sent] == ["line 5", "line 4", "line 3"]
    assert [line["direction"] for line in sent] == ["outbound", "inbound", "outbound"]
    assert {tuple(line) for line in sent} == {("content", "direction", "channel", "at", "messageId")}


def test_a_text_between_two_has_no_word_about_groups() -> None:
    alone = replace(TEAM, group=None, participant=THEIRS)
    for notice in (text_notice(), replace(text_notice(), conversation=alone)):
        assert not {"group", "senderIdentifier"} & body(notice)["data"].keys()


def test_a_reaction_says_neither_from_nor_to() -> None:
    assert not {"from", "to", "id"} & body(reaction_notice())["data"].keys()


@pytest.mark.parametrize("kind", [*PAST_TENSE, "👍"])
def test_tapbacks_have_a_name_per_generation_and_emoji_have_one(kind: str) -> None:
    assert body(reaction_notice(kind))["data"]["reactionType"] == kind
    assert body(reaction_notice(kind), PAST)["data"]["reactionType"] == PAST_TENSE.get(kind, kind)


def test_the_other_partys_contact_is_told_at_the_end_of_a_call() -> None:
    ended = replace(call_notice(EventType.AGENT_CALL_ENDED, finished()), contact=ANN)
    assert body(ended)["data"]["contact"] == {
        "id": "contact_5",
        "name": "Ann",
        "email": "ann@example.com",
        "phoneNumber": THEIRS,
    }


def test_a_voice_turn_has_no_id_to_dedupe_it_by() -> None:
    assert "id" not in body(turn_notice())["data"]


def test_a_voice_turn_is_in_progress_whatever_the_record_says() -> None:
    ringing = turn_notice(call=call(status=CallStatus.RINGING))
    assert body(ringing)["data"]["status"] == "in-progress"


def test_a_ragged_envelope_is_for_voice_only() -> None:
    assert body(text_notice(), RAGGED) == body(text_notice())
    ragged = body(turn_notice(), RAGGED)
    assert "timestamp" not in ragged
    assert ragged["conversationState"] == []
    assert ragged["recentHistory"][0] == {"role": "agent", "content": None}
    assert ragged["recentHistory"][1:] == body(turn_notice())["recentHistory"]


def test_no_history_stays_no_history_in_a_ragged_envelope() -> None:
    assert body(turn_notice(history=()), RAGGED)["recentHistory"] == []


def test_an_ended_call_has_its_whole_transcript_in_both_forms() -> None:
    data = body(call_notice(EventType.CALL_ENDED, finished()))["data"]
    assert [line["role"] for line in data["transcript"]] == ["agent", "user", "agent", "agent", "user"]
    assert [(row["transcript"], row["response"]) for row in data["transcripts"]] == [
        ("Corner Bistro, hello.", None),
        ("A table for two, please.", "One moment. Eight o'clock is free."),
        ("Lovely, bye!", None),
    ]


@pytest.mark.parametrize("record", [call(), finished()])
def test_a_call_event_holds_the_call_as_the_api_shows_it(record: Call) -> None:
    shown = CallOut.of(record, None).model_dump(by_alias=True, mode="json")
    for event in (EventType.CALL_STARTED, EventType.CALL_ENDED):
        data = body(call_notice(event, record))["data"]
        assert {name: data.get(name, "missing") for name in shown} == shown


@pytest.mark.parametrize("event", [EventType.AGENT_MESSAGE, EventType.MESSAGE_RECEIVED, EventType.MESSAGE_SENT])
def test_a_message_event_holds_the_message_as_the_api_shows_it(event: EventType) -> None:
    record = message(media_urls=PICTURES, status=MessageStatus.FAILED, failure_reason="unknown number")
    shown = NumberMessageOut.of(record).model_dump(by_alias=True, mode="json")
    data = body(text_notice(event, media_urls=PICTURES, status=record.status, failure_reason="unknown number"))["data"]
    assert {name: data.get(name, "missing") for name in shown} == shown


@pytest.mark.parametrize("reason", DisconnectionReason)
def test_every_disconnection_reason_is_sent_with_its_status(reason: DisconnectionReason) -> None:
    record = finished(disconnection_reason=reason, status=reason.status)
    for event in (EventType.AGENT_CALL_ENDED, EventType.CALL_ENDED):
        data = body(call_notice(event, record))["data"]
        assert (data["disconnectionReason"], data["status"]) == (reason.value, reason.status.value)


def test_a_live_call_has_no_end() -> None:
    data = body(call_notice(EventType.CALL_STARTED, call()))["data"]
    ends = ("endedAt", "durationSeconds", "disconnectionReason", "lastTranscriptSnippet")
    assert [data[name] for name in ends] == [None] * 4


def test_an_agent_may_be_gone() -> None:
    assert body(replace(text_notice(), agent_id=None))["agentId"] is None


@pytest.mark.parametrize(
    ("event", "channel", "missing"),
    [
        (EventType.AGENT_MESSAGE, Channel.SMS, "no message"),
        (EventType.MESSAGE_RECEIVED, Channel.SMS, "no message"),
        (EventType.AGENT_MESSAGE, Channel.VOICE, "no call"),
        (EventType.CALL_ENDED, Channel.VOICE, "no call"),
        (EventType.AGENT_REACTION, Channel.IMESSAGE, "no message or no reaction"),
    ],
)
def test_a_notice_without_its_record_is_our_mistake(event: EventType, channel: Channel, missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        render(Notice(event_type=event, at=AT, agent_id=None, channel=channel), DEFAULT)


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    read = body(replace(text_notice(body="a\ud83dz"), state={"\udc4b": "\ud83d\udc4b"}))
    assert read["data"]["message"] == "a\ufffdz"
    assert read["conversationState"] == {"\ufffd": "👋"}


def test_a_number_that_is_not_json_becomes_null() -> None:
    read = body(replace(text_notice(), state={"a": float("nan"), "b": [float("inf"), 1.5, (2,)]}))
    assert read["conversationState"] == {"a": None, "b": [None, 1.5, [2]]}
    assert body(turn_notice(confidence=float("-inf")))["data"]["confidence"] is None


def test_a_state_that_is_no_json_at_all_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="object is not JSON"):
        render(replace(text_notice(), state={"at": object()}), DEFAULT)


def strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


words = st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(text=st.text(), state=st.none() | st.dictionaries(words, json_values, max_size=3), heard=st.text())
def test_any_text_and_any_state_render_to_json_in_utf8(text: str, state: dict[str, Any] | None, heard: str) -> None:
    for notice in (text_notice(body=text), turn_notice(transcript=heard)):
        for policies in (DEFAULT, RAGGED):
            assert isinstance(strictly(render(replace(notice, state=state), policies).decode("utf-8")), dict)


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_legal_text_arrives_unchanged(text: str) -> None:
    assert body(text_notice(body=text))["data"]["message"] == text
    assert body(turn_notice(transcript=text))["data"]["transcript"] == text


OF_A_TEXT = (EventType.AGENT_MESSAGE, EventType.MESSAGE_RECEIVED, EventType.MESSAGE_SENT)


@given(
    text=st.text(), state=st.none() | st.dictionaries(words, json_values, max_size=3), events=st.permutations(OF_A_TEXT)
)
def test_a_text_told_again_under_another_name_is_what_it_would_be_anyway(
    text: str, state: dict[str, Any] | None, events: list[EventType]
) -> None:
    told = replace(text_notice(events[0], body=text), state=state, history=(entry(1, text),))
    again = replace(told, event_type=events[1])
    assert retold(again, told, render(told, DEFAULT)) == render(again, DEFAULT)


@pytest.mark.parametrize(
    ("notice", "told"),
    [
        (text_notice(), text_notice()),  # equal, but another text: one whose state may be 1 where this one's is true
        (replace(text_notice(), state={"n": True}), replace(text_notice(), state={"n": 1})),
        (reaction_notice(), text_notice()),
        (turn_notice(), turn_notice()),
        (call_notice(EventType.CALL_ENDED, finished()), call_notice(EventType.CALL_STARTED, finished())),
    ],
)
def test_whatever_else_differs_is_told_from_the_start(notice: Notice, told: Notice) -> None:
    assert retold(notice, told, render(told, DEFAULT)) is None


def test_a_notice_told_twice_is_the_same_unless_it_is_spoken() -> None:
    text, turn = text_notice(), turn_notice()
    assert retold(text, text, render(text, DEFAULT)) == render(text, DEFAULT)
    assert retold(turn, turn, render(turn, DEFAULT)) is None
