"""`conform compare`: reports of several handlers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from simulator.errors import UsageError

if TYPE_CHECKING:
    from simulator.conformance.report.records import ReportRecord

MOST: Final = 50_000_000  # bytes of a report; a long one has a tenth of that


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the comparison to this page.")
def command(files: Sequence[Path], report: Path | None) -> int:
    """Put the JSON reports in FILES side by side: a row per case, a column per handler.

    Exit code 0, whatever they say; 2 for a file that is no report.

    Example: agentphone-simulator conform compare old/report.json new/report.json --report comparison.html
    """
    from rich.console import Console

    from simulator.commands.conform_reports import write_file
    from simulator.conformance.report import comparison

    reports = [read(file) for file in files]
    if report is not None:
        write_file(report, comparison.render(reports))
    comparison.show(reports, Console(highlight=False))
    return 0


def read(file: Path) -> ReportRecord:
    """Read a report. Raises UsageError naming the file."""
    from simulator.conformance.report import as_json

    try:
        with file.open("rb") as opened:
            text = opened.read(MOST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    if len(text) > MOST:
        raise UsageError(f"{file} is no report of `conform`: it has more than {MOST // 1_000_000} MB")
    return as_json.read(text.decode("utf-8", "replace"), str(file))
