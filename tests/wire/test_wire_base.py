from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from simulator.wire.base import Instant, JsonObject, iso, iso_or_none

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(JsonObject)


def test_instants_are_written_in_utc_with_milliseconds() -> None:
    assert iso(datetime(2026, 1, 5, 15, 0, tzinfo=UTC)) == "2026-01-05T15:00:00.000Z"
    assert iso(datetime(2026, 1, 5, 15, 0, 0, 987_999, tzinfo=UTC)) == "2026-01-05T15:00:00.987Z"
    assert iso(datetime(2026, 1, 5, 1, 0, tzinfo=timezone(timedelta(hours=-8)))) == "2026-01-05T09:00:00.000Z"


def test_a_missing_instant_stays_missing() -> None:
    assert iso_or_none(None) is None
    assert iso_or_none(datetime(2026, 1, 5, tzinfo=UTC)) == "2026-01-05T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T15:00:00Z",
        "2026-01-05T15:00:00.000Z",
        "2026-01-05T15:00:00",
        "2026-01-05 15:00:00",
        "2026-01-05T16:00:00+01:00",
        "2026-01-05T16:00:00 01:00",
        "2026-01-05T16:00:00 0100",
    ],
)
def test_instants_are_read_with_and_without_an_offset(text: str) -> None:
    assert INSTANT.validate_python(text) == datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "soon", "2026-13-01", "9999-12-31T23:59:59-05:00", 1767625200, True, None, []])
def test_what_is_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


@given(
    st.integers(-30_000_000_000_000_000, 200_000_000_000_000_000).map(
        lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    )
)
def test_what_is_written_is_read_again_to_the_millisecond(at: datetime) -> None:
    assert INSTANT.validate_python(iso(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_numbers_without_an_end_are_refused_at_any_depth() -> None:
    assert OBJECT.validate_python({"a": [{"b": 1.5}]}) == {"a": [{"b": 1.5}]}
    for value in (float("inf"), float("nan")):
        with pytest.raises(ValidationError, match="finite"):
            OBJECT.validate_python({"a": [{"b": value}]})
