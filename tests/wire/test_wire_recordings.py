from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from simulator.domain.calls import Call, CallStatus, Direction
from simulator.domain.messages import Channel
from simulator.domain.policy import Policies
from simulator.domain.webhooks import EventType, Notice
from simulator.wire.calls import CallOut
from simulator.wire.payloads import render

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8787"
RECORDED = Call(
    id="call_1", agent_id="agt_1", agent_name="Support", number_id=None, phone_number=None, from_number="",
    to_number="", direction=Direction.WEB, status=CallStatus.COMPLETED, started_at=AT, connected_at=AT,
    ended_at=AT + timedelta(seconds=10), recorded=True,
)  # fmt: skip


def sent(event: EventType, base_url: str | None) -> dict[str, object]:
    notice = Notice(event_type=event, at=AT, agent_id="agt_1", channel=Channel.VOICE, call=RECORDED)
    data: dict[str, object] = json.loads(render(notice, Policies(), base_url))["data"]
    return data


def test_the_end_event_says_where_the_recording_is_as_the_call_does() -> None:
    for base_url in (BASE, None):
        data, shown = sent(EventType.CALL_ENDED, base_url), CallOut.of(RECORDED, base_url)
        assert (data["recordingAvailable"], data["recordingUrl"]) == (True, shown.recording_url)
    assert sent(EventType.CALL_ENDED, BASE)["recordingUrl"] == f"{BASE}/v1/calls/call_1/recording"


def test_events_that_never_had_the_field_do_not_get_it() -> None:
    assert "recordingUrl" not in sent(EventType.AGENT_CALL_ENDED, BASE)


def test_the_events_of_a_web_call_have_no_numbers() -> None:
    for event in (EventType.CALL_ENDED, EventType.AGENT_CALL_ENDED):
        data = sent(event, BASE)
        assert (data["direction"], data["numberId"], data["from"], data["to"]) == ("web", None, "", "")
