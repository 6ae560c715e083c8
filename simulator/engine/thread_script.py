"""What somebody who texts will do: the steps of a thread's script."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from simulator.engine.script import Match
from simulator.errors import UsageError

MAX_TIMES: Final = 1_000  # rounds of one `RepeatTexts`
MAX_STEPS: Final = 10_000  # of a script, its loops written out: texts that wait for nothing all go out in one go

_NO_TIME: Final = timedelta()


@dataclass(frozen=True, slots=True)
class SendText:
    """Send a text. `channel` is one of the platform's words; None: what a phone would take by itself."""

    text: str
    media: tuple[str, ...] = ()
    channel: str | None = None

    def __post_init__(self) -> None:
        if not self.text and not self.media:
            raise UsageError("an empty text needs media: give words, or the address of a picture")


@dataclass(frozen=True, slots=True)
class After:
    """Let time pass; replies that come meanwhile are kept for the next `ExpectReply`."""

    delay: timedelta

    def __post_init__(self) -> None:
        _check(self.delay, "let {} pass")


@dataclass(frozen=True, slots=True)
class ExpectReply:
    """Go on when a reply has come that is like `match` (None: any), one that came before this step included.

    The replies before it are then used up as well. Without one `within` that time the thread fails at this step.
    """

    within: timedelta
    match: Match | None = None

    def __post_init__(self) -> None:
        _check(self.within, "expect a reply within {}")

    def __str__(self) -> str:
        like = "" if self.match is None else f" that {_having(self.match)}"
        return f"a reply within {self.within.total_seconds():g} s{like}"


@dataclass(frozen=True, slots=True)
class ExpectNoReply:
    """Go on when no reply has come for `length`; with the first that does the thread fails at this step."""

    length: timedelta

    def __post_init__(self) -> None:
        _check(self.length, "be left alone for {}")

    def __str__(self) -> str:
        return f"no reply for {self.length.total_seconds():g} s"


@dataclass(frozen=True, slots=True)
class React:
    """React to the latest reply with a tapback or an emoji."""

    reaction: str

    def __post_init__(self) -> None:
        if not self.reaction.strip():
            raise UsageError("a blank reaction cannot be seen: give a tapback or an emoji")


@dataclass(frozen=True, slots=True)
class TextCase:
    """One way to go on: `steps`, if the latest reply is like `hears`."""

    hears: Match
    steps: tuple[ThreadStep, ...]


@dataclass(frozen=True, slots=True)
class TextBranch:
    """Go on with the first of `cases` that the latest reply is like, or else with `otherwise`."""

    cases: tuple[TextCase, ...]
    otherwise: tuple[ThreadStep, ...] = ()

    def __post_init__(self) -> None:
        if not self.cases:
            raise UsageError("a branch needs at least one case")

    def choose(self, reply: str) -> int:
        """Give the index of the case to go on with; `len(cases)` stands for `otherwise`."""
        fits = (index for index, case in enumerate(self.cases) if case.hears.found_in(reply))
        return next(fits, len(self.cases))


@dataclass(frozen=True, slots=True)
class RepeatTexts:
    """Take `steps` so many `times`."""

    times: int
    steps: tuple[ThreadStep, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.times <= MAX_TIMES:
            raise UsageError(f"steps cannot be repeated {self.times} times: give 1 to {MAX_TIMES}")
        if not self.steps:
            raise UsageError("nothing to repeat: give at least one step")


ThreadStep = SendText | After | ExpectReply | ExpectNoReply | React | TextBranch | RepeatTexts

_VERBS: Final = (
    (SendText, "text"),
    (After, "after"),
    (ExpectReply, "expect_reply"),
    (ExpectNoReply, "expect_no_reply"),
    (React, "react"),
    (TextBranch, "when"),
    (RepeatTexts, "repeat"),
)


def verb_of(step: ThreadStep) -> str:
    """Name a step as it is written down."""
    return next(verb for kind, verb in _VERBS if isinstance(step, kind))


def check_thread_size(steps: tuple[ThreadStep, ...]) -> None:
    """Refuse a script of more than `MAX_STEPS`. Raises `UsageError`."""
    if (count := _size(steps)) > MAX_STEPS:
        raise UsageError(f"a thread of {count} steps, its loops written out, is too long: {MAX_STEPS} are allowed")


def _size(steps: tuple[ThreadStep, ...]) -> int:
    return sum(map(_weight, steps))


def _weight(step: ThreadStep) -> int:
    match step:
        case RepeatTexts(times, steps):
            return times * _size(steps)
        case TextBranch(cases, otherwise):
            return 1 + max(_size(otherwise), *(_size(case.steps) for case in cases))
        case _:
            return 1


def _having(match: Match) -> str:
    return f"has {match}" if match.one_of is not None else str(match)


def _check(delay: timedelta, doing: str) -> None:
    if delay < _NO_TIME:
        raise UsageError(f"nobody can {doing.format(f'{delay.total_seconds():g} s')}: give 0 or more")
