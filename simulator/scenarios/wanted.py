"""What a scenario expects, as it is written in the file. `expectations.py` holds it against what happened."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simulator.domain.calls import DisconnectionReason
from simulator.domain.findings import FindingKind
from simulator.domain.webhooks import DeliveryStatus, EventType
from simulator.scenarios.base import Digits, Duration, Pattern, Strict, Text
from simulator.wire.base import OneOf

Action = Literal["transfer", "hangup", "none"]
Reason = Annotated[str, OneOf(tuple(reason.value for reason in DisconnectionReason))]
Kind = Annotated[str, OneOf(tuple(kind.value for kind in FindingKind))]
Event = Annotated[str, OneOf(tuple(event.value for event in EventType))]
Settled = Annotated[str, OneOf(tuple(status.value for status in DeliveryStatus))]


class Match(Strict):
    """Words to find in what is said; exactly one of the three. Case and the width of spaces don't matter."""

    contains: Text | None = Field(default=None, description="This text occurs in it.")
    matches: Pattern | None = Field(default=None, description="This regular expression is found in it.")
    one_of: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="At least one of these texts occurs in it."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("contains", "matches", "one_of") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of contains, matches, one_of is needed; got {', '.join(given) or 'none'}")
        return self


class Between(Strict):
    """How many; at least one of the two bounds."""

    at_least: int | None = Field(default=None, ge=0)
    at_most: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("one of at_least, at_most is needed")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} and at_most {self.at_most} leave nothing between them")
        return self


Count = Annotated[int, Field(ge=0, strict=True)] | Between


class ApiCall(Strict):
    """Requests to `/v1` made while the scenario ran, by the handler or anybody else."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str = Field(pattern="^/", description="As it was asked for; `*` stands for one part, an id for example.")
    status: int | None = Field(default=None, ge=100, le=599)
    body: Match | None = Field(default=None, description="Of the request.")
    times: Count | None = Field(default=None, description="Absent: at least once.")


class DeliveryWanted(Strict):
    """Events owed to the webhook endpoint because of this call or thread."""

    event: Event
    status: Settled = Field(default="success", description="What became of each of them.")
    attempts: Count | None = Field(default=None, description="HTTP tries of each.")
    times: Count | None = Field(default=None, description="How many deliveries; absent: at least one.")


class Spoken(Strict):
    """What the agent is expected to say and do; of one turn, or of a whole call."""

    text: Match | None = Field(default=None, description="What is heard of the agent.")
    never_says: Match | None = Field(default=None, description="What must not be heard of the agent.")
    silent: bool | None = Field(default=None, description="True: the agent is not heard at all.")
    action: Action | None = Field(default=None, description="What the agent does to the call.")
    digits: Digits | None = Field(default=None, description="The keys that the agent presses, in order.")
    interim: bool | None = Field(default=None, description="Whether an interim chunk came before the final one.")
    first_word_within: Duration | None = Field(
        default=None, description="From the caller's last word to the agent's first."
    )
    no_gap_over: Duration | None = Field(default=None, description="The longest silence between the agent's words.")
    overrun_within: Duration | None = Field(default=None, description="How long the agent talks on when spoken over.")
    findings: Literal["none"] | Annotated[list[Kind], Field(min_length=1)] | None = Field(
        default=None, description="The kinds of finding there are, all of them; or none."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"nothing is expected: give one of {', '.join(type(self).model_fields)}, or leave it out")
        return self


class TurnExpect(Spoken):
    """What is expected of the agent's answer to one step."""


class CallExpect(Spoken):
    """What is expected of a whole call. Times are those of every turn."""

    reason: Reason | None = Field(default=None, description="Why the call ends.")
    turns: Count | None = Field(default=None, description="How many times the handler is asked.")
    duration_within: Duration | None = Field(
        default=None, description="How long the call lasts at most, once answered."
    )
    api_calls: Annotated[list[ApiCall], Field(min_length=1)] | None = None
    deliveries: Annotated[list[DeliveryWanted], Field(min_length=1)] | None = None


class TextExpect(Strict):
    """What is expected of a whole thread of texts."""

    replies: Count | None = Field(default=None, description="How many texts come back.")
    text: Match | None = Field(default=None, description="Of at least one of the replies.")
    never_says: Match | None = Field(default=None, description="Of all replies.")
    api_calls: Annotated[list[ApiCall], Field(min_length=1)] | None = None
    deliveries: Annotated[list[DeliveryWanted], Field(min_length=1)] | None = None
