"""What the commands print: words of handlers, callers and files are shown, and never obeyed by the terminal."""

from __future__ import annotations

import click

from simulator.scenarios.reports.texts import printable


def say(text: str, *, err: bool = False) -> None:
    """Print a line; an escape sequence in it, which could clear the screen or retitle it, becomes visible text."""
    click.echo(printable(text), err=err)
