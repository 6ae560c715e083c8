"""Scripts of a file as `/_sim` takes them: the same words, with lengths of time in seconds and no expectations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from simulator.scenarios.steps import Case, HangUpStep, RepeatStep, SilenceStep, Step, WhenStep


def sim_script(script: Sequence[Step]) -> list[Any]:
    """The steps of a script, as JSON."""
    return [_step(step) for step in script]


def _step(step: Step) -> Any:
    match step:
        case str():
            return {"hang_up": True} if step == "hang_up" else step
        case SilenceStep():
            return {"wait": step.silence.total_seconds()}
        case RepeatStep():
            return {"repeat": {"times": step.repeat.times, "steps": sim_script(step.repeat.steps)}}
        case WhenStep():
            return {"when": [_case(case) for case in step.when]}
        case HangUpStep() if step.hang_up is True:
            return {"hang_up": True}
    return in_seconds(step)


def _case(case: Any) -> dict[str, Any]:
    if isinstance(case, Case):
        return {"hears": in_seconds(case.hears), "then": sim_script(case.then)}
    return {"else": sim_script(case.else_)}


def in_seconds(value: Any) -> Any:
    """A part of a file as JSON: what is not given is left out, and so is what is expected."""
    match value:
        case timedelta():
            return value.total_seconds()
        case BaseModel():
            fields = type(value).model_fields.items()
            given = {field.alias or name: getattr(value, name) for name, field in fields if name != "expect"}
            return {name: in_seconds(item) for name, item in given.items() if item is not None}
        case list():
            return [in_seconds(item) for item in value]
    return value
