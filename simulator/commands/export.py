"""`export`: a call that was held becomes a scenario file, a pytest test or curl commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from simulator.commands.control import Control, connection_options

FORMS: Final = ("scenario", "pytest", "curl")
BY_SUFFIX: Final[Mapping[str, str]] = {".py": "pytest", ".sh": "curl"}


@click.command()
@click.argument("call_id")
@click.option(
    "--as", "form", type=click.Choice(FORMS), help="What it becomes.  [default: as --output ends, or scenario]"
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it.  [default: standard output]",
)
@connection_options
def command(call_id: str, form: str | None, output: Path | None, base_url: str, api_key: str) -> None:
    """Write the call CALL_ID down as a scenario, a test or commands.

    Held again with the same handler, it has the same transcript. A call that goes on is written as far as it has come.

    Example: agentphone-simulator export call_2c61ff0d7a5b4d21 --output orders.yaml
    """
    with Control(base_url, api_key) as control:
        write(control, call_id, form or form_of(output), output)


def form_of(file: Path | None) -> str:
    """What a file of this name holds."""
    return "scenario" if file is None else BY_SUFFIX.get(file.suffix, "scenario")


def write(control: Control, call_id: str, form: str, output: Path | None) -> None:
    """Export one call to a file, or to standard output without one."""
    text = control.text(f"/_sim/calls/{call_id}/export", **{"as": form})
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"{output}: {form} of {call_id}", err=True)
