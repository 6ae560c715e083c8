from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from simulator.domain.agents import CustomTool
from simulator.engine.tools import ToolRequest, misfits, request_for

URL = "http://127.0.0.1:3000/t"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2),
        "enum": st.lists(st.text(max_size=2), min_size=1, max_size=2),
        "const": st.text(max_size=2),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "minimum": st.integers(-3, 3),
        "maximum": st.integers(-3, 3),
        "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    },
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "items": inner,
            "additionalProperties": st.booleans() | inner,
            "type": TYPES,
        },
    ),
    max_leaves=5,
)


def request(arguments: dict[str, Any], values: dict[str, str] | None = None, **tool: Any) -> ToolRequest:
    return request_for(CustomTool(name="t", description="", **{"url": URL, **tool}), arguments, values or {})


@given(JSON, SCHEMAS)
def test_what_fits_is_what_the_standard_says(value: Any, schema: dict[str, Any]) -> None:
    assert (next(misfits(value, schema), None) is None) is Draft202012Validator(schema).is_valid(value)


@given(JSON, JSON)
def test_parameters_that_are_no_schema_never_raise(value: Any, schema: Any) -> None:
    list(misfits(value, schema))
    list(misfits(value, {"type": schema, "enum": schema, "required": schema, "properties": schema, "minimum": schema}))


@pytest.mark.parametrize(
    ("arguments", "schema", "about"),
    [
        ({"a": True}, {"properties": {"a": {"type": "integer"}}}, "arguments.a must be integer, not boolean"),
        ({}, {"required": ["a"]}, "arguments.a is missing"),
        ({"b": 1}, {"additionalProperties": False}, "arguments.b is not a parameter"),
        ({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "integer"}}}}, "arguments.a[1] must be integer, not"),
        ({"a": 3}, {"properties": {"a": {"maximum": 2}}}, "arguments.a is above its maximum 2"),
        ({"a": ""}, {"properties": {"a": {"minLength": 1}}}, "arguments.a is below its minLength 1"),
        ({"a": "c"}, {"properties": {"a": {"enum": ["a", "b"]}}}, 'arguments.a must be one of ["a", "b"]'),
        ({"a": "c"}, {"properties": {"a": {"const": 1}}}, "arguments.a must be 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(arguments: Any, schema: Any, about: str) -> None:
    assert next(misfits(arguments, schema)).startswith(about)


def test_a_schema_without_bottom_is_looked_at_so_far() -> None:
    schema: dict[str, Any] = {}
    schema["items"] = schema
    value: list[Any] = []
    value.append(value)
    assert list(misfits(value, schema)) == []


ARGUMENTS = st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=8), max_size=4)


@given(ARGUMENTS)
def test_a_get_carries_every_argument_in_its_query(arguments: dict[str, str]) -> None:
    made = request(arguments, method="GET", url=f"{URL}?k=1")
    query = parse_qsl(urlsplit(made.url).query, keep_blank_values=True)
    whole = {name: value.encode("utf-8", "replace").decode() for name, value in arguments.items()}
    assert (query[0], dict(query[1:]), made.body) == (("k", "1"), whole, b"")


@given(st.text(max_size=8), st.sampled_from(["GET", "POST"]))
def test_an_argument_in_the_path_is_one_segment_and_is_not_sent_twice(value: str, method: str) -> None:
    made = request({"id": value, "b": 1}, method=method, url=f"{URL}/{{id}}/x/{{other}}")
    *_, segment, x, other = urlsplit(made.url).path.split("/")
    assert (unquote(segment), x, other) == (value.encode("utf-8", "replace").decode(), "x", "{other}")
    assert made.url.endswith("?b=1") if method == "GET" else json.loads(made.body) == {"b": 1}


def test_variables_are_filled_in_the_url_and_the_headers_and_quoted_where_they_must_be() -> None:
    tool = {"url": f"{URL}/{{{{who}}}}", "headers": {"X-Who": "{{who}} {{nobody}}"}}
    made = request({}, {"who": "a/b é"}, **tool)
    assert (made.url, made.headers["X-Who"]) == (f"{URL}/a%2Fb%20%C3%A9", "a/b é {{nobody}}")


def test_a_tools_own_content_type_wins() -> None:
    assert request({}).headers == {"Content-Type": "application/json"}
    assert request({}, headers={"content-type": "text/x"}).headers == {"content-type": "text/x"}


@pytest.mark.parametrize("headers", [{"a b": "x"}, {"": "x"}, {"é": "x"}, {"A": "x\ny"}, {"A": "x\x00"}])
def test_a_header_that_no_request_may_have_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        request({}, headers=headers)
