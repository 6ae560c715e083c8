"""`conform --attack`: after the cases, a search for conversations that break the handler."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulator.commands.conform_run import Stage, Subject, World, watched
from simulator.errors import UsageError

if TYPE_CHECKING:
    from simulator.conformance.examine import Options

INTERRUPTED: Final = "stopped"  # how an attack ends that somebody did not want to wait for


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the command line says about it."""

    examples: int
    seed: int
    real_seconds: float

    @property
    def words(self) -> str:
        """The same on the command line."""
        return f"--attack --examples {self.examples} --seed {self.seed} --attack-time {self.real_seconds:g}"


def check_installed() -> None:
    """Raise UsageError where an attack cannot be made."""
    if importlib.util.find_spec("hypothesis") is None:
        raise UsageError("--attack needs hypothesis, which is not installed: pip install hypothesis")


def attacked(
    search: Search, subject: Subject, world: World, stage: Stage, options: Options, folder: Path | None, *, err: bool
) -> bool:
    """Attack a handler, when the stage has been left; says whether it withstood. `err`: tell it on stderr."""
    from rich.console import Console

    from simulator.conformance.attack import hunt, telling

    asked = hunt.AttackOptions(
        examples=search.examples,
        seed=search.seed,
        profile=options.profile,
        compliance=options.compliance,
        real_seconds=search.real_seconds,
        port=stage.port,
        api_key=subject.api_key,
        allow_hosts=world.hosts(subject),
    )
    target = replace(stage.target, replay=f"{stage.target.replay} {search.words}")
    with watched(search.examples, "conversations") as tell:
        report = hunt.attack(target, asked, done=lambda count: tell(f"conversation {count}"))
    telling.show(report, Console(stderr=err, highlight=False))
    if folder is not None:
        telling.write(report, folder)
    if report.ended == INTERRUPTED:
        raise KeyboardInterrupt
    return report.ok
