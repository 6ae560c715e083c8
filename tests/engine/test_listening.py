"""A remote party that listens: what it hears when, and what it makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.calls import DisconnectionReason
from simulator.engine.effects import (
    AppendTranscript,
    EndCall,
    NoteDigits,
    NoteScriptDone,
    NoteScriptFailed,
    NoteStep,
    OpenTurn,
    StartSpeech,
)
from simulator.engine.events import EndRequested
from simulator.engine.script import BargeIn, Branch, Case, Hear, Match, Press, Repeat, Say, Step, Wait
from simulator.engine.speech import ENDPOINTING_DELAY, REACTION_DELAY
from tests.helpers.engine import Line, kinds, seconds

REASON = DisconnectionReason
MENU = b'{"text": "For sales press 1. For support press 2."}'


def hears(text: str, within: float | None = None) -> Hear:
    return Hear(Match(contains=text), None if within is None else seconds(within))


def greeted(*steps: Step, greeting: str = "Acme hello how can I help", **changes: Any) -> Line:
    """A call whose greeting has begun to be heard: six words, 2.4 s."""
    return Line(steps=steps, greeting=greeting, **changes).connect()


def test_words_are_heard_when_they_have_been_said_not_when_they_begin() -> None:
    line = greeted(hears("hello"), BargeIn("Stop"))
    line.until(NoteStep)
    assert line.when(NoteStep) == seconds(2 + 0.8)
    assert line.when(StartSpeech) == line.when(NoteStep)


def test_the_partys_timer_is_not_started_again_for_the_same_instant() -> None:
    line = Line(steps=(Say("Hello there"), hears("shipped", 9))).connect()
    line.until(OpenTurn)
    assert "party" in line.timers
    assert line.headers() == []


def test_after_hearing_a_party_is_polite() -> None:
    line = greeted(hears("hello"), Say("Hi"))
    line.until(StartSpeech)
    assert line.when(StartSpeech) == seconds(2 + 2.4) + REACTION_DELAY


def test_words_that_come_in_several_chunks_are_heard_as_one_answer() -> None:
    line = Line(steps=(Say("Hello there"), Hear(Match(matches="order has shipped")))).connect()
    line.until(OpenTurn)
    line.headers()
    line.body(b'{"text": "Your order", "interim": true}\n{"text": "has shipped ", "interim": true}\n')
    line.advance(seconds(1.59))
    assert line.all(NoteStep) == [NoteStep((0,))]
    line.advance(seconds(0.01))
    assert line.all(NoteStep)[-1] == NoteStep((1,))


def test_words_of_an_earlier_answer_do_not_count() -> None:
    line = greeted(hears("hello"), Say("Hi"), hears("hello"))
    line.until(OpenTurn)
    line.reply(b'{"text": "Goodbye"}')
    line.until(EndCall)
    assert line.all(NoteScriptFailed) == [NoteScriptFailed((2,), "contains 'hello'", "Goodbye")]


def test_pressed_keys_begin_a_new_answer_too() -> None:
    line = greeted(Press("1"), hears("hello", 5))
    line.until(EndCall)
    assert line.all(NoteScriptFailed) == [NoteScriptFailed((1,), "contains 'hello'", "")]


def test_words_that_are_not_heard_in_time_fail_the_script_and_the_party_hangs_up() -> None:
    line = greeted(hears("goodbye", 5), Say("Hi"))
    line.advance(seconds(5))
    assert line.end == EndCall(REASON.USER_HANGUP)
    assert line.when(EndCall) == seconds(7)
    assert line.all(NoteScriptFailed) == [NoteScriptFailed((0,), "contains 'goodbye'", "Acme hello how can I help")]
    assert line.all(NoteScriptDone) == []
    assert not line.engine.script_done


def test_a_script_fails_in_the_middle_of_a_sentence_with_what_was_heard_of_it() -> None:
    line = greeted(hears("help", 1))
    line.until(EndCall)
    assert line.all(NoteScriptFailed)[0].heard == "Acme hello"
    assert line.all(AppendTranscript)[0].text == "Acme hello"


def test_the_time_to_hear_counts_from_the_partys_own_last_word() -> None:
    line = Line(steps=(Say("Hello there"), hears("shipped", 3))).connect()
    line.until(OpenTurn)
    spoken = line.now - ENDPOINTING_DELAY
    line.until(EndCall)
    assert line.now - spoken == seconds(3)
    assert line.closed == ["cancelled"]


def test_words_heard_at_the_very_end_of_the_time_are_in_time() -> None:
    line = greeted(hears("hello", 0.8), Say("Hi"))
    line.until(StartSpeech)
    assert line.all(NoteScriptFailed) == []


def test_without_a_limit_the_silence_ends_the_call_and_the_script_has_failed() -> None:
    line = greeted(hears("goodbye"), max_silence=seconds(10))
    line.until(EndCall)
    assert line.end.reason is REASON.INACTIVITY
    assert len(line.all(NoteScriptFailed)) == 1


def test_the_last_words_before_the_agent_hangs_up_are_heard() -> None:
    line = Line(steps=(Say("Hello there"), hears("goodbye"))).connect()
    line.until(OpenTurn)
    line.reply(b'{"text": "Goodbye", "hangup": true}')
    assert kinds(line.fire_next()) == [AppendTranscript, NoteStep, NoteScriptDone, EndCall]
    assert line.engine.script_done


@pytest.mark.parametrize("steps", [(Wait(seconds(9)), hears("x")), (Say("Hi"),)])
def test_a_step_that_was_not_reached_has_not_failed(steps: tuple[Step, ...]) -> None:
    line = greeted(*steps)
    line.feed(EndRequested())
    assert line.all(NoteScriptFailed) == []


def test_a_call_that_is_not_answered_fails_no_script() -> None:
    line = Line(steps=(hears("hello"),))
    line.feed(EndRequested())
    assert line.all(NoteScriptFailed) == []


def test_a_party_goes_on_with_what_it_has_heard() -> None:
    menu = Branch((Case(Match(contains="support press 2"), (Press("2"),)),), otherwise=(Press("0"),))
    line = Line(steps=(Say("Hello there"), menu, Say("done"))).connect()
    line.until(OpenTurn)
    line.reply(MENU)
    line.until(NoteDigits)
    assert line.all(NoteDigits) == [NoteDigits("2")]
    assert line.all(NoteStep)[1:] == [NoteStep((1,)), NoteStep((1, 0, 0))]


def test_a_party_that_has_heard_nothing_goes_on_otherwise() -> None:
    menu = Branch((Case(Match(contains="support"), (Press("2"),)),), otherwise=(Press("0"),))
    line = Line(steps=(menu,)).connect()
    line.until(NoteDigits)
    assert line.all(NoteDigits) == [NoteDigits("0")]


def test_a_party_repeats_itself() -> None:
    line = Line(steps=(Repeat(3, (Say("Hello?"), Wait(seconds(2)))),)).connect()
    for _ in range(3):
        line.until(OpenTurn)
        line.reply(b'{"text": ""}')
    line.until(EndCall)
    assert [spoken.text for spoken in line.all(StartSpeech)] == ["Hello?"] * 3
    assert line.engine.script_done
