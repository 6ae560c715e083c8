# ruff: noqa: E501 - a table of calls and scripts reads best with one to a line
from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

import simulator.engine.script as engine
from simulator.scenarios.expectations import check_call
from simulator.scenarios.export import scenario_of, script_of, to_yaml
from simulator.scenarios.export_code import identifier, to_curl, to_pytest
from simulator.scenarios.loader import load
from simulator.scenarios.record import CallRecord, KeysRecord, Who
from simulator.scenarios.script import steps_of
from tests.helpers.processes import run_handler, run_simulator
from tests.helpers.records import BUSY_CALL, a_call, a_turn, s, spoke
from tests.helpers.scenario_strategies import ANYTHING, calls

GREETING = "Acme, hello!"
# What simple_starlette.py answers to this caller; the times are made up and make no difference to the words.
RECORDED = a_call(
    a_turn(1, 5, heard_text="I can look up an order for you. What is its number?"),
    a_turn(2, 15, step=(1,), heard_text="Let me look that up. Order 4521 shipped yesterday and arrives on Thursday."),
    a_turn(3, 25, step=(2,), heard_text="Thanks for calling. Goodbye!", action="hangup"),
    greeting=GREETING,
    reason="agent_hangup",
    speech=(
        spoke(Who.AGENT, 0, 1, GREETING),
        spoke(Who.CALLER, 3, 1, 'It\'s about my "order" {{1}}', turn=1),
        spoke(Who.CALLER, 13, 1, "4521 – sí", turn=2, confidence=0.4),
        spoke(Who.CALLER, 23, 1, "Goodbye", turn=3),
    ),
)


def caller(*speech: Any, **more: Any) -> CallRecord:
    return a_call(speech=speech, **more)


@pytest.mark.parametrize(
    ("record", "script"),
    [
        (caller(spoke(Who.CALLER, 0.2, 1, "hi"), ended=s(1.4)), [{"say": "hi"}, {"hang_up": True}]),
        (caller(spoke(Who.CALLER, 3, 1, "hi"), ended=s(1.4)), [{"wait": "3s"}, {"say": "hi"}, {"wait": "1400ms"}, {"hang_up": True}]),
        (caller(spoke(Who.CALLER, 0.2, 1, "hi", confidence=0.4), reason="agent_hangup"), [{"say": "hi", "confidence": 0.4}]),
        (caller(spoke(Who.CALLER, 0.2, 1, "hi"), reason="inactivity"), [{"say": "hi"}, {"wait": "30800ms"}]),
        (caller(keys=(KeysRecord(who=Who.CALLER, at=s(0.2), digits="1#"),), reason="call_transfer"), [{"press": "1#"}]),
        (
            caller(spoke(Who.AGENT, 0, 5, "long"), spoke(Who.CALLER, 2, 1, "no", over=True), reason="agent_hangup"),
            [{"barge_in": {"after": "2s", "say": "no"}}],
        ),
        (
            caller(spoke(Who.AGENT, 1, 5, "long"), spoke(Who.CALLER, 2, 1, "mm", over=True, backchannel=True), reason="agent_hangup"),
            [{"backchannel": {"after": "1s", "say": "mm"}}],
        ),
        (caller(spoke(Who.AGENT, 1, 5, "long text", "long"), ended=s(6)), [{"hang_up": {"after": "5s"}}]),
        (caller(spoke(Who.AGENT, 1, 5, "hi"), ended=s(6.2)), [{"hang_up": True}]),
    ],
)  # fmt: skip
def test_what_the_caller_did_becomes_steps(record: CallRecord, script: list[Any]) -> None:
    assert script_of(record) == script


@settings(max_examples=60)
@given(calls(), ANYTHING.filter(lambda name: 0 < len(name) <= 200))
def test_an_exported_call_loads_back_to_the_same_script(record: CallRecord, name: str) -> None:
    loaded = load(to_yaml(scenario_of(record, name)))
    wanted = load(json.dumps({"name": "x", "variables": {"b": "{{"}, "calls": [{"script": braced(script_of(record))}]}))
    assert loaded.name == name
    assert steps_of(loaded.calls[0].script) == steps_of(wanted.calls[0].script)


def braced(value: Any) -> Any:
    """The same escape, by other means: in JSON text instead of in values."""
    return json.loads(json.dumps(value).replace("{{", "{{b}}"))


@settings(max_examples=60)
@given(calls())
def test_a_recorded_call_passes_the_scenario_it_is_exported_to(record: CallRecord) -> None:
    part = load(to_yaml(scenario_of(record, "x"))).calls[0]
    places = [index for index, step in enumerate(script_of(record)) if "expect" in step]
    turns = tuple(replace(turn, step=(place,)) for turn, place in zip(record.turns, places, strict=True))
    assert [str(check) for check in check_call(part, replace(record, turns=turns), "calls[0]") if not check.ok] == []


def test_braces_in_what_was_said_are_not_taken_for_variables() -> None:
    (part,) = load(to_yaml(scenario_of(RECORDED, "the {{x}} call"))).calls
    assert (steps_of(part.script) or ())[1] == engine.Say('It\'s about my "order" {{1}}')


def test_an_outbound_call_is_exported_from_the_agent_to_the_person() -> None:
    (call,) = scenario_of(a_call(direction="outbound", to_number="+14155550161"), "x")["calls"]
    assert (call["from"], call["to"]) == ("Agent", "+14155550161")


def test_the_file_reads_like_one_written_by_hand() -> None:
    text = to_yaml(scenario_of(BUSY_CALL, "busy"))
    assert text.startswith("name: busy\nworld:\n  agents:\n  - name: Agent\n")
    assert "  - say: Where is my order 4521?\n" in text
    assert "我帮您转接同事" in text
    assert yaml.safe_load(text)["calls"][0]["expect"]["reason"] == "user_hangup"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("Where is it?", "test_where_is_it"),
        ("日本", "test_recorded_call"),
        ("", "test_recorded_call"),
        ("a" * 99, "test_" + "a" * 60),
    ],
)
def test_a_test_function_has_a_name_that_python_takes(name: str, function: str) -> None:
    assert identifier(name) == function


@settings(max_examples=60)
@given(calls(), ANYTHING)
def test_the_exported_test_is_python_and_has_the_script(record: CallRecord, name: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(to_pytest(record, name), "exported", "exec"), names)
    assert names["ANSWERS"] == [turn.heard_text for turn in record.turns if turn.heard_text]
    assert len(names["SCRIPT"]) == len(script_of(record))
    assert callable(names[identifier(name)])


@settings(max_examples=60)
@given(calls(), ANYTHING)
def test_the_exported_commands_carry_the_script_whatever_it_says(record: CallRecord, name: str) -> None:
    words = shlex.split(to_curl(record, name), comments=True)
    bodies = [json.loads(body) for flag, body in pairwise(words) if flag == "-d"]
    (script,) = [body["script"] for body in bodies if "script" in body]
    said = [step["say"] for step in script if "say" in step]
    assert said == [step["say"] for step in script_of(record) if "say" in step]


@pytest.fixture(scope="module")
def environment() -> Any:
    """A running simulator and the handler that the recorded call was held with."""
    with run_simulator() as (base_url, _), run_handler("simple_starlette.py", None) as handler:
        yield {"AGENTPHONE_BASE_URL": base_url, "HANDLER_URL": handler.url, "PATH": "/usr/bin:/bin"}


def test_the_exported_test_passes_against_the_same_handler(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "test_exported.py"
    file.write_text(to_pytest(RECORDED, "a recorded call"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text(to_pytest(RECORDED, "a recorded call").replace("Thursday", "Friday"), encoding="utf-8")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1


def test_the_exported_commands_hold_the_same_call(environment: dict[str, str]) -> None:
    command = ["bash", "-euo", "pipefail", "-c", to_curl(RECORDED, "a recorded call")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    call = json.loads(re.sub(r"^[^{]*", "", done.stdout))
    assert call["disconnection_reason"] == "agent_hangup"
    heard = [row["response"] for row in call["call"]["transcripts"] if row["response"]]
    assert heard == [turn.heard_text for turn in RECORDED.turns]
