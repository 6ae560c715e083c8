"""`demo`: show a call and a text from end to end, with nothing set up beforehand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.demo import Heard, Report

TABLE_WIDTH: Final = 72  # columns; in a narrower terminal a table of deliveries is confetti


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(as_json: bool) -> int:
    """Play a call and a text against a sample handler.

    Shows what was heard and when, every delivery, and whether all went as expected. Starts a simulator and the
    handler on free ports, so it disturbs nothing that is running. Exit code 1 when anything was not as expected.

    Example: agentphone-simulator demo
    """
    from simulator.demo import play

    report = play()
    if as_json:
        click.echo(json.dumps(_plain(report), indent=2))
    else:
        from rich.console import Console

        _show(report, Console(highlight=False))
    return 0 if report.ok else 1


def _plain(report: Report) -> dict[str, Any]:
    return {"ok": report.ok, **asdict(report), "checks": [asdict(check) for check in report.checks]}


def _show(report: Report, console: Console) -> None:
    from rich.markup import escape

    from simulator.scenarios.reports.texts import printable

    console.print(f"\n[bold]A call to {report.number}[/] [dim](simulated seconds since it was answered)[/]")
    _lines(report.heard, console)
    console.print(f"         the call ends: {report.reason}")
    _timings(report, console)
    console.print("\n[bold]A text[/]")
    _lines(report.texts, console)
    _deliveries(report, console)
    console.print("\n[bold]Findings[/]")
    for finding in report.findings or ("none: the handler kept the contract",):
        console.print(f"  {printable(finding)}", markup=False)
    console.print("\n[bold]Expected[/]")
    for check in report.checks:
        mark = "[green]yes[/]" if check.ok else "[bold red]NO [/]"
        console.print(f"  {mark} {check.name}" + ("" if check.ok else f": {escape(printable(check.seen))}"))
    count = sum(check.ok for check in report.checks)
    verdict = "[bold green]all as expected[/]" if report.ok else "[bold red]not as expected[/]"
    console.print(f"\n{verdict}: {count} of {len(report.checks)} checks")


def _lines(lines: tuple[Heard, ...], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from simulator.scenarios.reports.texts import printable

    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", min_width=7, no_wrap=True)
    table.add_column(min_width=6, no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        style = "cyan" if line.who == "agent" else ""
        words = Text(printable(line.what), style=style)
        if line.interim:
            words.append(" (interim)", style="dim")
        table.add_row(f"{line.at:.2f}", Text(line.who, style=style), words)
    console.print(table)


def _timings(report: Report, console: Console) -> None:
    console.print("\n[bold]From the caller's last word to the first one heard[/]")
    for turn in report.turns:
        wait = "silence" if turn.first_word is None else f"{turn.first_word:.2f} s"
        console.print(f"{wait:>9}", turn.said, markup=False)


def _deliveries(report: Report, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print("\n[bold]Deliveries[/]")
    narrow = console.width < TABLE_WIDTH
    table = Table(box=None, pad_edge=False, show_header=not narrow)
    for name in ("event", "attempts", "status", "signature", "id"):
        table.add_column(name, no_wrap=name != "id", overflow="fold", justify="right" if name == "attempts" else "left")
    for delivery in report.deliveries:
        status = f"{delivery.status} {delivery.http_status or ''}".strip()
        signature = "ok" if delivery.signature_ok else "refused"
        if narrow:
            console.print(Text(f"{delivery.event}: {status}, attempts {delivery.attempts}, signature {signature}"))
            console.print(Text(f"  {delivery.id}", style="dim", overflow="fold"))
        else:
            table.add_row(delivery.event, str(delivery.attempts), status, signature, Text(delivery.id, style="dim"))
    if not narrow:
        console.print(table)
