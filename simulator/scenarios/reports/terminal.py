"""The report for the person who ran it: a line per scenario, everything about what failed, the ear at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.scenarios.checks import Check
from simulator.scenarios.durations import clock, short
from simulator.scenarios.record import CallRecord, Who
from simulator.scenarios.reports.texts import printable
from simulator.scenarios.results import CallResult, Ear, RunResult, ScenarioResult, TextResult, ear

if TYPE_CHECKING:
    from rich.console import Console


def show(run: RunResult, console: Console, *, verbose: bool = False) -> None:
    """Print a run. `verbose` prints the conversation of what passed, too."""
    from rich.text import Text

    for scenario in run.scenarios:
        show_scenario(scenario, console, verbose=verbose)
    for file in run.not_run:
        console.print(Text.assemble(("  -  ", "dim"), (printable(file), "dim"), (" not run", "dim")))
    if run.calls:
        console.print()
        _show_ear(ear(run.calls), console)
    console.print(_verdict(run))


def show_scenario(scenario: ScenarioResult, console: Console, *, verbose: bool = False) -> None:
    """Print one scenario: a line when it passed, everything about it when it did not."""
    from rich.text import Text

    mark = (" ok  ", "green") if scenario.ok else ("FAIL ", "bold red")
    done = sum(check.ok for check in scenario.checks)
    round_ = f" (round {scenario.round})" if scenario.round > 1 else ""
    tail = f"  {done}/{len(scenario.checks)} checks, {scenario.real_seconds * 1000:.0f} ms"
    console.print(Text.assemble(mark, printable(scenario.name), round_, (tail, "dim")))
    if scenario.error is not None:
        console.print(Text(f"     {printable(scenario.error)}", style="red"))
    if scenario.ok and not verbose:
        return
    for part in scenario.parts:
        if verbose or not part.ok:
            _show_part(part, console)
    if not scenario.ok:
        again = f"     {printable(scenario.file)}, seed {scenario.seed}"
        console.print(Text(again, style="dim"))


def _show_part(part: CallResult | TextResult, console: Console) -> None:
    from rich.text import Text

    console.print(Text(f"     {printable(part.name)}", style="bold"))
    lines = _conversation(part.record) if isinstance(part, CallResult) else _thread(part)
    for at, who, words in lines:
        style = "cyan" if who == Who.AGENT else ""
        console.print(Text.assemble((f"     {clock(at)}  ", "dim"), (f"{who:<7}", style), (printable(words), style)))
    for check in part.checks:
        if not check.ok:
            _show_check(check, console)


def _show_check(check: Check, console: Console) -> None:
    from rich.text import Text

    moment = f" at {clock(check.at)}" if check.at is not None else ""
    console.print(Text(f"     x {printable(check.where)}{moment}", style="red"))
    for label, value in (("expected", check.expected), ("observed", check.observed), ("nearest miss", check.nearest)):
        if value:
            console.print(Text.assemble((f"       {label:<13}", "dim"), printable(value)))


def _conversation(record: CallRecord) -> list[tuple[timedelta, str, str]]:
    """The call as it was heard, in order, with its findings and its end."""
    lines: list[tuple[timedelta, str, str]] = []
    for part in record.speech:
        cut = (
            f" -- cut off before: {part.said[len(part.heard) :].strip()}"
            if part.cut and part.said != part.heard
            else ""
        )
        lines.append((part.at, part.who.value, f"{'(over) ' if part.over else ''}{part.heard}{cut}"))
    lines += [(keys.at, keys.who.value, f"[presses {keys.digits}]") for keys in record.keys]
    lines += [(finding.at, "!", f"{finding.kind}: {finding.message}") for finding in record.findings]
    lines += [(turn.opened, "!", f"no answer ({turn.how})") for turn in record.turns if turn.unanswered]
    return [*sorted(lines, key=lambda line: line[0]), (record.ended, "", f"the call ends: {record.reason}")]


def _thread(part: TextResult) -> list[tuple[timedelta, str, str]]:
    return [(message.at, message.by.value, message.body) for message in part.record.messages]


def _show_ear(measured: Ear, console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title="What the callers heard", title_justify="left", title_style="bold")
    table.add_column("")
    for name in ("count", "p50", "p90", "p99", "longest"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, row in measured.spreads():
        if row.count:
            lengths = (row.p50, row.p90, row.p99, row.longest)
            table.add_row(name, str(row.count), *("" if length is None else short(length) for length in lengths))
    console.print(table)
    if measured.unanswered:
        console.print(f"{measured.unanswered} turns without an answer", style="red")


def _verdict(run: RunResult) -> str:
    failed = sum(not scenario.ok for scenario in run.scenarios)
    checks = sum(len(scenario.checks) for scenario in run.scenarios)
    took = f"{len(run.scenarios)} scenarios, {checks} checks, {run.real_seconds:.2f} s"
    if failed:
        return f"\n[bold red]{failed} failed[/]: {took}"
    return f"\n[bold green]all passed[/]: {took}" if run.ok else f"\n[bold red]not all were run[/]: {took}"
