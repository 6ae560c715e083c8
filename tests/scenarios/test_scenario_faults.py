# ruff: noqa: E501 - a table of mistakes reads best with one to a line
from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given

from simulator.cli import main
from simulator.errors import ScenarioInvalid
from simulator.scenarios.faults import FaultPart
from simulator.scenarios.loader import load
from simulator.scenarios.schema import schema
from tests.helpers.fault_strategies import RULES
from tests.helpers.receiver import Exchange, Receiver, answer

CHECKER = jsonschema.Draft202012Validator(schema())
TEXT = 'name: x\ntexts: [{script: [{text: "hi"}]}]\n'


def problems(fault: str) -> list[str]:
    with pytest.raises(ScenarioInvalid) as refused:
        load(f"{TEXT}faults:\n  - {fault}\n", "x.yaml")
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("{on: delivry, fault: late}", "x.yaml:4:6: faults[0].on: there is no 'delivry': did you mean 'delivery'?"),
        ("{on: api, fault: late}", "x.yaml:4:22: faults[0].fault: there is no fault 'late' on api"),
        ("{on: api, fault: latency}", "x.yaml:4:5: faults[0]: latency on api needs seconds"),
        (
            "{on: api, fault: latency, secnds: 1}",
            "x.yaml:4:31: faults[0].secnds: unknown key 'secnds': did you mean 'seconds'?",
        ),
        (
            "{on: api, fault: latency, seconds: 1, copies: 2}",
            "x.yaml:4:51: faults[0].copies: latency on api has no 'copies'",
        ),
        ("{on: api, fault: latency, seconds: 1s}", "x.yaml:4:31: faults[0].seconds: '1s' is not a number"),
        (
            "{on: api, fault: reset, expires_in: 60}",
            "x.yaml:4:29: faults[0].expires_in: 60 has no unit: write 600ms, 1.5s or 2m",
        ),
        (
            "{on: api, fault: reset, match: {rout: x}}",
            "x.yaml:4:37: faults[0].match.rout: unknown key 'rout': did you mean 'route'?",
        ),
        (
            "{on: api, fault: reset, match: {event: x}}",
            "x.yaml:4:44: faults[0].match.event: reset on api cannot match 'event'",
        ),
        (
            "{on: api, fault: reset, match: {route: POST /v1/mesages}}",
            "x.yaml:4:36: faults[0].match: no operation is on the route 'POST /v1/mesages': did you mean 'POST /v1/messages'?",
        ),
        ("{on: carrier, fault: busy, match: {to: nobody}}", "faults[0].match: 'nobody' is not a phone number"),
    ],
)
def test_a_mistake_in_a_rule_has_its_place(fault: str, expected: str) -> None:
    assert expected in problems(fault)[0]


@given(RULES)
def test_what_loads_agrees_with_the_schema(rule: dict[str, Any]) -> None:
    said = {key: value for key, value in rule.items() if value is not None and key != "expires_in"}
    said["match"] = {key: value for key, value in (rule.get("match") or {}).items() if value is not None}
    if "expires_in" in rule:
        said["expires_in"] = "5m"
    FaultPart.model_validate(said)
    data = {"name": "x", "texts": [{"script": [{"text": "hi"}]}], "faults": [said]}
    assert [error.message for error in CHECKER.iter_errors(data)] == []


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    for wrong in (
        {"on": "api", "fault": "late"},
        {"on": "api", "fault": "latency"},
        {"on": "api", "fault": "reset", "copies": 1},
    ):
        assert not CHECKER.is_valid({"name": "x", "texts": [{"script": [{"text": "hi"}]}], "faults": [wrong]})


STORY = """
name: the answer gets lost
world: {agents: [{name: Support, beginMessage: "Acme, hello!"}]}
faults:
  - {on: turn, fault: garble, match: {agent: Support, turn: 1}}
  - {on: delivery, fault: duplicate, match: {event: agent.call_ended}, expires_in: 1h}
  - {on: api, fault: status, status: 500}
calls:
  - script: [{hear: {contains: hello}}, "Where is my order?", "Hello?"]
    expect: {findings: [reply_not_json]}
  - {from: Support, to: "+14155550163", script: [hang_up]}
"""


def run(*argv: object) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, argv)])


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_scenario_meets_its_faults_and_is_itself_spared(tmp_path: Path) -> None:
    (tmp_path / "lost.yaml").write_text(STORY)

    async def reply(exchange: Exchange) -> None:
        voice = json.loads(exchange.request.body).get("channel") == "voice"
        await answer(200, b'{"text": "It has shipped."}' if voice else b"")(exchange)

    async with Receiver(reply) as handler:
        more = ("--fault", "on=delivery,fault=missing_signature,match.event=call.ended")
        result = await asyncio.to_thread(run, tmp_path / "lost.yaml", "--handler", handler.url, *more)
    assert result.exit_code == 0, result.output
    ids = [r.header("X-Webhook-ID") for r in handler.requests if r.header("X-Webhook-Event") == "agent.call_ended"]
    assert sorted(Counter(ids).values()) == [2, 2]
    unsigned = [r.header("X-Webhook-Event") for r in handler.requests if r.header("X-Webhook-Signature") is None]
    assert unsigned == ["call.ended"] * 2


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("on=api,fault=reest", "there is no fault 'reest' on api: did you mean 'reset'?"),
        ("on=api,fault=reset,match.route=/v2", "no operation is on the route '/v2'"),
        ("duplicate", "'duplicate' has no value: write NAME=VALUE"),
    ],
)
def test_a_mistake_in_an_option_is_said_before_anything_is_played(tmp_path: Path, rule: str, said: str) -> None:
    (tmp_path / "x.yaml").write_text(TEXT)
    result = run(tmp_path / "x.yaml", "--handler", "http://127.0.0.1:9/hook", "--fault", rule)
    assert result.exit_code == 2 and said in result.stderr
