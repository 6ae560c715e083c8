"""One examination from the command line: a simulator of its own, the handler it is about, and what was found."""

from __future__ import annotations

import asyncio
import secrets
import shlex
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from simulator.clock import ClockMode
from simulator.commands.application import application, knock
from simulator.commands.conform_secret import SecretFile
from simulator.commands.output import say
from simulator.domain.policy import Policies
from simulator.settings import Settings

if TYPE_CHECKING:
    from simulator.conformance.address import Address
    from simulator.conformance.examine import Done, Options, Target
    from simulator.conformance.results import Report
    from simulator.scenarios.batch import Lane

MOST_SEED: Final = 1_000_000_000
NO_SECRET: Final = (
    "the handler's secret is not known, so events are signed with one that it cannot know: a handler that checks "
    "signatures will refuse them. Give --secret (what it has), --secret-file (where it reads it) or --app"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the command line says about the handler: its URL (`address`) or its application (`app`), one of them."""

    address: Address | None
    app: str | None
    path: str
    secret: str | None
    secret_file: Path | None
    serve_api: bool
    port: int
    api_key: str

    @property
    def shown(self) -> str:
        """What reports call it."""
        return self.app or (self.address.shown if self.address else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the command line says about the platform."""

    contract: str | None
    policies: dict[str, str]
    allow_hosts: tuple[str, ...]

    def settings(self, subject: Subject, base_url: str) -> Settings:
        """The simulator's settings. Ids are other ones in every run: a running handler may remember the last run's."""
        return Settings(
            api_keys=(subject.api_key,),
            clock=ClockMode.AUTO,
            seed=secrets.randbelow(MOST_SEED),
            policies=Policies(self.contract or "all", self.policies),
            allow_hosts=self.hosts(subject),
            public_url=base_url,
        )

    def hosts(self, subject: Subject) -> tuple[str, ...]:
        """Where events may be sent besides this machine: whoever names the handler's URL wants them there."""
        return (*self.allow_hosts, *([] if subject.address is None else [subject.address.host]))


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it. `cut` when somebody did not want to wait for all of it."""

    report: Report
    cut: bool


class Stage(NamedTuple):
    """Where it happens. `leave` stops the simulator, and lets the handler be."""

    lane: Lane
    target: Target
    port: int  # where the handler finds the API
    leave: Callable[[], None]


@contextmanager
def prepared(subject: Subject, world: World, replay: str) -> Iterator[Stage]:
    """Start the simulator, and the application if there is one; tell the handler its secret, see whether it is there.

    Raises UsageError for a handler that is not.
    """
    from simulator.conformance.examine import Target
    from simulator.scenarios.batch import Lane

    with ExitStack() as stack:
        serving = stack.enter_context(ExitStack())
        lane = serving.enter_context(Lane(subject.port))
        conduct(lane, _put_on(lane, world.settings(subject, lane.base_url)))
        secret = subject.secret or f"whsec_{secrets.token_hex(32)}"
        file = None if subject.secret_file is None else stack.enter_context(SecretFile(subject.secret_file))
        if file is not None:
            file.write(secret)
        if subject.serve_api:
            say(f"API {lane.base_url} with the key {subject.api_key}", err=True)
        target = Target(
            url=_reached(stack, subject, lane, secret),
            name=subject.shown,
            shown=subject.shown,
            secret=secret,
            secret_known=bool(subject.app or subject.secret or file),
            serves_api=subject.serve_api or subject.app is not None,
            rotate=None if file is None else file.write,
            replay=replay,
        )
        yield Stage(lane, target, urlsplit(lane.base_url).port or 0, serving.close)


def _reached(stack: ExitStack, subject: Subject, lane: Lane, secret: str) -> str:
    """The URL of a handler that is there."""
    if subject.address is not None:
        knock(subject.address.shown)
        return subject.address.url
    key, app = subject.api_key, str(subject.app)
    return stack.enter_context(application(app, subject.path, lane.base_url, api_key=key, secret=secret))


async def _put_on(lane: Lane, settings: Settings) -> None:
    lane.stage.put_on(settings)


def conduct(lane: Lane, work: Coroutine[Any, Any, T]) -> T:
    """Do something on the simulator's event loop, and wait; Ctrl-C gives it up."""
    assert lane.stage.loop is not None
    doing = asyncio.run_coroutine_threadsafe(work, lane.stage.loop)
    try:
        return doing.result()
    except KeyboardInterrupt:
        doing.cancel()
        raise


def examined(stage: Stage, subject: Subject, options: Options, done: Done) -> Found:
    """Play the cases. Ctrl-C leaves what is known so far."""
    from simulator.conformance.examine import Examination

    examination = Examination(stage.lane.stage.app, subject.api_key, stage.target, options, done=done)
    try:
        return Found(conduct(stage.lane, examination.run()), cut=False)
    except KeyboardInterrupt:
        return Found(examination.report(), cut=True)


@contextmanager
def watched(total: int, what: str = "cases") -> Iterator[Callable[[str], None]]:
    """A bar on stderr where somebody watches; the function moves it on, and says what was last done."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from simulator.scenarios.reports.texts import printable

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda last: progress.update(bar, advance=1, description=escape(printable(last)))


def command_line(subject: Subject, options: Options, world: World) -> str:
    """The command that repeats a run. No secret is in it: reports are passed around."""
    words = ["agentphone-simulator", "conform"]
    if subject.address is not None:
        words.append('"$HANDLER_URL"' if subject.address.private else shlex.quote(subject.address.url))
    else:
        words += ["--app", shlex.quote(str(subject.app))]
        words += [] if subject.path == "/webhook" else ["--path", shlex.quote(subject.path)]
    if subject.secret is not None:
        words += ["--secret", '"$AGENTPHONE_WEBHOOK_SECRET"']
    if subject.secret_file is not None:
        words += ["--secret-file", shlex.quote(str(subject.secret_file))]
    if subject.serve_api:
        words += ["--serve-api", *(["--port", str(subject.port)] if subject.port else [])]
    if options.profile != "all":
        words += ["--profile", options.profile]
    if options.compliance:
        words.append("--compliance")
    if world.contract is not None:
        words += ["--contract", world.contract]
    words += [shlex.quote(f"--policy={name}={value}") for name, value in world.policies.items()]
    words += [shlex.quote(f"--allow-host={host}") for host in world.allow_hosts]
    usual = type(options.budgets)()
    words += [] if options.budgets.timeout == usual.timeout else [f"--timeout={options.budgets.timeout:g}"]
    words += [] if options.budgets.first_word == usual.first_word else [f"--first-word={options.budgets.first_word:g}"]
    return " ".join(words)
