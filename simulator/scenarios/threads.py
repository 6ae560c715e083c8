"""The steps of a thread of texts, as they are written in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from simulator.scenarios.base import Duration, Strict, one_verb
from simulator.scenarios.steps import MAX_STEPS
from simulator.scenarios.wanted import Match


class TextStep(Strict):
    """Send a text."""

    text: Annotated[str, Field(max_length=20_000)]
    media: Annotated[list[str], Field(max_length=20)] = Field(
        default_factory=list, description="Addresses of pictures."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text and not self.media:
            raise ValueError("an empty text needs media: give words, or the address of a picture")
        return self


class AfterStep(Strict):
    """Let time pass."""

    after: Duration


class Reply(Strict):
    """A text that comes back."""

    within: Duration
    text: Match | None = None


class ReplyStep(Strict):
    """Wait for a text from the agent; without one in time the thread fails here."""

    expect_reply: Reply


class Quiet(Strict):
    """A time without texts."""

    for_: Duration = Field(alias="for")


class NoReplyStep(Strict):
    """Make sure that no text comes from the agent for a while."""

    expect_no_reply: Quiet


THREAD_VERBS: Final[Mapping[str, type[Strict]]] = {
    "text": TextStep,
    "after": AfterStep,
    "expect_reply": ReplyStep,
    "expect_no_reply": NoReplyStep,
}


def thread_verb_of(value: Any) -> str:
    """The verb of a step, be it a mapping or a model."""
    keys = value if isinstance(value, Mapping) else type(value).model_fields
    return next((verb for verb in THREAD_VERBS if verb in keys), "text")


def _tag(value: Any) -> str:
    return f"a {thread_verb_of(value)} step"


def _recognise(value: Any) -> Any:
    if not isinstance(value, Strict):
        one_verb(value, THREAD_VERBS, ("media",), "after", "{text: hello}")
    return value


ThreadStep = Annotated[
    Annotated[TextStep, Tag("a text step")]
    | Annotated[AfterStep, Tag("a after step")]
    | Annotated[ReplyStep, Tag("a expect_reply step")]
    | Annotated[NoReplyStep, Tag("a expect_no_reply step")],
    Discriminator(_tag),
    BeforeValidator(_recognise),
]
ThreadScript = Annotated[
    list[ThreadStep], Field(min_length=1, max_length=MAX_STEPS, description="What the other party does, and waits for.")
]
