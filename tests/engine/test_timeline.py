from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.calls import Party
from simulator.engine.call_states import TurnEnd
from simulator.engine.effects import EndCall, NoteBargeIn, OpenTurn
from simulator.engine.events import RemoteHungUp, RemotePressed, RemoteSaid
from simulator.engine.script import Backchannel, BargeIn, Say, Wait
from simulator.engine.speech import ENDPOINTING_DELAY
from simulator.engine.timeline import CallTimeline, Listener, Percentiles, Span, TurnTimeline, percentile, percentiles
from tests.helpers.engine import START, Line, seconds, unhurried

STOP = RemoteSaid("Stop, please stop", over=True)


def listened(line: Line) -> CallTimeline:
    listener = Listener()
    for at, effect in line.log:
        listener.effect(effect, at)
    return listener.timeline()


def turn(line: Line) -> TurnTimeline:
    """What was heard of the latest turn."""
    return listened(line).turns[-1]


def at(delay: float) -> datetime:
    return START + seconds(delay)


def spans(*gaps: tuple[float, float]) -> tuple[Span, ...]:
    return tuple(Span(at(begin), at(end)) for begin, end in gaps)


def on_a_turn(**changes: Any) -> Line:
    """Connected at 2 s; "Hello there" was said until 2.8 s, the turn opened at 3.5 s."""
    line = Line(**changes).connect()
    line.open_turn()
    return line


def test_the_first_word_is_waited_for_from_the_callers_last_word_on() -> None:
    line = on_a_turn()
    line.advance(seconds(0.25))
    line.reply(b'{"text": "It has shipped"}')
    line.fire_next()
    heard = turn(line)
    assert heard.first_word == ENDPOINTING_DELAY + seconds(0.25)
    assert (heard.first_chunk, heard.final_chunk) == (seconds(0.25), seconds(0.25))
    assert (heard.asked_at, heard.opened_at) == (at(2.8), at(3.5))
    assert heard.gaps == spans((2.8, 3.75))
    assert (heard.spoken, heard.overrun, heard.how) == (seconds(1.2), None, TurnEnd.FINAL)


def test_silence_between_the_words_of_a_reply_is_dead_air() -> None:
    line = on_a_turn()
    line.headers()
    line.body(b'{"text": "One moment", "interim": true}\n')
    line.advance(seconds(2.8))
    line.body(b'{"text": "It has shipped"}\n')
    line.advance(seconds(5))
    heard = turn(line)
    assert heard.gaps == spans((2.8, 3.5), (4.3, 6.3))
    assert heard.longest_gap == listened(line).longest_gap == seconds(2)
    assert (heard.first_chunk, heard.final_chunk) == (timedelta(), seconds(2.8))
    assert heard.spoken == seconds(2)


def test_a_reply_that_is_closed_late_leaves_the_caller_waiting() -> None:
    line = on_a_turn()
    line.headers()
    line.body(b'{"text": "One moment", "interim": true}\n')
    line.advance(seconds(4.8))
    line.body(b'{"text": ""}\n')
    assert turn(line).gaps == spans((2.8, 3.5), (4.3, 8.3))


def test_a_turn_without_words_is_dead_air_until_it_is_given_up() -> None:
    line = on_a_turn(turn_timeout=seconds(5))
    line.advance(seconds(9))
    heard = turn(line)
    assert (heard.first_word, heard.how) == (None, TurnEnd.TIMED_OUT)
    assert (heard.first_chunk, heard.final_chunk, heard.answered) == (None, None, None)
    assert heard.gaps == spans((2.8, 8.5))


def test_silence_that_the_caller_leaves_is_nobodys_fault() -> None:
    line = Line(steps=(Say("Hello there"), Wait(seconds(9)))).connect()
    line.until(OpenTurn)
    line.reply(b'{"text": "Yes"}')
    line.until(EndCall)
    assert listened(line).gaps == spans((3, 3.7))


def test_an_interrupted_turn_is_waited_for_until_the_caller_spoke() -> None:
    line = on_a_turn()
    line.headers()
    line.body(b'{"text": "Your order has shipped", "interim": true}\n')
    line.advance(seconds(0.8))
    line.feed(STOP)
    line.until(OpenTurn)
    first, second = listened(line).turns
    assert (first.overrun, first.how, first.spoken) == (seconds(0.2), TurnEnd.INTERRUPTED, seconds(1))
    assert first.gaps == spans((2.8, 3.5))
    assert second.asked_at == at(4.3 + 1.2)
    assert listened(line).overruns == (seconds(0.2),)


def test_a_caller_who_speaks_while_the_handler_thinks_waits_no_longer_for_it() -> None:
    line = on_a_turn()
    line.advance(seconds(3))
    line.feed(STOP)
    line.until(OpenTurn)
    assert listened(line).turns[0].gaps == spans((2.8, 6.5))
    assert listened(line).turns[0].overrun == timedelta()


def test_words_that_waited_for_the_agent_were_asked_when_it_had_finished() -> None:
    line = on_a_turn(interruption_sensitivity=0)
    line.reply(b'{"text": "Your order has shipped"}')
    line.feed(RemoteSaid("Stop", over=True))
    line.until(OpenTurn)
    assert turn(line).asked_at == at(3.5 + 1.6)


def test_an_interrupted_greeting_overruns_too() -> None:
    line = Line(greeting="Thank you for calling Acme", steps=(BargeIn("Stop it", seconds(1)),)).connect()
    line.until(NoteBargeIn)
    heard = listened(line)
    assert (heard.greeting, heard.overruns, heard.turns) == (timedelta(), (seconds(0.2),), ())
    assert heard.sounds[0].span.length == seconds(1.2)


def test_a_backchannel_is_heard_but_is_no_talk() -> None:
    line = Line(greeting="Thank you for calling Acme", steps=(Backchannel("mhm", seconds(1)),)).connect()
    line.until(EndCall)
    heard = listened(line)
    assert [(s.party, s.over, s.backchannel) for s in heard.sounds] == [
        (Party.AGENT, False, False),
        (Party.REMOTE, True, True),
    ]
    assert (heard.talk_time(Party.REMOTE), heard.talk_ratio) == (timedelta(), 1)


def test_an_empty_turn_is_waited_for_from_its_opening() -> None:
    line = Line(policies={"empty_transcript_on_connect": "on"}).connect()
    line.advance(seconds(1))
    line.reply(b'{"text": "Hello"}')
    heard = listened(line)
    assert heard.turns[0].first_word == seconds(1)
    assert (heard.greeting, heard.connected_at) == (None, at(2))


def test_keys_are_heard_and_a_turn_that_they_open_was_asked_at_their_end() -> None:
    line = Line(policies={"caller_dtmf": "turn"}).connect()
    line.feed(RemotePressed("12"))
    line.until(OpenTurn)
    line.reply(b'{"digits": "1"}')
    assert turn(line).asked_at == turn(line).opened_at == at(2.4)
    assert turn(line).first_word is None
    assert turn(line).spoken == seconds(0.2)


def test_the_end_cuts_what_is_heard() -> None:
    line = Line(greeting="Thank you for calling Acme").connect()
    line.advance(seconds(1))
    line.feed(RemoteHungUp())
    heard = listened(line)
    assert heard.ended_at == at(3)
    assert heard.sounds[0].span == Span(at(2), at(3))


def test_the_agents_share_of_the_talk() -> None:
    line = on_a_turn()
    line.reply(b'{"text": "Your order has shipped, and that is that"}')
    line.fire_next()
    heard = listened(line)
    assert (heard.talk_time(Party.REMOTE), heard.talk_time(Party.AGENT)) == (seconds(0.8), seconds(3.2))
    assert heard.talk_ratio == 0.8
    assert heard.first_words == (ENDPOINTING_DELAY,)


def test_a_call_without_a_word_has_no_measures() -> None:
    heard = Listener().timeline()
    assert (heard.talk_ratio, heard.longest_gap, heard.greeting, heard.first_words) == (None, timedelta(), None, ())


# --- the journal says the same ---


def journal(line: Line) -> Iterator[tuple[str, dict[str, Any], datetime]]:
    """The entries that a call with these effects leaves in the journal, as far as they are heard."""
    names = {
        "StartSpeech": ("speech.started", {"party": "user"}),
        "NoteDigits": ("digits", {"party": "user"}),
        "Play": ("speech.started", {"party": "agent"}),
        "PlayDigits": ("digits", {"party": "agent"}),
        "StopPlayback": ("speech.stopped", {"party": "agent"}),
        "OpenTurn": ("turn.opened", {}),
        "NoteChunk": ("turn.chunk", {}),
        "CloseTurn": ("turn.closed", {}),
        "NoteBargeIn": ("barge_in", {}),
        "ConnectCall": ("call.connected", {}),
        "EndCall": ("call.ended", {}),
    }
    for moment, effect in line.log:
        kind, more = names.get(type(effect).__name__, ("timer.started", {}))
        plain = {name: getattr(effect, name) for name in effect.__dataclass_fields__}
        data = {k: v.total_seconds() if isinstance(v, timedelta) else v for k, v in plain.items()}
        yield kind, {**data, **more}, moment


def test_the_journals_entries_give_the_same_timeline() -> None:
    line = Line(greeting="Acme, hello", steps=(Backchannel("mhm"), Say("Hello there"), BargeIn("Stop", seconds(1))))
    line.connect()
    line.until(OpenTurn)
    line.headers()
    line.body(b'{"text": "Your order has shipped", "digits": "1", "interim": true}\n')
    line.until(OpenTurn)
    line.reply(b'{"text": "Sorry", "digits": "12"}')
    line.until(EndCall)
    listener = Listener()
    for kind, data, moment in journal(line):
        listener.entry(kind, data, moment)
    assert listener.timeline() == listened(line)


def test_the_status_line_is_known_from_the_journal() -> None:
    listener = Listener()
    listener.entry("turn.opened", {"turn_id": "1", "transcript": ""}, at(3))
    listener.entry("turn.started", {"turn_id": "1", "http_status": 200}, at(3.4))
    assert listener.timeline().turns[0].answered == seconds(0.4)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("turn.started", {"turn_id": "1"}),
        ("turn.chunk", {"turn_id": "1", "interim": True}),
        ("turn.closed", {"turn_id": "1", "how": "final"}),
        ("barge_in", {"turn_id": "1", "overrun": 0.2}),
        ("timer.fired", {"timer": "x"}),
    ],
)
def test_a_turn_whose_beginning_is_forgotten_is_left_out(kind: str, data: dict[str, Any]) -> None:
    listener = Listener()
    listener.entry(kind, data, at(3))
    assert listener.timeline().turns == ()


# --- percentiles ---


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [seconds(n) for n in range(10, 0, -1)]
    assert [percentile(values, p) for p in (1, 10, 10.1, 50, 90, 99, 100)] == [
        seconds(n) for n in (1, 1, 2, 5, 9, 10, 10)
    ]
    assert percentiles(values) == Percentiles(seconds(5), seconds(9), seconds(10))


def test_nothing_has_no_percentiles() -> None:
    assert (percentile([], 50), percentiles([])) == (None, None)


def test_the_least_of_percents_is_the_least_of_values() -> None:
    assert percentile([seconds(1), seconds(2)], 5e-324) == seconds(1)


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_percentile_out_of_range_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 100"):
        percentile([seconds(1)], percent)


@given(st.lists(st.timedeltas(), min_size=1), st.integers(1, 1000).map(lambda tenths: tenths / 10))
@unhurried
def test_so_many_percent_do_not_exceed_it_and_fewer_would_be_too_few(values: list[timedelta], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    below = sum(value < found for value in values)
    assert below < len(values) * percent / 100 <= sum(value <= found for value in values)


def test_speech_that_is_not_over_counts_to_its_end() -> None:
    line = Line().connect()
    line.feed(RemoteSaid("Hello there"))
    assert listened(line).talk_time(Party.REMOTE) == seconds(0.8)
