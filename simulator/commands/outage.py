"""`outage`: a handler is away for a day; what came late, what was lost, and in which order things arrived."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from simulator.clock import ClockMode
from simulator.commands.application import application, host_of, knock
from simulator.domain.policy import CONTRACTS, Policies
from simulator.errors import UsageError
from simulator.settings import Settings, from_environment

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.scenarios.outage import Aftermath, Plan

LISTED: Final = 40  # in the order of arrival; --json has all of it
TITLE: Final = "A handler down for {}, and what became of its events"


@click.command()
@click.option("--handler", metavar="URL", help="The webhook URL of a handler that is running.")
@click.option("--app", metavar="MODULE:APP", help="An ASGI application to start in a process of its own.")
@click.option("--path", default="/webhook", show_default=True, help="Where --app takes webhooks.")
@click.option("--secret", help="Sign webhooks with this secret, which the handler knows already.")
@click.option("--down", default="24h", show_default=True, metavar="LENGTH", help="How long the handler is away.")
@click.option(
    "--texts-every", default="1h", show_default=True, metavar="LENGTH", help="How often somebody texts; 0s: never."
)
@click.option("--calls-every", metavar="LENGTH", help="How often somebody calls.")
@click.option(
    "--status", default="refused", show_default=True, help="How it is away: refused, timeout, or a status such as 503."
)
@click.option("--contract", type=click.Choice(list(CONTRACTS)), default="all", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**62), default=0, show_default=True, help="Where ids come from.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the chart to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    handler: str | None,
    app: str | None,
    path: str,
    secret: str | None,
    down: str,
    texts_every: str,
    calls_every: str | None,
    status: str,
    contract: str,
    seed: int,
    svg: Path | None,
    as_json: bool,
) -> int:
    """Keep a handler down for a while, bring it back, and show what became of every event.

    Texts and calls go on meanwhile, in simulated time. When the handler is back the rest of the retry ladder is climbed
    to its end, 20 h 35 min after the last event; what arrives then really arrives there, signed. Without --handler and
    --app a stand-in takes what arrives. Reports, and judges nothing: the exit code is 0.

    Example: agentphone-simulator outage --app my_handler:app --down 24h --svg outage.svg
    """
    from simulator.scenarios.outage import Plan

    if handler is not None and app is not None:
        raise UsageError("give --handler URL or --app MODULE:APP, not both")
    plan = Plan(
        down=_length("--down", down) or timedelta(),
        does=_does(status),
        texts_every=_length("--texts-every", texts_every) or None,
        calls_every=(calls_every and _length("--calls-every", calls_every)) or None,
    )
    if handler is not None:
        knock(handler)
    settings = Settings(
        clock=ClockMode.MANUAL,
        api_keys=(from_environment()["api_key"],),
        seed=seed,
        policies=Policies(contract),
        webhook_secret=secret or f"whsec_{secrets.token_hex(32)}",
        allow_hosts=(host_of(handler),) if handler else (),
    )
    aftermath = _play(plan, settings, handler, app, path)
    if svg is not None:
        _draw(aftermath, svg)
    if as_json:
        click.echo(json.dumps(aftermath.as_json(), indent=2))
    else:
        from rich.console import Console

        _show(aftermath, Console(highlight=False))
    return 0


def _length(option: str, text: str) -> timedelta:
    from simulator.scenarios.durations import parse

    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option} {error}") from error


def _does(status: str) -> int | str:
    from simulator.scenarios.stand_in import HANGS, REFUSES

    if status in (HANGS, REFUSES):
        return status
    if status.isascii() and status.isdigit() and 300 <= int(status[:9]) <= 599:
        return int(status)
    raise UsageError(f"--status {status!r}: give {REFUSES}, {HANGS}, or an HTTP status from 300 to 599, such as 503")


def _play(plan: Plan, settings: Settings, handler: str | None, app: str | None, path: str) -> Aftermath:
    from simulator.runtime.server import ServerThread
    from simulator.scenarios.outage import play
    from simulator.scenarios.stage import Stage

    stage, url = Stage(), handler
    with ExitStack() as stack:
        server = stack.enter_context(ServerThread(stage))
        if app is not None:
            key, secret = settings.api_keys[0], str(settings.webhook_secret)
            url = stack.enter_context(application(app, path, server.url, api_key=key, secret=secret))
        assert stage.loop is not None
        return asyncio.run_coroutine_threadsafe(play(stage, plan, settings, url), stage.loop).result()


def _draw(aftermath: Aftermath, file: Path) -> None:
    from simulator.scenarios.reports import ladder, ladder_svg

    title = TITLE.format(ladder.spell(aftermath.outage.length))
    try:
        file.write_text(ladder_svg.render(aftermath.chart(ladder_svg.MOST_ROWS), title), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--svg {file} cannot be written: {error.strerror or error}") from error


def _show(aftermath: Aftermath, console: Console) -> None:
    from rich.text import Text

    from simulator.scenarios.reports import ladder_text

    ladder_text.show(aftermath.chart(ladder_text.MOST_ROWS), console)
    console.print()
    for line, style in _story(aftermath):
        console.print(Text(line, style=style))


def _story(aftermath: Aftermath) -> Iterator[tuple[str, str]]:
    """What was lost and why, and in which order the rest arrived."""
    lost = [delivery for delivery in aftermath.owed if delivery.reason is not None]
    for (event, reason), number in Counter((d.event, d.reason) for d in lost).items():
        sent = sorted(d.created for d in lost if (d.event, d.reason) == (event, reason))
        when = f"{sent[0]:%a %H:%M}" + (f" to {sent[-1]:%a %H:%M}" if sent[-1] > sent[0] else "")
        yield f"lost: {number} × {event}, sent {when}: {reason}", "red"
    if not lost:
        yield "nothing was lost", "green"
    arrived, overtaken = aftermath.arrived, aftermath.overtaken
    yield f"{len(overtaken)} of {len(arrived)} arrived after something that was sent later", ""
    moments = list(dict.fromkeys(f"{delivery.created:%a %H:%M}" for delivery in arrived))
    more = f", and {len(moments) - LISTED} more" if len(moments) > LISTED else ""
    yield f"in the order of arrival, by when they were sent: {', '.join(moments[:LISTED])}{more}", "dim"
