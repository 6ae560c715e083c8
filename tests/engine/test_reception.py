"""Who picks up: machines that record, phones that ask who is calling, and what the agent tells them."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.calls import DisconnectionReason, Party
from simulator.engine.effects import (
    AppendTranscript,
    ConnectCall,
    EndCall,
    NoteBargeIn,
    NoteBeep,
    NoteStep,
    OpenTurn,
    Play,
    StartSpeech,
)
from simulator.engine.script import MACHINE_GREETING, SCREENING_QUESTION, Answer, Say
from simulator.engine.speech import BEEP, ENDPOINTING_DELAY, speech_duration
from tests.helpers.engine import Line, kinds, seconds, setup

REASON = DisconnectionReason
MESSAGE = "Please call Acme back."
KNOWN = {"screening_identity": "Acme Dental", "screening_purpose": "Your appointment on Monday!"}


def machine(**changes: Any) -> Line:
    """A call that a machine has just answered."""
    return Line(**{"answer": Answer.VOICEMAIL, "greeting": "Hello from Acme"} | changes).connect()


def screened(answer: Answer = Answer.SCREENED, **changes: Any) -> Line:
    """A call that a phone has just answered by itself."""
    return Line(answer=answer, **{"greeting": "Hello from Acme"} | changes).connect()


# --- machines ---


def test_a_message_is_left_after_the_beep_and_ends_the_call() -> None:
    line = machine(voicemail_message=f" {MESSAGE} ")
    line.until(EndCall)
    everything = kinds(effect for _, effect in line.log)
    assert everything == [ConnectCall, StartSpeech, AppendTranscript, NoteBeep, Play, AppendTranscript, EndCall]
    assert line.end == EndCall(REASON.VOICEMAIL_REACHED)
    assert line.said(Party.REMOTE) == [MACHINE_GREETING]
    assert line.said(Party.AGENT) == [MESSAGE]


def test_the_message_waits_for_the_greeting_the_pause_and_the_beep() -> None:
    line = machine(voicemail_message=MESSAGE, machine_greeting="Leave a message")
    line.until(Play)
    assert line.when(Play) == seconds(2) + speech_duration("Leave a message") + ENDPOINTING_DELAY + BEEP


def test_a_machine_that_is_known_for_one_opens_no_turn() -> None:
    line = machine(voicemail_message=MESSAGE, policies={"empty_transcript_on_connect": "on"}, greeting=None)
    line.until(EndCall)
    assert line.all(OpenTurn) == []


@pytest.mark.parametrize("message", [None, "", " "])
def test_without_a_message_a_machine_is_talked_to_like_a_person(message: str | None) -> None:
    line = machine(voicemail_message=message)
    assert line.until(OpenTurn) == OpenTurn("1", MACHINE_GREETING, 0.95)
    assert line.all(NoteBargeIn) == [NoteBargeIn(None, seconds(0.2))]  # machines don't wait until one has said hello
    line.reply(b'{"text": "Please call Acme back."}')
    heard = line.now + speech_duration(MESSAGE)
    assert line.until(EndCall) == EndCall(REASON.USER_HANGUP)
    assert line.now - heard == seconds(10)
    assert line.all(NoteBeep) == [NoteBeep(BEEP)]


def test_by_policy_the_call_ends_after_the_beep_without_a_message() -> None:
    line = machine(policies={"voicemail_without_message": "hang_up"})
    assert line.until(EndCall) == EndCall(REASON.VOICEMAIL_REACHED)
    assert (line.played, line.all(OpenTurn)) == ([], [])


def test_a_machine_may_have_a_script_of_its_own() -> None:
    line = machine(steps=(Say("Are you still there?"),))
    line.until(OpenTurn)
    line.reply(b'{"text": ""}')
    assert line.until(OpenTurn).transcript == "Are you still there?"
    assert line.all(NoteStep) == [NoteStep((0,))]


# --- phones that ask ---


def test_a_phone_that_asks_is_told_who_is_calling_and_why() -> None:
    line = screened(**KNOWN)
    assert line.until(Play).text == "Acme Dental. Your appointment on Monday!"
    assert line.said(Party.REMOTE) == [SCREENING_QUESTION]
    assert line.all(OpenTurn) == []


def test_the_person_then_takes_the_call_and_the_agent_greets() -> None:
    line = screened(**KNOWN, steps=(Say("Hi"),))
    line.until(Play)
    told = line.now + line.all(Play)[0].duration
    line.until(Play)
    assert line.now - told == seconds(2)
    assert line.played[1] == "Hello from Acme"
    assert line.until(OpenTurn) == OpenTurn("1", "Hi", 0.95)


def test_by_policy_a_person_who_took_the_call_is_met_with_an_empty_turn() -> None:
    line = screened(**KNOWN, policies={"empty_transcript_on_connect": "on"}, greeting=None)
    assert line.until(OpenTurn) == OpenTurn("1", "", 1.0)
    assert line.said(Party.AGENT) == ["Acme Dental. Your appointment on Monday!"]
    assert "silence" not in line.timers


def test_or_the_person_declines() -> None:
    line = screened(Answer.SCREENED_OUT, **KNOWN)
    assert line.until(EndCall) == EndCall(REASON.USER_HANGUP)
    assert line.played == ["Acme Dental. Your appointment on Monday!"]


@pytest.mark.parametrize("blank", [None, " "])
def test_an_agent_without_an_introduction_leaves_the_question_to_the_handler(blank: str | None) -> None:
    line = screened(screening_identity=blank, screening_purpose=blank, steps=(Say("Hi"),))
    assert line.until(OpenTurn).transcript == SCREENING_QUESTION
    line.reply(b'{"text": "This is Acme"}')
    assert line.until(OpenTurn).transcript == "Hi"
    assert line.played == ["Hello from Acme", "This is Acme"]


@pytest.mark.parametrize(
    ("identity", "purpose", "said"),
    [
        ("Acme", None, "Acme."),
        (None, "Your order", "Your order."),
        ("Acme?", " Your order. ", "Acme? Your order."),
        (None, None, ""),
    ],
)
def test_an_introduction_is_made_of_what_there_is(identity: str | None, purpose: str | None, said: str) -> None:
    assert setup(screening_identity=identity, screening_purpose=purpose).introduction == said
