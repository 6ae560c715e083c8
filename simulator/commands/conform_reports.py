"""What `conform` prints and writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from simulator.errors import UsageError

if TYPE_CHECKING:
    from simulator.conformance.results import Report

HTML: Final = "report.html"
JSON: Final = "report.json"
JUNIT: Final = "junit.xml"
BADGE: Final = "badge.svg"


def make_folder(folder: Path | None) -> None:
    """Make it now: whoever cannot write there should learn it before the run. Raises UsageError."""
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--report {folder} cannot be written to: {error.strerror or error}") from error


def write_file(file: Path, text: str) -> None:
    """Write a report. Raises UsageError."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from error


def write(report: Report, folder: Path | None) -> None:
    """Write every kind of report to a folder that exists."""
    if folder is None:
        return
    from simulator.conformance.report import as_json, badge, junit, page

    renderers = {HTML: page.render, JSON: as_json.render, JUNIT: junit.render, BADGE: badge.render}
    for name, render in renderers.items():
        write_file(folder / name, render(report))


def show(report: Report, *, as_json: bool, verbose: bool) -> None:
    """Print it, for people or for programs."""
    from rich.console import Console

    from simulator.conformance.report import as_json as json_report
    from simulator.conformance.report import terminal

    if as_json:
        click.echo(json_report.render(report).rstrip("\n"))
    else:
        terminal.show(report, Console(highlight=False), verbose=verbose)


def show_cases(numbers: Sequence[str]) -> None:
    """Print the table of the cases with these numbers, or in these groups; of all without any."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from simulator.conformance.case import GROUPS
    from simulator.conformance.examine import Options, chosen

    table = Table(box=None, pad_edge=False)
    for name in ("case", "level", "what holds for a handler that passes", "profile", "needs"):
        table.add_column(name, no_wrap=name in ("case", "level", "profile"))
    group = 0
    for case in chosen(Options(numbers=tuple(numbers), compliance=True)):
        if case.group != group:
            group = case.group
            table.add_row(Text(str(group), "bold"), "", Text(GROUPS[group], "bold"))
        needs = [need.value for need in sorted(case.needs)] + (["--compliance"] if case.asked_for else [])
        table.add_row(case.number, case.level.value, Text(case.title), case.profile.value, ", ".join(needs))
    Console(highlight=False).print(table)
