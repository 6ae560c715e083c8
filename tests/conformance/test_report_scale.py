from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.conformance.report.records import LONGEST
from simulator.conformance.report.scale import FOLDED, LEFT, MARK_ROOM, WIDTH, Fold, Scale

MOMENTS = st.floats(0, LONGEST) | st.floats(0, 1) | st.sampled_from([0.0, 1e-6, 0.5])
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS).map(lambda span: (min(span), max(span))), min_size=1, max_size=6)


def test_time_runs_evenly_while_something_is_under_way() -> None:
    scale = Scale([(0, 1), (0.5, 2)])
    assert scale.folds == ()
    assert [scale.x(moment) for moment in (0, 1, 2)] == [LEFT, LEFT + WIDTH / 2, LEFT + WIDTH]


def test_idle_time_is_folded() -> None:
    scale = Scale([(0, 1), (100, 101)])
    assert scale.folds == (Fold(1, 100),)
    half = (WIDTH - FOLDED) / 2
    assert [scale.x(moment) for moment in (1, 50.5, 100, 101)] == pytest.approx(
        [LEFT + half, LEFT + half + FOLDED / 2, LEFT + half + FOLDED, LEFT + WIDTH]
    )


def test_a_short_pause_is_not_folded() -> None:
    assert Scale([(0, 1), (1.2, 2)]).folds == ()


def test_where_time_stands_still_all_stand_in_one_place() -> None:
    scale = Scale([(0, 0), (0, 0)])
    assert scale.x(0) == LEFT
    assert list(scale.marks()) == []


def test_a_mark_that_would_stand_too_close_to_the_one_before_a_fold_is_left_out() -> None:
    assert list(Scale([(0, 1), (100, 101)]).marks()) == [0, 0.5, 1, 100.5, 101]


def test_marks_are_round() -> None:
    assert list(Scale([(0, 0.93)]).marks()) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


@given(SPANS, st.lists(MOMENTS, max_size=5))
def test_places_are_in_order_and_on_the_paper(spans: list[tuple[float, float]], others: list[float]) -> None:
    scale = Scale(spans)
    places = [scale.x(moment) for moment in sorted([*others, *(moment for span in spans for moment in span)])]
    assert all(LEFT <= place <= LEFT + WIDTH + 1e-9 for place in places)
    assert all(before <= after + 1e-6 for before, after in pairwise(places))


@given(SPANS)
def test_marks_are_in_order_apart_and_in_no_fold(spans: list[tuple[float, float]]) -> None:
    scale = Scale(spans)
    marks = list(scale.marks())
    assert all(scale.x(after) - scale.x(before) >= MARK_ROOM for before, after in pairwise(marks))
    assert not [
        mark for mark in marks for fold in scale.folds if fold.start * (1 + 1e-9) < mark < fold.end * (1 - 1e-9)
    ]
