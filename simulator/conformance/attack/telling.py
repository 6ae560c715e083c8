"""Tells what an attack found: the smallest conversation that breaks a law, as a story and as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.conformance.attack.exports import part_of, staged, to_curl, to_pytest, to_scenario
from simulator.conformance.attack.laws import Breach
from simulator.conformance.attack.plan import AFTERWARDS, Plan
from simulator.conformance.attack.report import AttackReport, Ended, Found
from simulator.errors import UsageError
from simulator.scenarios.durations import clock
from simulator.scenarios.record import CallRecord, TextRecord, Who
from simulator.scenarios.reports.texts import printable

if TYPE_CHECKING:
    from rich.console import Console

LONGEST: Final = 100  # characters of what somebody says that are shown
__all__ = ["AttackReport", "show", "story", "summary", "write"]

_ENDED: Final = {
    Ended.DONE: "",
    Ended.TIME: "; the time was over",
    Ended.STOPPED: "; it was stopped",
}


def summary(report: AttackReport) -> str:
    """One line about the whole attack."""
    count = f"{report.examples} conversation{'s' if report.examples != 1 else ''}"
    if report.found is not None:
        return f"found after {count} (seed {report.seed}){_ENDED[report.ended]}"
    if report.sightings:
        return f"{len(report.sightings)} seen once and not again, in {count} (seed {report.seed}){_ENDED[report.ended]}"
    return f"{count}, no law broken (seed {report.seed}){_ENDED[report.ended]}"


def steadiness(found: Found) -> str:
    """How sure it is that the breach comes again."""
    if found.spoils:
        return (
            "after it, the handler answers not even a plain question: it could not be made smaller, nor played again; "
            "start the handler anew"
        )
    if found.once:
        return "seen once, and not again when the same was played again: something besides the conversation decides"
    if found.steady:
        return f"it happened again in {found.seen} of {found.tries} replays"
    return f"it happened again in only {found.seen} of {found.tries} replays" if found.tries else "not played again"


def story(found: Found) -> list[str]:
    """The conversation with the breach, line by line, and what should have been."""
    breach = found.breach
    lines = [f"law broken: {breach.law.title} ({breach.law.name})"]
    lines += [f"  on purpose: {what}" for what in _circumstances(found.plan)]
    for part, record in _parts(found):
        lines.append(f"  {part}")
        lines += [f"    {line}" for line in _lines(record)]
    where = f"{breach.part}{f', turn {breach.turn}' if breach.turn else ''}"
    lines += [
        f"  expected: {breach.expected}",
        f"  observed: {breach.observed}" + (f" ({where})" if where else ""),
        f"  source: {breach.law.source}",
        f"  mend: {breach.law.mend}",
        f"  steadiness: {steadiness(found)}",
    ]
    return [printable(line) for line in lines]


def show(report: AttackReport, console: Console) -> None:
    """Print what there is to say about an attack."""
    shown = report.shown
    colour = "green" if report.ok else "red" if report.found else "yellow"
    console.print(f"attack: {summary(report)}", style=colour, markup=False, highlight=False, soft_wrap=True)
    if shown is not None:
        console.print("\n".join(story(shown)), markup=False, highlight=False, soft_wrap=True)
    if report.replay and not report.ok:
        console.print(f"  again: {printable(report.replay)}", markup=False, highlight=False, soft_wrap=True)


def write(report: AttackReport, folder: Path) -> tuple[Path, ...]:
    """Write attack.json, and what plays the breach again: attack.yaml, test_attack.py, attack.sh.

    Raises UsageError when the folder cannot be written to.
    """
    files = {"attack.json": json.dumps(plain(report), ensure_ascii=False, indent=2) + "\n"}
    if (shown := report.shown) is not None:
        files["attack.yaml"] = to_scenario(shown, report.seed)
        files["test_attack.py"] = to_pytest(shown, report.seed)
        files["attack.sh"] = to_curl(shown, report.seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror or error}") from error
    return tuple(folder / name for name in files)


def plain(report: AttackReport) -> dict[str, Any]:
    """The report as JSON has it."""
    return {
        "target": report.target,
        "name": report.name,
        "seed": report.seed,
        "ok": report.ok,
        "examples": report.examples,
        "shrinks": report.shrinks,
        "ended": report.ended.value,
        "seconds": round(report.seconds, 3),
        "replay": report.replay,
        "found": None if report.found is None else _found(report.found),
        "sightings": [_found(sighting) for sighting in report.sightings],
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        **_breach(found.breach),
        "steps": found.plan.steps,
        "seen": found.seen,
        "tries": found.tries,
        "spoils": found.spoils,
        "scenario": staged(found),
        "part_of_scenario": part_of(staged(found), found.breach.part).get("name", found.breach.part),
        "story": story(found),
    }


def _breach(breach: Breach) -> dict[str, Any]:
    law = {"law": breach.law.name, "title": breach.law.title, "source": breach.law.source, "mend": breach.law.mend}
    at = {"part": breach.part, "turn": breach.turn, "step": list(breach.step) if breach.step else None}
    return {**law, "kind": breach.kind, "expected": breach.expected, "observed": breach.observed, **at}


def _circumstances(plan: Plan) -> Iterator[str]:
    if plan.contract != "all":
        yield f"contract {plan.contract}"
    yield from (f"{name}={value}" for name, value in plan.policies)
    if plan.context_limit is not None:
        yield f"contextLimit {plan.context_limit}"
    for fault in plan.faults:
        more = "".join(f", {name} {value:g}" for name, value in fault.parameters)
        yield f"{fault.name} on {fault.on}{more}"


def _parts(found: Found) -> Iterator[tuple[str, CallRecord | TextRecord]]:
    yield from found.observed.calls.items()
    yield from found.observed.threads.items()
    if found.observed.afterwards is not None and found.breach.part == AFTERWARDS:
        yield AFTERWARDS, found.observed.afterwards


def _lines(record: CallRecord | TextRecord) -> list[str]:
    """What was said, pressed, texted and found wrong, in order."""
    if isinstance(record, TextRecord):
        return [f"{clock(text.at)} {text.by.value}: {_cut(text.body)}" for text in record.messages]
    said = [
        (part.at, part.who is Who.AGENT, f"{part.who.value}{' (over)' if part.over else ''}: {_cut(part.heard)}")
        for part in record.speech
    ]
    said += [(keys.at, keys.who is Who.AGENT, f"{keys.who.value} presses {keys.digits}") for keys in record.keys]
    said += [(finding.at, True, f"finding: {finding.kind}") for finding in record.findings]
    said.append((record.ended, True, f"the call is over: {record.reason}"))
    return [f"{clock(at)} {text}" for at, _, text in sorted(said)]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text)} characters)"
