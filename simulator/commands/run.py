"""`run`: play scenario files against a handler, and report what was heard."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from simulator import __version__
from simulator.commands.application import application, host_of, knock
from simulator.commands.output import say
from simulator.domain.fault_rules import FaultSpec, read_fault
from simulator.domain.policy import CONTRACTS, Policies
from simulator.errors import ScenarioInvalid, UsageError
from simulator.settings import from_environment

if TYPE_CHECKING:
    from simulator.scenarios.batch import Job, Lane
    from simulator.scenarios.model import Scenario
    from simulator.scenarios.results import RunResult, ScenarioResult
    from simulator.scenarios.runner import Conditions

REPORTS: Final = ("report.json", "junit.xml", "report.html")
MOST_SEED: Final = 1_000_000_000  # short enough to be typed again
MOST_LANES: Final = 64  # scenarios at once; each has a server with a thread of its own


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--handler", metavar="URL", help="The webhook URL of a handler that is running.")
@click.option("--app", metavar="MODULE:APP", help="An ASGI application to start in a process of its own.")
@click.option("--path", default="/webhook", show_default=True, help="Where --app takes webhooks.")
@click.option("--secret", help="Sign webhooks with this secret, which the handler knows already.")
@click.option(
    "--secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the secret to this file before the first call; a handler may read it from there.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where a running handler reaches the API.")
@click.option("--parallel", type=click.IntRange(1, MOST_LANES), default=1, show_default=True, help="How many at once.")
@click.option("--repeat", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many rounds.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**62),
    help="Where ids come from. Without it every run has other ones; a failure names its seed.",
)
@click.option("--fail-fast", is_flag=True, help="Start nothing more after the first failure.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value of a {{name}}. May be repeated.")
@click.option("--contract", type=click.Choice(list(CONTRACTS)), help="Goes before the files' own.")
@click.option("--policy", "overrides", multiple=True, metavar="NAME=VALUE", help="Override one switch of the contract.")
@click.option("--fault", "faults", multiple=True, metavar="RULE", help="Make something go wrong, as for `serve`.")
@click.option("--allow-host", "allow_hosts", multiple=True, help="Another host outside loopback to send to.")
@click.option(
    "--report", type=click.Path(file_okay=False, path_type=Path), help=f"Write {', '.join(REPORTS)} to this folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--verbose", is_flag=True, help="Print the conversations of what passed, too.")
def command(
    files: Sequence[Path],
    handler: str | None,
    app: str | None,
    path: str,
    secret: str | None,
    secret_file: Path | None,
    port: int,
    parallel: int,
    repeat: int,
    seed: int | None,
    fail_fast: bool,
    variables: Sequence[str],
    contract: str | None,
    overrides: Sequence[str],
    faults: Sequence[str],
    allow_hosts: Sequence[str],
    report: Path | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Play the scenarios in FILES (folders are searched) against a handler.

    The handler is either running (--handler) or an ASGI application that is started for the run (--app). An
    application is told how to check signatures and how to reach the API by its environment: AGENTPHONE_WEBHOOK_SECRET,
    AGENTPHONE_BASE_URL, AGENTPHONE_API_KEY. A handler that runs already knows its secret (--secret), reads it from a
    file that may appear later (--secret-file), or checks nothing; it finds the API on --port, with the key in
    AGENTPHONE_API_KEY or the simulator's usual one.

    Exit code 0: all passed. 1: an expectation failed, or a scenario could not be played. 2: a mistake in the files or
    on the command line; nothing was played.

    Example: agentphone-simulator run scenarios/ --app my_handler:app --report reports
    """
    from simulator.app import check_faults
    from simulator.scenarios import batch

    if (handler is None) == (app is None):
        raise UsageError("give --handler URL or --app MODULE:APP, one of them: whom do the scenarios test?")
    policies = dict(_pair("--policy", text) for text in overrides)
    Policies(contract or "all", policies)  # a misspelt one is said now
    rules = tuple(read_fault(text) for text in faults)
    check_faults(map(FaultSpec.of, rules))
    scenarios = _load(files, dict(_pair("--var", text) for text in variables))
    if scenarios is None:
        return 2
    if handler is not None:
        knock(handler)
    _make_folder(report)
    secret = secret or f"whsec_{secrets.token_hex(32)}"
    if secret_file is not None:
        _write_secret(secret_file, secret)
    common: dict[str, Any] = {
        "api_key": from_environment()["api_key"],
        "secret": secret,
        "contract": contract,
        "policies": policies,
        "faults": rules,
        "allow_hosts": (*allow_hosts, *([host_of(handler)] if handler else [])),
    }
    jobs = batch.jobs_of(scenarios, repeat, seed=seed, usual=secrets.randbelow(MOST_SEED))
    with ExitStack() as stack:
        lanes = [
            _lane(stack, port if index == 0 else 0, handler, app, path, common, connected=index == 0 or app is not None)
            for index in range(min(parallel, len(jobs)))
        ]
        run = _play(jobs, lanes, handler or str(app), fail_fast=fail_fast)
    _write_reports(run, report)
    _print(run, as_json=as_json, verbose=verbose)
    return 0 if run.ok else 1


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{option} {text!r} has no value: write {option} NAME=VALUE")
    return name.strip(), value.strip() if option == "--policy" else value


def _load(files: Sequence[Path], variables: dict[str, str]) -> list[tuple[str, Scenario]] | None:
    """Every scenario with its file; None when there are mistakes, which have been printed, all of them."""
    from simulator.scenarios.loader import find, load_path

    loaded, mistakes = [], False
    for file in find(list(files)):
        try:
            loaded.append((str(file), load_path(file, variables)))
        except ScenarioInvalid as error:
            mistakes = True
            for problem in error.problems:
                say(str(problem), err=True)
    return None if mistakes else loaded


def _make_folder(report: Path | None) -> None:
    try:
        if report is not None:
            report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--report {report} cannot be written to: {error.strerror or error}") from error


def _write_secret(file: Path, secret: str) -> None:
    try:
        file.touch(mode=0o600)  # before anything is in it: it is ours alone to read
        file.write_text(secret, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--secret-file {file} cannot be written: {error.strerror or error}") from error


def _lane(
    stack: ExitStack, port: int, handler: str | None, app: str | None, path: str, common: dict[str, Any], *,
    connected: bool,
) -> tuple[Lane, Conditions]:  # fmt: skip
    """Start one server, and the application that belongs to it."""
    from simulator.scenarios.batch import Lane
    from simulator.scenarios.runner import Conditions

    lane = stack.enter_context(Lane(port, connected=connected))
    url = handler
    if app is not None:
        key, secret = common["api_key"], common["secret"]
        url = stack.enter_context(application(app, path, lane.base_url, api_key=key, secret=secret))
    assert url is not None
    return lane, Conditions(handler=url, base_url=lane.base_url, **common)


def _play(jobs: Sequence[Job], lanes: Sequence[tuple[Lane, Conditions]], handler: str, *, fail_fast: bool) -> RunResult:
    """Play everything, with a bar on stderr where somebody watches."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from simulator.scenarios.batch import Batch
    from simulator.scenarios.reports.texts import printable

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("scenarios", total=len(jobs))

        def done(result: ScenarioResult) -> None:
            progress.update(bar, advance=1, description=escape(printable(result.name)))

        return Batch(jobs, fail_fast=fail_fast).run(lanes, handler=handler, version=__version__, done=done)


def _write_reports(run: RunResult, folder: Path | None) -> None:
    if folder is None:
        return
    from simulator.scenarios.reports import as_json, junit, page

    for name, render in zip(REPORTS, (as_json.render, junit.render, page.render), strict=True):
        try:
            (folder / name).write_text(render(run), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{folder / name} cannot be written: {error.strerror or error}") from error


def _print(run: RunResult, *, as_json: bool, verbose: bool) -> None:
    from rich.console import Console

    from simulator.scenarios.reports import as_json as json_report
    from simulator.scenarios.reports import terminal

    if as_json:
        click.echo(json_report.render(run), nl=False)
    else:
        terminal.show(run, Console(highlight=False), verbose=verbose)
