from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from simulator.cli import main
from simulator.scenarios.loader import find, load_path
from simulator.scenarios.model import Scenario
from simulator.scenarios.references import outbound
from simulator.scenarios.schema import render, schema
from simulator.scenarios.source import read
from tests.helpers.scenario_strategies import SCRIPTS

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "scenarios"
FILES = find([FIXTURES])
CHECKER = jsonschema.Draft202012Validator(schema())
FAMILIES = {
    "support", "booking", "ivr", "angry", "silence", "barge-in", "noise", "language", "compliance", "campaign", "text",
    "escalation", "streaming", "concurrency", "loop", "robustness",
}  # fmt: skip


def errors(value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in CHECKER.iter_errors(value)]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_fixture_loads_and_agrees_with_the_schema(file: Path) -> None:
    scenario = load_path(file)
    assert errors(read(file.read_bytes(), file.name).value) == []
    assert scenario.description and scenario.tags


def test_the_fixtures_cover_every_family() -> None:
    tags = {tag for file in FILES for tag in load_path(file).tags}
    assert tags >= FAMILIES
    assert len(FILES) >= 20


def test_the_fixtures_have_names_of_their_own() -> None:
    names = [load_path(file).name for file in FILES]
    assert len(set(names)) == len(names)


def test_the_fixtures_call_both_ways() -> None:
    ways = {outbound(scenario, call) for scenario in map(load_path, FILES) for call in scenario.calls}
    assert ways == {True, False}


def test_every_fixture_is_for_a_handler_that_exists() -> None:
    handlers = {file.stem for file in (FIXTURES.parent / "handlers").glob("*.py")}
    assert {file.parent.name for file in FILES} <= handlers


@settings(max_examples=60)
@given(SCRIPTS)
def test_what_loads_agrees_with_the_schema(script: list[Any]) -> None:
    data = {"name": "x", "calls": [{"script": script}]}
    Scenario.model_validate(data)
    assert errors(data) == []


@pytest.mark.parametrize(
    "value",
    [
        {"name": "x"} | {"calls": [{"script": [{"sya": "hi"}]}]},
        {"name": "x"} | {"calls": [{"script": [{"wait": 4}]}]},
        {"name": "x"} | {"calls": [{"script": [{"press": "12a"}]}]},
        {"name": "x"} | {"calls": [{"script": ["hi"], "expect": {"reason": "gone"}}]},
        {"name": "x"} | {"calls": [{"script": ["hi"], "expect": None}]},
        {"name": "x"} | {"world": {"agents": [{"name": "A", "voiceMode": "webhok"}]}},
        {"name": "x"} | {"world": {"agents": [{"name": "A", "beginMesage": "hi"}]}},
        {"calls": [{"script": ["hi"]}]},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(value: Any) -> None:
    assert errors(value) != []


def test_every_key_that_needs_one_has_a_description() -> None:
    bare = [name for name, model in schema()["$defs"].items() if not model.get("description")]
    assert bare == []


def test_a_variable_may_stand_where_a_pattern_is_asked_for() -> None:
    call = {"from": "{{caller}}", "script": [{"wait": "{{pause}}"}, {"press": "{{pin}}"}]}
    assert errors({"name": "x", "variables": {"pause": "1s"}, "calls": [call]}) == []


def test_the_command_prints_the_schema() -> None:
    done = CliRunner().invoke(main, ["schema"], standalone_mode=False)
    assert done.output == render()


def test_the_command_writes_the_schema_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "scenario.schema.json"
    done = CliRunner().invoke(main, ["schema", "--output", str(file)], standalone_mode=False)
    assert done.output == ""
    assert file.read_text("utf-8") == render()


def test_the_command_says_why_a_file_cannot_be_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["schema", "--output", str(tmp_path / "no" / "file.json")], standalone_mode=False)
    assert "cannot be written: No such file or directory" in str(done.exception)
