"""What an attack came to, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from simulator.conformance.attack.laws import Breach, Observed
from simulator.conformance.attack.plan import Plan


class Ended(StrEnum):
    """Why an attack was over."""

    DONE = "done"  # everything that was asked for was played, or a breach was made as small as it gets
    TIME = "time"  # its real time was over
    STOPPED = "stopped"  # somebody pressed Ctrl-C


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A breach with the plan that shows it. Of `tries` replays, `seen` showed it again.

    `spoils`: after it the handler did not answer even a plain question any more. Then the plan could not be made
    smaller, nor played again: the handler has to be started anew.
    """

    plan: Plan
    breach: Breach
    observed: Observed = field(compare=False)  # with ids and moments, which are others each time
    seen: int = 0
    tries: int = 0
    spoils: bool = False

    @property
    def steady(self) -> bool:
        """Whether it happens every time."""
        return 0 < self.tries == self.seen

    @property
    def once(self) -> bool:
        """Whether it was seen once, and not again."""
        return self.tries > 0 and self.seen == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackReport:
    """One attack on one handler. `examples` is how many plans were played to find something, `shrinks` how many more
    to make it small. `sightings` were seen once and not again; they are told when nothing steady was found.
    """

    target: str
    name: str
    seed: int
    examples: int
    shrinks: int = 0
    found: Found | None = None
    sightings: tuple[Found, ...] = ()
    ended: Ended = Ended.DONE
    seconds: float = field(default=0.0, compare=False)
    replay: str = ""  # the command that repeats the attack, if somebody knows it

    @property
    def ok(self) -> bool:
        """Whether no law was broken, and something was played."""
        return self.found is None and not self.sightings and self.examples > 0

    @property
    def shown(self) -> Found | None:
        """What there is to show: a breach that comes again, else the first that did not."""
        return self.found or next(iter(self.sightings), None)
