"""What was found, for others to see it fail: a scenario file, a pytest test and curl lines that drive a simulator."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any, Final

from simulator.conformance.attack.laws import AGAIN, Breach
from simulator.conformance.attack.plan import AFTERWARDS, FaultGroup, Plan
from simulator.conformance.attack.report import Found
from simulator.conformance.attack.staging import AGENT, COLLEAGUE, Plain, scenario_of
from simulator.domain.findings import FindingKind
from simulator.domain.webhooks import EventType
from simulator.scenarios import durations
from simulator.scenarios.export import to_yaml
from simulator.scenarios.export_code import identifier
from simulator.scenarios.record import TextRecord

WIDTH: Final = 112
LENGTHS: Final = frozenset({"wait", "after"})  # keys with a length of time behind them
FINDINGS: Final = frozenset(kind.value for kind in FindingKind)
EVENTS: Final = frozenset(event.value for event in EventType)
_PLACE: Final = "(place)"  # stands in a body where the shell puts in what it was told before


def to_scenario(found: Found, seed: int) -> str:
    """The scenario file that is red where the law is broken, and green on a handler that keeps it."""
    scenario = staged(found)
    expect(scenario, found.plan, found.breach)
    told = f"Expected: {found.breach.expected}; observed: {found.breach.observed}. Attack seed {seed}."
    about = {"name": found.breach.law.title, "description": told, "tags": ["attack"]}
    return to_yaml(about | {key: value for key, value in scenario.items() if key != "name"})


def staged(found: Found) -> Plain:
    """The scenario without expectations; the question afterwards is there only when it is what failed."""
    if found.breach.part != AFTERWARDS:
        return scenario_of(found.plan)
    return scenario_of(found.plan, afterwards="text" if isinstance(found.observed.afterwards, TextRecord) else "call")


def part_of(scenario: Plain, part: str) -> Plain:
    """The call or thread of a scenario that a breach is about."""
    parts = {f"{kind}[{i}]": one for kind in ("calls", "texts") for i, one in enumerate(scenario.get(kind, ()))}
    late = next((one for one in parts.values() if one.get("name") == AFTERWARDS), None)
    found: Plain | None = late if part == AFTERWARDS else parts.get(part)
    return {} if found is None else found


def expect(scenario: Plain, plan: Plan, breach: Breach) -> None:
    """Hang on a scenario what its breach is about."""
    part = part_of(scenario, breach.part)
    if breach.kind in EVENTS:
        part["expect"] = {"deliveries": [{"event": breach.kind, "status": "success", "attempts": attempts(plan)}]}
    elif breach.step is not None and (breach.kind == "silence" or plan.loses):
        # Where connections are broken on purpose, the whole call has findings that are nobody's fault.
        heard = breach.kind == "silence" or breach.law is AGAIN
        part["script"][breach.step[0]]["expect"] = {"silent": False} if heard else {"findings": "none"}
    elif breach.kind in FINDINGS:
        part["expect"] = {"findings": "none"}


def attempts(plan: Plan) -> Any:
    """How many attempts a delivery may take: one, and another for the one that is broken off."""
    lossy = any(fault.group is FaultGroup.LOSSES and fault.on == "delivery" for fault in plan.faults)
    return {"at_most": 2} if lossy else 1


def to_pytest(found: Found, seed: int) -> str:
    """The source of a test, for a simulator and a handler that run."""
    setting = _setting(staged(found))
    return TEST.format(
        about=_one_line(f"{found.breach.law.title}. Attack seed {seed}"),
        function=identifier(found.breach.law.title),
        check=_check(found),
        **{name: pformat(value, width=WIDTH, sort_dicts=False) for name, value in setting.items()},
    )


def to_curl(found: Found, seed: int) -> str:
    """Shell commands for a simulator and a handler that run; the last ones print what was found."""
    setting = _setting(staged(found))
    lines = [_post("/_sim/faults", _body(rule)) for rule in setting["faults"]]
    for number, round_ in enumerate(setting["rounds"]):
        lines.append(_clock("manual") if number else f"# round {number + 1}")
        lines += [_post("/_sim/calls", _filled({"to": _PLACE, **call}, "number")) for call in round_["calls"]]
        lines += [_post("/_sim/threads", _filled({"to": _PLACE, **thread}, "number")) for thread in round_["texts"]]
        lines += [_clock("auto"), _post("/_sim/clock/settle", _body({"patience": 30}))]
    account = {"clock": "manual", "webhook_secret": _PLACE, "handler_grace": 0, **setting["account"]}
    return CURL.format(
        about=_one_line(f"{found.breach.law.title}. Attack seed {seed}"),
        account=_filled(account, "secret"),
        hook=_filled({"url": _PLACE, **setting["webhook"]}, "handler"),
        agent=_body(setting["agent"]),
        number=_filled({"agentId": _PLACE}, "agent"),
        lines="\n".join(lines),
    )


def _setting(scenario: Plain) -> dict[str, Any]:
    """A scenario as `/_sim` and `/v1` take it: its parts by round, in the order in which they begin."""
    kept = {name: scenario[name] for name in ("contract", "policies") if name in scenario}
    parts = [(kind, part) for kind in ("calls", "texts") for part in scenario.get(kind, ())]
    starts = sorted({_at(part) for _, part in parts})
    rounds = [
        {
            kind: [_of_sim(part) for other, part in parts if other == kind and _at(part) == start]
            for kind in ("calls", "texts")
        }
        for start in starts
    ]
    return {
        "account": kept,
        "webhook": scenario["world"].get("webhook", {}),
        "agent": {"name": AGENT, "voiceMode": "webhook", "transferNumber": COLLEAGUE},
        "faults": scenario.get("faults", []),
        "rounds": rounds,
    }


def _at(part: Plain) -> float:
    return durations.parse(part.get("at", "0s")).total_seconds()


def _of_sim(part: Plain) -> Plain:
    return {"from": part["from"], "script": [_in_seconds(step) for step in part["script"]]}


def _in_seconds(value: Any, key: str = "") -> Any:
    """A step as `/_sim` takes it: lengths of time are numbers there."""
    if isinstance(value, Mapping):
        return {inner: _in_seconds(item, inner) for inner, item in value.items()}
    return durations.parse(value).total_seconds() if key in LENGTHS else value


def _check(found: Found) -> str:
    """The assertions of a test."""
    breach = found.breach
    if breach.kind in EVENTS:
        most = 2 if isinstance(attempts(found.plan), dict) else 1
        return EVENT_CHECK.format(event=breach.kind, most=most)
    if breach.kind == "silence":
        return SILENCE_CHECK.format(words=repr(_question(found)))
    return FINDING_CHECK.format(kind=breach.kind)


def _question(found: Found) -> str:
    """The words that were met with silence."""
    step = part_of(staged(found), found.breach.part)["script"][found.breach.step[0] if found.breach.step else 0]
    return str(step["say"])


def _body(value: Any) -> str:
    return shlex.quote(json.dumps(value))


def _filled(value: Mapping[str, Any], variable: str) -> str:
    return _body(value).replace(_PLACE, f"'\"${variable}\"'", 1)


def _post(path: str, body: str) -> str:
    return f'curl -s -H "$key" $sim{path} -d {body} > /dev/null'


def _clock(mode: str) -> str:
    return f'curl -s -H "$key" -X PUT $sim/_sim/clock -d {_body({"mode": mode})} > /dev/null'


def _one_line(text: str) -> str:
    return " ".join(text.replace('"', "'").replace("\\", "/").split())


FINDING_CHECK: Final = """findings = [(entry["finding"], entry["message"]) for entry in entries("finding")]
        assert "{kind}" not in [kind for kind, _ in findings], findings"""
EVENT_CHECK: Final = """settled = [entry for entry in entries("delivery.settled") if entry["event"] == "{event}"]
        assert settled and all(entry["status"] == "success" for entry in settled), settled
        assert all(entry["attempts"] <= {most} for entry in settled), settled"""
SILENCE_CHECK: Final = """opened = entries("turn.opened")
        asked = [entry["turn_id"] for entry in opened if entry["transcript"] == {words}]
        said = {{entry["turn_id"] for entry in entries("turn.chunk") if entry["text"]}}
        assert asked and set(asked) <= said, entries("turn")"""
TEST: Final = '''"""{about}."""

from __future__ import annotations

import os
import random
from typing import Any

import httpx

SIMULATOR = os.environ.get("AGENTPHONE_BASE_URL", "http://127.0.0.1:8787")
KEY = os.environ.get("AGENTPHONE_API_KEY", "sk_live_simulator")
HANDLER = os.environ.get("HANDLER_URL", "http://127.0.0.1:3000/webhook")
SECRET = os.environ.get("AGENTPHONE_WEBHOOK_SECRET", "whsec_of_the_attack")  # the one that the handler knows
ACCOUNT = {account}
WEBHOOK = {webhook}
AGENT = {agent}
FAULTS: list[dict[str, Any]] = {faults}
ROUNDS: list[dict[str, Any]] = {rounds}


def {function}() -> None:
    opened = {{"clock": "manual", "handler_grace": 0, "webhook_secret": SECRET, **ACCOUNT}}
    opened["seed"] = random.getrandbits(40)  # a handler that remembers ids has not seen these
    with httpx.Client(base_url=SIMULATOR, timeout=120, trust_env=False) as sim:

        def ask(method: str, path: str, body: Any = None) -> Any:
            return sim.request(method, path, json=body).raise_for_status().json()

        def entries(kind: str) -> list[dict[str, Any]]:
            return sim.get("/_sim/journal", params={{"kind": kind, "limit": 10_000}}).json()["entries"]

        sim.headers["Authorization"] = f"Bearer {{KEY}}"
        sim.headers["Authorization"] = f"Bearer {{ask('POST', '/_sim/accounts', opened)['api_key']}}"
        ask("POST", "/v1/webhooks", {{"url": HANDLER, **WEBHOOK}})
        agent = ask("POST", "/v1/agents", AGENT)["id"]
        number = ask("POST", "/v1/numbers", {{"agentId": agent}})["phoneNumber"]
        for fault in FAULTS:
            ask("POST", "/_sim/faults", fault)
        for round_ in ROUNDS:  # everything in a round begins at once
            ask("PUT", "/_sim/clock", {{"mode": "manual"}})
            for call in round_["calls"]:
                ask("POST", "/_sim/calls", {{"to": number, **call}})
            for thread in round_["texts"]:
                ask("POST", "/_sim/threads", {{"to": number, **thread}})
            ask("PUT", "/_sim/clock", {{"mode": "auto"}})
            ask("POST", "/_sim/clock/settle", {{"patience": 30}})
        {check}
'''
CURL: Final = """# {about}.
sim=${{AGENTPHONE_BASE_URL:-http://127.0.0.1:8787}}
key="Authorization: Bearer ${{AGENTPHONE_API_KEY:-sk_live_simulator}}"
handler=${{HANDLER_URL:-http://127.0.0.1:3000/webhook}}
secret=${{AGENTPHONE_WEBHOOK_SECRET:-whsec_of_the_attack}}
opened=$(curl -s -H "$key" $sim/_sim/accounts -d {account} | grep -o '"api_key": *"[^"]*"' | cut -d '"' -f 4)
key="Authorization: Bearer $opened"
curl -s -H "$key" $sim/v1/webhooks -d {hook} > /dev/null
agent=$(curl -s -H "$key" $sim/v1/agents -d {agent} | grep -o 'agt_[0-9a-f]*' | head -1)
number=$(curl -s -H "$key" $sim/v1/numbers -d {number} | grep -o '+1[0-9]*' | head -1)
{lines}
curl -s -H "$key" "$sim/_sim/journal?kind=finding"
curl -s -H "$key" "$sim/_sim/journal?kind=delivery.settled"
"""
