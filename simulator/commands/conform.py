"""`conform`: does a webhook handler keep the contract? Numbered cases, five verdicts, reports."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.commands import conform_compare, conform_reports
from simulator.domain.policy import CONTRACTS, Policies
from simulator.errors import UsageError
from simulator.settings import from_environment

if TYPE_CHECKING:
    from simulator.commands.conform_run import Subject

COMPARE = "compare"
PATH = "/webhook"


class _Conform(click.Command):
    """`conform URL`, and beside it `conform compare FILES`: no URL is called that."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == [COMPARE]:
            return conform_compare.command.make_context(f"{info_name} {COMPARE}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Conform)
@click.argument("url", required=False)
@click.option("--app", metavar="MODULE:APP", help="An ASGI application to start in a process of its own.")
@click.option("--path", default=PATH, show_default=True, help="Where --app takes webhooks.")
@click.option("--secret", help="The secret that the handler checks signatures with.")
@click.option(
    "--secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that the handler reads its secret from: one is written there, and changed while it runs.",
)
@click.option("--serve-api", is_flag=True, help="Serve the API, so that what the handler asks it for is seen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where (with --serve-api; 0 takes a free one).")
@click.option(
    "--profile", type=click.Choice(["sms", "voice", "all"]), default="all", show_default=True, help="What it is for."
)
@click.option("--case", "numbers", multiple=True, metavar="N", help="Only this case (2.3) or group (2). Repeatable.")
@click.option("--compliance", is_flag=True, help="Also what law and carriers want of it (group 8).")
@click.option("--strict", is_flag=True, help="Exit code 1 for what it only SHOULD do, too.")
@click.option("--timeout", type=click.FloatRange(0.1, 120), default=30, show_default=True, help="Of a request, in s.")
@click.option(
    "--first-word", type=click.FloatRange(0.05, 60), default=2, show_default=True, help="Until a caller hears it, in s."
)
@click.option("--contract", type=click.Choice(list(CONTRACTS)), help="Which generation of the documentation.")
@click.option("--policy", "overrides", multiple=True, metavar="NAME=VALUE", help="Override one switch of the contract.")
@click.option("--allow-host", "allow_hosts", multiple=True, help="Another host outside loopback to send to.")
@click.option(
    "--report", type=click.Path(file_okay=False, path_type=Path), help="Write HTML, JSON, JUnit and a badge there."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--verbose", is_flag=True, help="Print every check of every case.")
@click.option("--list", "listing", is_flag=True, help="Print the cases, and send nothing.")
@click.option("--attack", is_flag=True, help="Then search for input that breaks it (needs hypothesis).")
@click.option("--examples", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Of --attack.")
@click.option("--seed", type=click.IntRange(0, 2**62), help="Of --attack: a search is repeated by its seed.")
@click.option(
    "--attack-time", type=click.FloatRange(1, 86_400), default=60, show_default=True, help="Of --attack, in real s."
)
def command(
    url: str | None,
    app: str | None,
    path: str,
    secret: str | None,
    secret_file: Path | None,
    serve_api: bool,
    port: int,
    profile: str,
    numbers: Sequence[str],
    compliance: bool,
    strict: bool,
    timeout: float,
    first_word: float,
    contract: str | None,
    overrides: Sequence[str],
    allow_hosts: Sequence[str],
    report: Path | None,
    as_json: bool,
    verbose: bool,
    listing: bool,
    attack: bool,
    examples: int,
    seed: int | None,
    attack_time: float,
) -> int:
    """Examine the webhook handler at URL, or an ASGI application (--app), case by case.

    A handler that runs is told nothing but what it finds in --secret-file; whoever knows its secret says so with
    --secret. It is seen acting if it was started with the address of --serve-api. An application has its secret, and
    where the API is, in its environment: AGENTPHONE_WEBHOOK_SECRET, AGENTPHONE_BASE_URL, AGENTPHONE_API_KEY.

    `conform compare A.json B.json` puts reports of several handlers side by side.

    Exit code 0: it breaks no MUST (with --strict, no SHOULD either). 1: it does, or refuses every event. 2: a mistake
    on the command line, or nobody listens there; nothing was sent.

    Example: agentphone-simulator conform http://127.0.0.1:3000/webhook --secret whsec_… --report conformance
    """
    from simulator.commands.conform_attack import Search, attacked, check_installed
    from simulator.commands.conform_run import MOST_SEED, World, command_line, examined, prepared, watched
    from simulator.conformance.examine import Options, chosen
    from simulator.conformance.session import Budgets
    from simulator.conformance.verdicts import Profile

    options = Options(
        profile=Profile(profile),
        numbers=tuple(numbers),
        compliance=compliance,
        budgets=Budgets(first_word=first_word, timeout=timeout),
    )
    if listing:
        conform_reports.show_cases(numbers)
        return 0
    todo = chosen(options)
    policies = dict(_pair(text) for text in overrides)
    Policies(contract or "all", policies)  # a misspelt one is said now
    subject = _subject(url, app, path, secret, secret_file, serve_api=serve_api, port=port)
    world = World(contract=contract, policies=policies, allow_hosts=tuple(allow_hosts))
    if attack:
        check_installed()
    conform_reports.make_folder(report)
    replay = command_line(subject, options, world)
    with prepared(subject, world, replay) as stage:
        with watched(len(todo)) as tell:
            found = examined(stage, subject, options, lambda result: tell(f"{result.case} {result.case.title}"))
        conform_reports.write(found.report, report)
        conform_reports.show(found.report, as_json=as_json, verbose=verbose)
        if found.cut:
            raise KeyboardInterrupt
        kept = found.report.ok(strict=strict)
        if attack and not found.report.refuses:
            stage.leave()
            drawn = secrets.randbelow(MOST_SEED) if seed is None else seed
            search = Search(examples=examples, seed=drawn, real_seconds=attack_time)
            kept &= attacked(search, subject, world, stage, options, report, err=as_json)
    return 0 if kept else 1


def _subject(
    url: str | None, app: str | None, path: str, secret: str | None, secret_file: Path | None, *, serve_api: bool,
    port: int,
) -> Subject:  # fmt: skip
    from simulator.commands.conform_run import NO_SECRET, Subject
    from simulator.commands.output import say
    from simulator.conformance.address import read_address

    if (url is None) == (app is None):
        raise UsageError("give the URL of a handler that runs, or --app MODULE:APP, one of them: what is examined?")
    if secret is not None and not secret.strip():
        raise UsageError("--secret is empty: is the variable set that it comes from?")
    if port and not (serve_api or app):
        raise UsageError("--port is where the API is served: say --serve-api as well")
    subject = Subject(
        address=None if url is None else read_address(url),
        app=app,
        path=path,
        secret=secret,
        secret_file=secret_file,
        serve_api=serve_api,
        port=port,
        api_key=from_environment()["api_key"],
    )
    if not (app or secret or secret_file):
        say(f"note: {NO_SECRET}", err=True)
    return subject


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--policy {text!r} has no value: write --policy NAME=VALUE")
    return name.strip(), value.strip()
