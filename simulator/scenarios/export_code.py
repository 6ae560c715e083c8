"""A recorded call as a pytest test and as curl commands for a running simulator: both drive it over HTTP."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any, Final

from simulator.scenarios import durations
from simulator.scenarios.export import USUAL, Setup, caller_of, script_of
from simulator.scenarios.model import DEFAULT_AGENT
from simulator.scenarios.record import CallRecord

WIDTH: Final = 116
_PLACE: Final = "(place)"  # stands in a body where the shell puts in an id or number that it was told before
_LENGTHS: Final = frozenset({"wait", "after"})


def to_pytest(record: CallRecord, name: str, setup: Setup = USUAL) -> str:
    """Write a recorded call as the source of a test."""
    outbound = record.direction == "outbound"
    return TEST.format(
        about=_one_line(name),
        function=identifier(name),
        agent=_literal(_agent(record, setup)),
        script=_literal(_script(record, setup)),
        place=OUTBOUND.format(
            other=record.to_number, person=_literal(_person(setup)), request=_literal(dict(setup.request))
        )
        if outbound
        else INBOUND.format(other=caller_of(record)),
        reason=record.reason,
        answers=_literal([turn.heard_text for turn in record.turns if turn.heard_text]),
        findings=_literal(sorted({finding.kind for finding in record.findings})),
    )


def to_curl(record: CallRecord, name: str, setup: Setup = USUAL) -> str:
    """Write a recorded call as shell commands; the last one prints the whole call."""
    script = _script(record, setup)
    if record.direction == "outbound":
        body = _body({"script": script, **_person(setup)})
        person = f'curl -s -X PUT -H "$key" $sim/_sim/people/{shlex.quote(record.to_number)} -d {body}'
        dial = _filled(
            {"agentId": _PLACE, "toNumber": record.to_number, "waitForCompletion": True, **setup.request}, "agent"
        )
        calls = f'{person}\ncurl -s -H "$key" $sim/v1/calls -d {dial}'
    else:
        dial = _filled({"to": _PLACE, "from": caller_of(record), "script": script, "wait": True}, "number")
        calls = f'curl -s -H "$key" $sim/_sim/calls -d {dial}'
    number, hook = _filled({"agentId": _PLACE}, "agent"), _filled({"url": _PLACE}, "handler")
    return CURL.format(about=_one_line(name), agent=_body(_agent(record, setup)), number=number, hook=hook, calls=calls)


def identifier(name: str) -> str:
    """A name for a test function: ASCII letters, digits and underscores."""
    words = re.findall(r"[a-z0-9]+", name.casefold())
    return "test_" + ("_".join(words)[:60].strip("_") or "recorded_call")


def _agent(record: CallRecord, setup: Setup) -> dict[str, Any]:
    return {"name": DEFAULT_AGENT, **setup.agent, **({"beginMessage": record.greeting} if record.greeting else {})}


def _person(setup: Setup) -> dict[str, Any]:
    ring = {} if setup.ring is None else {"ring_seconds": setup.ring.total_seconds()}
    greeting = {} if setup.greeting is None else {"greeting": setup.greeting}
    return {"answer": setup.answer, **ring, **greeting}


def _script(record: CallRecord, setup: Setup) -> list[Any]:
    return [_in_seconds(step) for step in script_of(record, expect=False, answer=setup.answer)]


def _in_seconds(value: Any, key: str = "") -> Any:
    """A step as `/_sim` takes it: lengths of time are numbers there."""
    if isinstance(value, Mapping):
        return {inner: _in_seconds(item, inner) for inner, item in value.items()}
    return durations.parse(value).total_seconds() if key in _LENGTHS else value


def _literal(value: Any) -> str:
    """A Python literal, over several lines where it is long."""
    return pformat(value, width=WIDTH, sort_dicts=False)


def _body(value: Any) -> str:
    return shlex.quote(json.dumps(value))


def _filled(value: Mapping[str, Any], variable: str) -> str:
    """A body with a shell variable where the first place is held for it."""
    return _body(value).replace(_PLACE, f"'\"${variable}\"'", 1)


def _one_line(text: str) -> str:
    """A text as a comment: no line ends, no quotes, no backslashes that could end one."""
    return " ".join(re.sub(r"[^\w ,.:;!?'()-]+", " ", text).split())


TEST: Final = '''"""A recorded call, to be heard again: {about}"""

from __future__ import annotations

import os

import httpx

SIMULATOR = os.environ.get("AGENTPHONE_BASE_URL", "http://127.0.0.1:8787")
KEY = os.environ.get("AGENTPHONE_API_KEY", "sk_live_simulator")
HANDLER = os.environ.get("HANDLER_URL", "http://127.0.0.1:3000/webhook")
AGENT = {agent}
SCRIPT = {script}
ANSWERS = {answers}
FINDINGS = {findings}


def {function}() -> None:
    sim = httpx.Client(base_url=SIMULATOR, headers={{"Authorization": f"Bearer {{KEY}}"}}, timeout=60, trust_env=False)
    sim.put("/_sim/clock", json={{"mode": "auto"}})
    agent = sim.post("/v1/agents", json=AGENT).json()["id"]
    number = sim.post("/v1/numbers", json={{"agentId": agent}}).json()["phoneNumber"]
    sim.post(f"/v1/agents/{{agent}}/webhook", json={{"url": HANDLER}}).raise_for_status()
    {place}
    assert call["disconnectionReason"] == "{reason}"
    assert [row["response"] for row in call["transcripts"] if row["response"]] == ANSWERS
    findings = sim.get("/_sim/journal", params={{"kind": "finding", "limit": 10_000}}).json()["entries"]
    assert sorted({{entry["finding"] for entry in findings if entry["call_id"] == call["id"]}}) == FINDINGS
'''
INBOUND: Final = """dial = {{"from": "{other}", "to": number, "script": SCRIPT, "wait": True}}
    call = sim.post("/_sim/calls", json=dial).raise_for_status().json()["call"]"""
OUTBOUND: Final = """person = {person}
    sim.put("/_sim/people/{other}", json={{"script": SCRIPT, **person}}).raise_for_status()
    request = {request}
    dial = {{"agentId": agent, "toNumber": "{other}", "waitForCompletion": True, **request}}
    assert number
    call = sim.post("/v1/calls", json=dial).raise_for_status().json()"""
CURL: Final = """# A recorded call, to be heard again: {about}
sim=${{AGENTPHONE_BASE_URL:-http://127.0.0.1:8787}}
key="Authorization: Bearer ${{AGENTPHONE_API_KEY:-sk_live_simulator}}"
handler=${{HANDLER_URL:-http://127.0.0.1:3000/webhook}}
curl -s -H "$key" -X PUT $sim/_sim/clock -d '{{"mode": "auto"}}' > /dev/null
agent=$(curl -s -H "$key" $sim/v1/agents -d {agent} | grep -o 'agt_[0-9a-f]*' | head -1)
number=$(curl -s -H "$key" $sim/v1/numbers -d {number} | grep -o '+1[0-9]*' | head -1)
curl -s -H "$key" $sim/v1/agents/$agent/webhook -d {hook} > /dev/null
{calls}
"""
