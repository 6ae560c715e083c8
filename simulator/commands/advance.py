"""`advance`: move simulated time."""

from __future__ import annotations

import click

from simulator.commands.control import Control, connection_options


@click.command()
@click.argument("seconds", type=click.FloatRange(min=0, min_open=True))
@connection_options
def command(seconds: float, base_url: str, api_key: str) -> None:
    """Move simulated time forward by SECONDS.

    Every timer on the way fires at its own instant: retries, silences, timeouts.

    Example: agentphone-simulator advance 300
    """
    with Control(base_url, api_key) as control:
        clock = control.post("/_sim/clock/advance", {"seconds": seconds})
    upcoming = clock["next_timer"]
    then = f"next timer: {upcoming['timer']} at {upcoming['due']}" if upcoming else "no timers"
    click.echo(f"it is {clock['now']}; {then}")
