"""From a plan to the scenario that plays it, in plain data as a file has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from simulator.conformance.attack.plan import (
    AFTERWARDS,
    Backchannel,
    BargeIn,
    Call,
    HangUp,
    Plan,
    Press,
    Say,
    Step,
    Thread,
    Wait,
)
from simulator.scenarios.durations import render

Plain = dict[str, Any]
Numbers = Callable[[int], str]

AGENT: Final = "Agent"
LULL: Final = 1800  # simulated seconds between two rounds: longer than any of these calls, and jumped over
COLLEAGUE: Final = "+14155550199"  # to whom an agent may transfer
LATECOMER: Final = 9  # who looks, when everything is over, whether the handler still answers
QUESTION: Final = Say("Where is my order 4521?", plain=True)


def usual(person: int) -> str:
    """The number of somebody in a file: one of those that are set aside for fiction."""
    return f"+141555501{50 + person}"


def scenario_of(plan: Plan, numbers: Numbers = usual, *, afterwards: str = "") -> Plain:
    """The scenario of a plan. `afterwards` adds one question, in a "call" or a "text", when everything is over."""
    calls = [_call(call, numbers) for call in plan.calls]
    texts = [_thread(thread, numbers) for thread in plan.threads]
    if afterwards == "call":
        calls.append(_call(Call(caller=LATECOMER, round=plan.rounds, steps=(QUESTION,)), numbers, AFTERWARDS))
    elif afterwards == "text":
        late = {"name": AFTERWARDS, "from": numbers(LATECOMER), "at": _at(plan.rounds)}
        texts.append({**late, "script": [{"text": QUESTION.words}]})
    agent = {"name": AGENT, "voiceMode": "webhook", "transferNumber": COLLEAGUE}
    world: Plain = {"agents": [agent]}
    if plan.context_limit is not None:
        world["webhook"] = {"contextLimit": plan.context_limit}
    scenario: Plain = {"name": "attack", "contract": plan.contract, "policies": dict(plan.policies), "world": world}
    scenario |= {"faults": [fault.rule for fault in plan.faults], "calls": calls, "texts": texts}
    return {key: value for key, value in scenario.items() if value}


def script_of(call: Call) -> list[Plain]:
    """The steps of a call, with lengths of time as a file has them."""
    return [_step(step) for step in call.steps]


def _call(call: Call, numbers: Numbers, name: str = "") -> Plain:
    made: Plain = {"name": name} if name else {}
    made["from"] = numbers(call.caller)
    if call.round:
        made["at"] = _at(call.round)
    return {**made, "script": script_of(call)}


def _step(step: Step) -> Plain:
    match step:
        case Say():
            return {"say": step.words}
        case Wait():
            return {"wait": length(step.seconds)}
        case Press():
            return {"press": step.digits}
        case BargeIn():
            return {"barge_in": {"after": length(step.after), "say": step.words}}
        case Backchannel():
            return {"backchannel": {"after": length(step.after), "say": step.words}}
        case HangUp():
            return {"hang_up": {"after": length(step.after)}}


def _thread(thread: Thread, numbers: Numbers) -> Plain:
    made: Plain = {"from": numbers(thread.sender)}
    if thread.round:
        made["at"] = _at(thread.round)
    script: list[Plain] = []
    for text in thread.texts:
        if text.after:
            script.append({"after": length(text.after)})
        script.append({"text": text.words, **({"media": list(text.media)} if text.media else {})})
    return {**made, "script": script}


def _at(number: int) -> str:
    return length(number * LULL)


def length(seconds: float) -> str:
    """A length of time as a file has it."""
    return render(timedelta(seconds=seconds))
