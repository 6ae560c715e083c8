from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.calls import CallStatus, Party
from simulator.domain.limits import Limits
from simulator.engine.script import BargeIn, Branch, Case, HangUp, Match, Repeat, Say, Step, Wait
from simulator.state.codec import Unreadable, codec, decode, encode

AT = datetime(2026, 1, 5, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Inner:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str
    inner: Inner
    many: tuple[Inner, ...] = ()
    more: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.name == "refused":
            raise ValueError("this name is refused")


class Pair(NamedTuple):
    start: datetime
    taken: int = 0


VALUES: tuple[tuple[Any, Any], ...] = (
    (str, "x\0\ud800"),
    (int, 2**80),
    (bool, True),
    (float, 0.1),
    (type(None), None),
    (datetime, datetime(2026, 1, 5, 15, 0, 0, 1, tzinfo=UTC)),
    (date, date(2026, 1, 5)),
    (timedelta, timedelta(days=4000, microseconds=1)),
    (bytes, bytes(range(256))),
    (Any, {"a": [1.5, None, {"b": "c"}]}),
    (CallStatus, CallStatus.NO_ANSWER),
    (str | None, None),
    (tuple[str, ...], ("a", "b")),
    (tuple[str, int], ("a", 1)),
    (frozenset[str], frozenset({"b", "a"})),
    (Mapping[str, str], {"a": "b"}),
    (int | Literal["documented"] | None, "documented"),
    (Limits, Limits(numbers=3, rate_limits="documented")),
    (Pair, Pair(AT, 3)),
    (Outer, Outer(name="n", inner=Inner(1), many=(Inner(2),), more={"x": 1})),
    (Step, HangUp(timedelta(seconds=1))),
    (
        tuple[Step, ...] | None,
        (
            Say("hi"),
            Repeat(2, (Wait(timedelta(milliseconds=1)), BargeIn("no"))),
            Branch((Case(Match(one_of=("a", "b")), (Say("a"),)),)),
        ),
    ),
)


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=[str(kind) for kind, _ in VALUES])
def test_what_is_written_is_read_as_it_was(kind: Any, value: Any) -> None:
    text = json.loads(json.dumps(encode(kind, value)))
    assert decode(kind, text) == value
    assert type(decode(kind, text)) is type(value)


@given(st.timedeltas(min_value=timedelta(days=-9000), max_value=timedelta(days=90_000)))
def test_every_length_of_time_is_read_exactly(length: timedelta) -> None:
    assert decode(timedelta, json.loads(json.dumps(encode(timedelta, length)))) == length


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-7)))))
def test_instants_are_read_in_utc(instant: datetime) -> None:
    try:
        text = encode(datetime, instant)
    except OverflowError:
        return  # there is no such year in UTC
    assert decode(datetime, text) == instant
    assert decode(datetime, text).tzinfo is UTC


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        (str, 1, "should be a text, not 1"),
        (int, True, "should be a whole number, not True"),
        (int, 1.0, "should be a whole number"),
        (bool, 1, "should be true or false"),
        (float, "1", "should be a number"),
        (float, True, "should be a number"),
        (float, float("nan"), "should be a number"),
        (float, float("inf"), "should be a number"),
        (float, 10**400, "should be a smaller number"),
        (datetime, "yesterday", "should be an instant"),
        (datetime, 5, "should be an instant"),
        (datetime, "2026-01-05T15:00:00", "with a time zone"),
        (datetime, "0001-01-01T00:00:00+23:00", "that a calendar has"),
        (date, "2026-13-01", "should be a date"),
        (timedelta, 1e300, "should be a shorter time"),
        (bytes, "%%%", "should be base64"),
        (bytes, 5, "should be base64"),
        (Party, "nobody", "should be one of user, agent"),
        (Party, [], "should be one of user, agent"),
        (tuple[str, ...], "ab", "should be an array"),
        (tuple[str, int], ["a"], "should be an array of 2"),
        (tuple[str, ...], ["a", 1], r"^\[1\]: should be a text"),
        (Mapping[str, str], {"a": 1}, "^a: should be a text"),
        (Mapping[str, str], [], "should be an object"),
        (int | Literal["documented"] | None, "much", "should be one of 'documented'"),
        (Limits, {"numbers": -1}, "limit numbers cannot be -1"),
        (Outer, [], "should be an object"),
        (Outer, {"name": "n"}, "inner is missing in Outer"),
        (Outer, {"name": "n", "inner": {"number": 1}, "x": 1}, "'x' is not a field of Outer"),
        (Outer, {"name": "n", "inner": {"number": "1"}}, r"^inner\.number: should be a whole number"),
        (Outer, {"name": "n", "inner": {"number": 1}, "many": [{}]}, r"^many\.\[0\]: number is missing in Inner"),
        (Outer, {"name": "refused", "inner": {"number": 1}}, "this name is refused"),
        (Pair, {"taken": 1}, "start is missing in Pair"),
        (Step, {"type": "Shout", "text": "hi"}, "should be an object whose 'type' is one of Say, Wait"),
        (Step, {"text": "hi"}, "whose 'type'"),
        (Step, {"type": ["Say"]}, "whose 'type'"),
        (Step, "hi", "should be an object"),
        (Step, {"type": "Say", "text": " "}, "a party cannot say"),
        (Step, {"type": "Repeat", "times": 0, "steps": []}, "cannot be repeated 0 times"),
        (Match, {"matches": "("}, "is not a regular expression"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(kind: Any, value: Any, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        decode(kind, value)


@pytest.mark.parametrize("kind", [list[str], complex, dict[int, str], str | datetime, Step | None, set[str]])
def test_types_that_records_are_not_made_of_are_refused_at_once(kind: Any) -> None:
    with pytest.raises(TypeError):
        codec(kind)


def test_a_record_holds_json_only() -> None:
    with pytest.raises(TypeError, match="holds JSON values, not object"):
        encode(Any, {"a": object()})
    assert encode(Any, {"a": (1, 2)}) == {"a": [1, 2]}


def test_what_is_shown_of_a_wrong_value_is_short() -> None:
    with pytest.raises(Unreadable) as refused:
        decode(int, "x" * 1000)
    assert len(str(refused.value)) < 120
