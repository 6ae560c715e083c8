from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.domain.calls import DisconnectionReason, Party
from simulator.domain.findings import FindingKind
from simulator.engine.call import CallEngine
from simulator.engine.effects import (
    AppendTranscript,
    CancelTurn,
    CloseTurn,
    ConnectCall,
    EndCall,
    NoteChunk,
    NoteDigits,
    NoteScriptDone,
    NoteStep,
    OpenTurn,
    Play,
    PlayDigits,
    ReportFinding,
    ResendTurn,
    StartSpeech,
    StartTimer,
    StopPlayback,
    StopTimer,
)
from simulator.engine.events import (
    Answered,
    CallEvent,
    Declined,
    Dialled,
    EndRequested,
    RemoteHungUp,
    RemotePressed,
    RemoteSaid,
    ReplyBytes,
    ReplyEnded,
    ReplyFailed,
    ReplyStarted,
    TimerFired,
)
from simulator.engine.script import Answer, HangUp, Press, Say, Wait
from simulator.engine.speech import ENDPOINTING_DELAY, REACTION_DELAY, speech_duration
from simulator.errors import IllegalTransition, UsageError
from tests.helpers.engine import START, Line, drive, kinds, seconds, setup

REASON = DisconnectionReason
SILENT_MODE = {"no_webhook_call": "silence"}


def on_a_turn(**changes: Any) -> Line:
    """A call whose first turn has just been opened."""
    line = Line(**changes).connect()
    line.open_turn()
    return line


def streaming(*pieces: bytes, **changes: Any) -> Line:
    """A call whose first turn streams NDJSON."""
    line = on_a_turn(**changes)
    line.headers()
    line.body(*pieces)
    return line


# --- ringing ---


def test_dialling_rings_for_as_long_as_the_person_lets_it() -> None:
    assert drive(CallEngine(setup(ring=seconds(7))), Dialled()) == [StartTimer("ring", seconds(7))]


def test_an_answered_call_is_connected() -> None:
    line = Line(max_duration=seconds(600))
    line.feed(Dialled())
    assert line.fire_next() == [
        ConnectCall(),
        StartTimer("max_duration", seconds(600)),
        StartTimer("silence", seconds(600)),
    ]
    assert line.engine.listening


def test_a_call_can_be_answered_from_outside() -> None:
    effects = drive(CallEngine(setup(policies=SILENT_MODE)), Dialled(), Answered())
    assert effects[1:3] == [StopTimer("ring"), ConnectCall()]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer.BUSY, REASON.DIAL_BUSY),
        (Answer.NO_ANSWER, REASON.DIAL_NO_ANSWER),
        (Answer.NOT_JOINED, REASON.REGISTERED_CALL_TIMEOUT),
        (Answer.FAILED, REASON.DIAL_FAILED),
    ],
)
def test_a_call_that_is_not_answered_ends(answer: Answer, reason: DisconnectionReason) -> None:
    line = Line(answer=answer, ring=seconds(20), steps=()).connect()
    assert [effect for _, effect in line.log][1:] == [EndCall(reason)]
    assert line.when(EndCall) == seconds(20)


def test_a_call_can_be_declined_from_outside() -> None:
    effects = drive(CallEngine(setup()), Dialled(), Declined(REASON.DIAL_BUSY))
    assert effects[-1] == EndCall(REASON.DIAL_BUSY)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (RemoteHungUp(), REASON.USER_HANGUP),
        (EndRequested(), REASON.API_HANGUP),
        (EndRequested(REASON.DIAL_FAILED), REASON.DIAL_FAILED),
    ],
)
def test_a_ringing_call_can_be_ended(event: CallEvent, reason: DisconnectionReason) -> None:
    assert drive(CallEngine(setup()), Dialled(), event)[1:] == [EndCall(reason)]


def test_what_is_asked_while_it_rings_happens_after_the_greeting() -> None:
    line = Line(greeting="Hello")
    line.feed(Dialled(), RemoteSaid("Hi"))
    line.until(StartSpeech)
    assert kinds(effect for _, effect in line.log) == [ConnectCall, Play, AppendTranscript, StartSpeech]


# --- connecting ---


def test_the_greeting_is_heard_first_and_remembered_when_it_was_heard() -> None:
    line = Line(greeting=" Hello there ").connect()
    assert line.all(Play) == [Play("Hello there", seconds(0.8), None)]
    assert not line.engine.listening
    assert line.fire_next()[0] == AppendTranscript(Party.AGENT, "Hello there", seconds(0.8), seconds(0.8))
    assert line.engine.listening


@pytest.mark.parametrize("greeting", ["", "  ", None])
def test_without_a_greeting_the_agent_listens(greeting: str | None) -> None:
    line = Line(greeting=greeting).connect()
    assert line.played == []
    assert line.engine.listening


def test_by_policy_a_call_without_a_greeting_opens_an_empty_turn() -> None:
    line = Line(policies={"empty_transcript_on_connect": "on"}).connect()
    assert line.all(OpenTurn) == [OpenTurn("1", "", 1.0)]
    assert line.all(AppendTranscript) == []
    line.reply(b'{"text": "Hello"}')
    assert line.played == ["Hello"]


@pytest.mark.parametrize("greeting", ["", "Hello"])
def test_by_that_policy_a_greeting_or_silence_that_was_asked_for_still_opens_no_turn(greeting: str) -> None:
    line = Line(policies={"empty_transcript_on_connect": "on"}, greeting=greeting).connect()
    assert line.all(OpenTurn) == []


def test_a_voice_has_its_speed() -> None:
    assert Line(greeting="Hello there", voice_speed=2.0).connect().all(Play)[0].duration == seconds(0.4)


def test_a_call_without_a_webhook_endpoint_fails() -> None:
    line = Line(turn_timeout=None, greeting="Hello").connect()
    assert line.end == EndCall(REASON.ERROR_NO_WEBHOOK)
    assert line.findings == [FindingKind.NO_WEBHOOK]
    assert line.played == []


def test_by_policy_a_call_without_a_webhook_endpoint_is_silent_after_its_greeting() -> None:
    line = Line(turn_timeout=None, policies=SILENT_MODE, greeting="Hello").connect()
    line.feed(RemoteSaid("Is anybody there?"))
    line.until(ReportFinding)
    assert line.played == ["Hello"]
    assert line.findings == [FindingKind.NO_WEBHOOK]
    assert line.said(Party.REMOTE) == ["Is anybody there?"]
    assert line.all(AppendTranscript)[-1].turn_id is None
    assert line.engine.listening


def test_an_endpoint_that_comes_late_gets_the_next_turn() -> None:
    line = Line(turn_timeout=None, policies=SILENT_MODE).connect()
    line.feed(RemoteSaid("One"))
    line.until(ReportFinding)
    line.engine.turn_timeout = seconds(5)
    assert line.open_turn("Two") == OpenTurn("1", "Two", 0.95)


def test_a_party_without_patience_hangs_up_whoever_is_speaking() -> None:
    line = Line(greeting="Thank you for calling, how can I help you today?", patience=seconds(2)).connect()
    answered = line.when(ConnectCall)
    assert line.until(EndCall) == EndCall(REASON.USER_HANGUP)
    assert line.when(EndCall) - answered == seconds(2)
    assert line.said(Party.AGENT) == ["Thank you for calling, how"]


def test_patience_begins_when_the_call_is_answered_and_is_no_matter_after_its_end() -> None:
    line = Line(ring=seconds(30), patience=seconds(2), answer=Answer.NO_ANSWER)
    line.feed(Dialled())
    line.fire_next()
    assert (line.end.reason, line.timers) == (REASON.DIAL_NO_ANSWER, {})


def test_the_longest_call_ends() -> None:
    line = Line(max_duration=seconds(60), steps=(Wait(seconds(300)),)).connect()
    assert line.until(EndCall).reason is REASON.MAX_DURATION_REACHED
    assert line.when(EndCall) == seconds(62)


# --- the remote party ---


def test_an_utterance_takes_its_time_and_opens_a_turn() -> None:
    line = Line(steps=(Say("Where is my order?", 0.8),)).connect()
    line.until(OpenTurn)
    spoken = speech_duration("Where is my order?")
    assert line.all(StartSpeech) == [StartSpeech("Where is my order?", spoken)]
    assert line.when(StartSpeech) == seconds(2) + REACTION_DELAY
    assert line.when(OpenTurn) == line.when(StartSpeech) + spoken + ENDPOINTING_DELAY
    assert [effect for _, effect in line.log][-3:] == [
        AppendTranscript(Party.REMOTE, "Where is my order?", spoken, spoken + ENDPOINTING_DELAY, "1", 0.8),
        OpenTurn("1", "Where is my order?", 0.8),
        StartTimer("reply", seconds(30)),
    ]


def test_turns_are_numbered() -> None:
    line = on_a_turn()
    line.reply(b'{"text": ""}')
    assert line.open_turn("Again").turn_id == "2"


def test_a_live_request_waits_until_the_floor_is_free_and_then_happens_at_once() -> None:
    line = on_a_turn()
    assert line.feed(RemoteSaid("And another thing"), RemotePressed("1")) == []
    line.reply(b'{"text": "Yes"}')
    assert kinds(line.fire_next()) == [AppendTranscript, StartSpeech]
    line.until(OpenTurn)
    assert StartSpeech("And another thing", seconds(1.2)) in line.all(StartSpeech)
    assert NoteDigits("1") in line.reply(b'{"text": ""}')


@pytest.mark.parametrize("event", [RemoteSaid(" "), RemotePressed("x"), RemoteSaid("Hi", 2)])
def test_an_impossible_request_is_refused_and_changes_nothing(event: CallEvent) -> None:
    line = Line().connect()
    with pytest.raises(UsageError):
        line.feed(event)
    assert line.engine.listening
    assert line.fire_next() == [EndCall(REASON.INACTIVITY)]


def test_a_live_request_interrupts_a_scripted_wait_which_then_begins_anew() -> None:
    line = Line(steps=(Wait(seconds(10)), Say("Late"))).connect()
    line.advance(seconds(6))
    line.open_turn("Early")
    line.reply(b'{"text": ""}')
    free = line.now
    line.until(StartSpeech)
    assert line.now - free == seconds(10)


def test_a_step_after_a_wait_comes_at_its_end() -> None:
    line = Line(steps=(Wait(seconds(4)), Say("Hi"))).connect()
    line.until(StartSpeech)
    assert line.when(StartSpeech) == seconds(6)


def test_a_wait_of_no_length_is_over_at_once() -> None:
    line = Line(steps=(Wait(timedelta()), Wait(timedelta()), Say("Hi"))).connect()
    assert line.when(StartSpeech) == seconds(2)


def test_pressed_keys_are_not_delivered() -> None:
    line = Line(steps=(Press("1#"), Say("Hi"))).connect()
    line.until(StartSpeech)
    assert line.all(NoteDigits) == [NoteDigits("1#")]
    assert line.when(NoteDigits) == seconds(2) + REACTION_DELAY
    assert line.when(StartSpeech) - line.when(NoteDigits) == seconds(0.4) + REACTION_DELAY
    assert line.all(OpenTurn) == []


def test_by_policy_pressed_keys_are_a_turn() -> None:
    line = Line(steps=(Press("1#"),), policies={"caller_dtmf": "turn"}).connect()
    assert line.until(OpenTurn) == OpenTurn("1", "1#", 1.0)
    assert line.all(AppendTranscript) == [AppendTranscript(Party.REMOTE, "1#", seconds(0.4), seconds(0.4), "1", 1.0)]


def test_the_party_hangs_up_when_its_script_is_played() -> None:
    line = Line(steps=(Say("Bye"),)).connect()
    line.until(OpenTurn)
    assert not line.engine.script_done
    assert line.reply(b'{"text": ""}')[-3] == NoteScriptDone()
    assert line.engine.script_done
    free = line.now
    assert line.until(EndCall) == EndCall(REASON.USER_HANGUP)
    assert line.now - free == REACTION_DELAY
    assert len(line.all(NoteScriptDone)) == 1


def test_an_empty_script_hangs_up_after_the_greeting() -> None:
    line = Line(steps=(), greeting="Hello").connect()
    line.until(EndCall)
    assert line.said(Party.AGENT) == ["Hello"]
    assert line.end == EndCall(REASON.USER_HANGUP)


def test_a_script_that_hangs_up_is_done() -> None:
    line = Line(steps=(HangUp(),)).connect()
    assert line.fire_next() == [NoteStep((0,)), NoteScriptDone(), EndCall(REASON.USER_HANGUP)]


def test_a_script_is_not_done_when_steps_are_left() -> None:
    line = Line(steps=(HangUp(), Say("never"))).connect()
    assert line.fire_next() == [NoteStep((0,)), EndCall(REASON.USER_HANGUP)]
    assert not line.engine.script_done


def test_a_script_whose_last_words_were_answered_with_a_hang_up_is_done() -> None:
    line = Line(steps=(Say("Bye"),)).connect()
    line.until(OpenTurn)
    assert line.reply(b'{"hangup": true}')[-2:] == [NoteScriptDone(), EndCall(REASON.AGENT_HANGUP)]


def test_a_script_whose_last_words_were_cut_off_is_not_done() -> None:
    line = Line(steps=(Say("Bye now"),)).connect()
    line.until(StartSpeech)
    line.feed(EndRequested())
    assert not line.engine.script_done


def test_a_party_without_a_script_stays_on_the_line() -> None:
    line = Line(max_silence=seconds(100)).connect()
    assert line.until(EndCall).reason is REASON.INACTIVITY
    assert line.all(NoteScriptDone) == []


# --- silence ---


def test_silence_ends_the_call() -> None:
    line = Line(max_silence=seconds(10)).connect()
    assert line.fire_next() == [EndCall(REASON.INACTIVITY)]
    assert line.when(EndCall) == seconds(12)


def test_silence_runs_on_while_the_party_waits() -> None:
    line = Line(max_silence=seconds(10), steps=(Wait(seconds(6)), Wait(seconds(6)), Say("Hi"))).connect()
    assert line.until(EndCall).reason is REASON.INACTIVITY
    assert line.when(EndCall) == seconds(12)


def test_silence_wins_over_a_step_that_is_due_at_the_same_instant() -> None:
    line = Line(max_silence=seconds(10), steps=(Wait(seconds(10)), Say("Hi"))).connect()
    assert line.until(EndCall).reason is REASON.INACTIVITY


def test_silence_does_not_run_while_somebody_speaks_or_a_turn_is_open() -> None:
    line = Line(max_silence=seconds(2), greeting="word " * 20).connect()
    line.feed(RemoteSaid("word " * 20))
    line.until(OpenTurn)
    line.advance(seconds(20))
    line.reply(b'{"text": "' + b"word " * 20 + b'"}')
    line.fire_next()
    free = line.now
    line.fire_next()
    assert line.now - free == seconds(2)
    assert line.end.reason is REASON.INACTIVITY


def test_silence_after_the_greeting_counts_from_its_last_word() -> None:
    line = Line(max_silence=seconds(10), greeting="Hello there").connect()
    assert line.until(EndCall).reason is REASON.INACTIVITY
    assert line.when(EndCall) == seconds(2 + 0.8 + 10)


def test_silence_counts_from_the_end_of_a_turn_that_was_dropped() -> None:
    line = on_a_turn(max_silence=seconds(10), turn_timeout=seconds(5))
    opened = line.now
    assert line.until(EndCall).reason is REASON.INACTIVITY
    assert line.now - opened == seconds(5 + 10)


def test_pressed_keys_break_the_silence() -> None:
    line = Line(max_silence=seconds(10), steps=(Wait(seconds(9)), Press("1"), Wait(seconds(9)))).connect()
    assert line.until(EndCall).reason is REASON.USER_HANGUP


# --- replies ---


def test_a_reply_is_played_and_the_floor_is_free_when_it_was_heard() -> None:
    line = on_a_turn()
    effects = line.reply(b'{"text": "Hello there"}')
    assert kinds(effects) == [NoteChunk, CloseTurn, Play]
    assert NoteChunk("1", "Hello there", False, b'{"text": "Hello there"}') in effects
    assert Play("Hello there", seconds(0.8), "1") in effects
    assert not line.engine.listening
    assert line.fire_next()[0] == AppendTranscript(Party.AGENT, "Hello there", seconds(0.8), seconds(0.8), "1")
    assert line.engine.listening
    assert line.closed == ["final"]


def test_a_stream_is_played_from_its_first_chunk_on_one_after_another() -> None:
    line = on_a_turn()
    line.headers()
    assert line.body(b'{"text": "One moment", "interim": true}\n{"text": "please", "interim": true}\n')[-2:] == [
        Play("One moment", seconds(0.8), "1"),
        StartTimer("playback", seconds(0.8)),
    ]
    line.body(b'{"text": "Here you are"}\n')
    assert line.played == ["One moment"]
    line.fire_next()
    assert line.played == ["One moment", "please"]
    line.fire_next()
    line.fire_next()
    assert line.said(Party.AGENT) == ["One moment", "please", "Here you are"]
    assert line.engine.listening


def test_an_empty_final_chunk_closes_the_turn_without_a_finding() -> None:
    line = on_a_turn()
    line.reply(b'{"text": ""}')
    assert (line.closed, line.findings, line.played) == (["final"], [], [])
    assert line.engine.listening


def test_hang_up_waits_until_everything_before_it_was_heard() -> None:
    line = streaming(b'{"text": "One", "interim": true}\n', b'{"text": "Bye", "hangup": true}\n')
    assert line.until(EndCall) == EndCall(REASON.AGENT_HANGUP)
    assert line.said(Party.AGENT) == ["One", "Bye"]


@pytest.mark.parametrize("body", [b'{"hangup": true}', b'{"action": "hangup"}', b'{"text": "", "hangup": true}'])
def test_hang_up_without_words_is_immediate(body: bytes) -> None:
    line = on_a_turn()
    assert line.reply(body)[-1] == EndCall(REASON.AGENT_HANGUP)


def test_an_interim_chunk_hangs_up_too() -> None:
    line = streaming(b'{"text": "Bye", "interim": true, "hangup": true}\n')
    assert kinds(line.fire_next()) == [AppendTranscript, CancelTurn, CloseTurn, EndCall]
    assert line.closed == ["cancelled"]


def test_a_transfer_follows_the_words() -> None:
    line = on_a_turn(transfer_number="+14155550199")
    line.reply(b'{"text": "I will put you through", "action": "transfer", "hangup": true}')
    assert line.until(EndCall) == EndCall(REASON.CALL_TRANSFER, "+14155550199")
    assert line.said(Party.AGENT) == ["I will put you through"]


def test_a_transfer_to_nobody_is_found_and_the_call_goes_on() -> None:
    line = on_a_turn()
    line.reply(b'{"text": "One moment", "action": "transfer"}')
    assert line.findings == []
    line.fire_next()
    assert line.findings == [FindingKind.TRANSFER_WITHOUT_NUMBER]
    assert line.all(ReportFinding)[0].turn_id == "1"
    assert line.engine.listening


def test_a_transfer_to_nobody_with_a_hang_up_hangs_up() -> None:
    line = on_a_turn()
    line.reply(b'{"action": "transfer", "hangup": true}')
    assert line.findings == [FindingKind.TRANSFER_WITHOUT_NUMBER]
    assert line.end.reason is REASON.AGENT_HANGUP


def test_digits_are_played_after_the_text_and_take_their_time() -> None:
    line = on_a_turn()
    line.reply(b'{"text": "Pressing", "digits": "12", "hangup": true}')
    assert kinds(line.fire_next()) == [AppendTranscript, PlayDigits]
    assert line.all(PlayDigits) == [PlayDigits("12", seconds(0.4), "1")]
    assert line.fire_next() == [EndCall(REASON.AGENT_HANGUP)]
    assert line.when(EndCall) - line.when(PlayDigits) == seconds(0.4)


def test_markup_is_not_spoken() -> None:
    line = on_a_turn()
    line.reply(b'{"text": "<tool_call>{}</tool_call>Let me see"}')
    assert line.played == ["Let me see"]
    assert line.findings == [FindingKind.MARKUP_STRIPPED]


def test_chunk_and_findings_come_before_what_they_lead_to() -> None:
    line = on_a_turn()
    assert kinds(line.reply(b'{"text": "Hi", "hangup": 1}')) == [NoteChunk, ReportFinding, CloseTurn, Play]


def test_a_plain_reply_is_not_played_before_its_end() -> None:
    line = on_a_turn()
    line.headers("application/json")
    assert kinds(line.body(b'{"text": "Hi"}\n')) == []
    assert Play in kinds(line.end_reply())


def test_a_turn_keeps_the_timeout_it_was_opened_with() -> None:
    line = on_a_turn()
    line.engine.turn_timeout = None
    line.headers()
    assert line.body(b"{") == [StartTimer("reply", seconds(30))]


# --- late and missing words ---


def test_headers_alone_are_not_the_first_byte() -> None:
    line = on_a_turn()
    line.advance(seconds(29))
    assert line.headers() == []
    assert kinds(line.advance(seconds(1))) == [ReportFinding, CancelTurn, CloseTurn]


@pytest.mark.parametrize("answered", [True, False])
def test_a_reply_without_a_byte_in_time_is_silence(answered: bool) -> None:
    line = on_a_turn(turn_timeout=seconds(5))
    opened = line.now
    if answered:
        line.headers()
        line.body(b"")
    line.until(CloseTurn)
    assert line.now - opened == seconds(5)
    assert (line.closed, line.findings) == (["timed_out"], [FindingKind.REPLY_TIMED_OUT])
    assert line.all(CancelTurn) == [CancelTurn("1")]
    assert "within 5 s" in line.all(ReportFinding)[0].message
    assert line.engine.listening


@pytest.mark.parametrize("early", [0.001, 1, 0])
def test_a_first_byte_up_to_the_very_instant_of_the_timeout_is_in_time(early: float) -> None:
    line = on_a_turn(turn_timeout=seconds(5))
    line.headers()
    line.now = line.timers["reply"] - seconds(early)
    line.body(b"{")
    assert line.timers["reply"] == line.now + seconds(5)
    line.body(b'"text": "Hi"}\n')
    assert (line.played, line.findings) == (["Hi"], [])


@pytest.mark.parametrize("late", [0.001, 1])
def test_a_handler_that_is_late_by_a_millisecond_is_as_late_as_by_a_second(late: float) -> None:
    line = on_a_turn(turn_timeout=seconds(5))
    line.advance(seconds(5) + seconds(late))
    assert line.headers() == line.body(b'{"text": "Hi"}\n') == line.end_reply() == []
    assert (line.closed, line.findings) == (["timed_out"], [FindingKind.REPLY_TIMED_OUT])
    assert line.engine.listening


def test_every_byte_renews_the_timeout() -> None:
    line = streaming(turn_timeout=seconds(5))
    for byte in b'{"text": "Hi"}':
        line.advance(seconds(4.9))
        line.body(bytes([byte]))
    line.body(b"\n")
    assert line.played == ["Hi"]
    assert "reply" not in line.timers


def test_a_stall_ends_the_turn_once_what_plays_is_heard() -> None:
    line = streaming(b'{"text": "' + b"word " * 50 + b'", "interim": true}\n{"te', turn_timeout=seconds(5))
    line.until(CloseTurn)
    assert (line.closed, line.findings) == (["stalled"], [FindingKind.REPLY_STALLED])
    assert line.all(CancelTurn) == [CancelTurn("1")]
    assert line.all(ReportFinding)[0].sample == b'{"te'
    assert not line.engine.listening
    line.fire_next()
    assert line.said(Party.AGENT) == ["word " * 49 + "word"]
    assert line.engine.listening


def test_a_stream_without_a_final_chunk_reopens_the_floor_when_it_was_heard() -> None:
    line = streaming(b'{"text": "One moment", "interim": true}\n')
    assert kinds(line.end_reply()) == [ReportFinding, CloseTurn]
    assert (line.closed, line.findings) == (["missing_final"], [FindingKind.MISSING_FINAL])
    assert not line.engine.listening
    line.fire_next()
    assert line.engine.listening


def test_by_policy_a_stream_without_a_final_chunk_holds_the_floor_for_the_timeout() -> None:
    line = streaming(b'{"text": "Hi", "interim": true}\n', policies={"missing_final": "wait_timeout"})
    line.advance(seconds(10))
    ended = line.now
    assert kinds(line.end_reply()) == [ReportFinding]
    assert not line.engine.listening
    line.until(CloseTurn)
    assert line.now - ended == seconds(30)
    assert line.closed == ["missing_final"]
    assert line.all(CancelTurn) == []
    assert line.engine.listening


def test_a_held_turn_is_cancelled_with_the_call() -> None:
    line = streaming(b'{"text": "", "interim": true}\n', policies={"missing_final": "wait_timeout"})
    line.end_reply()
    assert line.feed(RemoteHungUp()) == [CloseTurn("1", "cancelled"), EndCall(REASON.USER_HANGUP)]


def test_text_after_the_final_chunk_is_found_once_and_not_spoken() -> None:
    line = streaming(b'{"text": "One"}\n{"text": "Two"}\n')
    line.body(b'{"text": "Three"}\n')
    assert line.end_reply() == []
    assert (line.played, line.findings) == (["One"], [FindingKind.TEXT_AFTER_FINAL])
    assert line.all(CancelTurn) == []


def test_a_request_that_outlives_its_turn_is_cancelled_when_the_next_opens() -> None:
    line = streaming(b'{"text": "One"}\n')
    line.until(AppendTranscript)
    assert line.engine.listening
    line.body(b"half a li")
    line.feed(RemoteSaid("Hi"))
    line.until(OpenTurn)
    assert kinds(effect for _, effect in line.log)[-4:] == [AppendTranscript, ReportFinding, CancelTurn, OpenTurn]
    assert line.all(ReportFinding)[0].turn_id == "1"
    assert line.all(ReportFinding)[0].sample == b"half a li"
    assert line.feed(ReplyBytes("1", b"late")) == []


def test_a_request_that_outlives_its_turn_is_cancelled_with_the_call() -> None:
    line = streaming(b'{"text": "", "interim": false}\n')
    assert line.feed(RemoteHungUp()) == [CancelTurn("1"), EndCall(REASON.USER_HANGUP)]


def test_a_connection_that_breaks_after_the_final_chunk_does_no_harm() -> None:
    line = streaming(b'{"text": ""}\n')
    assert line.fail_reply("reset") == []
    assert line.feed(RemoteHungUp()) == [EndCall(REASON.USER_HANGUP)]


# --- bad replies ---


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (b"", FindingKind.REPLY_EMPTY),
        (b"oops", FindingKind.REPLY_NOT_JSON),
        (b'"Hello"', FindingKind.REPLY_NOT_OBJECT),
        (b'"' + b"x" * 2**20, FindingKind.REPLY_TOO_LONG),
    ],
)
def test_a_reply_that_cannot_be_used_is_silence(body: bytes, finding: FindingKind) -> None:
    line = on_a_turn()
    line.reply(body)
    assert (line.closed, line.findings, line.played) == (["empty"], [finding], [])
    assert line.all(CancelTurn) == ([CancelTurn("1")] if finding is FindingKind.REPLY_TOO_LONG else [])
    assert line.engine.listening


def test_a_line_over_the_limit_ends_the_turn_and_leaves_what_was_heard() -> None:
    line = streaming(b'{"text": "One moment", "interim": true}\n', b"x" * 70_000)
    assert (line.closed, line.findings) == (["empty"], [FindingKind.REPLY_TOO_LONG])
    assert line.all(CancelTurn) == [CancelTurn("1")]
    assert "reply" not in line.timers
    line.fire_next()
    assert line.said(Party.AGENT) == ["One moment"]


def test_a_bad_line_is_skipped() -> None:
    line = streaming(b'oops\n[1]\n{"text": "Hi"}\n')
    assert line.findings == [FindingKind.CHUNK_NOT_JSON, FindingKind.CHUNK_NOT_OBJECT]
    assert (line.closed, line.played) == (["final"], ["Hi"])


@pytest.mark.parametrize("bad", [b"oops", b"[1]"])
def test_by_policy_a_bad_line_ends_the_turn(bad: bytes) -> None:
    line = streaming(b'{"text": "One", "interim": true}\n', policies={"malformed_line": "end_turn"})
    line.body(bad + b'\n{"text": "Two"}\n')
    assert (line.closed, line.played) == (["empty"], ["One"])
    assert len(line.findings) == 1
    assert line.all(CancelTurn) == [CancelTurn("1")]


def test_by_policy_a_bad_last_line_ends_the_turn_without_a_request_to_cancel() -> None:
    line = streaming(b'{"text": "One", "interim": true}\noops', policies={"malformed_line": "end_turn"})
    line.end_reply()
    assert (line.closed, line.findings) == (["empty"], [FindingKind.CHUNK_NOT_JSON])
    assert line.all(CancelTurn) == []


def test_a_stream_of_nothing_but_bad_lines_is_silence() -> None:
    line = streaming(b"oops\n", b"oops\n")
    line.end_reply()
    assert (line.closed, line.findings) == (["empty"], [FindingKind.CHUNK_NOT_JSON] * 2)


def test_findings_of_one_kind_are_limited_and_other_kinds_are_not() -> None:
    line = streaming(b"oops\n" * 1000 + b"[]\n" * 1000)
    assert [line.findings.count(kind) for kind in (FindingKind.CHUNK_NOT_JSON, FindingKind.CHUNK_NOT_OBJECT)] == [
        20,
        20,
    ]
    told = [
        finding.message.endswith("(more of these in this turn are left out)") for finding in line.all(ReportFinding)
    ]
    assert told == ([False] * 19 + [True]) * 2
    line.end_reply()
    line.open_turn()
    line.reply(b"oops\n", content_type="application/x-ndjson")
    assert len(line.findings) == 41


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_status_outside_2xx_is_silence_even_with_a_good_body(status: int) -> None:
    line = on_a_turn()
    line.reply(b'{"text": ', b'"Hi"}', status=status)
    assert (line.closed, line.findings, line.played) == (["failed"], [FindingKind.REPLY_HTTP_ERROR], [])
    assert line.all(ReportFinding)[0].sample == b'{"text": "Hi"}'
    assert line.engine.listening


def test_a_refusal_that_does_not_end_is_one_finding() -> None:
    line = on_a_turn(turn_timeout=seconds(5))
    line.headers(status=500)
    line.body(b"boom")
    line.until(CloseTurn)
    assert (line.closed, line.findings) == (["failed"], [FindingKind.REPLY_HTTP_ERROR])
    assert line.all(CancelTurn) == [CancelTurn("1")]


def test_a_refusal_that_breaks_off_is_one_finding() -> None:
    line = on_a_turn()
    line.headers(status=500)
    line.body(b"boom")
    line.fail_reply("reset")
    assert (line.closed, line.findings) == (["failed"], [FindingKind.REPLY_HTTP_ERROR])
    assert line.all(ReportFinding)[0].sample == b"boom"


@pytest.mark.parametrize("answered", [True, False])
def test_a_request_that_fails_before_a_byte_is_silence(answered: bool) -> None:
    line = on_a_turn()
    if answered:
        line.headers()
    line.fail_reply("connection refused")
    assert (line.closed, line.findings) == (["failed"], [FindingKind.REPLY_UNREACHABLE])
    assert "connection refused" in line.all(ReportFinding)[0].message
    assert line.all(CancelTurn) == []
    assert line.engine.listening


def test_a_reply_that_breaks_off_leaves_what_was_heard() -> None:
    line = streaming(b'{"text": "One moment", "interim": true}\n', b'{"text": "Tw')
    line.fail_reply("reset")
    assert (line.closed, line.findings) == (["failed"], [FindingKind.REPLY_BROKEN])
    assert line.all(ReportFinding)[0].sample == b'{"text": "Tw'
    line.fire_next()
    assert line.said(Party.AGENT) == ["One moment"]
    assert line.engine.listening


# --- sending a turn again ---

ONCE = {"voice_turn_retry": "once"}


def test_by_policy_a_late_turn_is_sent_again_once() -> None:
    line = on_a_turn(policies=ONCE, turn_timeout=seconds(5))
    assert line.fire_next() == [
        line.all(ReportFinding)[0],
        CancelTurn("1"),
        ResendTurn("1"),
        StartTimer("reply", seconds(5)),
    ]
    assert line.closed == []
    line.fire_next()
    assert line.findings == [FindingKind.REPLY_TIMED_OUT] * 2
    assert line.closed == ["timed_out"]
    assert len(line.all(ResendTurn)) == 1


def test_by_policy_an_unreachable_turn_is_sent_again_and_may_succeed() -> None:
    line = on_a_turn(policies=ONCE)
    assert kinds(line.fail_reply()) == [ReportFinding, ResendTurn]
    line.reply(b'{"text": "Hi"}')
    assert (line.closed, line.played) == (["final"], ["Hi"])


@pytest.mark.parametrize("how", ["ends", "breaks", "stalls", "goes on"])
def test_by_policy_a_turn_refused_with_5xx_is_sent_again(how: str) -> None:
    line = on_a_turn(policies=ONCE)
    line.headers(status=503)
    line.body(b"busy")
    {
        "ends": line.end_reply,
        "breaks": line.fail_reply,
        "stalls": line.fire_next,
        "goes on": lambda: line.body(b"x" * 2**20),
    }[how]()
    assert len(line.all(CancelTurn)) == (how in ("stalls", "goes on"))
    assert line.all(ResendTurn) == [ResendTurn("1")]
    assert line.timers["reply"] == line.now + seconds(30)
    line.fire_next()
    assert line.findings == [FindingKind.REPLY_HTTP_ERROR, FindingKind.REPLY_TIMED_OUT]


def test_a_resent_turn_without_an_answer_is_not_taken_for_the_refusal_before() -> None:
    line = on_a_turn(policies=ONCE)
    line.reply(b"busy", status=503)
    line.fail_reply("refused")
    assert line.findings == [FindingKind.REPLY_HTTP_ERROR, FindingKind.REPLY_UNREACHABLE]


@pytest.mark.parametrize("status", [404, 301])
def test_a_turn_refused_otherwise_is_not_sent_again(status: int) -> None:
    line = on_a_turn(policies=ONCE)
    line.reply(b"no", status=status)
    assert (line.closed, line.all(ResendTurn)) == (["failed"], [])


def test_words_that_were_heard_are_not_asked_for_again() -> None:
    line = streaming(b'{"text": "One", "interim": true}\n', policies=ONCE)
    line.fail_reply("reset")
    assert (line.closed, line.all(ResendTurn)) == (["failed"], [])


# --- the end ---


def test_an_agent_that_is_cut_off_is_remembered_up_to_the_last_whole_word() -> None:
    line = Line(greeting="Thank you for calling Acme").connect()
    line.advance(seconds(0.9))
    assert line.feed(RemoteHungUp()) == [
        StopPlayback(),
        AppendTranscript(Party.AGENT, "Thank you", seconds(0.9), seconds(0.9)),
        EndCall(REASON.USER_HANGUP),
    ]


def test_an_agent_that_is_cut_off_before_a_word_said_nothing() -> None:
    line = Line(greeting="Thank you").connect()
    assert line.feed(EndRequested()) == [StopPlayback(), EndCall(REASON.API_HANGUP)]


def test_tones_that_are_cut_off_are_no_words() -> None:
    line = on_a_turn()
    line.reply(b'{"digits": "123456"}')
    line.advance(seconds(0.5))
    assert line.feed(EndRequested()) == [StopPlayback(), EndCall(REASON.API_HANGUP)]


def test_what_was_queued_is_not_heard_after_the_end() -> None:
    line = on_a_turn()
    line.reply(b'{"text": "One", "digits": "1", "hangup": true}')
    line.feed(EndRequested())
    assert line.end.reason is REASON.API_HANGUP
    assert line.feed(TimerFired("playback")) == []


def test_a_remote_party_that_hangs_up_in_mid_sentence_is_remembered_so_far_without_a_turn() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("Where is my order?", 0.7))
    line.advance(seconds(1))
    assert line.feed(RemoteHungUp()) == [
        AppendTranscript(Party.REMOTE, "Where is", seconds(1), seconds(1), None, 0.7),
        EndCall(REASON.USER_HANGUP),
    ]


def test_a_remote_party_that_hangs_up_while_it_is_endpointed_has_said_everything() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("Goodbye then"))
    line.advance(seconds(1))
    assert line.feed(RemoteHungUp())[0] == AppendTranscript(
        Party.REMOTE, "Goodbye then", seconds(0.8), seconds(1), None, 0.95
    )


def test_a_remote_party_cut_off_before_a_word_or_at_its_keys_said_nothing() -> None:
    for event in (RemoteSaid("Hello"), RemotePressed("123")):
        line = Line().connect()
        line.feed(event)
        assert line.feed(EndRequested()) == [EndCall(REASON.API_HANGUP)]


def test_the_end_cancels_an_open_turn() -> None:
    assert on_a_turn().feed(RemoteHungUp()) == [
        CancelTurn("1"),
        CloseTurn("1", "cancelled"),
        EndCall(REASON.USER_HANGUP),
    ]


def test_the_end_does_not_close_a_turn_twice() -> None:
    line = on_a_turn()
    line.reply(b'{"text": "Goodbye"}')
    line.feed(RemoteHungUp())
    assert line.closed == ["final"]


LATE: list[CallEvent] = [
    Answered(),
    Declined(REASON.DIAL_BUSY),
    RemoteSaid("Hi"),
    RemotePressed("1"),
    RemoteHungUp(),
    EndRequested(),
    TimerFired("silence"),
    ReplyStarted("1", 200, ""),
    ReplyBytes("1", b"x"),
    ReplyEnded("1"),
    ReplyFailed("1", "reset"),
]


@pytest.mark.parametrize("event", LATE, ids=str)
def test_late_events_change_nothing_after_the_end(event: CallEvent) -> None:
    line = on_a_turn()
    line.feed(RemoteHungUp())
    assert line.engine.ended
    assert line.feed(event) == []
    assert not line.engine.listening


@pytest.mark.parametrize(
    "event",
    [ReplyStarted("9", 200, ""), ReplyBytes("9", b"x"), ReplyEnded("9"), ReplyFailed("9", "reset")],
    ids=str,
)
def test_a_piece_of_a_reply_nobody_waits_for_is_ignored(event: CallEvent) -> None:
    line = Line().connect()
    assert line.feed(event) == []
    line.open_turn()
    assert line.feed(event) == []
    assert line.fire_next()[-1] == StartTimer("silence", seconds(600))


def test_what_comes_after_a_timeout_is_ignored() -> None:
    line = on_a_turn()
    line.until(CloseTurn)
    assert line.feed(ReplyStarted("1", 200, ""), ReplyBytes("1", b"{}"), ReplyEnded("1"), ReplyFailed("1", "x")) == []


# --- misuse ---


@pytest.mark.parametrize(
    "events",
    [
        [Answered()],
        [Declined(REASON.DIAL_BUSY)],
        [Dialled(), Dialled()],
        [Dialled(), Answered(), Answered()],
        [Dialled(), Answered(), Declined(REASON.DIAL_BUSY)],
        [Dialled(), RemoteHungUp(), Dialled()],
        [Dialled(), TimerFired("silence")],
        [Dialled(), TimerFired("no such timer")],
        [Dialled(), Answered(), TimerFired("ring")],
    ],
    ids=str,
)
def test_an_event_that_cannot_happen_raises(events: list[CallEvent]) -> None:
    engine = CallEngine(setup(policies=SILENT_MODE))
    drive(engine, *events[:-1])
    with pytest.raises(IllegalTransition):
        drive(engine, events[-1])


@pytest.mark.parametrize("event", [ReplyBytes("1", b"x"), ReplyEnded("1")], ids=str)
def test_a_reply_without_headers_raises(event: CallEvent) -> None:
    with pytest.raises(IllegalTransition, match="turn cannot take"):
        on_a_turn().feed(event)


def test_a_second_set_of_headers_raises() -> None:
    with pytest.raises(IllegalTransition, match="turn cannot take 'headers' while it is 'streaming'"):
        streaming(b"{").headers()


def test_an_event_that_raised_leaves_no_effects_behind() -> None:
    line = Line().connect()
    with pytest.raises(IllegalTransition):
        line.feed(Answered())
    assert line.feed(RemoteHungUp()) == [EndCall(REASON.USER_HANGUP)]


def test_time_must_be_aware_and_must_not_run_backwards() -> None:
    engine = CallEngine(setup())
    with pytest.raises(ValueError, match="aware"):
        engine.handle(Dialled(), datetime(2026, 1, 5, tzinfo=UTC).replace(tzinfo=None))
    drive(engine, Dialled())
    with pytest.raises(ValueError, match="came after"):
        drive(engine, RemoteHungUp(), now=START - seconds(1))
