"""`routes`: every operation this simulator serves."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """List every operation.

    Columns: method, path, operation id. Fields are described in /openapi.json and, for reading, under /docs.

    Example: agentphone-simulator routes | grep calls
    """
    from simulator.app import operations

    rows = [(operation.method, operation.path, operation.id) for operation in operations()]
    header = ("METHOD", "PATH", "OPERATION")
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(2)]
    for row in (header, *rows):
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[2]]))
