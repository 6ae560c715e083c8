"""What a remote party's steps look like in `/_sim`: the vocabulary of scenario files, with durations in seconds.

The models check shapes, and their JSON schemas say all that they check. What no schema can say, such as whether a
regular expression is one, `steps_of` refuses with 400 and the place in the script.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

import simulator.engine.script as engine
from simulator.errors import BadRequest, UsageError
from simulator.wire.base import VISIBLE
from simulator.wire.rules import any_of, both, has, lacks, only

Digits = Annotated[str, Field(pattern=r"^[0-9*#]{1,64}$", description="Keys as they are pressed.")]


def _audible(text: str) -> str:
    if not text.strip():
        raise ValueError("blank text cannot be said: give words, or wait to stay silent")
    return text


Words = Annotated[str, Field(min_length=1, max_length=20_000, json_schema_extra=VISIBLE), AfterValidator(_audible)]
Confidence = Annotated[float, Field(ge=0, le=1)]
LONGEST_WAIT = 86_400.0  # seconds; longer than any call can last
Seconds = Annotated[float, Field(ge=0, le=LONGEST_WAIT)]

# Every verb, and the JSON types of what stands behind it: null is as good as absent.
TYPES: Final[Mapping[str, str | list[str]]] = {
    "say": "string",
    "wait": "number",
    "press": "string",
    "hang_up": ["boolean", "object"],
    "barge_in": "object",
    "backchannel": "object",
    "hear": "object",
    "when": "array",
    "repeat": "object",
}
VERBS: Final = tuple(TYPES)
_KEYS: Final = (*VERBS, "confidence")
_MATCHES: Final = ("contains", "matches", "one_of")


class ControlIn(BaseModel):
    """A request body or query of `/_sim`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class MatchIn(ControlIn):
    """What heard words must be like: exactly one of the three."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            only("contains", _MATCHES, type="string"),
            only("matches", _MATCHES, type="string"),
            only("one_of", _MATCHES, type="array"),
        )
    )

    contains: Words | None = None
    matches: Words | None = Field(default=None, description="A regular expression.")
    one_of: list[Words] | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        given = [name for name in _MATCHES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"words match by one of {', '.join(_MATCHES)}; got {' and '.join(given) or 'none'}")
        return self

    def match(self) -> engine.Match:
        """The engine's match. Raises UsageError for what is no regular expression."""
        one_of = None if self.one_of is None else tuple(self.one_of)
        return engine.Match(contains=self.contains, matches=self.matches, one_of=one_of)


class HearIn(MatchIn):
    """Words to wait for, and how long."""

    within: Seconds | None = None


class OverIn(ControlIn):
    """Something to be said over the agent, so long after it began to be heard."""

    say: Words
    after: Seconds = 0


class LeaveIn(ControlIn):
    """When to hang up over the agent."""

    after: Seconds


class CaseIn(ControlIn):
    """One way to go on: `hears` and `then`, or `else` alone, which must be the last."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            both(has("hears", type="object"), has("then", type="array"), lacks("else")),
            both(has("else", type="array"), lacks("hears", "then")),
        )
    )

    hears: MatchIn | None = None
    then: Script | None = None
    else_: Script | None = Field(default=None, alias="else")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.hears is None) != (self.then is None) or (self.hears is None) == (self.else_ is None):
            raise ValueError("a case is hears with then, or else alone")
        return self


class RepeatIn(ControlIn):
    """Steps to be taken several times."""

    times: int = Field(ge=1, le=engine.MAX_TIMES)
    steps: Script = Field(min_length=1)


class StepIn(ControlIn):
    """One step of a script; exactly one of its verbs."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            both(has("say", type=TYPES["say"]), lacks(*VERBS[1:])),
            *(only(verb, _KEYS, type=TYPES[verb]) for verb in VERBS[1:]),
        )
    )

    say: Words | None = None
    confidence: Confidence | None = Field(default=None, description="Of the speech recognition; with `say` only.")
    wait: Seconds | None = Field(default=None, description="Seconds of silence.")
    press: Digits | None = None
    hang_up: Literal[True] | LeaveIn | None = None
    barge_in: OverIn | None = None
    backchannel: OverIn | None = None
    hear: HearIn | None = None
    when: list[CaseIn] | None = Field(default=None, min_length=1, max_length=100)
    repeat: RepeatIn | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(given) != 1:
            raise ValueError(f"a step needs exactly one of {', '.join(VERBS)}; got {given or 'none'}")
        if self.confidence is not None and self.say is None:
            raise ValueError("confidence goes with say only")
        return self

    def step(self, place: str) -> engine.Step:
        """The engine's step; `place` is where it stands. Raises UsageError, and BadRequest for steps inside it."""
        match self:
            case StepIn(say=str() as text, confidence=confidence):
                return engine.Say(text) if confidence is None else engine.Say(text, confidence)
            case StepIn(wait=float() | int() as seconds):
                return engine.Wait(timedelta(seconds=seconds))
            case StepIn(press=str() as digits):
                return engine.Press(digits)
            case StepIn(barge_in=OverIn() as over):
                return engine.BargeIn(over.say, timedelta(seconds=over.after))
            case StepIn(backchannel=OverIn() as over):
                return engine.Backchannel(over.say, timedelta(seconds=over.after))
            case StepIn(hear=HearIn() as hear):
                return engine.Hear(hear.match(), _delay(hear.within))
            case StepIn(when=list() as cases):
                return _branch(cases, f"{place}.when")
            case StepIn(repeat=RepeatIn() as loop):
                return engine.Repeat(loop.times, _steps(loop.steps, f"{place}.repeat.steps"))
            case _:
                return engine.HangUp(_delay(self.hang_up.after if isinstance(self.hang_up, LeaveIn) else None))


Script = Annotated[
    list[Words | StepIn],
    Field(max_length=10_000, description="What the remote party does: a string is something it says."),
]


def steps_of(script: list[str | StepIn] | None) -> tuple[engine.Step, ...] | None:
    """The engine's steps; None stays None (nobody has written a script).

    Raises BadRequest, naming the place, for what no party can do.
    """
    if script is None:
        return None
    steps = _steps(script, "script")
    try:
        engine.check_size(steps)
    except UsageError as error:
        raise BadRequest(f"script: {error}") from error
    return steps


def _steps(script: list[str | StepIn], place: str) -> tuple[engine.Step, ...]:
    return tuple(_step(item, f"{place}[{index}]") for index, item in enumerate(script))


def _step(item: str | StepIn, place: str) -> engine.Step:
    try:
        return engine.Say(item) if isinstance(item, str) else item.step(place)
    except UsageError as error:
        raise BadRequest(f"{place}: {error}") from error


def _delay(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _branch(cases: list[CaseIn], place: str) -> engine.Branch:
    if any(case.hears is None for case in cases[:-1]):
        raise UsageError("else must be the last case: those behind it are never looked at")
    ways = tuple(
        engine.Case(case.hears.match(), _steps(case.then, f"{place}[{index}].then"))
        for index, case in enumerate(cases)
        if case.hears is not None and case.then is not None
    )
    return engine.Branch(ways, _steps(cases[-1].else_ or [], f"{place}[{len(cases) - 1}].else"))
