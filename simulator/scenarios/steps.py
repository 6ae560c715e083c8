"""The steps of a script, as they are written in the file: each is a mapping with exactly one verb, or a bare string."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

import simulator.engine.script as engine
from simulator.domain.words import did_you_mean
from simulator.scenarios.base import Digits, Duration, Strict, Words, one_verb
from simulator.scenarios.wanted import Match, TurnExpect

Confidence = Annotated[float, Field(ge=0, le=1, description="How sure the speech recognition is.")]
HANG_UP: Final = "hang_up"
MAX_STEPS: Final = 10_000  # of one list; the engine's own bound on a script


class Hearing(Match):
    """Words to wait for in what the agent says."""

    within: Duration | None = Field(default=None, description="How long to wait; the script fails after it.")


class Over(Strict):
    """Words said while the agent speaks."""

    after: Duration = Field(description="After the agent began to speak; of the next or the current playback.")
    say: Words


class Leaving(Strict):
    """When to hang up, counted from the beginning of what the agent says."""

    after: Duration


class SayStep(Strict):
    """Say something when the floor is free; the agent's answer is the turn that `expect` is about."""

    say: Words
    confidence: Confidence | None = None
    expect: TurnExpect | None = None


class WaitStep(Strict):
    """Say nothing for a while."""

    wait: Duration


class SilenceStep(Strict):
    """Say nothing for a while; the same as `wait`, where the silence is the point."""

    silence: Duration


class PressStep(Strict):
    """Press keys. `expect` is about the turn they open, where the policy `caller_dtmf` makes them one."""

    press: Digits
    expect: TurnExpect | None = None


class HangUpStep(Strict):
    """Put the phone down: when the floor is free, or while the agent speaks."""

    hang_up: Literal[True] | Leaving


class HearStep(Strict):
    """Wait until the agent has been heard to say something; otherwise the script fails here."""

    hear: Hearing


class BargeInStep(Strict):
    """Speak over the agent; `expect` is about the answer to these words, its overrun about the speech they cut."""

    barge_in: Over
    expect: TurnExpect | None = None


class BackchannelStep(Strict):
    """Make a short sound over the agent's speech ("uh-huh") that does not ask for the floor."""

    backchannel: Over
    expect: TurnExpect | None = None


class Case(Strict):
    """Steps for one kind of answer."""

    hears: Match = Field(description="What the agent's last answer was like.")
    then: Script


class Otherwise(Strict):
    """Steps for any other answer; the last of its list."""

    else_: Script = Field(alias="else")


# Tags appear in pydantic's way to a mistake; with a space in them they cannot be taken for a key of the file.
def _kind_of_case(value: Any) -> str:
    return "the rest" if isinstance(value, Otherwise) or (isinstance(value, Mapping) and "else" in value) else "a case"


AnyCase = Annotated[
    Annotated[Case, Tag("a case")] | Annotated[Otherwise, Tag("the rest")], Discriminator(_kind_of_case)
]


class WhenStep(Strict):
    """Go on according to what was heard: the first case that fits; without one that does, the next step."""

    when: Annotated[list[AnyCase], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _else_comes_last(self) -> Self:
        if any(isinstance(case, Otherwise) for case in self.when[:-1]):
            raise ValueError("else must be the last case: those behind it are never looked at")
        return self


class Loop(Strict):
    """Steps to be taken several times."""

    times: int = Field(ge=1, le=engine.MAX_TIMES)
    steps: Annotated[Script, Field(min_length=1)]


class RepeatStep(Strict):
    """Take some steps several times over."""

    repeat: Loop


VERBS: Final[Mapping[str, type[Strict]]] = {
    "say": SayStep,
    "wait": WaitStep,
    "press": PressStep,
    "hang_up": HangUpStep,
    "hear": HearStep,
    "barge_in": BargeInStep,
    "backchannel": BackchannelStep,
    "silence": SilenceStep,
    "when": WhenStep,
    "repeat": RepeatStep,
}


def verb_of(value: Any) -> str:
    """The verb of a step, be it a mapping or a model; `say` when it has none."""
    keys = value if isinstance(value, Mapping) else type(value).model_fields
    return next((verb for verb in VERBS if verb in keys), "say")


def _tag(value: Any) -> str:
    return "words" if isinstance(value, str) else f"a {verb_of(value)} step"


def _recognise(value: Any) -> Any:
    """Refuse what is no step in words that name the way out, before its parts are looked at."""
    if isinstance(value, Strict):
        return value
    if isinstance(value, str):
        near = did_you_mean(value, [HANG_UP])
        if value != HANG_UP and " " not in value and near.startswith("did"):
            raise ValueError(f"{value!r} would be said aloud; {near} To say it: {{say: {value}}}")
        return value
    one_verb(value, VERBS, ("expect", "confidence"), "wait", "{say: hello}")
    return value


Step = Annotated[
    Annotated[Words, Tag("words")]
    | Annotated[SayStep, Tag("a say step")]
    | Annotated[WaitStep, Tag("a wait step")]
    | Annotated[PressStep, Tag("a press step")]
    | Annotated[HangUpStep, Tag("a hang_up step")]
    | Annotated[HearStep, Tag("a hear step")]
    | Annotated[BargeInStep, Tag("a barge_in step")]
    | Annotated[BackchannelStep, Tag("a backchannel step")]
    | Annotated[SilenceStep, Tag("a silence step")]
    | Annotated[WhenStep, Tag("a when step")]
    | Annotated[RepeatStep, Tag("a repeat step")],
    Discriminator(_tag),
    BeforeValidator(_recognise),
]
Script = Annotated[
    list[Step], Field(max_length=MAX_STEPS, description="What the remote party does; text is said, `hang_up` hangs up.")
]

for _model in (Case, Otherwise, WhenStep, Loop, RepeatStep):
    _model.model_rebuild()
