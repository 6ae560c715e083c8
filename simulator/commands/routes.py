"""`routes`: every operation this simulator knows, simulated or not."""

from __future__ import annotations

import click


@click.command()
@click.option("--simulated/--not-simulated", "wanted", default=None, help="Only those that are, or are not.")
def command(wanted: bool | None) -> None:
    """List every operation, simulated or not.

    Columns: method, path, operation id, and whether it is simulated (those that are not answer 501).

    Example: agentphone-simulator routes --not-simulated
    """
    from simulator.app import operations

    rows = [
        (operation.method, operation.path, operation.id, "yes" if operation.status != 501 else "no")
        for operation in operations()
        if wanted is None or (operation.status != 501) is wanted
    ]
    header = ("METHOD", "PATH", "OPERATION", "SIMULATED")
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(3)]
    for row in (header, *rows):
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))
