"""What the steps of a thread of texts look like in `/_sim`: those of scenario files, with durations in seconds.

As with calls, the schemas say all that the models check, and `thread_steps_of` refuses the rest with 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

import simulator.engine.thread_script as engine
from simulator.control.steps import ControlIn, MatchIn
from simulator.errors import BadRequest, UsageError
from simulator.wire.rules import any_of, both, has, lacks, only

LONGEST_PAUSE: Final = 366 * 86_400.0  # seconds: a year is as long as any campaign
Pause = Annotated[float, Field(ge=0, le=LONGEST_PAUSE)]

# Every verb, and the JSON type of what stands behind it: null is as good as absent.
TYPES: Final[Mapping[str, str]] = {
    "text": "string",
    "after": "number",
    "expect_reply": "object",
    "expect_no_reply": "object",
    "react": "string",
    "when": "array",
    "repeat": "object",
}
VERBS: Final = tuple(TYPES)
_OF_TEXT: Final = ("media", "channel")
_KEYS: Final = (*VERBS, *_OF_TEXT)


class ReplyIn(ControlIn):
    """A text that comes back: how soon after this step began, and what it must be like."""

    within: Pause
    text: MatchIn | None = None


class QuietIn(ControlIn):
    """A time without texts."""

    for_: Pause = Field(alias="for")


class TextCaseIn(ControlIn):
    """One way to go on: `hears`, about the latest reply, with `then`; or `else` alone, which must be the last."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            both(has("hears", type="object"), has("then", type="array"), lacks("else")),
            both(has("else", type="array"), lacks("hears", "then")),
        )
    )

    hears: MatchIn | None = None
    then: ThreadScript | None = None
    else_: ThreadScript | None = Field(default=None, alias="else")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.hears is None) != (self.then is None) or (self.hears is None) == (self.else_ is None):
            raise ValueError("a case is hears with then, or else alone")
        return self


class RepeatTextsIn(ControlIn):
    """Steps to be taken several times."""

    times: int = Field(ge=1, le=engine.MAX_TIMES)
    steps: ThreadScript = Field(min_length=1)


class ThreadStepIn(ControlIn):
    """One step of a thread; exactly one of its verbs."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            both(has("text", type=TYPES["text"]), lacks(*VERBS[1:])),
            *(only(verb, _KEYS, type=TYPES[verb]) for verb in VERBS[1:]),
        )
    )

    text: str | None = Field(default=None, max_length=20_000, description="Send a text; empty only with `media`.")
    media: list[str] | None = Field(default=None, max_length=20, description="Addresses of pictures; with `text` only.")
    channel: Literal["sms", "mms", "imessage", "whatsapp", "rcs"] | None = Field(
        default=None, description="With `text` only; absent: what a phone would take by itself."
    )
    after: Pause | None = Field(default=None, description="Let so many seconds pass; a day has 86400.")
    expect_reply: ReplyIn | None = None
    expect_no_reply: QuietIn | None = None
    react: str | None = Field(default=None, max_length=64, description="To the latest reply: a tapback or an emoji.")
    when: list[TextCaseIn] | None = Field(default=None, min_length=1, max_length=100)
    repeat: RepeatTextsIn | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(given) != 1:
            raise ValueError(f"a step needs exactly one of {', '.join(VERBS)}; got {given or 'none'}")
        extra = [name for name in _OF_TEXT if getattr(self, name) is not None]
        if extra and self.text is None:
            raise ValueError(f"{' and '.join(extra)} can go with text only")
        return self

    def step(self, place: str) -> engine.ThreadStep:
        """The engine's step; `place` is where it stands. Raises UsageError, and BadRequest for steps inside it."""
        match self:
            case ThreadStepIn(text=str() as text):
                return engine.SendText(text, tuple(self.media or ()), self.channel)
            case ThreadStepIn(after=float() | int() as seconds):
                return engine.After(timedelta(seconds=seconds))
            case ThreadStepIn(expect_reply=ReplyIn() as reply):
                match = None if reply.text is None else reply.text.match()
                return engine.ExpectReply(timedelta(seconds=reply.within), match)
            case ThreadStepIn(expect_no_reply=QuietIn() as quiet):
                return engine.ExpectNoReply(timedelta(seconds=quiet.for_))
            case ThreadStepIn(when=list() as cases):
                return _branch(cases, f"{place}.when")
            case ThreadStepIn(repeat=RepeatTextsIn() as loop):
                return engine.RepeatTexts(loop.times, _steps(loop.steps, f"{place}.repeat.steps"))
            case _:
                return engine.React(self.react or "")


ThreadScript = Annotated[list[ThreadStepIn], Field(max_length=10_000, description="What the person does, in order.")]


def thread_steps_of(script: list[ThreadStepIn], place: str = "script") -> tuple[engine.ThreadStep, ...]:
    """The engine's steps. Raises BadRequest, naming the place, for what nobody can do."""
    steps = _steps(script, place)
    try:
        engine.check_thread_size(steps)
    except UsageError as error:
        raise BadRequest(f"{place}: {error}") from error
    return steps


def _steps(script: list[ThreadStepIn], place: str) -> tuple[engine.ThreadStep, ...]:
    return tuple(_step(item, f"{place}[{index}]") for index, item in enumerate(script))


def _step(item: ThreadStepIn, place: str) -> engine.ThreadStep:
    try:
        return item.step(place)
    except UsageError as error:
        raise BadRequest(f"{place}: {error}") from error


def _branch(cases: list[TextCaseIn], place: str) -> engine.TextBranch:
    if any(case.hears is None for case in cases[:-1]):
        raise UsageError("else must be the last case: those behind it are never looked at")
    ways = tuple(
        engine.TextCase(case.hears.match(), _steps(case.then, f"{place}[{index}].then"))
        for index, case in enumerate(cases)
        if case.hears is not None and case.then is not None
    )
    return engine.TextBranch(ways, _steps(cases[-1].else_ or [], f"{place}[{len(cases) - 1}].else"))
