from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.domain.calls import Call, CallStatus, Direction, DisconnectionReason, Party, Utterance
from simulator.wire.calls import CallIn, CallOut, CallQuery, TranscriptListOut, WebCallIn

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def said(party: Party, text: str, second: int, **fields: Any) -> Utterance:
    return Utterance(id=f"tr_{second}", party=party, text=text, at=AT + timedelta(seconds=second), **fields)


def call(**fields: Any) -> Call:
    usual: dict[str, Any] = {
        "id": "call_1",
        "agent_id": "agt_1",
        "agent_name": "A",
        "number_id": "num_1",
        "phone_number": "+14155550100",
        "from_number": "+14155550150",
        "to_number": "+14155550100",
        "direction": Direction.INBOUND,
        "status": CallStatus.IN_PROGRESS,
        "started_at": AT,
    }
    return Call(**{**usual, **fields})


def shown(base_url: str | None = "http://127.0.0.1:8787", **fields: Any) -> CallOut:
    return CallOut.of(call(**fields), base_url)


SPOKEN = (
    said(Party.AGENT, "Acme, hello!", 1),
    said(Party.REMOTE, "Where is my order?", 3, confidence=0.9),
    said(Party.AGENT, "It shipped.", 6, turn_id="turn_1"),
    said(Party.AGENT, "Anything else?", 8, turn_id="turn_1"),
)


def test_a_live_call_shows_every_field_and_no_end() -> None:
    assert shown().model_dump(by_alias=True) == {
        "id": "call_1",
        "agentId": "agt_1",
        "agentName": "A",
        "phoneNumberId": "num_1",
        "phoneNumber": "+14155550100",
        "fromNumber": "+14155550150",
        "toNumber": "+14155550100",
        "direction": "inbound",
        "status": "in-progress",
        "startedAt": "2026-01-05T15:00:00.000Z",
        "endedAt": None,
        "durationSeconds": None,
        "disconnectionReason": None,
        "lastTranscriptSnippet": None,
        "recordingUrl": None,
        "recordingAvailable": False,
        "transcripts": [],
        "retellCallId": None,
    }


def test_an_ended_call_shows_when_why_and_how_long() -> None:
    ended = shown(
        connected_at=AT + timedelta(seconds=2),
        ended_at=AT + timedelta(seconds=46.74),
        status=CallStatus.COMPLETED,
        disconnection_reason=DisconnectionReason.USER_HANGUP,
        utterances=SPOKEN,
    )
    assert (ended.ended_at, ended.duration_seconds) == ("2026-01-05T15:00:46.740Z", 45)
    assert (ended.disconnection_reason, ended.last_transcript_snippet) == ("user_hangup", "Anything else?")


def test_a_call_that_was_never_answered_lasted_no_time() -> None:
    assert shown(ended_at=AT + timedelta(seconds=30)).duration_seconds == 0


def test_a_long_last_utterance_is_cut() -> None:
    long = shown(utterances=(said(Party.AGENT, "x" * 1000, 1),))
    assert long.last_transcript_snippet == "x" * 100


def test_the_transcript_stands_in_both_forms() -> None:
    shown = TranscriptListOut.of(call(utterances=SPOKEN)).model_dump(by_alias=True)
    assert [(row["transcript"], row["response"]) for row in shown["data"]] == [
        ("Acme, hello!", None),
        ("Where is my order?", "It shipped. Anything else?"),
    ]
    assert set(shown["data"][0]) == {"id", "transcript", "response", "confidence", "createdAt"}
    assert [entry["role"] for entry in shown["transcript"]] == ["agent", "user", "agent", "agent"]
    assert shown["transcript"][1] == {
        "role": "user",
        "content": "Where is my order?",
        "createdAt": "2026-01-05T15:00:03.000Z",
    }
    assert (shown["callId"], shown["status"]) == ("call_1", "in-progress")


def test_a_call_is_described_without_how_long_to_wait() -> None:
    body = CallIn.model_validate(
        {
            "agentId": "agt_1",
            "toNumber": "+14155550150",
            "initialGreeting": "",
            "voice": None,
            "variables": {"a": "b", "c": None},
            "waitForCompletion": True,
            "maxWaitSeconds": 10,
        }
    )
    assert body.fields() == {
        "agent_id": "agt_1",
        "to_number": "+14155550150",
        "initial_greeting": "",
        "variables": {"a": "b"},
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"agentId": ""},
        {"toNumber": ""},
        {"toNumber": 14155550150},
        {"modelTier": "huge"},
        {"variables": {"a": 1}},
        {"variables": []},
        {"waitForCompletion": "true"},
        {"maxWaitSeconds": 9},
        {"maxWaitSeconds": 601},
        {"disableRecording": 0},
    ],
)
def test_a_call_of_the_wrong_shape_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CallIn.model_validate({"agentId": "a", "toNumber": "b", **fields})


@pytest.mark.parametrize(("sent", "wait"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_waiting_is_asked_for_in_words_or_digits(sent: str, wait: bool) -> None:
    assert CallQuery.model_validate({"wait": sent}).wait is wait


def test_a_recording_is_where_the_client_reaches_us_once_the_call_is_over() -> None:
    live = shown(connected_at=AT, recorded=True)
    assert (live.recording_available, live.recording_url) == (False, None)
    over = {"connected_at": AT, "ended_at": AT + timedelta(seconds=9), "recorded": True}
    assert shown(**over).recording_url == "http://127.0.0.1:8787/v1/calls/call_1/recording"
    assert (shown(None, **over).recording_available, shown(None, **over).recording_url) == (True, None)
    unrecorded = shown(**{**over, "recorded": False})
    assert (unrecorded.recording_available, unrecorded.recording_url) == (False, None)


@pytest.mark.parametrize(
    "fields",
    [{"agentId": ""}, {"agentId": None}, {"metadata": []}, {"metadata": {"a": float("inf")}}, {"variables": {"a": 1}}],
)
def test_a_web_call_of_the_wrong_shape_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebCallIn.model_validate({"agentId": "a", **fields})


def test_a_web_call_is_described_by_what_was_given() -> None:
    body = WebCallIn.model_validate({"agentId": "a", "metadata": {"n": [None]}, "variables": {"x": "y", "z": None}})
    assert body.fields() == {"agent_id": "a", "metadata": {"n": [None]}, "variables": {"x": "y"}}
