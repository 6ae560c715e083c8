from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from simulator.control.steps import VERBS, Script, StepIn, Words, steps_of
from simulator.engine.script import (
    Backchannel,
    BargeIn,
    Branch,
    Case,
    HangUp,
    Hear,
    Match,
    Press,
    Repeat,
    Say,
    Step,
    Wait,
)
from simulator.errors import BadRequest
from tests.helpers.engine import seconds

SCRIPT = TypeAdapter(Script)
STEP_SCHEMA = Draft202012Validator(TypeAdapter(list[Words | StepIn]).json_schema())
HELLO = Match(contains="hello")


def read(*script: Any) -> tuple[Step, ...] | None:
    return steps_of(SCRIPT.validate_python(list(script)))


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("hi", Say("hi")),
        ({"say": "hi", "confidence": 0.5}, Say("hi", 0.5)),
        ({"wait": 4}, Wait(seconds(4))),
        ({"wait": 0.5}, Wait(seconds(0.5))),
        ({"press": "1#"}, Press("1#")),
        ({"hang_up": True}, HangUp()),
        ({"hang_up": {"after": 0.5}}, HangUp(seconds(0.5))),
        ({"barge_in": {"say": "stop"}}, BargeIn("stop")),
        ({"barge_in": {"say": "stop", "after": 0.6}}, BargeIn("stop", seconds(0.6))),
        ({"backchannel": {"say": "mhm", "after": 1}}, Backchannel("mhm", seconds(1))),
        ({"hear": {"contains": "hello"}}, Hear(HELLO)),
        ({"hear": {"matches": "a+", "within": 3}}, Hear(Match(matches="a+"), seconds(3))),
        ({"hear": {"one_of": ["a", "b"]}}, Hear(Match(one_of=("a", "b")))),
        ({"repeat": {"times": 2, "steps": ["hi", {"wait": 1}]}}, Repeat(2, (Say("hi"), Wait(seconds(1))))),
        (
            {"when": [{"hears": {"contains": "hello"}, "then": ["hi"]}, {"else": [{"hang_up": True}]}]},
            Branch((Case(HELLO, (Say("hi"),)),), (HangUp(),)),
        ),
        ({"when": [{"hears": {"contains": "hello"}, "then": []}]}, Branch((Case(HELLO, ()),))),
    ],
    ids=str,
)
def test_a_step_is_read(written: Any, step: Step) -> None:
    assert read(written) == (step,)
    assert STEP_SCHEMA.is_valid([written])


def test_no_script_stays_none() -> None:
    assert steps_of(None) is None


@pytest.mark.parametrize(
    ("written", "about"),
    [
        ({"barge_in": {"after": 1}}, "Field required"),
        ({"barge_in": {"say": " "}}, "blank text cannot be said"),
        ({"barge_in": {"say": "x", "after": -1}}, "greater than or equal to 0"),
        ({"hear": {}}, "by one of contains, matches, one_of; got none"),
        ({"hear": {"contains": "a", "matches": "b"}}, "got contains and matches"),
        ({"hang_up": {"within": 1}}, "Extra inputs are not permitted"),
        ({"repeat": {"times": 0, "steps": ["a"]}}, "greater than or equal to 1"),
        ({"repeat": {"times": 2, "steps": []}}, "at least 1 item"),
        ({"when": []}, "at least 1 item"),
        ({"when": [{"hears": {"contains": "a"}}]}, "a case is hears with then, or else alone"),
        ({"when": [{"hears": {"contains": "a"}, "then": [], "else": []}]}, "or else alone"),
        ({"when": [{}]}, "or else alone"),
        ({"when": [{"else": [], "then": []}]}, "or else alone"),
        ({"when": [{"then": []}]}, "or else alone"),
        ({"hear": {"matches": "a", "one_of": ["b"]}}, "got matches and one_of"),
        ({"repeat": None}, "exactly one of say, wait, press"),
        ({"wait": 1, "confidence": 0.5}, "confidence goes with say only"),
        ({"say": "a", "hear": {"contains": "a"}}, "exactly one of say, wait, press"),
    ],
    ids=str,
)
def test_a_step_that_makes_no_sense_is_refused(written: Any, about: str) -> None:
    with pytest.raises(ValidationError, match=about):
        read(written)
    assert not STEP_SCHEMA.is_valid([written])


A_CASE = {"hears": {"contains": "a"}, "then": []}


@pytest.mark.parametrize(
    ("written", "place", "about"),
    [
        ({"backchannel": {"say": "this is much too long for it"}}, "", "too long for a backchannel"),
        ({"hear": {"matches": "("}}, "", "is not a regular expression"),
        ({"when": [{"hears": {"matches": "("}, "then": []}]}, "", "is not a regular expression"),
        ({"repeat": {"times": 10_000, "steps": ["a"] * 11}}, "", "a script of 110000 steps"),
        ({"when": [{"else": ["a"]}]}, "", "at least one case"),
        ({"when": [{"else": []}, A_CASE]}, "", "else must be the last case"),
        ({"repeat": {"times": 2, "steps": ["a", {"hear": {"matches": "("}}]}}, ".repeat.steps[1]", "regular"),
        ({"when": [A_CASE, {"else": [{"hear": {"matches": "("}}]}]}, ".when[1].else[0]", "regular"),
        ({"when": [A_CASE | {"then": [{"hear": {"matches": "("}}]}]}, ".when[0].then[0]", "regular"),
    ],
    ids=str,
)
def test_what_no_schema_can_say_is_refused_with_its_place(written: Any, place: str, about: str) -> None:
    with pytest.raises(BadRequest, match=about) as refused:
        read("hello", written)
    assert str(refused.value).startswith(f"script[1]{place}: ")


ANYTHING = st.recursive(
    st.sampled_from([None, True, "a", "1", 0.5, 3]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from([*VERBS, "confidence", "hears", "then", "else", "contains", "matches", "times", "steps"]),
            inner,
        )
    ),
    max_leaves=6,
)


@given(ANYTHING.map(lambda step: [step]))
def test_the_schema_takes_what_the_models_take(steps: Any) -> None:
    try:
        SCRIPT.validate_python(steps)
    except ValidationError:
        taken = False
    else:
        taken = True
    assert STEP_SCHEMA.is_valid(steps) is taken


def test_a_script_whose_loops_are_too_long_together_is_refused() -> None:
    loop = {"repeat": {"times": 10_000, "steps": ["a"] * 6}}
    assert read(loop)
    with pytest.raises(BadRequest, match=r"a script of 120000 steps, .* is too long: 100000 are allowed"):
        read(loop, loop)


def test_loops_within_loops_within_loops_are_refused_not_followed() -> None:
    nested: Any = "a"
    for _ in range(400):
        nested = {"repeat": {"times": 1, "steps": [nested]}}
    with pytest.raises(ValidationError):
        read(nested)
