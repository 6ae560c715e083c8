from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter

import simulator.engine.script as engine
from simulator.scenarios.script import ANY_ROUND, expectations_of, fits, steps_of
from simulator.scenarios.steps import VERBS, Script, verb_of
from tests.helpers.scenario_strategies import SCRIPTS

READ: TypeAdapter[Any] = TypeAdapter(Script)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("hello", engine.Say("hello")),
        ("hang_up", engine.HangUp()),
        ({"say": "hello"}, engine.Say("hello")),
        ({"say": "hello", "confidence": 0.4}, engine.Say("hello", 0.4)),
        ({"wait": "1s"}, engine.Wait(SECOND)),
        ({"silence": "1s"}, engine.Wait(SECOND)),
        ({"press": "1#"}, engine.Press("1#")),
        ({"hang_up": True}, engine.HangUp()),
        ({"hang_up": {"after": "1s"}}, engine.HangUp(SECOND)),
        ({"hear": {"contains": "hi"}}, engine.Hear(engine.Match(contains="hi"))),
        ({"hear": {"matches": "h.", "within": "1s"}}, engine.Hear(engine.Match(matches="h."), SECOND)),
        ({"hear": {"one_of": ["a", "b"]}}, engine.Hear(engine.Match(one_of=("a", "b")))),
        ({"barge_in": {"after": "1s", "say": "no"}}, engine.BargeIn("no", SECOND)),
        ({"backchannel": {"after": "1s", "say": "mm"}}, engine.Backchannel("mm", SECOND)),
        ({"repeat": {"times": 2, "steps": ["a"]}}, engine.Repeat(2, (engine.Say("a"),))),
        (
            {"when": [{"hears": {"contains": "a"}, "then": ["b"]}, {"else": ["c"]}]},
            engine.Branch((engine.Case(engine.Match(contains="a"), (engine.Say("b"),)),), (engine.Say("c"),)),
        ),
        (
            {"when": [{"hears": {"contains": "a"}, "then": []}]},
            engine.Branch((engine.Case(engine.Match(contains="a"), ()),)),
        ),
    ],
)
def test_every_step_of_a_file_is_a_step_of_the_engine(written: Any, step: engine.Step) -> None:
    assert steps_of(READ.validate_python([written])) == (step,)


def test_steps_may_be_models_already() -> None:
    models = READ.validate_python([{"say": "hello"}, {"wait": "1s"}])
    assert READ.validate_python(models) == models


def test_no_script_stays_no_script() -> None:
    assert steps_of(None) is None
    assert steps_of([]) == ()


@settings(max_examples=60)
@given(SCRIPTS)
def test_every_script_that_loads_can_be_played(script: list[Any]) -> None:
    steps = READ.validate_python(script)
    assert len(steps_of(steps) or ()) == len(script)


@pytest.mark.parametrize("verb", VERBS)
def test_the_verb_of_a_step_is_told_from_the_mapping(verb: str) -> None:
    assert verb_of({verb: 1, "expect": {}}) == verb


def test_expectations_know_the_place_of_their_step() -> None:
    expect = {"silent": True}
    else_ = {"else": [{"say": "d", "expect": expect}]}
    script = [
        "hi",
        {"repeat": {"times": 2, "steps": ["a", {"say": "b", "expect": expect}]}},
        {"when": [{"hears": {"contains": "a"}, "then": [{"say": "c", "expect": expect}]}, else_]},
        {"press": "1", "expect": expect},
    ]
    found = [(address, way) for address, way, _ in expectations_of(READ.validate_python(script))]
    assert found == [
        ((1, ANY_ROUND, 1), "script[1].repeat.steps[1]"),
        ((2, 0, 0), "script[2].when[0].then[0]"),
        ((2, 1, 0), "script[2].when[1].else[0]"),
        ((3,), "script[3]"),
    ]


@pytest.mark.parametrize(
    ("address", "pattern", "expected"),
    [
        ((1,), (1,), True),
        ((1,), (2,), False),
        ((1, 7, 0), (1, ANY_ROUND, 0), True),
        ((1, 7, 1), (1, ANY_ROUND, 0), False),
        ((1,), (1, 0), False),
    ],
)
def test_a_place_fits_in_any_round(address: tuple[int, ...], pattern: tuple[int, ...], expected: bool) -> None:
    assert fits(address, pattern) is expected
