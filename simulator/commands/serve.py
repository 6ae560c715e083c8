"""`serve`: run the simulator until it is told to stop.

The path from here to the first answer is the one that users wait for, so nothing is imported that it does not need.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator import __version__
from simulator.clock import ClockMode
from simulator.domain.fault_rules import FaultSpec, read_fault
from simulator.domain.limits import Limits
from simulator.domain.policy import CONTRACTS, Policies
from simulator.errors import UsageError
from simulator.settings import DEFAULT_API_KEY, DEFAULT_HOST, DEFAULT_MODEL, DEFAULT_PORT, Settings

if TYPE_CHECKING:
    from simulator.state.keeper import Keeper


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 takes a free port."
)
@click.option("--api-key", "api_keys", multiple=True, help="A key to accept; each is an account. May be repeated.")
@click.option(
    "--clock",
    type=click.Choice([mode.value for mode in ClockMode]),
    default=ClockMode.SYSTEM.value,
    show_default=True,
    help="Who moves time: wall time, only you (`advance`), or itself whenever nothing is in flight.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0, 1_000_000, min_open=True),
    default=1.0,
    show_default=True,
    help="Simulated seconds per real second.",
)
@click.option(
    "--handler-grace",
    type=click.FloatRange(0, 600),
    default=0.0,
    show_default=True,
    help="Real seconds that a handler may take without simulated time passing (clock auto).",
)
@click.option(
    "--contract",
    type=click.Choice(list(CONTRACTS)),
    default="all",
    show_default=True,
    help="Which generation of the documentation to follow where they disagree.",
)
@click.option("--policy", "overrides", multiple=True, metavar="NAME=VALUE", help="Override one switch of the contract.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="Switch a limit on. May be repeated.")
@click.option("--fault", "faults", multiple=True, metavar="RULE", help="Make something go wrong. May be repeated.")
@click.option("--allow-host", "allow_hosts", multiple=True, help="A webhook host outside loopback to send to.")
@click.option("--allow-origin", "allow_origins", multiple=True, help="A Host or Origin besides loopback to accept.")
@click.option("--hosted-url", metavar="URL", help="An OpenAI-compatible base URL that answers for hosted agents.")
@click.option("--hosted-model", default=DEFAULT_MODEL, show_default=True, help="Which of its models.")
@click.option("--seed", type=int, default=0, show_default=True, help="Where ids, secrets and numbers come from.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep every account in this file: read at the start, written after changes and at the end.",
)
def command(
    host: str,
    port: int,
    api_keys: Sequence[str],
    clock: str,
    scale: float,
    handler_grace: float,
    contract: str,
    overrides: Sequence[str],
    limits: Sequence[str],
    faults: Sequence[str],
    allow_hosts: Sequence[str],
    allow_origins: Sequence[str],
    hosted_url: str | None,
    hosted_model: str,
    seed: int,
    state: Path | None,
) -> None:
    """Run the simulator.

    The last line printed is `ready URL`, once connections are accepted. SIGINT and SIGTERM let requests in flight
    finish, then stop it.

    Limits are off: numbers, balance_cents, rate_limits, concurrent_calls, daily_new_contacts. A value is a whole
    number, or `documented` for the platform's own figure.

    A fault is written as POST /_sim/faults takes it, NAME=VALUE by comma: on=api,fault=status,status=503,times=2 or
    on=delivery,fault=duplicate,match.event=agent.message. It is there again after a reset.

    Example: agentphone-simulator serve --port 0 --clock auto --policy caller_dtmf=turn
    """
    policies = Policies(contract, dict(_pair("--policy", text, "caller_dtmf=turn") for text in overrides))
    rules = tuple(FaultSpec.of(read_fault(text)) for text in faults)
    bounds = Limits.of(_pair("--limit", text, "numbers=5") for text in limits)
    if hosted_url is not None and not hosted_url.startswith(("http://", "https://")):
        raise UsageError(f"--hosted-url {hosted_url!r} is no URL: write one like http://127.0.0.1:11434/v1")
    keys = tuple(_key(text) for text in api_keys) or (DEFAULT_API_KEY,)

    gc.disable()  # what starting makes stays, and looking for garbage in it takes a twentieth of the start
    click.get_current_context().call_on_close(gc.enable)
    from simulator.app import build_app, build_simulator, check_faults
    from simulator.runtime.server import bind, exposed, serve, url_of

    check_faults(rules)
    sock = bind(host, port)
    url = url_of(sock)
    if exposed(sock):
        click.echo(_warning(host), err=True)
    settings = Settings(
        api_keys=keys,
        clock=ClockMode(clock),
        scale=scale,
        handler_grace=timedelta(seconds=handler_grace),
        seed=seed,
        policies=policies,
        limits=bounds,
        faults=rules,
        allow_hosts=tuple(allow_hosts),
        allow_origins=tuple(allow_origins),
        hosted_url=hosted_url,
        hosted_model=hosted_model,
        public_url=url,
    )
    simulator = build_simulator(settings)
    held = ExitStack()
    kept, told = (None, ()) if state is None else _kept(held, state, settings)

    def ready() -> None:
        if hasattr(gc, "freeze"):  # not in PyPy
            gc.freeze()  # nor is it looked through later on
        gc.enable()
        click.echo(f"agentphone-simulator {__version__}: contract {contract}, clock {clock}")
        click.echo(f"base URL     {url}")
        for key in keys:
            click.echo(f"API key      {key}")
        for line in told:
            click.echo(line)
        click.echo(f"control API  {url}/_sim")
        click.echo(f"ready {url}")

    with held:
        try:
            serve(build_app(simulator, kept), sock, ready)
        finally:
            _report(*simulator.unsettled())
            if kept is not None and kept.failure is not None:
                raise UsageError(kept.failure)


def _kept(held: ExitStack, path: Path, settings: Settings) -> tuple[Keeper, tuple[str, ...]]:
    """What keeps the accounts in a file, and what is to be said of it. The file is ours until `held` is closed."""
    from simulator.state.codec import Unreadable
    from simulator.state.file import StateFile
    from simulator.state.keeper import Keeper, saved_of

    file = held.enter_context(StateFile(path))
    text = file.read()
    if text is None:
        return Keeper(file), (f"state        {path}: no such file yet, so everything is empty",)
    try:
        saved = saved_of(text, settings)
    except Unreadable as error:
        raise UsageError(
            f"state file {path} cannot be read and was left as it is: {error}; give another, or move it away"
        ) from error
    return Keeper(file, saved), (f"state        {path}: {len(saved.accounts)} accounts",)


def _warning(host: str) -> str:
    return (
        f"warning: --host {host} lets other machines in. Whoever reaches this port and has an API key can use the "
        "simulator, and have it send requests to programs on this machine. Without --host only this machine can; the "
        "names that others use for it need --allow-origin"
    )


def _report(calls: int, deliveries: int) -> None:
    if calls or deliveries:
        click.echo(f"stopped with calls still live: {calls}, deliveries still pending: {deliveries}", err=True)


def _pair(option: str, text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{option} {text!r} has no value: write {option} NAME=VALUE, such as {example}")
    return name.strip(), value.strip()


def _key(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"--api-key {text!r} cannot be sent in a header: use printable ASCII without spaces")
    return text
