"""The command `agentphone-simulator`. Each command is a module in `simulator.commands`, imported when it is asked for.

Whatever goes wrong is one line on stderr that names the way out, and exit code 2. Exit code 1 means that the command
did its work and the outcome was not what was hoped for.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any, Final

import click

from simulator import __version__
from simulator.errors import SimulatorError

COMMANDS: Final = (
    *("serve", "demo", "call", "export", "text", "advance", "routes", "numbers"),
    *("run", "conform", "outage", "schema"),
)
INTERRUPTED: Final = 130  # what shells report for a program that Ctrl-C ended


class CommandLine(click.Group):
    """Imports a command's module when it is needed, and keeps errors to one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, or None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"simulator.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command. A command returns its exit code, or None for 0."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # agents say things that a Windows console cannot print
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "agentphone-simulator"
            code = _refuse(f"{error.format_message()} See `{path} --help`.")
        except click.ClickException as error:
            code = _refuse(error.format_message())
        except SimulatorError as error:
            code = _refuse(str(error))
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        except BrokenPipeError:
            # The reader has seen enough (`… | head`). Nothing more may be written, not even on the way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


def _refuse(message: str) -> int:
    from simulator.commands.output import say  # a command that does not fail need not load it

    say(f"agentphone-simulator: {' '.join(message.split())}", err=True)
    return 2


@click.group(cls=CommandLine, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agentphone-simulator")
@click.pass_context
def main(ctx: click.Context) -> None:
    """A telephone platform for AI agents that fits in one process.

    Start it with `agentphone-simulator serve`, or watch it work with `agentphone-simulator demo`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
