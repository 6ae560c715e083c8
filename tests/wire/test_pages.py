from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.wire.pages import MessagesQuery, window


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [(2, 0, ([1, 2], True)), (2, 2, ([3], False)), (3, 0, ([1, 2, 3], False)), (2, 9, ([], False))],
)
def test_a_window_says_whether_more_follow(limit: int, offset: int, expected: tuple[list[int], bool]) -> None:
    shown, has_more, total = window([1, 2, 3], limit, offset)
    assert (list(shown), has_more, total) == (*expected, 3)


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_windows_laid_end_to_end_are_the_list(records: list[int], limit: int) -> None:
    seen: list[int] = []
    while True:
        shown, has_more, total = window(records, limit, len(seen))
        seen.extend(shown)
        if not has_more:
            break
    assert seen == records
    assert total == len(records)


def test_a_cursor_is_a_date_time_or_an_id() -> None:
    query = MessagesQuery.model_validate({"before": "2026-01-05T15:00:00Z", "after": "msg_1"})
    assert (query.before, query.after) == (datetime(2026, 1, 5, 15, tzinfo=UTC), "msg_1")


def test_an_empty_cursor_is_none() -> None:
    assert MessagesQuery.model_validate({"before": "", "after": " "}).before is None


def test_a_cursor_that_starts_like_a_date_must_be_one() -> None:
    with pytest.raises(ValidationError, match="ISO 8601"):
        MessagesQuery.model_validate({"before": "2026-99-01"})
