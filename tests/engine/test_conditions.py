from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.conditions import MAX_CONDITIONS, OPERATORS, conditions_of, look_up, same, shown
from simulator.errors import UsageError

OBJECTS = frozenset({"body"})
ROW = {
    "seq": 7,
    "kind": "api.request",
    "status": 503,
    "text": "It has  Shipped today",
    "over": False,
    "nothing": None,
    "steps": [1, "two", {"three": 3}],
    "body": {"to": "+1415", "a": {"b": [{"c": 1}], "d.e": 2}, "contains": "odd"},
}


def holds(where: dict[str, Any], row: dict[str, Any] = ROW) -> bool:
    return all(condition.holds(row) for condition in conditions_of(where, OBJECTS))


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"status": 503},
        {"status": 503.0},
        {"text": {"contains": "shipped TODAY"}},
        {"text": {"contains": "has shipped"}},
        {"text": {"matches": r"ship+ed\b"}},
        {"text": {"one_of": ["delivered", "shipped"]}},
        {"status": {"one_of": [500, 503]}},
        {"over": {"one_of": ["x", False]}},
        {"text": {"not": {"contains": "lost"}}},
        {"status": {"not": 200}},
        {"absent": {"not": 200}},
        {"status": {"gt": 500, "lt": 504}},
        {"kind": {"gt": "api"}},
        {"status": {"exists": True}},
        {"absent": {"exists": False}},
        {"nothing": {"exists": False}},
        {"nothing": None},
        {"absent": None},
        {"over": False},
        {"steps": [1, "two", {}]},
        {"steps": {"contains": 1}},
        {"steps": {"contains": "tw"}},
        {"steps": {"contains": {"three": 3}}},
        {"steps": {"matches": "^t"}},
        {"steps.1": "two"},
        {"body": {}},
        {"body": {"to": "+1415"}},
        {"body.to": "+1415", "body.a.b.0.c": 1},
        {"body": {"a": {"b": [{"c": 1}]}}},
        {"body": {"a": {"d.e": 2}}},
        {"body.a.d.e": 2},
        {"body.to": {"contains": "+1"}},
        {"body": {"to": {"not": "+1416"}}},
        {"body": {"not": {"to": "+1416"}}},
        {"body.contains": "odd"},
        {"status": {"not": {"gt": 500, "lt": 502}}},
    ],
)
def test_what_holds(where: dict[str, Any]) -> None:
    assert holds(where)


@pytest.mark.parametrize(
    "where",
    [
        {"status": "503"},
        {"status": True},
        {"seq": True},
        {"over": 0},
        {"over": None},
        {"text": "It has"},
        {"text": {"contains": "ship today"}},
        {"text": {"matches": "^shipped"}},
        {"text": {"one_of": ["a lot", 503]}},
        {"status": {"contains": "5"}},
        {"absent": {"contains": "x"}},
        {"absent": {"one_of": [1, 2]}},
        {"status": {"not": 503}},
        {"status": {"gt": 503}},
        {"status": {"gt": "5"}},
        {"absent": {"lt": 5}},
        {"over": {"lt": 5}},
        {"status": {"exists": False}},
        {"steps": [1, "two"]},
        {"steps.3": None, "seq": 8},
        {"steps.one": "two"},
        {"body": {"to": "+1415", "cc": "+1416"}},
        {"body": {"a": {"b": [{"c": 1}, {"c": 2}]}}},
        {"body": {"not": {"to": "+1415"}}},
        {"text": {"contains": "shipped", "matches": "lost"}},
    ],
)
def test_what_does_not_hold(where: dict[str, Any]) -> None:
    assert not holds(where)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"text": {"contians": "x"}}, "where.text: unknown operator 'contians': did you mean 'contains'?"),
        ({"text": {"zzz": "x"}}, "there are contains, matches, one_of, not, gt, lt, exists"),
        ({"body": {"contains": "x", "to": "y"}}, "where.body: unknown operator 'to'"),
        ({"text": {"not": {"contians": "x"}}}, "where.text: unknown operator 'contians'"),
        ({"text": {"contains": " "}}, "where.text.contains: contains is empty"),
        ({"text": {"matches": "("}}, "where.text.matches: '(' is not a regular expression"),
        ({"text": {"matches": 5}}, "where.text.matches: 5 is no regular expression"),
        ({"text": {"one_of": "x"}}, "where.text.one_of: 'x' is no list of alternatives"),
        ({"text": {"one_of": []}}, "is no list of alternatives"),
        ({"status": {"gt": True}}, "where.status.gt: true has no order"),
        ({"status": {"lt": [1]}}, "has no order"),
        ({"status": {"exists": "yes"}}, "where.status.exists: 'yes' should be true or false"),
        ({"": 1}, "a field's name has 1 to 300 characters, got 0"),
        ({"x" * 301: 1}, "got 301"),
        ({f"f{n}": n for n in range(MAX_CONDITIONS + 1)}, "101 conditions: 100 at most"),
    ],
)
def test_mistakes_name_the_place_and_the_way_out(where: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        conditions_of(where, OBJECTS)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"text": "a"}, "text is 'a'"),
        ({"text": None}, "text is null"),
        ({"text": {"contains": "a"}}, "text contains 'a'"),
        ({"text": {"matches": "a"}}, "text matches 'a'"),
        ({"text": {"one_of": ["a", 1]}}, "text one of 'a', 1"),
        ({"text": {"not": "a"}}, "text not 'a'"),
        ({"text": {"not": {"gt": 1, "lt": 3}}}, "text not over 1 and under 3"),
        ({"text": {"exists": True}}, "text there"),
        ({"text": {"exists": False}}, "text absent"),
    ],
)
def test_a_condition_says_what_it_wants_in_words(where: dict[str, Any], said: str) -> None:
    [condition] = conditions_of(where, OBJECTS)
    assert str(condition) == said
    assert {condition.field: condition.expected} == where


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_value_is_the_same_as_itself(value: Any) -> None:
    assert same(value, value)


@given(st.dictionaries(st.sampled_from("abc"), JSON, min_size=1), st.data())
def test_an_object_is_found_in_what_has_more(value: dict[str, Any], data: st.DataObject) -> None:
    part = {key: value[key] for key in data.draw(st.sets(st.sampled_from(sorted(value))))}
    assert same(part, value)
    assert holds({"body": part}, {"body": value})


@given(st.dictionaries(st.sampled_from("abc"), JSON), JSON)
def test_what_is_dotted_and_what_is_nested_mean_the_same(body: dict[str, Any], wanted: Any) -> None:
    row = {"body": {"outer": body}}
    assert holds({"body": {"outer": {"a": wanted}}}, row) == holds({"body.outer.a": wanted}, row)


@given(JSON, JSON)
def test_not_is_the_opposite_of_what_it_holds(wanted: Any, seen: Any) -> None:
    row = {"body": seen}
    assert holds({"body": {"not": wanted}}, row) != same(wanted, seen)


@given(JSON, st.sampled_from(OPERATORS), JSON)
def test_nothing_that_json_can_hold_breaks_a_condition(wanted: Any, operator: str, seen: Any) -> None:
    try:
        [condition] = conditions_of({"body": {operator: wanted}}, OBJECTS)
    except UsageError:
        return
    assert condition.holds({"body": seen}) in (True, False)
    assert 0 <= condition.nearness(seen) < 1
    assert str(condition).startswith("body")


def test_what_is_more_alike_is_nearer() -> None:
    [text, code, part] = conditions_of({"text": "shipped", "status": 503, "body": {"contains": "was shipped"}}, OBJECTS)
    assert text.nearness("shiped") > text.nearness("lost") > text.nearness(5) == 0
    assert code.nearness(500) > code.nearness(200) > code.nearness(None) == 0
    assert part.nearness("your order was shiped, madam") > part.nearness("your order was lost, madam") > 0
    assert code.nearness(10**400) == pytest.approx(0)
    assert text.nearness(["nothing", "shipps"]) > 0.5


def test_a_number_that_no_float_can_hold_is_no_near_miss() -> None:
    [condition] = conditions_of({"status": 0.5}, OBJECTS)
    assert condition.nearness(10**400) == 0


def test_values_are_shown_on_one_line_and_not_too_long() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert shown({"ä": [1, None]}) == '{"ä": [1, null]}'
    assert len(shown("x" * 1000)) == 200


@pytest.mark.parametrize("name", ["a.b.c", "steps.0000000001", "steps.-1", "seq.0", ".", "body..to", "steps.٣"])
def test_names_that_lead_nowhere_have_no_value(name: str) -> None:
    assert look_up(ROW, name) is None
