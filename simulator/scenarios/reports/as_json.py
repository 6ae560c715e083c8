"""The report for programs. `version` changes when a field is renamed or changes its meaning, not when one is added."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from simulator.scenarios.results import CallResult, RunResult, ScenarioResult, TextResult, ear

VERSION: Final = 1


def render(run: RunResult) -> str:
    """Write a run as JSON. Moments and lengths are seconds; the same run gives the same bytes."""
    return json.dumps(report(run), indent=2, ensure_ascii=True) + "\n"


def report(run: RunResult) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "version": VERSION,
        "generator": f"agentphone-simulator {run.version}",
        "ok": run.ok,
        "handler": run.handler,
        "started": run.started.isoformat(),
        "real_seconds": run.real_seconds,
        "counts": {
            "scenarios": len(run.scenarios),
            "failed": sum(not scenario.ok for scenario in run.scenarios),
            "checks": sum(len(scenario.checks) for scenario in run.scenarios),
            "failed_checks": sum(not check.ok for scenario in run.scenarios for check in scenario.checks),
        },
        "not_run": list(run.not_run),
        "ear": plain(ear(run.calls)),
        "scenarios": [_scenario(scenario) for scenario in run.scenarios],
    }


def _scenario(scenario: ScenarioResult) -> dict[str, Any]:
    shown = {f.name: plain(getattr(scenario, f.name)) for f in fields(scenario) if f.name not in ("calls", "texts")}
    parts = {"calls": [_part(call) for call in scenario.calls], "texts": [_part(text) for text in scenario.texts]}
    return {"ok": scenario.ok, **shown, **parts}


def _part(part: CallResult | TextResult) -> dict[str, Any]:
    shown = {"ok": part.ok, **plain(part)}
    if isinstance(part, CallResult):
        shown["ear"] = plain(ear([part.record]))
    return shown


def plain(value: Any) -> Any:
    """Records as JSON values: lengths in seconds, enumerations as their words."""
    match value:
        case timedelta():
            return value.total_seconds()
        case Enum():
            return value.value
        case tuple() | list():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value
