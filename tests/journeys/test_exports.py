"""A call is exported, held again on a fresh account with the same handler, and has the same transcript."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from simulator.scenarios.durations import parse
from simulator.scenarios.loader import load
from tests.helpers.platform import Platform, platform
from tests.helpers.processes import KEY, Api, run_handler, run_simulator
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CALLER, CALLEE = "+14155550150", "+14155550161"
LONG = "Your order has shipped and it will be there tomorrow, unless the weather is as bad as it was last week. "
Spoken = list[tuple[str, str]]

CALLS: Mapping[str, list[Any]] = {
    "plain": ["Where is it?", "And the other one?", {"hang_up": True}],
    "pauses": [{"wait": 2.5}, "Where is it?", {"wait": 7}, "Are you there?", {"wait": 1.25}, {"hang_up": True}],
    "barge-in": ["Where is it?", {"barge_in": {"after": 1.5, "say": "Stop, another one please"}}, "Thanks"],
    "backchannel": ["Where is it?", {"backchannel": {"after": 1, "say": "uh-huh"}}, "Thanks", {"hang_up": True}],
    "mid-sentence": ["Where is it?", {"hang_up": {"after": 2}}],
    "keys": [{"press": "12#"}, "Where is it?", {"press": "*"}, {"wait": 3}, "Thanks", {"hang_up": True}],
    "low confidence": [{"say": "mumble", "confidence": 0.3}, {"hang_up": True}],
    "agent hangs up": ["Where is it?", "goodbye now"],
    "inactivity": ["Where is it?", {"wait": 60}],
    "loops": [{"repeat": {"times": 3, "steps": ["Again {{and}} again", {"wait": 2}]}}, {"hang_up": True}],
    "over the greeting": [{"barge_in": {"after": 0.4, "say": "Never mind all that"}}, {"hang_up": True}],
    "heard": ["Where is it?", {"hear": {"contains": "tomorrow"}}, "Thanks", {"hang_up": True}],
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def handler(exchange: Exchange) -> None:
    """Says something long about what it was asked; says goodbye to who does."""
    payload = json.loads(exchange.request.body)
    if payload["event"] != "agent.message":
        await answer()(exchange)
        return
    said = payload["data"]["transcript"]
    reply = {"text": "Goodbye!", "hangup": True} if "goodbye" in said else {"text": f"{LONG} You said: {said}"}
    await answer(200, json.dumps(reply).encode())(exchange)


AGENT = {"beginMessage": "Hello, this is Acme, how can I help you?", "voiceSpeed": 1.3, "maxSilenceMs": 20_000}


async def held(p: Platform, url: str, agent: dict[str, Any], script: list[Any]) -> dict[str, Any]:
    _, number = await p.line(url, **agent)
    dial = {"from": CALLER, "to": number, "script": script, "wait": True}
    call: dict[str, Any] = await p.post("/_sim/calls", dial)
    return call


def spoken(call: dict[str, Any]) -> Spoken:
    return [(row["transcript"], row["response"]) for row in call["transcripts"]]


def in_seconds(value: Any, key: str = "") -> Any:
    """A step of a file as `/_sim` takes it."""
    if isinstance(value, Mapping):
        return {name: in_seconds(item, name) for name, item in value.items() if name != "expect"}
    return parse(value).total_seconds() if key in ("wait", "after") else value


async def exported(p: Platform, call_id: str) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """The agent, the script and the person of the exported scenario, which must load."""
    text = (await p.client.get(f"/_sim/calls/{call_id}/export")).text
    load(text, "exported.yaml")
    scenario = yaml.safe_load(text.replace("{{braces}}", "{{"))
    (agent,), (call,), people = scenario["world"]["agents"], scenario["calls"], scenario["world"].get("people")
    person = {key: value for key, value in (people or [{}])[0].items() if key in ("answer", "greeting")}
    return agent, [in_seconds(step) for step in call["script"]], person


# Who is called: the number, what the agent would leave a machine, and who is registered there (None: nobody).
CALLEES: Mapping[str, tuple[str, str | None, dict[str, Any] | None]] = {
    "a person": (CALLEE, None, {"script": ["Yes?", {"wait": 1}, "Who is there?", {"hang_up": True}]}),
    "an impatient person": (CALLEE, None, {"script": ["Yes?"], "patience_seconds": 9}),
    "a machine that is known for one": ("+14155550105", "Please call Acme back.", None),
    "a machine that is taken for a person": ("+14155550105", None, None),
    "somebody who talks over everything": ("+14155550112", None, None),
    "somebody who does not answer": ("+14155550103", None, None),
}


async def called(p: Platform, url: str, agent: dict[str, Any], number: str, person: Any) -> dict[str, Any]:
    made, _ = await p.line(url, **agent)
    if person is not None:
        await p.ask("PUT", f"/_sim/people/{number}", json=person)
    call: dict[str, Any] = await p.post("/v1/calls", {"agentId": made, "toNumber": number, "waitForCompletion": True})
    return call


@pytest.mark.parametrize("name", CALLEES)
async def test_a_call_that_the_agent_placed_is_placed_again_word_for_word(name: str) -> None:
    number, message, person = CALLEES[name]
    async with Receiver(handler) as receiver:
        async with platform() as p:
            first = await called(p, receiver.url, AGENT | {"voicemailMessage": message}, number, person)
            agent, script, person = await exported(p, first["id"])
        async with platform(seed=7) as fresh:
            again = await called(fresh, receiver.url, agent, number, {"script": script} | person)
    assert spoken(again) == spoken(first)
    assert again["disconnectionReason"] == first["disconnectionReason"]


@pytest.mark.parametrize("name", CALLS)
async def test_an_exported_call_is_held_again_word_for_word(name: str) -> None:
    async with Receiver(handler) as receiver:
        async with platform() as p:
            first = await held(p, receiver.url, AGENT, CALLS[name])
            agent, script, _ = await exported(p, first["call_id"])
        async with platform(seed=7) as fresh:
            again = await held(fresh, receiver.url, agent, script)
    assert spoken(again["call"]) == spoken(first["call"]) != []
    assert again["disconnection_reason"] == first["disconnection_reason"]
    assert [turn["transcript"] for turn in again["timeline"]["turns"]] == [
        turn["transcript"] for turn in first["timeline"]["turns"]
    ]


@dataclass(frozen=True)
class Stage:
    """A simulator and a sample handler, each a process of its own."""

    api: Api
    handler: str

    def exported(self, call_id: str, form: str) -> str:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=self.api.base_url, headers=headers, trust_env=False) as client:
            return client.get(f"/_sim/calls/{call_id}/export", params={"as": form}).raise_for_status().text

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        places = {"AGENTPHONE_BASE_URL": self.api.base_url, "HANDLER_URL": self.handler}
        command = subprocess.run(argv, env=os.environ | places, capture_output=True, text=True, timeout=60, check=False)
        assert command.returncode == 0, command.stdout + command.stderr
        return command


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with run_simulator("--clock", "auto") as (url, _), run_handler("simple_starlette.py", None) as running:
        yield Stage(Api(url), running.url)


def placed(stage: Stage, number: str) -> dict[str, Any]:
    agent = {"name": "Acme", "beginMessage": "Acme, hello!", "voicemailMessage": "Please call back."}
    made = stage.api.post("/v1/agents", agent)
    stage.api.post("/v1/numbers", {"agentId": made["id"]})
    stage.api.post("/v1/webhooks", {"url": stage.handler})
    call: dict[str, Any] = stage.api.post(
        "/v1/calls", {"agentId": made["id"], "toNumber": number, "waitForCompletion": True}
    )
    return call


@pytest.mark.parametrize("number", ["+14155550105", "+14155550110"], ids=["a machine", "a person"])
def test_the_test_and_the_commands_of_a_call_place_it_again(stage: Stage, number: str, tmp_path: Path) -> None:
    call = placed(stage, number)
    file = tmp_path / "test_exported.py"
    file.write_text(stage.exported(call["id"], "pytest"), "utf-8")
    stage.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file))
    printed = stage.run("bash", "-euo", "pipefail", "-c", stage.exported(call["id"], "curl")).stdout
    again = json.loads(printed[printed.rindex('{"id":"call_') :])
    assert spoken(again) == spoken(call) != []
    assert again["disconnectionReason"] == call["disconnectionReason"]
