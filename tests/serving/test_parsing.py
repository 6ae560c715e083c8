from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from simulator.errors import RequestInvalid
from simulator.serving.parsing import parse_body, parse_query
from simulator.wire.base import In, Query


class Thing(In):
    name: str = Field(max_length=10)
    how_many: int | None = None
    loud: bool | None = None
    share: float | None = None
    either: Literal["all"] | int | None = None
    extra: dict[str, Any] | None = None


class Window(Query):
    limit: int = Field(default=20, ge=1, le=100)
    agent_id: str | None = None


def body(raw: bytes | str, *, required: bool = True) -> Any:
    return parse_body(Thing, raw.encode() if isinstance(raw, str) else raw, required=required)


def refusal(raw: bytes | str) -> list[dict[str, Any]]:
    with pytest.raises(RequestInvalid) as refused:
        body(raw)
    return refused.value.errors


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"nope",
        b"\xff\xfe",
        b'{"name": NaN}',
        b'{"name": "a", "x": Infinity}',
        b'{"name": "\\ud800"}',
        b'{"name": "a", "x": {"\\udfff": 1}}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "a"} {}',
        b"\xef\xbb\xbf{}",
        b'{"name": "a\nb"}',
        b"[" * 5000,
        b'{"name":' * 5000,
        b'{"howMany": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_refused_with_its_position(raw: bytes) -> None:
    (error,) = refusal(raw)
    assert error["type"] == "json_invalid"
    assert error["loc"][0] == "body"
    assert 0 <= error["loc"][1] <= len(raw)
    assert error["msg"].startswith("JSON decode error")


def test_the_position_counts_bytes_over_all_lines() -> None:
    raw = b'{\n  "name": "a",\n  oops\n}'
    assert refusal(raw)[0]["loc"] == ["body", raw.index(b"oops")]


@pytest.mark.parametrize(
    ("raw", "word"), [("[]", "an array"), ('"a"', "a string"), ("3", "a number"), ("true", "true")]
)
def test_json_that_is_no_object_is_refused(raw: str, word: str) -> None:
    (error,) = refusal(raw)
    assert error["loc"] == ["body"]
    assert word in error["msg"]


@pytest.mark.parametrize("raw", ["", "  \n", "null"])
def test_no_body_is_missing_when_one_is_required_and_none_otherwise(raw: str) -> None:
    assert refusal(raw) == [{"loc": ["body"], "msg": "Field required", "type": "missing"}]
    assert body(raw, required=False) is None


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ('{"name": 1}', "name"),
        ('{"name": null}', "name"),
        ("{}", "name"),
        ('{"name": "far too long"}', "name"),
        ('{"name": "a", "howMany": "5"}', "howMany"),
        ('{"name": "a", "howMany": true}', "howMany"),
        ('{"name": "a", "howMany": 1.5}', "howMany"),
        ('{"name": "a", "howMany": 1.5}', "howMany"),
        ('{"name": "a", "loud": 1}', "loud"),
        ('{"name": "a", "loud": "true"}', "loud"),
        ('{"name": "a", "share": "0.5"}', "share"),
        ('{"name": "a", "share": true}', "share"),
        ('{"name": "a", "extra": []}', "extra"),
    ],
)
def test_types_are_strict_and_the_location_is_the_wire_name(raw: str, field: str) -> None:
    (error,) = refusal(raw)
    assert error["loc"] == ["body", field]
    assert set(error) == {"loc", "msg", "type"}


def test_every_wrong_field_is_named() -> None:
    assert {e["loc"][1] for e in refusal('{"name": 1, "howMany": "x", "loud": 2}')} == {"name", "howMany", "loud"}


@pytest.mark.parametrize(
    ("raw", "loc"),
    [
        ('{"name": "\\u0000"}', ["body", "name"]),
        ('{"name": "a", "unknown": ["b", "\\u0000"]}', ["body", "unknown", 1]),
        ('{"name": "a", "extra": {"\\u0000": 1}}', ["body", "extra", "[key]"]),
    ],
)
def test_nul_is_refused_at_any_depth(raw: str, loc: list[Any]) -> None:
    assert refusal(raw) == [{"loc": loc, "msg": "Input should not hold U+0000", "type": "string_nul"}]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert body(r'{"name": "\\u0000"}').name == r"\u0000"


def test_unknown_fields_are_ignored_and_a_repeated_field_counts_last() -> None:
    assert body('{"name": "a", "x": 1, "name": "b", "how_many": 3}').given() == {"name": "b"}


@given(st.binary(max_size=60))
def test_no_bytes_lead_to_anything_but_a_model_or_a_refusal(raw: bytes) -> None:
    try:
        parse_body(Thing, raw, required=False)
    except RequestInvalid as error:
        assert error.errors


@pytest.mark.parametrize(
    ("query", "limit"),
    [(b"", 20), (b"limit=5", 5), (b"limit=5&limit=7", 7), (b"limit=%35", 5), (b"x=1&limit=100", 100)],
)
def test_the_last_value_of_a_parameter_counts(query: bytes, limit: int) -> None:
    assert parse_query(Window, query).limit == limit  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query", [b"limit=0", b"limit=101", b"limit=", b"limit=x", b"limit=1.5", b"limit=-1", b"limit=" + b"9" * 6000]
)
def test_a_parameter_out_of_range_is_named(query: bytes) -> None:
    with pytest.raises(RequestInvalid) as refused:
        parse_query(Window, query)
    assert [e["loc"] for e in refused.value.errors] == [["query", "limit"]]


@given(st.binary(max_size=60))
def test_no_query_string_leads_to_anything_but_a_model_or_a_refusal(query: bytes) -> None:
    try:
        parse_query(Window, query)
    except RequestInvalid as error:
        assert error.errors


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    assert body('{"name": "a", "howMany": 10.0}').how_many == 10
    assert body('{"name": "a", "howMany": 1e3}').how_many == 1000
    assert body('{"name": "a", "either": 4.0}').either == 4
    assert body('{"name": "a", "howMany": 2.0, "extra": {"kept": 2.0}}').extra["kept"].is_integer()


@pytest.mark.parametrize("raw", ["10.5", '"10"', "true", "[1.0]", "-0.5"])
def test_what_is_not_whole_is_still_no_integer(raw: str) -> None:
    (error,) = refusal(f'{{"name": "a", "howMany": {raw}}}')
    assert error["loc"] == ["body", "howMany"]


def test_a_whole_number_does_not_hide_what_else_is_wrong() -> None:
    (error,) = refusal('{"name": 7, "howMany": 10.0}')
    assert error["loc"] == ["body", "name"]
