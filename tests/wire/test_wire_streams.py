from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from simulator.domain.calls import Call, CallStatus, Direction, Party, Utterance
from simulator.wire.streams import HEARTBEAT, ConnectedOut, EndedOut, SpokenOut, event
from tests.helpers.sse import events

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
CALL = Call(
    id="call_1", agent_id="agt_1", agent_name="Support", number_id="num_1", phone_number="+14155550100",
    from_number="+14155550150", to_number="+14155550100", direction=Direction.INBOUND, status=CallStatus.COMPLETED,
    started_at=AT, connected_at=AT + timedelta(seconds=1), ended_at=AT + timedelta(seconds=10),
)  # fmt: skip


def said(text: str) -> SpokenOut:
    return SpokenOut.of(Utterance(id="tr_1", party=Party.REMOTE, text=text, at=AT))


def test_every_event_carries_its_documented_fields() -> None:
    told = events(
        [event("connected", ConnectedOut.of(CALL)), event("turn", said("Hi")), event("ended", EndedOut.of(CALL))]
    )
    started = "2026-01-05T15:00:00.000Z"
    assert told == [
        (
            "connected",
            {
                "callId": "call_1", "status": "completed", "agentId": "agt_1", "agentName": "Support",
                "direction": "inbound", "fromNumber": "+14155550150", "toNumber": "+14155550100", "startedAt": started,
            },
        ),
        ("turn", {"role": "user", "content": "Hi", "createdAt": started}),
        (
            "ended",
            {
                "callId": "call_1", "status": "completed", "endedAt": "2026-01-05T15:00:10.000Z", "durationSeconds": 9,
            },
        ),
    ]  # fmt: skip


def test_a_heartbeat_is_a_comment() -> None:
    assert events([HEARTBEAT]) == [("", "heartbeat")]


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("two\nlines\r\nand \u2028 three \x85 four")
def test_an_event_is_two_lines_for_every_reader_whatever_was_said(text: str) -> None:
    sent = event("turn", said(text))
    assert len(sent.decode("utf-8").splitlines()) == 3
    assert events([sent])[0][1]["content"] == text
