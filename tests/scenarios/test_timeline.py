from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scenarios.checks import Check
from simulator.scenarios.record import CallRecord, Gap, KeysRecord, Who
from simulator.scenarios.reports.scale import FOLDED, NARROWEST, PER_SECOND, Fold, Scale, scale_of
from simulator.scenarios.reports.timeline import HEIGHT, MAX_LINES, draw, wrap
from tests.helpers.records import BUSY_CALL, a_call, a_turn, s, spoke
from tests.helpers.scenario_strategies import calls


def picture(record: CallRecord, *checks: Check) -> Xml.Element:
    return Xml.fromstring(draw(record, checks, "a call"))


def of_class(root: Xml.Element, name: str) -> list[Xml.Element]:
    return [element for element in root.iter() if name in (element.get("class") or "").split()]


def titles(elements: list[Xml.Element]) -> list[str]:
    return [element.findtext("title") or "" for element in elements]


def test_time_runs_evenly() -> None:
    scale = Scale(s(100))
    assert [scale.x(s(n)) for n in (0, 1, 10)] == [0, PER_SECOND, 10 * PER_SECOND]
    assert scale.width == 100 * PER_SECOND


def test_what_is_folded_takes_as_much_room_as_any_fold() -> None:
    scale = Scale(s(120), [Fold(s(10), s(100))])
    assert scale.x(s(100)) - scale.x(s(10)) == FOLDED
    assert scale.x(s(55)) == scale.x(s(10)) + FOLDED / 2
    assert scale.x(s(101)) == scale.x(s(100)) + PER_SECOND


@given(st.lists(st.timedeltas(timedelta(), s(500)), min_size=2), st.lists(st.integers(1, 60), max_size=6))
def test_later_is_never_further_left(moments: list[timedelta], cuts: list[int]) -> None:
    edges = sorted(set(cuts))
    folds = [Fold(s(a * 8), s(b * 8)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    scale = Scale(s(500), folds)
    drawn = [scale.x(moment) for moment in sorted(moments)]
    assert drawn == sorted(drawn)
    assert drawn[-1] <= scale.width + 0.01


def test_a_short_call_is_drawn_wide_enough() -> None:
    assert scale_of(a_call(ended=s(1))).width == NARROWEST


def test_a_silence_of_ten_minutes_is_folded() -> None:
    scale = scale_of(a_call(a_turn(1, 1, heard_text="hi"), ended=s(600)))
    assert len(scale.folds) == 1
    assert scale.width < 20 * PER_SECOND


def test_speech_is_never_folded() -> None:
    speech = (spoke(Who.AGENT, 1, 60, "a long, long text"),)
    assert scale_of(a_call(speech=speech, ended=s(62))).folds == ()


def test_marks_stand_apart_and_in_no_fold() -> None:
    scale = Scale(s(200), [Fold(s(10.5), s(150.5))])
    marks = list(scale.marks(s(200)))
    assert all(mark <= s(10.5) or mark >= s(150.5) for mark in marks)
    drawn = [scale.x(mark) for mark in marks]
    assert all(b - a >= 58 for a, b in pairwise(drawn))


@settings(max_examples=40)
@given(calls())
def test_every_call_can_be_drawn_and_nothing_of_it_leaves_the_picture(record: CallRecord) -> None:
    root = picture(record)
    width = float(root.get("width") or 0)
    for element in root.iter("rect"):
        assert float(element.get("width") or 0) >= 0
    for nested in root.findall("svg"):
        assert 0 <= float(nested.get("x") or 0) <= width
    assert root.get("height") == str(HEIGHT)


def test_everybody_has_a_lane_and_their_words_are_in_the_titles() -> None:
    root = picture(BUSY_CALL)
    assert len(of_class(root, "ground")) == 3
    said = [svg.findtext("title") or "" for svg in root.findall("svg")]
    assert any("agent" in title and "cut off, not heard: arrives on Thursday" in title for title in said)
    assert any("caller makes a sound of listening" in title for title in said)
    assert len(said) == len(BUSY_CALL.speech)


def test_chunks_are_ticks_hollow_or_full() -> None:
    root = picture(BUSY_CALL)
    assert (len(of_class(root, "interim")), len(of_class(root, "final"))) == (2, 3)


def test_silence_barge_in_findings_and_keys_are_marked() -> None:
    root = picture(BUSY_CALL)
    assert titles(of_class(root, "silence"))[0] == "00:10.740 silence for 1.16 s (turn 1)"
    assert titles(of_class(root, "overrun")) == ["00:14.000 barge-in: the agent talks on for 300 ms"]
    assert titles(of_class(root, "keys")) == ["00:55.100 caller presses 1#"]
    assert len(of_class(root, "finding")) == 1
    assert len(of_class(root, "ring")) == 1


def test_a_timed_out_request_stays_hollow_and_is_marked() -> None:
    bad = of_class(picture(BUSY_CALL), "bad")
    assert [element.get("class") for element in bad] == ["waiting bad"]


def test_a_failed_expectation_is_flagged_at_its_moment() -> None:
    failed = Check(name="x", where="here", ok=False, expected="a", observed="b", at=s(5))
    met = Check(name="x", where="there", ok=True, expected="a", observed="a", at=s(6))
    root = picture(a_call(ended=s(8)), failed, met)
    (flag,) = of_class(root, "failed-line")
    assert float(flag.get("x1") or 0) == pytest.approx(5 * PER_SECOND)


def test_a_silence_is_as_wide_as_it_was_long() -> None:
    record = a_call(a_turn(gaps=(Gap(at=s(6), length=s(2)),)), ended=s(9))
    (band,) = of_class(picture(record), "silence")
    assert float(band.get("width") or 0) == pytest.approx(2 * PER_SECOND)


def test_keys_have_room_for_their_digits() -> None:
    record = a_call(keys=(KeysRecord(who=Who.AGENT, at=s(6), digits="123456"),))
    (pill,) = of_class(picture(record), "keys")
    assert float(pill.get("width") or 0) >= 6 * 9


@given(st.text(max_size=200), st.floats(0, 400))
def test_words_are_broken_into_the_lines_there_is_room_for(text: str, width: float) -> None:
    lines = wrap(text, width)
    assert len(lines) <= MAX_LINES
    whole = "".join(text.split())
    assert whole.startswith("".join("".join(lines).split()).removesuffix("…"))


def test_wide_characters_take_two_places() -> None:
    assert wrap("注文番号はどこですか", 61) == ["注文番号は", "どこですか"]


def test_nothing_is_written_where_there_is_no_room() -> None:
    assert wrap("hello", 10) == []


def test_numbers_in_the_picture_are_short() -> None:
    assert not re.search(r'="\d+\.\d{4,}"', draw(BUSY_CALL, (), "a call"))
