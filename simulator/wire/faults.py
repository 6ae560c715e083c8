"""How a fault rule is written, whoever reads it: the fields of `POST /_sim/faults` and of a scenario's `faults:`.

Which parameters and which matches go with which fault, and between which bounds, `domain.faults` knows.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from simulator.domain.faults import LONGEST, LONGEST_TEXT, MOST_TIMES, NAMES, PLACES
from simulator.domain.words import did_you_mean
from simulator.wire.base import VISIBLE


def _one_of(known: tuple[str, ...]) -> AfterValidator:
    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"there is no {word!r}: {did_you_mean(word, known)}")
        return word

    return AfterValidator(check)


Word = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, json_schema_extra=VISIBLE)]
Whole = Annotated[int, Field(ge=0, le=MOST_TIMES)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST)]
Place = Annotated[str, _one_of(PLACES), WithJsonSchema({"type": "string", "enum": list(PLACES)})]
Name = Annotated[str, _one_of(NAMES), WithJsonSchema({"type": "string", "enum": list(NAMES)})]


class FaultMatchWords(BaseModel):
    """What must be so; which of these go with a fault depends on what it is on. Absent: anything."""

    route: Word | None = Field(
        default=None, description="`POST /v1/messages`, `/v1/agents/{agent_id}`, `GET /v1/calls/*`, `/v1/**`."
    )
    operation: Word | None = Field(default=None, description="An operation's id, such as `sendMessage`.")
    event: Word | None = Field(default=None, description="An event type, such as `agent.message`.")
    channel: Word | None = None
    agent: Word | None = Field(default=None, description="An agent's id or name.")
    url: Word | None = Field(default=None, description="The webhook's URL; `*` stands for anything.")
    number: Word | None = Field(default=None, description="Either party's number.")
    attempt: Whole | None = Field(default=None, description="Which attempt of the delivery, from 1.")
    turn: Whole | None = Field(default=None, description="Which turn of the call, from 1.")
    call: Word | None = Field(default=None, description="A call's id.")
    from_: Word | None = Field(default=None, alias="from", description="The number that texts or calls.")
    to: Word | None = Field(default=None, description="The number that is texted or called.")


class FaultWords(BaseModel):
    """What goes wrong, and how often. What it must match, and when it is over, is added by whoever reads it."""

    on: Place = Field(description="What goes wrong: requests, deliveries, voice turns, texts and calls, transcripts.")
    fault: Name = Field(description="How.")
    times: Annotated[int, Field(ge=1, le=MOST_TIMES)] | None = Field(
        default=None, description="How many times; absent: for ever."
    )
    skip: Whole | None = Field(default=None, description="How many that match are spared first.")
    probability: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="How likely each time, drawn from the account's seed."
    )
    status: Whole | None = Field(default=None, description="`status`: the HTTP status.")
    code: Word | None = Field(default=None, description="Of an error, or of a text that fails: a word for programs.")
    message: Word | None = Field(default=None, description="What the error says.")
    reason: Word | None = Field(default=None, description="Why the text fails.")
    retry_after: Whole | None = Field(default=None, description="The header Retry-After, in seconds.")
    effect: Word | None = Field(
        default=None, description="`none`: before the operation takes effect; `done`: only its answer is lost."
    )
    seconds: Seconds | None = Field(default=None, description="Simulated seconds.")
    copies: Whole | None = Field(default=None, description="`duplicate`: how many more.")
    pieces: Whole | None = Field(default=None, description="`slow_send`: how many the body comes in.")
    line: Whole | None = Field(default=None, description="`garble`: which line of the reply, from 1.")
    after_bytes: Whole | None = Field(default=None, description="How much of the reply comes first.")
    after_events: Whole | None = Field(default=None, description="How many events of the stream come first.")
