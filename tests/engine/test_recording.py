from __future__ import annotations

import io
import math
import tracemalloc
import wave
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.calls import Call, CallStatus, Direction, Party, Tones, Utterance
from simulator.engine.recording import CHUNK, COLUMNS, HEADER, KEY_HZ, RATE, ROWS, SPEECH_HZ, Recording
from simulator.engine.speech import tones_duration

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def said(party: Party, begin: float, lasting: float) -> Utterance:
    return Utterance(id="tr_1", party=party, text="words", at=AT + seconds(begin), duration=seconds(lasting))


def pressed(party: Party, digits: str, begin: float) -> Tones:
    return Tones(party=party, digits=digits, at=AT + seconds(begin), duration=tones_duration(digits))


def call(lasting: timedelta, *sounds: Utterance | Tones) -> Call:
    return Call(
        id="call_1", agent_id=None, agent_name=None, number_id=None, phone_number=None, from_number="", to_number="",
        direction=Direction.WEB, status=CallStatus.COMPLETED, started_at=AT - seconds(3), connected_at=AT,
        ended_at=AT + lasting, utterances=tuple(s for s in sounds if isinstance(s, Utterance)),
        tones=tuple(s for s in sounds if isinstance(s, Tones)),
    )  # fmt: skip


def heard(recorded: Call) -> Sequence[int]:
    """The samples, read by a WAV reader that is not ours."""
    with wave.open(io.BytesIO(b"".join(Recording(recorded).chunks()))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return array("h", file.readframes(file.getnframes()))


def part(samples: Sequence[int], begin: float, end: float) -> Sequence[int]:
    return samples[round(begin * RATE) : round(end * RATE)]


def strength(samples: Sequence[int], hertz: float) -> float:
    """How much of a pure tone is in the samples (Goertzel): about its level, 0 for none."""
    turn = 2 * math.pi * hertz / RATE
    real = sum(sample * math.cos(turn * at) for at, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * at) for at, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


def tones_in(samples: Sequence[int], *candidates: int) -> set[int]:
    return {hertz for hertz in candidates if strength(samples, hertz) > 2000}


MILLISECONDS = st.integers(-2_000, 9_000).map(lambda ms: ms / 1000)
SOUNDS = st.lists(
    st.builds(said, st.sampled_from(Party), MILLISECONDS, MILLISECONDS.map(abs))
    | st.builds(pressed, st.sampled_from(Party), st.text("0123456789*#ABCD", min_size=1, max_size=8), MILLISECONDS),
    max_size=8,
)


@given(st.timedeltas(min_value=timedelta(), max_value=seconds(6)), SOUNDS)
def test_any_call_gives_a_valid_file_as_long_as_the_call(lasting: timedelta, sounds: list[Utterance | Tones]) -> None:
    recorded = call(lasting, *sounds)
    pieces = list(Recording(recorded).chunks())
    assert len(heard(recorded)) == lasting // timedelta(microseconds=1) * RATE // 1_000_000
    assert sum(map(len, pieces)) == Recording(recorded).size
    assert int.from_bytes(pieces[0][4:8], "little") == Recording(recorded).size - 8
    assert max(map(len, pieces)) <= CHUNK * 2


@given(SOUNDS)
def test_where_nobody_makes_a_sound_there_is_silence(sounds: list[Utterance | Tones]) -> None:
    samples = heard(call(seconds(6), *sounds))
    quiet = bytearray(b"\1") * len(samples)
    for sound in sounds:
        begin = round((sound.at - AT) / seconds(1) * RATE)
        end = begin + round(sound.duration / seconds(1) * RATE)
        quiet[max(begin, 0) : max(end, 0)] = bytes(len(quiet[max(begin, 0) : max(end, 0)]))
    assert not any(sample for sample, silent in zip(samples, quiet, strict=True) if silent)


@pytest.mark.parametrize("party", Party)
def test_a_partys_words_are_its_own_tone_for_as_long_as_they_take(party: Party) -> None:
    samples = heard(call(seconds(3), said(party, 1, 0.5)))
    assert tones_in(part(samples, 1, 1.5), *SPEECH_HZ.values()) == {SPEECH_HZ[party]}
    assert not any(part(samples, 0, 1))
    assert not any(part(samples, 1.5, 3))
    assert all(any(samples[at : at + 40]) for at in range(RATE, RATE * 3 // 2, 40))


def test_a_tone_goes_on_evenly_from_piece_to_piece() -> None:
    samples = heard(call(seconds(5), said(Party.AGENT, 0, 5), said(Party.REMOTE, 0, 5)))
    assert samples[80:] == samples[:-80]  # both tones repeat after a hundredth of a second


def test_two_who_speak_at_once_are_both_heard() -> None:
    samples = heard(call(seconds(3), said(Party.REMOTE, 0, 2), said(Party.AGENT, 1, 2)))
    assert tones_in(part(samples, 0, 1), 300, 500) == {300}
    assert tones_in(part(samples, 1, 2), 300, 500) == {300, 500}
    assert tones_in(part(samples, 2, 3), 300, 500) == {500}


@pytest.mark.parametrize("party", Party)
@pytest.mark.parametrize("key", KEY_HZ)
def test_a_key_is_its_row_and_its_column(key: str, party: Party) -> None:
    samples = heard(call(seconds(1), pressed(party, key, 0.2)))
    assert tones_in(part(samples, 0.2, 0.3), *ROWS, *COLUMNS) == set(KEY_HZ[key])
    assert not any(part(samples, 0.3, 1))


def test_the_keys_are_those_of_a_telephone() -> None:
    assert (KEY_HZ["1"], KEY_HZ["5"], KEY_HZ["0"]) == ((697, 1209), (770, 1336), (941, 1336))
    assert (KEY_HZ["*"], KEY_HZ["#"], KEY_HZ["D"]) == ((941, 1209), (941, 1477), (941, 1633))


def test_keys_follow_each_other_with_pauses_between() -> None:
    samples = heard(call(seconds(1), pressed(Party.AGENT, "12", 0)))
    assert tones_in(part(samples, 0, 0.1), *COLUMNS) == {1209}
    assert not any(part(samples, 0.1, 0.2))
    assert tones_in(part(samples, 0.2, 0.3), *COLUMNS) == {1336}


def test_who_presses_keys_does_not_speak_and_the_other_may() -> None:
    samples = heard(
        call(seconds(1), said(Party.REMOTE, 0, 1), said(Party.AGENT, 0, 1), pressed(Party.REMOTE, "9", 0.4))
    )
    assert tones_in(part(samples, 0.4, 0.5), 300, 500, *KEY_HZ["9"]) == {500, *KEY_HZ["9"]}
    assert tones_in(part(samples, 0.5, 0.6), 300, 500) == {500}
    assert tones_in(part(samples, 0.6, 0.7), 300, 500) == {300, 500}


def test_a_call_that_ends_in_the_middle_of_a_tone_cuts_it_off() -> None:
    samples = heard(call(seconds(0.05), pressed(Party.REMOTE, "5", 0)))
    assert (len(samples), any(samples[-20:])) == (400, True)


def test_a_call_that_was_never_answered_is_an_empty_file() -> None:
    assert Recording(call(timedelta())).size == HEADER


def test_two_hours_are_made_in_little_memory() -> None:
    sounds = [said(party, at * 6, 7) for at in range(1200) for party in Party]
    recording = Recording(call(timedelta(hours=2), *sounds))
    tracemalloc.start()
    try:
        made = sum(map(len, islice(recording.chunks(), 500)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (made, recording.size) == (HEADER + 499 * CHUNK * 2, HEADER + 7200 * RATE * 2)
    assert peak < 2_000_000
