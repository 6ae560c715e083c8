"""What the remote party will say and do: steps in, and the next thing to do when the floor is free."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from simulator.engine.speech import REACTION_DELAY
from simulator.errors import UsageError

KEYS: Final = re.compile(r"[0-9*#]+")

_AT_ONCE: Final = timedelta()


class Answer(StrEnum):
    """What happens when a person's phone has rung for as long as it rings."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    NOT_JOINED = "not_joined"  # a web call: no browser came while its access token was good


@dataclass(frozen=True, slots=True)
class Say:
    """Say something, as soon as the floor is free. `confidence` is the recogniser's, from 0 to 1."""

    text: str
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError(f"a party cannot say {self.text!r}: give words, or a Wait to stay silent")
        if not 0 <= self.confidence <= 1:
            raise UsageError(f"the confidence of {self.text!r} is {self.confidence}: give a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for `delay` while the floor is free. The next step follows without a further pause."""

    delay: timedelta

    def __post_init__(self) -> None:
        if self.delay < _AT_ONCE:
            raise UsageError(f"a party cannot wait {self.delay.total_seconds():g} s: give 0 or more")


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys: digits, `*` and `#`."""

    digits: str

    def __post_init__(self) -> None:
        if not KEYS.fullmatch(self.digits):
            raise UsageError(f"a party cannot press {self.digits!r}: give one or more of 0-9, * and #")


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put the phone down, as soon as the floor is free."""


Step = Say | Wait | Press | HangUp


class ScriptedParty:
    """The remote party: a script, live requests, or both.

    A live request goes before the script and happens at once. A scripted step comes `REACTION_DELAY` after the floor
    became free, as people do; the step after a `Wait` comes at once, the wait was its pause. After its last step the
    party hangs up. Without a script (`steps` is None) it stays on the line.

    A step is taken when its time has come, not before: a `Wait` that something interrupts begins anew.
    """

    __slots__ = ("_live", "_script", "_waited")

    def __init__(self, steps: tuple[Step, ...] | None) -> None:
        self._script = None if steps is None else deque(steps)
        self._live: deque[Say | Press] = deque()
        self._waited = False

    @property
    def script_played(self) -> bool:
        """Whether there is a script and all of its steps have been taken."""
        return self._script is not None and not self._script

    @property
    def queued(self) -> int:
        """How many live requests wait for the floor."""
        return len(self._live)

    def ask(self, step: Say | Press) -> None:
        """Ask the party to do something when the floor is next free."""
        self._live.append(step)

    def delay(self) -> timedelta | None:
        """Say how long after the floor became free the party will act; zero for at once, None for never."""
        if self._live:
            return _AT_ONCE
        if self._script is None:
            return None
        if self._script and isinstance(wait := self._script[0], Wait):
            return wait.delay
        return _AT_ONCE if self._waited else REACTION_DELAY

    def take(self) -> Step:
        """Take the step whose time has come. Only legal when `delay` isn't None."""
        if self._live:
            return self._live.popleft()
        step = self._script.popleft() if self._script else HangUp()
        self._waited = isinstance(step, Wait)
        return step
