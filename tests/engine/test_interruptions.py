"""Speech over the agent: what stops it, what does not, and what is left of what it said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.domain.calls import DisconnectionReason, Party
from simulator.domain.findings import FindingKind
from simulator.engine.effects import (
    AppendTranscript,
    CancelTurn,
    CloseTurn,
    EndCall,
    NoteBargeIn,
    NoteChunk,
    NoteStep,
    OpenTurn,
    Play,
    StartSpeech,
    StopPlayback,
)
from simulator.engine.events import (
    EndRequested,
    RemoteHungUp,
    RemotePressed,
    RemoteSaid,
    ReplyBytes,
    ReplyEnded,
    ReplyFailed,
    ReplyStarted,
)
from simulator.engine.script import Backchannel, BargeIn, HangUp, Say
from simulator.engine.speech import ENDPOINTING_DELAY, speech_duration, stop_delay
from tests.helpers.engine import NDJSON, Line, kinds, seconds

STOP = RemoteSaid("Stop, please stop", over=True)  # 1.2 s
STOPS_AFTER = seconds(0.2)  # at the platform's own sensitivity of 0.8
LONG = b'{"text": "Your order has shipped and it will be there tomorrow", "interim": true}\n'  # 10 words, 4 s
OVERLAP = {"overlapping_turns": "overlap"}


def speaking(**changes: Any) -> Line:
    """A call in its first turn; the reply streams, and has been heard for a second."""
    line = thinking(**changes)
    line.headers()
    line.body(LONG)
    line.advance(seconds(1))
    return line


def thinking(**changes: Any) -> Line:
    """A call whose first turn has just been opened."""
    line = Line(**changes).connect()
    line.open_turn()
    return line


# --- barge-in ---


def test_speech_over_the_agent_stops_it_once_it_has_lasted_long_enough() -> None:
    line = speaking()
    assert kinds(line.feed(STOP)) == [StartSpeech]
    assert line.all(StartSpeech)[-1] == StartSpeech("Stop, please stop", seconds(1.2), over=True)
    began = line.now
    assert kinds(line.fire_next()) == [StopPlayback, AppendTranscript, CancelTurn, CloseTurn, NoteBargeIn]
    assert line.now - began == STOPS_AFTER
    assert line.all(NoteBargeIn) == [NoteBargeIn("1", STOPS_AFTER)]
    assert line.closed == ["interrupted"]
    assert sorted(line.timers) == ["max_duration", "speech"]
    assert not line.engine.listening


def test_the_transcript_keeps_the_words_that_were_heard() -> None:
    line = speaking()
    line.feed(STOP)
    line.until(OpenTurn)
    assert line.said(Party.AGENT) == ["Your order has"]  # 1.2 s of 4: three words of ten
    assert line.said(Party.REMOTE)[-1] == "Stop, please stop"


def test_the_words_over_the_agent_are_the_next_turn() -> None:
    line = speaking()
    line.feed(STOP)
    began = line.now
    assert line.until(OpenTurn) == OpenTurn("2", "Stop, please stop", 0.95)
    assert line.now - began == seconds(1.2) + ENDPOINTING_DELAY
    line.reply(b'{"text": "Sorry"}')
    assert line.played[-1] == "Sorry"


def test_what_was_queued_is_dropped() -> None:
    line = speaking(transfer_number="+14155550199")
    line.body(b'{"text": "Goodbye", "digits": "1", "action": "transfer", "hangup": true}\n')
    line.feed(STOP)
    line.until(OpenTurn)
    line.reply(b'{"text": ""}')
    assert len(line.played) == 1
    assert line.engine.listening


def test_a_reply_that_was_complete_is_cut_but_stays_complete() -> None:
    line = speaking()
    line.body(b'{"text": "Anything else?"}\n')
    line.end_reply()
    line.feed(STOP)
    line.until(NoteBargeIn)
    assert line.closed == ["final"]
    assert line.all(CancelTurn) == []
    assert line.all(NoteBargeIn) == [NoteBargeIn("1", STOPS_AFTER)]
    line.until(OpenTurn)
    assert line.said(Party.AGENT) == ["Your order has"]


def test_a_greeting_can_be_interrupted() -> None:
    line = Line(greeting="Thank you for calling Acme, your call is important to us").connect()
    line.advance(seconds(1))
    line.feed(STOP)
    assert line.until(NoteBargeIn) == NoteBargeIn(None, STOPS_AFTER)
    assert line.said(Party.AGENT) == ["Thank you for"]
    assert line.until(OpenTurn).turn_id == "1"


def test_what_comes_of_an_interrupted_reply_is_too_late() -> None:
    line = speaking()
    line.feed(STOP)
    line.until(NoteBargeIn)
    assert line.feed(ReplyBytes("1", b'{"text": "x"}\n'), ReplyEnded("1"), ReplyFailed("1", "x")) == []


def test_speech_while_the_handler_thinks_replaces_its_turn() -> None:
    line = thinking()
    line.feed(RemoteSaid("No, order 4522", over=True))
    assert kinds(line.fire_next()) == [CancelTurn, CloseTurn, NoteBargeIn]
    assert line.all(NoteBargeIn) == [NoteBargeIn("1", timedelta())]
    assert line.until(OpenTurn) == OpenTurn("2", "No, order 4522", 0.95)
    assert line.closed == ["interrupted"]


def test_an_answer_that_begins_while_the_party_speaks_already_overruns_from_its_own_beginning() -> None:
    line = thinking()
    line.feed(STOP)
    line.advance(seconds(0.1))
    line.headers()
    line.body(LONG)
    assert line.until(NoteBargeIn) == NoteBargeIn("1", STOPS_AFTER - seconds(0.1))
    assert line.said(Party.AGENT) == []


def test_a_pause_in_the_answer_is_no_overrun() -> None:
    line = speaking()
    line.advance(seconds(4))
    line.feed(STOP)
    assert line.until(NoteBargeIn) == NoteBargeIn("1", timedelta())
    assert line.said(Party.AGENT) == ["Your order has shipped and it will be there tomorrow"]


def test_a_turn_held_open_without_a_request_is_interrupted_too() -> None:
    line = speaking(policies={"missing_final": "wait_timeout"})
    line.end_reply()
    line.feed(STOP)
    line.until(NoteBargeIn)
    assert (line.closed, line.all(CancelTurn)) == (["interrupted"], [])


# --- what does not stop the agent ---


@pytest.mark.parametrize(("sensitivity", "milliseconds"), [(1, 100), (0.8, 200), (0.5, 350), (0.2, 500)])
def test_how_long_it_takes_is_set_by_the_sensitivity(sensitivity: float, milliseconds: int) -> None:
    line = speaking(interruption_sensitivity=sensitivity)
    line.feed(STOP)
    assert line.until(NoteBargeIn).overrun == seconds(milliseconds / 1000) == stop_delay(sensitivity)


@pytest.mark.parametrize(("sensitivity", "words"), [(0, "Stop, please stop"), (0.1, "Stop")])
def test_an_agent_that_is_not_stopped_finishes_and_is_then_answered(sensitivity: float, words: str) -> None:
    line = speaking(interruption_sensitivity=sensitivity)
    line.body(b'{"text": "Goodbye"}\n')
    line.feed(RemoteSaid(words, over=True))
    assert line.until(OpenTurn) == OpenTurn("2", words, 0.95)
    assert line.said(Party.AGENT) == ["Your order has shipped and it will be there tomorrow", "Goodbye"]
    assert line.closed == ["final"]
    assert line.all(NoteBargeIn) == []
    assert line.when(OpenTurn) == line.when(Play) + seconds(0.4)  # its last word; the pause had passed long before


def test_speech_that_lasts_exactly_as_long_as_it_takes_stops_the_agent() -> None:
    line = speaking(interruption_sensitivity=0.4)
    assert stop_delay(0.4) == speech_duration("Stop")
    line.feed(RemoteSaid("Stop", over=True))
    assert line.until(NoteBargeIn).overrun == seconds(0.4)


def test_an_agent_that_finishes_before_it_is_stopped_was_not_interrupted() -> None:
    line = speaking()
    line.body(b'{"text": ""}\n')
    line.advance(seconds(2.9))
    line.feed(STOP)
    line.until(OpenTurn)
    assert line.all(NoteBargeIn) == []
    assert line.said(Party.AGENT) == ["Your order has shipped and it will be there tomorrow"]


def test_speech_that_outlasts_the_answer_needs_no_barge_in() -> None:
    line = speaking(interruption_sensitivity=0)
    line.body(b'{"text": ""}\n')
    line.advance(seconds(2.5))
    line.feed(STOP)
    began = line.now
    line.until(OpenTurn)
    assert line.now - began == seconds(1.2) + ENDPOINTING_DELAY
    assert line.all(NoteBargeIn) == []


def test_the_rest_of_the_pause_passes_when_the_agent_finishes_within_it() -> None:
    line = speaking(interruption_sensitivity=0)
    line.body(b'{"text": ""}\n')
    line.advance(seconds(1.5))
    line.feed(STOP)  # until 0.3 s before the agent's end
    spoken = line.now + seconds(1.2)
    line.until(OpenTurn)
    assert line.now == spoken + ENDPOINTING_DELAY


def test_words_that_wait_are_gone_on_with() -> None:
    line = speaking(interruption_sensitivity=0)
    line.feed(RemoteSaid("Stop", 0.9, over=True))
    line.advance(seconds(1))
    line.feed(RemoteSaid("I said stop", 0.5, over=True), RemoteSaid("now", 0.8, over=True))
    line.body(b'{"text": ""}\n')
    assert line.until(OpenTurn) == OpenTurn("2", "Stop I said stop now", 0.5)


def test_the_agent_goes_on_with_its_next_words_while_words_wait() -> None:
    line = speaking(interruption_sensitivity=0)
    line.feed(RemoteSaid("Stop", over=True))
    line.advance(seconds(2))
    line.body(b'{"text": "And it is free"}\n')
    line.until(OpenTurn)
    assert line.said(Party.AGENT)[-1] == "And it is free"


def test_polite_words_and_keys_wait_for_the_floor() -> None:
    line = speaking()
    assert line.feed(RemoteSaid("Thanks"), RemotePressed("1")) == []
    line.body(b'{"text": "Bye"}\n')
    line.until(OpenTurn)
    assert line.all(NoteBargeIn) == []


# --- going on after a pause ---


def test_speech_during_endpointing_resumes_the_same_utterance() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("I would like", 0.9, over=True))
    line.advance(seconds(1.2 + 0.5))
    line.feed(RemoteSaid("a refund", 0.8, over=True))
    began = line.now
    assert line.until(OpenTurn) == OpenTurn("1", "I would like a refund", 0.8)
    assert line.now - began == seconds(0.8) + ENDPOINTING_DELAY
    assert line.all(AppendTranscript) == [
        AppendTranscript(Party.REMOTE, "I would like a refund", seconds(2.5), seconds(3.2), "1", 0.8)
    ]


def test_words_that_come_while_the_party_speaks_follow_without_a_pause() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("I would like", over=True), RemoteSaid("a refund", over=True))
    assert line.until(OpenTurn).transcript == "I would like a refund"
    assert line.when(OpenTurn) == seconds(2 + 1.2 + 0.8) + ENDPOINTING_DELAY


def test_a_resumed_utterance_that_the_end_cuts_off_keeps_its_first_part_and_whole_words() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("I would like", over=True), RemoteSaid("a refund", over=True))
    line.advance(seconds(1.2 + 0.5))
    line.feed(RemoteHungUp())
    assert line.said(Party.REMOTE) == ["I would like a"]
    assert line.all(AppendTranscript)[0].duration == seconds(1.7)


# --- sounds of listening ---


def check_backchannel(line: Line) -> None:
    """It was made, and the agent spoke on to its end; nobody remembers it."""
    assert line.all(StartSpeech)[-1] == StartSpeech("uh-huh", seconds(0.4), over=True, backchannel=True)
    line.advance(seconds(4))
    assert line.said(Party.AGENT) == ["Your order has shipped and it will be there tomorrow"]
    assert line.said(Party.REMOTE) == ["Hello there"]
    assert line.all(NoteBargeIn) == []


def test_a_live_backchannel_takes_no_turn_and_stops_nothing() -> None:
    line = speaking()
    line.body(b'{"text": ""}\n')
    line.feed(RemoteSaid("uh-huh", over=True))
    check_backchannel(line)
    assert line.engine.listening


def test_a_scripted_backchannel_takes_no_turn_and_stops_nothing() -> None:
    line = Line(steps=(Say("Hello there"), Backchannel("uh-huh", seconds(0.5)), Say("Thanks"))).connect()
    line.until(OpenTurn)
    line.headers()
    line.body(LONG)
    began = line.now
    line.until(StartSpeech)
    assert line.now - began == seconds(0.5)
    check_backchannel(line)


@pytest.mark.parametrize("live", [True, False])
def test_an_agent_that_does_not_know_backchannels_is_stopped_by_them(live: bool) -> None:
    line = speaking(backchannel=False, steps=None if live else (Backchannel("uh-huh", seconds(1)), Say("x")))
    if live:
        line.feed(RemoteSaid("uh-huh", over=True))
    assert line.until(NoteBargeIn).overrun == STOPS_AFTER


def test_words_are_no_backchannel_because_they_are_short() -> None:
    line = speaking()
    line.feed(RemoteSaid("No", over=True))
    assert line.until(NoteBargeIn)


def test_a_live_okay_with_the_floor_free_is_an_answer() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("okay", over=True))
    assert line.until(OpenTurn).transcript == "okay"


def test_a_backchannel_breaks_the_silence_but_takes_no_turn() -> None:
    line = Line(max_silence=seconds(10), steps=(Backchannel("mhm", seconds(9)), Backchannel("mhm", seconds(9))))
    line.connect()
    assert line.until(EndCall).reason is DisconnectionReason.USER_HANGUP
    assert line.all(StartSpeech) == [StartSpeech("mhm", seconds(0.4), over=False, backchannel=True)] * 2
    assert line.all(AppendTranscript) == []


def test_a_backchannel_that_the_end_cuts_off_said_nothing() -> None:
    line = speaking()
    line.feed(RemoteSaid("mhm", over=True))
    line.feed(EndRequested())
    assert line.said(Party.REMOTE) == ["Hello there"]


# --- scripted ---


def test_a_scripted_barge_in_comes_so_long_after_the_answer_began() -> None:
    line = Line(steps=(Say("Hello there"), BargeIn("Stop it now", seconds(0.6), 0.5))).connect()
    line.until(OpenTurn)
    line.headers()
    line.advance(seconds(3))
    line.body(LONG)
    began = line.now
    line.until(NoteBargeIn)
    assert line.now - began == seconds(0.6) + STOPS_AFTER
    assert line.all(NoteStep) == [NoteStep((0,)), NoteStep((1,))]
    assert line.until(OpenTurn).confidence == 0.5


def test_a_person_who_talks_over_everything_the_agent_says() -> None:
    line = Line(greeting="Acme, hello! How can I help you?", steps=(BargeIn("Stop"), BargeIn("Stop"))).connect()
    for _ in range(2):
        line.until(OpenTurn)
        line.headers()
        line.body(LONG)
    line.until(EndCall)
    assert [barge_in.turn_id for barge_in in line.all(NoteBargeIn)] == [None, "1"]


def test_a_barge_in_after_the_answer_is_an_ordinary_utterance() -> None:
    line = Line(steps=(Say("Hello there"), BargeIn("Stop", seconds(6)))).connect()
    line.until(OpenTurn)
    line.reply(b'{"text": "Yes"}')
    began = line.now
    line.until(StartSpeech)
    assert line.now - began == seconds(6)
    assert not line.all(StartSpeech)[-1].over


def test_a_person_hangs_up_in_the_middle_of_a_sentence() -> None:
    line = Line(greeting="Thank you for calling Acme", steps=(HangUp(seconds(0.9)),)).connect()
    assert line.until(EndCall).reason is DisconnectionReason.USER_HANGUP
    assert line.when(EndCall) == seconds(2.9)
    assert line.said(Party.AGENT) == ["Thank you"]
    assert line.engine.script_done


# --- the end while both speak ---


def test_the_end_cuts_off_both() -> None:
    line = speaking()
    line.feed(STOP)
    line.advance(seconds(0.1))
    line.feed(EndRequested())
    assert line.said(Party.AGENT) == ["Your order"]
    assert line.closed == ["cancelled"]
    assert line.timers == {}


def test_words_that_wait_are_remembered_at_the_end() -> None:
    line = speaking(interruption_sensitivity=0)
    line.body(b'{"text": "Bye", "hangup": true}\n')
    line.feed(STOP)
    line.until(EndCall)
    assert line.said(Party.REMOTE) == ["Hello there", "Stop, please stop"]
    assert line.all(AppendTranscript)[-1].turn_id is None
    assert line.end.reason is DisconnectionReason.AGENT_HANGUP


# --- by policy, the former request is left running ---


def overlapping() -> Line:
    """The second turn is open, and the request of the first, interrupted one is left running."""
    line = speaking(policies=OVERLAP)
    line.feed(STOP)
    line.until(OpenTurn)
    return line


def test_by_policy_an_interrupted_request_is_left_running_beside_the_next() -> None:
    line = overlapping()
    assert (line.all(CancelTurn), line.closed, line.turn_id) == ([], [], "2")
    line.reply(b'{"text": "Sorry"}')
    assert line.played[-1] == "Sorry"


def test_its_late_words_are_dropped_with_one_finding() -> None:
    line = overlapping()
    assert line.feed(ReplyBytes("1", b'{"text": "Also", "interim": true}\n{"text": "this"}\n'))[0] == NoteChunk(
        "1", "Also", True, b'{"text": "Also", "interim": true}'
    )
    assert line.findings == [FindingKind.WORDS_AFTER_INTERRUPTION]
    assert kinds(line.feed(ReplyEnded("1"))) == [CloseTurn]
    assert line.closed == ["interrupted"]
    assert line.played == ["Your order has shipped and it will be there tomorrow"]
    assert "former" not in line.timers


@pytest.mark.parametrize("event", [ReplyEnded("1"), ReplyFailed("1", "reset")], ids=str)
def test_to_stop_in_mid_stream_is_the_right_thing_to_do(event: ReplyEnded | ReplyFailed) -> None:
    line = overlapping()
    line.feed(event)
    assert (line.findings, line.closed, line.all(CancelTurn)) == ([], ["interrupted"], [])


def test_other_mistakes_of_the_former_reply_are_still_found() -> None:
    line = overlapping()
    line.feed(ReplyBytes("1", b"oops\n"))
    assert line.findings == [FindingKind.CHUNK_NOT_JSON]
    line = thinking(policies=OVERLAP)
    line.feed(STOP)
    line.until(OpenTurn)
    line.feed(ReplyStarted("1", 500, NDJSON), ReplyBytes("1", b"boom"), ReplyEnded("1"))
    assert line.findings == [FindingKind.REPLY_HTTP_ERROR]


def test_a_former_request_is_given_up_after_the_webhooks_timeout() -> None:
    line = speaking(policies=OVERLAP, turn_timeout=seconds(5))
    line.feed(STOP)
    line.until(NoteBargeIn)
    interrupted = line.now
    line.feed(RemotePressed("1"))
    assert line.until(CancelTurn) == CancelTurn("1")
    assert line.now - interrupted == seconds(5)
    assert line.all(CloseTurn)[0] == CloseTurn("1", "interrupted")


def test_at_most_one_former_request_is_left_running() -> None:
    line = overlapping()
    line.headers()
    line.body(LONG)
    line.feed(STOP)
    line.until(NoteBargeIn)
    assert line.all(CancelTurn) == [CancelTurn("1")]
    line.until(OpenTurn)
    assert kinds(line.feed(RemoteHungUp())) == [CancelTurn, CloseTurn, CancelTurn, CloseTurn, EndCall]
    assert line.all(CloseTurn)[1:] == [CloseTurn("2", "interrupted"), CloseTurn("3", "cancelled")]


def test_by_policy_a_reply_that_was_complete_leaves_nothing_running() -> None:
    line = speaking(policies=OVERLAP)
    line.body(b'{"text": "Bye"}\n')
    line.end_reply()
    line.feed(STOP)
    line.until(OpenTurn)
    assert "former" not in line.timers
    assert line.closed == ["final"]
