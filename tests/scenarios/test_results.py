from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenarios.record import Gap
from simulator.scenarios.results import ScenarioResult, ear, spread
from tests.helpers.records import BUSY_CALL, a_call, a_turn, busy_run, s
from tests.helpers.scenario_strategies import LENGTHS


def test_percentiles_are_by_nearest_rank() -> None:
    row = spread([s(n) for n in range(1, 101)])
    assert (row.count, row.p50, row.p90, row.p99, row.longest) == (100, s(50), s(90), s(99), s(100))


@pytest.mark.parametrize(("lengths", "expected"), [([], None), ([s(3)], s(3))])
def test_percentiles_of_none_or_one(lengths: list[timedelta], expected: timedelta | None) -> None:
    row = spread(lengths)
    assert {row.p50, row.p90, row.p99, row.longest} == {expected}


@given(st.lists(LENGTHS, min_size=1))
def test_at_least_that_share_of_all_lengths_is_no_longer(lengths: list[timedelta]) -> None:
    row = spread(lengths)
    for percent, rank in ((50, row.p50), (90, row.p90), (99, row.p99)):
        assert rank in lengths
        assert sum(length <= rank for length in lengths) >= math.ceil(len(lengths) * percent / 100)


def test_the_ear_measures_all_turns_of_all_calls() -> None:
    call = a_call(a_turn(gaps=(Gap(at=s(6), length=s(2)),)), a_turn(2, 9, overrun=s(0.3)))
    measured = ear([call, a_call(a_turn(first_word=s(3)))])
    assert (measured.first_word.count, measured.first_word.longest) == (3, s(3))
    assert (measured.gaps.p50, measured.overrun.p50, measured.unanswered) == (s(2), s(0.3), 0)
    assert measured.talk_ratio == 1.0


@pytest.mark.parametrize(
    ("change", "unanswered"),
    [
        ({}, 1),
        ({"how": "interrupted"}, 0),
        ({"how": "cancelled"}, 0),
        ({"action": "transfer"}, 0),
        ({"digits": "1"}, 0),
    ],
)
def test_a_turn_counts_as_unanswered_when_somebody_waited_for_it(change: dict[str, str], unanswered: int) -> None:
    turn = replace(a_turn(first_word=None, how="timed_out"), **change)  # type: ignore[arg-type]
    assert ear([a_call(turn)]).unanswered == unanswered


def test_nothing_is_measured_of_nothing() -> None:
    measured = ear([])
    assert (measured.first_word.count, measured.talk_ratio) == (0, None)


def test_the_agents_share_of_speech_counts_both_parties() -> None:
    assert BUSY_CALL.talk_ratio == pytest.approx(13.4 / 19.8, abs=0.01)


def test_a_run_is_ok_when_every_scenario_is_and_there_is_one() -> None:
    run = busy_run()
    passed = ScenarioResult(file="a.yaml", name="a")
    assert not run.ok
    assert replace(run, scenarios=(passed,)).ok
    assert not replace(run, scenarios=()).ok
    assert not replace(run, scenarios=(passed,), not_run=("b.yaml",)).ok
    assert not replace(run, scenarios=(replace(passed, error="the handler cannot be reached"),)).ok
