"""What an attack does, as a small frozen value: people call and text, and things go wrong on the way.

A plan says nothing about a handler. Who calls is an index: numbers come in when a plan is staged, so that no two
conversations of one attack are with the same people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

AFTERWARDS: Final = "afterwards"  # the name of the question that is asked when everything is over
ABRUPT: Final = 0.0  # seconds after which somebody hangs up who does not listen at all


@dataclass(frozen=True, slots=True)
class Say:
    """Say something when the floor is free. `plain`: any handler has something to answer to it."""

    words: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak over the agent, `after` seconds of it."""

    after: float
    words: str


@dataclass(frozen=True, slots=True)
class Backchannel:
    """Make a sound of listening over the agent, `after` seconds of it."""

    after: float
    words: str


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys."""

    digits: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up `after` seconds of what the agent says."""

    after: float = ABRUPT


Step = Say | Wait | BargeIn | Backchannel | Press | HangUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. What is of one `round` begins at once; the next round begins when all of that is long over."""

    caller: int = 0
    round: int = 0
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text, `after` seconds of nothing."""

    words: str
    media: tuple[str, ...] = ()
    after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Somebody's texts, one after the other."""

    sender: int = 0
    round: int = 0
    texts: tuple[Text, ...]


class FaultGroup(StrEnum):
    """Faults that belong together: an attack is done with or without them."""

    REPEATS = "repeats"  # the platform sends something twice
    DELAYS = "delays"  # it sends late, slowly, in another order, in small pieces
    LOSSES = "losses"  # a connection breaks; what was lost comes again where the platform tries again


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault rule of the simulator. Only what the platform may do to a handler that is well."""

    group: FaultGroup
    on: str
    name: str
    parameters: tuple[tuple[str, float], ...] = ()

    @property
    def rule(self) -> dict[str, Any]:
        """The rule as `POST /_sim/faults` and scenario files have it."""
        return {"on": self.on, "fault": self.name, **dict(self.parameters)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One conversation, or several. `context_limit` None is the platform's own."""

    calls: tuple[Call, ...] = ()
    threads: tuple[Thread, ...] = ()
    faults: tuple[Fault, ...] = ()
    contract: str = "all"
    policies: tuple[tuple[str, str], ...] = ()
    context_limit: int | None = None

    @property
    def steps(self) -> int:
        """What people do, counted: how long the plan is for whoever has to read it."""
        return sum(len(call.steps) for call in self.calls) + sum(len(thread.texts) for thread in self.threads)

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        rounds = [call.round for call in self.calls] + [thread.round for thread in self.threads]
        return max(rounds, default=-1) + 1

    @property
    def loses(self) -> bool:
        """Whether connections break on purpose."""
        return any(fault.group is FaultGroup.LOSSES for fault in self.faults)

    @property
    def asks_again(self) -> bool:
        """Whether a voice turn that got no answer is asked again, with the same id."""
        return ("voice_turn_retry", "once") in self.policies
