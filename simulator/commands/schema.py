"""`schema`: the JSON schema of scenario files, so that editors complete and check them."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file instead.")
def command(output: Path | None) -> None:
    """Print the JSON schema of scenario files (draft 2020-12).

    An editor completes and checks a scenario whose first line is `# yaml-language-server: $schema=FILE`.

    Example: agentphone-simulator schema --output scenario.schema.json
    """
    from simulator.scenarios.schema import render

    if output is None:
        click.echo(render(), nl=False)
        return
    try:
        output.write_text(render(), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror or error}") from error
