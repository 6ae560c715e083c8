"""What a case is: its number, its rule, and the function that plays it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulator.conformance.verdicts import Level, Profile

if TYPE_CHECKING:
    from simulator.conformance.bench import Bench

Play = Callable[["Bench"], Awaitable[None]]

GROUPS: Final = {
    1: "Authenticity",
    2: "Acknowledgement",
    3: "At least once",
    4: "Openness",
    5: "Voice reply",
    6: "Timing",
    7: "Robustness",
    8: "Compliance",
}


class Need(StrEnum):
    """What a case cannot be played without."""

    SECRET = "secret"  # the handler's own secret is known
    API = "api"  # the handler's API calls come to us
    ROTATION = "rotation"  # we can give the handler another secret while it runs


class Trust(StrEnum):
    """How sure it is that the platform behaves as a rule assumes."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"  # users report it from the live service
    INFERRED = "inferred"  # follows from the rest, or is plain good sense


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One numbered rule. Numbers are stable: a case that goes away takes its number with it."""

    number: str  # "3.2": the group, and the place in it
    title: str  # a sentence that holds for a handler that passes
    level: Level
    source: str  # where the rule comes from
    trust: Trust
    sent: str  # what is sent
    expected: str
    why: str  # what it costs to break the rule
    mend: str  # how to keep it
    play: Play
    profile: Profile = Profile.ALL
    needs: frozenset[Need] = frozenset()
    asked_for: bool = False  # played only when somebody asks for it

    @property
    def group(self) -> int:
        """The number of the group."""
        return int(self.number.partition(".")[0])

    def __str__(self) -> str:
        return self.number


def case(
    number: str,
    title: str,
    level: Level,
    *,
    source: str,
    trust: Trust,
    sent: str,
    expected: str,
    why: str,
    mend: str,
    profile: Profile = Profile.ALL,
    needs: tuple[Need, ...] = (),
    asked_for: bool = False,
) -> Callable[[Play], Case]:
    """Make the decorated function a case; its name stays in the source only."""

    def made(play: Play) -> Case:
        return Case(
            number=number,
            title=title,
            level=level,
            source=source,
            trust=trust,
            sent=sent,
            expected=expected,
            why=why,
            mend=mend,
            play=play,
            profile=profile,
            needs=frozenset(needs),
            asked_for=asked_for,
        )

    return made
