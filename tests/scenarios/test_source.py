from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ScenarioInvalid
from simulator.scenarios.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, Dumper, Position, read
from tests.helpers.scenario_strategies import ANYTHING

VALUES = st.recursive(
    ANYTHING
    | st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANYTHING, inner, max_size=4),
    max_leaves=12,
)


def problem(text: str | bytes) -> str:
    with pytest.raises(ScenarioInvalid) as refused:
        read(text.encode() if isinstance(text, str) else text, "x.yaml")
    assert len(refused.value.problems) == 1
    return str(refused.value)


def value(text: str) -> Any:
    return read(text.encode(), "x.yaml").value


@given(VALUES)
def test_what_is_dumped_is_read_back(data: Any) -> None:
    dumped = yaml.dump(data, Dumper=Dumper, allow_unicode=True, sort_keys=False)
    assert value(dumped) == data


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "12:30", "2026-01-05", "0o17", "1_000", "<<", "=", "y"])
def test_text_that_older_yaml_mistakes_for_something_else_stays_text(word: str) -> None:
    assert value(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("017", 17),
        ("+14155550150", 14155550150),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
        ("", None),
        ("!!str 5", "5"),
    ],
)
def test_plain_scalars_mean_what_they_look_like(text: str, expected: object) -> None:
    assert value(f"a: {text}") == {"a": expected}


def test_positions_are_those_of_the_file() -> None:
    source = read(b"name: x\ncalls:\n  - script:\n      - say: hi\n", "x.yaml")
    assert source.position(("calls", 0, "script", 0, "say")) == Position(4, 14)
    assert source.key(("calls", 0, "script", 0, "say")) == Position(4, 9)
    assert source.position(("calls", 7, "nowhere")) == Position(3, 3)


def test_an_alias_stands_where_it_is_used() -> None:
    source = read(b"a: &x {b: 1}\nc: *x\n", "x.yaml")
    assert source.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert source.position(("c", "b")) == Position(1, 11)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "x.yaml:2:1: 'a' stands twice: the first is on line 1"),
        ("a: [1\n", "x.yaml:2:1: expected ',' or ']', but got '<stream end>'"),
        ("1: a\n", "x.yaml:1:1: a key must be text"),
        ("? [a]\n: b\n", "x.yaml:1:3: a key must be text"),
        ("a: !!python/object:os.system {}\n", "x.yaml:1:4: the tag"),
        ("a: !thing 1\n", "x.yaml:1:4: the tag '!thing' means nothing here"),
        ("a: !!int b\n", "x.yaml:1:4: 'b' is no int"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document begins here"),
        ("a:\n\t- b\n", "x.yaml:2:1: found character '\\t' that cannot start any token"),
        ("a: *nobody\n", "x.yaml:1:4: found undefined alias 'nobody'"),
        ("a: {say: what?, b: 1}\n", "put text that holds ? : , [ ] { } in quotes"),
        ("a: b\n  c: d\n", "x.yaml:2:4: mapping values are not allowed here"),
        ("a: \x07\n", "x.yaml:1:4: the character U+0007 cannot stand in YAML"),
    ],
)
def test_every_mistake_has_its_line_and_column(text: str, expected: str) -> None:
    assert expected in problem(text)


def test_bytes_that_are_not_utf8_have_their_place_too() -> None:
    assert problem(b"a: b\nc: \xff\n").startswith("x.yaml:2:4: the byte 0xff is not UTF-8")


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read(b"\xef\xbb\xbfa: 1", "x.yaml").value == {"a": 1}


def test_json_is_read_too_with_its_escapes() -> None:
    assert value('{"a": "\\ud83d\\ude00", "b": [1, true, null]}') == {"a": "\U0001f600", "b": [1, True, None]}


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert read(b"# nothing\n", "x.yaml").value == {}


def test_aliases_that_unfold_to_a_billion_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert f"{MAX_NODES:,} values at most" in problem("\n".join(lines))


def test_an_alias_inside_itself_is_refused() -> None:
    assert "nested too deeply" in problem("a: &a [*a]\n")


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    assert "nested too deeply" in problem("[" * depth + "]" * depth)


def test_a_file_that_is_too_long_is_refused() -> None:
    assert f"{MAX_BYTES:,} bytes at most" in problem(b"#" * (MAX_BYTES + 1))


@given(st.text(max_size=60) | st.text("{}[]:,&*!|>'\"%@`#- \n\tab?", max_size=60))
def test_no_text_does_anything_but_load_or_be_refused(text: str) -> None:
    try:
        read(text.encode("utf-8", "surrogatepass"), "x.yaml")
    except ScenarioInvalid as refused:
        assert str(refused).startswith("x.yaml:")


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_load_or_be_refused(data: bytes) -> None:
    try:
        read(data, "x.yaml")
    except ScenarioInvalid as refused:
        assert str(refused).startswith("x.yaml:")
