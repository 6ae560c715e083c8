from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.speech import heard, hearing, is_backchannel, speech_duration, stop_delay, tones_duration
from tests.helpers.engine import seconds, unhurried


def test_words_are_spoken_at_the_rate_given() -> None:
    assert speech_duration("one two three four five") == seconds(2)


def test_a_faster_voice_takes_less_time() -> None:
    assert speech_duration("one two three four five", 2.0) == seconds(1)
    assert speech_duration("one two three four five", 0.5) == seconds(4)


@pytest.mark.parametrize("speed", [0, -1.0])
def test_a_voice_without_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        speech_duration("hello", speed)


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_blank_text_takes_no_time(text: str) -> None:
    assert speech_duration(text) == timedelta()


@pytest.mark.parametrize("text", ["!", "…", "👍", "a", "好"])
def test_anything_else_takes_at_least_one_word(text: str) -> None:
    assert speech_duration(text) == speech_duration("word")


def test_punctuation_on_its_own_takes_no_time() -> None:
    assert speech_duration("yes — no !") == speech_duration("yes no")


@pytest.mark.parametrize("text", ["您的订单昨天已经发货", "ご注文は昨日発送済み", "คำสั่งซื้อ"])
def test_scripts_without_spaces_are_counted_by_character(text: str) -> None:
    assert len(text) == 10
    assert speech_duration(text) == seconds(2)


def test_mixed_scripts_add_up() -> None:
    assert speech_duration("订单4521号") == speech_duration("订单号") + speech_duration("4521")


def test_a_long_run_of_letters_is_more_than_one_word() -> None:
    assert speech_duration("a" * 120) == speech_duration("word " * 10)


def test_two_hundred_kilobytes_are_counted_at_once() -> None:
    assert speech_duration("a" * 200_000) > speech_duration("! " * 100_000) == speech_duration("a")


def test_tones_have_pauses() -> None:
    assert tones_duration("12#") == seconds(0.6)
    assert tones_duration("") == timedelta()


@pytest.mark.parametrize(
    ("elapsed", "words"),
    [
        (0, ""),
        (0.39, ""),
        (0.4, "Your"),
        (0.8, "Your order,"),
        (1.1, "Your order,"),
        (1.2, "Your order, 4521,"),
        (1.99, "Your order, 4521, has"),
        (2, "Your order, 4521, has shipped."),
        (9, "Your order, 4521, has shipped."),
    ],
)
def test_whole_words_are_heard_in_proportion_to_the_time(elapsed: float, words: str) -> None:
    text = "Your order, 4521, has shipped."
    assert heard(text, seconds(elapsed), speech_duration(text)) == words


def test_characters_are_heard_one_by_one_in_scripts_without_spaces() -> None:
    assert heard("您的订单", seconds(0.41), speech_duration("您的订单")) == "您的"


@pytest.mark.parametrize("text", ["— hello", "!!!"])
def test_punctuation_alone_is_not_heard(text: str) -> None:
    assert heard(text, timedelta(), speech_duration(text)) == ""


@unhurried
@given(st.text(), st.floats(0, 1.5), st.floats(0.25, 4))
def test_what_was_heard_is_a_prefix_and_never_shrinks(text: str, share: float, speed: float) -> None:
    duration = speech_duration(text, speed)
    part = heard(text, duration * share, duration)
    assert text.startswith(part)
    assert part.startswith(heard(text, duration * share / 2, duration))
    assert heard(text, duration, duration) == text


@unhurried
@given(st.text(), st.text())
def test_more_text_never_takes_less_time(one: str, two: str) -> None:
    assert speech_duration(f"{one} {two}") >= max(speech_duration(one), speech_duration(two))


@given(st.text(max_size=60), st.integers(0, 20_000))
@unhurried
def test_hearing_agrees_with_heard_at_every_instant(text: str, milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    coming = list(hearing(text, duration))
    assert [words for _, words in coming[-1:]] == ([text] if text else [])
    assert sorted(coming, key=lambda at: (at[0], len(at[1]))) == coming
    last_at_its_time = dict(coming)
    for elapsed, words in last_at_its_time.items():
        assert heard(text, elapsed, duration) == words
        assert not elapsed or heard(text, elapsed - timedelta(microseconds=1), duration) != words


def test_words_are_heard_one_after_another() -> None:
    assert list(hearing("One, two three", seconds(1.2))) == [
        (seconds(0.4), "One,"),
        (seconds(0.8), "One, two"),
        (seconds(1.2), "One, two three"),
    ]


@pytest.mark.parametrize(("sensitivity", "delay"), [(1, 0.1), (0.8, 0.2), (0.5, 0.35), (0.01, 0.595), (0, None)])
def test_the_more_sensitive_the_sooner_it_stops(sensitivity: float, delay: float | None) -> None:
    assert stop_delay(sensitivity) == (None if delay is None else seconds(delay))


@pytest.mark.parametrize("sensitivity", [-0.1, 1.1])
def test_a_sensitivity_out_of_range_is_refused(sensitivity: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1, got"):
        stop_delay(sensitivity)


@pytest.mark.parametrize(
    "text", ["uh-huh", "Uh huh.", "Mm-hmm", "mhm", "mm", "Hmm…", "okay", "OK, right", "yeah, I see", "Oh wow"]
)
def test_sounds_of_listening_are_known(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["", "…", "yes", "no", "okay no", "stop", "I", "see", "okay okay okay okay", "hmmm what", "okays"]
)
def test_answers_and_long_sounds_are_no_backchannels(text: str) -> None:
    assert not is_backchannel(text)
