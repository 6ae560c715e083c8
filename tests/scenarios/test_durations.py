from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given

from simulator.scenarios.durations import LONGEST, clock, parse, render, short
from tests.helpers.scenario_strategies import ANY_LENGTH

MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("600ms", 600 * MS),
        ("1s", 1000 * MS),
        ("1.5s", 1500 * MS),
        ("2m", timedelta(minutes=2)),
        ("3h", timedelta(hours=3)),
        ("2d", timedelta(days=2)),
        ("0s", timedelta()),
        ("0.5ms", timedelta(microseconds=500)),
        ("0.000001d", timedelta(microseconds=86_400)),
        ("0.0005ms", timedelta(microseconds=1)),
    ],
)
def test_a_number_and_a_unit_make_a_length(text: str, length: timedelta) -> None:
    assert parse(text) == length


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1 s", "1m30s", "1,5s", "1e3s", ".5s", "1.s", "1sec", "１s", "1s\n"]
)
def test_anything_else_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(ValueError, match="such as 600ms"):
        parse(text)


@pytest.mark.parametrize("text", ["3651d", "999999999d", "999999999.999999h"])
def test_lengths_beyond_the_longest_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="3650d at most"):
        parse(text)


@given(ANY_LENGTH)
@example(LONGEST)
@example(timedelta(microseconds=1))
def test_what_is_written_is_read_back(length: timedelta) -> None:
    assert parse(render(length)) == length


@pytest.mark.parametrize(
    ("length", "text"),
    [(timedelta(), "0s"), (1500 * MS, "1500ms"), (90_000 * MS, "90s"), (timedelta(days=2), "2d"), (MS / 2, "0.5ms")],
)
def test_lengths_are_written_in_the_largest_unit_that_fits(length: timedelta, text: str) -> None:
    assert render(length) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00.000"),
        (3.12, "00:03.120"),
        (61.2, "01:01.200"),
        (3600, "60:00.000"),
        (-0.5, "-00:00.500"),
        (0.0004, "00:00.000"),
    ],
)
def test_moments_are_written_as_minutes_seconds_and_milliseconds(seconds: float, text: str) -> None:
    assert clock(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.08, "80 ms"), (1.244, "1.24 s"), (185, "3 m 05 s"), (0, "0 ms")])
def test_lengths_are_told_in_words(seconds: float, text: str) -> None:
    assert short(timedelta(seconds=seconds)) == text
