from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.variables import fill, fill_deep, names_in, result_values, spoken

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text(max_size=8)), st.text(max_size=20))
def test_every_name_with_a_value_is_filled_once(values: dict[str, str], between: str) -> None:
    text = between.replace("{", "") + "".join(f"{{{{ {name} }}}}" for name in values)
    assert fill(text, values) == between.replace("{", "") + "".join(values.values())


def test_what_is_inside_a_value_is_not_looked_at_again() -> None:
    assert fill("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}) == "{{b}}{{a}}"


@pytest.mark.parametrize("text", ["{{a", "{a}", "{{}}", "{{1a}}", "{{a b}}", "{{.a}}", "{{a.}}"])
def test_what_is_no_name_stays(text: str) -> None:
    told: list[str] = []
    assert (fill(text, {"a": "x"}, unknown=told.append), told) == (text, [])


def test_a_name_without_a_value_stays_and_is_told() -> None:
    told: list[str] = []
    assert fill("{{a}} {{ b.c }}", {"a": "x"}, unknown=told.append) == "x {{ b.c }}"
    assert (told, names_in("{{a}} {{ b.c }} {{a}}")) == (["b.c"], {"a", "b.c"})


def test_texts_inside_json_are_filled_and_nothing_else() -> None:
    value = {"{{a}}": ["{{a}}", 1, None, {"k": "-{{a}}-"}], "t": ("{{a}}",)}
    assert fill_deep(value, {"a": "x"}) == {"{{a}}": ["x", 1, None, {"k": "-x-"}], "t": ["x"]}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('{"a": {"b": 5}}', "result.a.b", "5"),
        ('{"a": [10, "x"]}', "result.a.1", "x"),
        ('{"a": true}', "result.a", "true"),
        ('"hi"', "result", "hi"),
        (" plain ", "result", "plain"),
        ('{"a": null}', "result.a", None),
        ('{"a": [1]}', "result.a.9", None),
        ('{"a": [1]}', "result.a.99999999999", None),
        ("[" * 100_000, "result.0", None),
        ("plain", "result.a", None),
        ("{}", "other", None),
    ],
)
def test_a_part_of_a_result_is_found_by_its_path(text: str, name: str, value: str | None) -> None:
    assert result_values(text, frozenset({name})).get(name) == value


@given(st.recursive(st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=5))
def test_a_json_text_is_spoken_and_anything_else_is_read_out(value: Any) -> None:
    text = json.dumps(value)
    assert spoken(text) == (value if isinstance(value, str) else text)
