from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.errors import NotFound
from simulator.scenarios.record import CallRecord, KeysRecord, SpeechRecord, Who
from simulator.scenarios.recording import action_of, calls_in, record_of_call
from simulator.world.journal import Entry
from tests.helpers.records import CALLER, OURS, STARTED, s

CALL = "call_1"
Line = tuple[float, str, dict[str, Any]]

PLACED: Line = (0, "call.placed", {"direction": "inbound", "from": CALLER, "to": OURS})
BEGIN: list[Line] = [PLACED, (1, "call.connected", {})]


def says(at: float, party: str, text: str, duration: float, **more: Any) -> Line:
    return at, "speech.started", {"party": party, "text": text, "duration": duration, **more}


def hears(at: float, party: str, text: str, turn: str | None, confidence: float | None = None) -> Line:
    return at, "speech.heard", {"party": party, "text": text, "turn_id": turn, "confidence": confidence}


def opens(at: float, turn: str, transcript: str, delivery: str = "voice_1") -> Line:
    return at, "turn.opened", {"turn_id": turn, "transcript": transcript, "delivery_id": delivery}


def chunk(at: float, turn: str, text: str, raw: str = "", *, interim: bool = False) -> Line:
    return at, "turn.chunk", {"turn_id": turn, "text": text, "interim": interim, "raw": raw}


def closes(at: float, turn: str, how: str = "final") -> Line:
    return at, "turn.closed", {"turn_id": turn, "how": how, "after": 0.1}


# One question, answered in two chunks; cut off by a second one, which is answered and ends the call.
STORY: list[Line] = [
    *BEGIN,
    says(1, "agent", "Hello.", 0.4, turn_id=None),
    (2, "script.step", {"step": [0]}),
    says(2, "user", "Where is it?", 1, over=False, backchannel=False),
    hears(3.7, "user", "Where is it?", "1", 0.9),
    opens(3.7, "1", "Where is it?"),
    (3.8, "turn.started", {"turn_id": "1", "http_status": 200}),
    chunk(3.8, "1", "Let me see.", interim=True),
    says(3.8, "agent", "Let me see.", 1.2, turn_id="1"),
    chunk(3.9, "1", "It has been shipped today."),
    closes(3.9, "1"),
    says(5, "agent", "It has been shipped today.", 2, turn_id="1"),
    (6, "script.step", {"step": [1, 0]}),
    says(6, "user", "Stop.", 0.4, over=True, backchannel=False),
    (6.2, "speech.stopped", {"party": "agent"}),
    hears(6.2, "agent", "It has been", "1"),
    (6.2, "barge_in", {"turn_id": "1", "overrun": 0.2}),
    hears(7.1, "user", "Stop.", "2", 0.8),
    opens(7.1, "2", "Stop.", "voice_2"),
    (7.2, "finding", {"finding": "action_unknown", "message": "what?", "turn_id": "2", "sample": "{}"}),
    chunk(7.2, "2", "Goodbye.", '{"text": "Goodbye.", "hangup": true}'),
    closes(7.2, "2"),
    says(7.2, "agent", "Goodbye.", 0.4, turn_id="2"),
    (7.6, "call.ended", {"reason": "agent_hangup", "status": "completed"}),
]


def entries(lines: list[Line], call_id: str = CALL) -> list[Entry]:
    """A journal of these lines, all of one call."""
    return [
        Entry(seq, STARTED + timedelta(seconds=at), kind, {"call_id": call_id, **data})
        for seq, (at, kind, data) in enumerate(lines, 1)
    ]


def record(*more: Line, story: list[Line] = STORY) -> CallRecord:
    return record_of_call(entries([*story, *more]), CALL)


def test_the_frame_of_a_call() -> None:
    made = record()
    assert (made.id, made.from_number, made.to_number, made.direction) == (CALL, CALLER, OURS, "inbound")
    assert (made.answered, made.ended, made.reason, made.greeting) == (s(1), s(7.6), "agent_hangup", "Hello.")
    assert made.steps == (((0,), s(2)), ((1, 0), s(6)))


def test_what_was_said_and_what_was_heard_of_it() -> None:
    cut = [part for part in record().speech if part.cut]
    assert [(part.said, part.heard, part.length) for part in cut] == [
        ("It has been shipped today.", "It has been", s(1.2))
    ]


def test_the_callers_words_know_the_turn_that_they_opened() -> None:
    spoken = [part for part in record().speech if part.who is Who.CALLER]
    assert [(part.turn, part.confidence, part.over) for part in spoken] == [(1, 0.9, False), (2, 0.8, True)]


def test_turns_know_their_step_their_words_and_their_times() -> None:
    first, second = record().turns
    assert (first.step, first.said_text, first.heard_text) == (
        (0,),
        "Let me see. It has been shipped today.",
        "Let me see. It has been",
    )
    assert (first.opened, first.closed, first.first_byte, first.first_word) == (s(3.7), s(3.9), s(0.1), s(0.8))
    assert [(c.at, c.interim) for c in first.chunks] == [(s(3.8), True), (s(3.9), False)]
    assert (second.step, second.action, second.how) == ((1, 0), "hangup", "final")


def test_an_overrun_belongs_to_the_turn_that_the_words_opened() -> None:
    third = opens(7.5, "3", "")
    assert [turn.overrun for turn in record(story=[*STORY[:-1], third]).turns] == [None, s(0.2), None]


def test_findings_are_those_of_the_call_and_of_their_turn() -> None:
    made = record()
    assert [(f.kind, f.at, f.sample) for f in made.findings] == [("action_unknown", s(7.2), "{}")]
    assert [turn.findings for turn in made.turns] == [(), made.findings]


def test_a_call_that_goes_on_is_recorded_as_far_as_it_has_come() -> None:
    made = record(story=STORY[:11])
    assert (made.reason, made.ended, made.turns[0].how, made.turns[0].closed) == ("live", s(3.9), "cancelled", s(3.9))


def test_a_call_nobody_answered_has_no_turns() -> None:
    made = record(story=[PLACED, (9, "call.ended", {"reason": "dial_busy", "status": "failed"})])
    assert (made.answered, made.turns, made.duration, made.reason) == (None, (), s(0), "dial_busy")


def test_a_sound_of_listening_opens_nothing() -> None:
    listening = says(5.5, "user", "Stop.", 0.4, over=True, backchannel=True)
    made = record(story=[*STORY[:13], listening, *STORY[13:]])
    assert [(part.backchannel, part.turn) for part in made.speech if part.said == "Stop."] == [(True, None), (False, 2)]


def test_keys_of_both_parties_and_the_turn_that_they_opened() -> None:
    pressed = [
        *BEGIN,
        (2, "script.step", {"step": [0]}),
        (2, "digits", {"party": "user", "digits": "1#"}),
        opens(3, "1", "1#"),
        (3.5, "digits", {"party": "agent", "digits": "9", "turn_id": "1"}),
    ]
    made = record(story=pressed)
    caller = KeysRecord(who=Who.CALLER, at=s(2), digits="1#", length=s(0.4), turn=1)
    agent = KeysRecord(who=Who.AGENT, at=s(3.5), digits="9", length=s(0.2), turn=1)
    assert made.keys == (caller, agent)
    assert (made.turns[0].step, made.turns[0].digits) == ((0,), "9")


def test_a_script_that_failed_says_where_and_why() -> None:
    failure = record((7.7, "script.failed", {"step": [1, 0], "expected": "contains 'x'", "heard": "y"})).failure
    assert failure is not None
    assert (failure.step, failure.at, failure.expected, failure.heard) == ((1, 0), s(7.7), "contains 'x'", "y")


def test_events_owed_because_of_the_call_but_not_its_turns() -> None:
    def delivery(at: float, kind: str, delivery_id: str, **data: Any) -> Line:
        return at, f"delivery.{kind}", {"delivery_id": delivery_id, **data}

    made = record(
        delivery(3.7, "created", "voice_1", event="agent.message"),
        delivery(7.6, "created", "del_1", event="agent.call_ended"),
        delivery(7.6, "created", "del_2", event="call.ended", call_id="call_2"),
        delivery(7.7, "attempt", "del_1", attempt=1, http_status=500),
        delivery(9.7, "attempt", "del_1", attempt=2, http_status=200),
        delivery(9.7, "settled", "del_1", status="success"),
    )
    [one] = made.deliveries
    assert (one.event, one.status, one.attempts, one.http_status) == ("agent.call_ended", "success", 2, 200)


def test_requests_made_before_the_call_are_not_its() -> None:
    asked = {"method": "POST", "path": "/v1/messages", "status": 200, "body": {"body": "größer"}}
    before = Entry(0, STARTED, "api.request", asked)
    after = Entry(99, STARTED + s(3), "api.request", asked)
    made = record_of_call([before, *entries(STORY), after], CALL)
    assert [(r.at, r.method, r.path, r.status, r.body) for r in made.api_requests] == [
        (s(3), "POST", "/v1/messages", 200, '{"body": "größer"}')
    ]


def test_each_of_two_calls_is_recorded_alone() -> None:
    other = entries(STORY[:4], "call_2")
    both = sorted([*entries(STORY), *other], key=lambda entry: entry.at)
    assert calls_in(both) == [CALL, "call_2"]
    assert record_of_call(both, CALL) == record()


def test_a_call_the_journal_does_not_know_is_refused() -> None:
    with pytest.raises(NotFound, match="call_9"):
        record_of_call(entries(STORY), "call_9")


@pytest.mark.parametrize(
    ("raw", "action"),
    [
        ('{"action": "transfer"}', "transfer"),
        ('{"hangup": true}', "hangup"),
        ('{"action": "hangup"}', "hangup"),
        ('{"text": "hi"}', None),
        ('{"action": "dance"}', None),
        ("[1]", None),
        ("hello", None),
        ("", None),
    ],
)
def test_what_a_chunk_does_to_the_call(raw: str, action: str | None) -> None:
    assert action_of(raw) == action


def test_a_speech_that_was_heard_whole_is_not_cut() -> None:
    [greeting] = [part for part in record().speech if part.said == "Hello."]
    assert greeting == SpeechRecord(who=Who.AGENT, at=s(1), length=s(0.4), said="Hello.", heard="Hello.")
