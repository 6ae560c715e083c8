"""What the remote party will say and do: the steps of a script, and the words it listens for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from simulator.engine.patterns import pattern
from simulator.engine.speech import LONGEST_BACKCHANNEL, speech_duration
from simulator.errors import UsageError

KEYS: Final = re.compile(r"[0-9*#]+")
MAX_TIMES: Final = 10_000  # rounds of one `Repeat`: more than fit into the longest call
MAX_STEPS: Final = 100_000  # of a script, its loops written out: steps that take no time are all taken in one go

# What is said where a person's phone isn't answered by the person.
MACHINE_GREETING: Final = "You have reached my voicemail. Please leave a message after the tone."
SCREENING_QUESTION: Final = "Who is calling, please, and what is it about?"

# Machines stop recording when they have heard nothing for some seconds.
MACHINE_PATIENCE: Final = timedelta(seconds=10)

_AT_ONCE: Final = timedelta()


class Answer(StrEnum):
    """What happens when a person's phone has rung for as long as it rings."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    NOT_JOINED = "not_joined"  # a web call: no browser came while its access token was good
    VOICEMAIL = "voicemail"  # a machine answers
    SCREENED = "screened"  # the phone asks who is calling, then the person takes the call
    SCREENED_OUT = "screened_out"  # the phone asks who is calling, then the person declines the call


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What heard words must be like; exactly one of the three.

    `contains` is part of them, `matches` a regular expression found in them, `one_of` has a part of them. Capitals and
    the kind and amount of white space make no difference: nobody hears them.
    """

    contains: str | None = None
    matches: str | None = None
    one_of: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("contains", "matches", "one_of") if getattr(self, name) is not None]
        if len(given) != 1:
            raise UsageError(f"words match by one of contains, matches, one_of; got {' and '.join(given) or 'none'}")
        parts = self.one_of if self.one_of is not None else (self.contains or self.matches or "",)
        if not parts or not all(part.strip() for part in parts):
            raise UsageError(f"{given[0]} is empty, and so matches everything: give words to listen for")
        if self.matches is not None:
            pattern(self.matches)

    def __str__(self) -> str:
        if self.matches is not None:
            return f"matches {self.matches!r}"
        if self.one_of is not None:
            return f"one of {', '.join(map(repr, self.one_of))}"
        return f"contains {self.contains!r}"

    def found_in(self, text: str) -> bool:
        """Say whether `text` is as it must be."""
        heard = " ".join(text.split())
        if self.matches is not None:
            return pattern(self.matches).found_in(heard)
        parts = self.one_of if self.one_of is not None else (self.contains or "",)
        return any(" ".join(part.split()).casefold() in heard.casefold() for part in parts)


@dataclass(frozen=True, slots=True)
class Say:
    """Say something, as soon as the floor is free. `confidence` is the recogniser's, from 0 to 1."""

    text: str
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _check_words(self.text, self.confidence)


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for `delay` while the floor is free. The next step follows without a further pause."""

    delay: timedelta

    def __post_init__(self) -> None:
        _check_delay("wait", self.delay)


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys: digits, `*` and `#`."""

    digits: str

    def __post_init__(self) -> None:
        if not KEYS.fullmatch(self.digits):
            raise UsageError(f"a party cannot press {self.digits!r}: give one or more of 0-9, * and #")


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put the phone down, as soon as the floor is free; with `after`, at that time as a `BargeIn` is."""

    after: timedelta | None = None

    def __post_init__(self) -> None:
        _check_delay("hang up after", self.after or _AT_ONCE)


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak over the agent, `after` its current answer (else its next one) began to be heard.

    Whether the agent has finished by then makes no difference. Where there is no answer, or it has no sound, `after`
    is counted from the moment the floor became free.
    """

    text: str
    after: timedelta = _AT_ONCE
    confidence: float = 0.95

    def __post_init__(self) -> None:
        _check_words(self.text, self.confidence)
        _check_delay("barge in after", self.after)


@dataclass(frozen=True, slots=True)
class Backchannel:
    """Make a short sound of listening ("uh-huh") over the agent, at the time that a `BargeIn` is made.

    It takes no turn where the agent knows such sounds (`enableBackchannel`); elsewhere it is a `BargeIn`.
    """

    text: str = "uh-huh"
    after: timedelta = _AT_ONCE

    def __post_init__(self) -> None:
        _check_words(self.text, 1.0)
        _check_delay("make a sound after", self.after)
        if speech_duration(self.text) > LONGEST_BACKCHANNEL:
            longest = f"{LONGEST_BACKCHANNEL.total_seconds():g} s"
            raise UsageError(f"{self.text!r} takes longer than {longest}, too long for a backchannel: use BargeIn")


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait until the agent has been heard to say something like `match` since the party last spoke or pressed keys.

    The words count from the moment they are heard, in the middle of a sentence too. When they aren't heard `within`
    that time (None: before the call ends), the script fails at this step and the party hangs up.
    """

    match: Match
    within: timedelta | None = None

    def __post_init__(self) -> None:
        _check_delay("listen for", self.within or _AT_ONCE)


@dataclass(frozen=True, slots=True)
class Case:
    """One way to go on: `steps`, if what was heard is like `hears`."""

    hears: Match
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """When the floor is free, go on with the first of `cases` that what was heard is like, or else with `otherwise`.

    What was heard is all that the agent said since the party last spoke or pressed keys.
    """

    cases: tuple[Case, ...]
    otherwise: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if not self.cases:
            raise UsageError("a branch needs at least one case")

    def choose(self, heard: str) -> int:
        """Give the index of the case to go on with; `len(cases)` stands for `otherwise`."""
        fits = (index for index, case in enumerate(self.cases) if case.hears.found_in(heard))
        return next(fits, len(self.cases))


@dataclass(frozen=True, slots=True)
class Repeat:
    """Take `steps` so many `times`."""

    times: int
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.times <= MAX_TIMES:
            raise UsageError(f"steps cannot be repeated {self.times} times: give 1 to {MAX_TIMES}")
        if not self.steps:
            raise UsageError("nothing to repeat: give at least one step")
        check_size((self,))


@dataclass(frozen=True, slots=True)
class Beep:
    """Make an answering machine's tone, in the pause after its greeting."""


@dataclass(frozen=True, slots=True)
class PickUp:
    """Take a call that the phone has screened, once it has been said who is calling."""


Step = Say | Wait | Press | HangUp | BargeIn | Backchannel | Hear | Branch | Repeat | Beep | PickUp


def check_size(steps: tuple[Step, ...]) -> None:
    """Refuse a script of more than `MAX_STEPS`. Raises `UsageError`."""
    if (count := _size(steps)) > MAX_STEPS:
        raise UsageError(f"a script of {count} steps, its loops written out, is too long: {MAX_STEPS} are allowed")


def _size(steps: tuple[Step, ...]) -> int:
    return sum(map(_weight, steps))


def _weight(step: Step) -> int:
    match step:
        case Repeat(times, steps):
            return times * _size(steps)
        case Branch(cases, otherwise):
            return 1 + max(_size(otherwise), *(_size(case.steps) for case in cases))
        case _:
            return 1


def prelude(answer: Answer, machine_greeting: str, *, scripted: bool) -> tuple[Step, ...]:
    """Give what happens on the person's side before the person does anything: a machine speaks, a phone asks.

    Neither of them waits for the floor. `scripted`: the person has a script, which says what comes after the beep.
    """
    match answer:
        case Answer.VOICEMAIL:
            after = () if scripted else (Wait(MACHINE_PATIENCE), HangUp())
            return (BargeIn(machine_greeting), Beep(), *after)
        case Answer.SCREENED:
            return (BargeIn(SCREENING_QUESTION), PickUp())
        case Answer.SCREENED_OUT:
            return (BargeIn(SCREENING_QUESTION), HangUp())
        case _:
            return ()


def _check_words(text: str, confidence: float) -> None:
    if not text.strip():
        raise UsageError(f"a party cannot say {text!r}: give words, or a Wait to stay silent")
    if not 0 <= confidence <= 1:
        raise UsageError(f"the confidence of {text!r} is {confidence}: give a number from 0 to 1")


def _check_delay(verb: str, delay: timedelta) -> None:
    if delay < _AT_ONCE:
        raise UsageError(f"a party cannot {verb} {delay.total_seconds():g} s: give 0 or more")
