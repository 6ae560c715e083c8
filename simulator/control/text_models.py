"""What the texting part of `/_sim` looks like: inbound texts, reactions, delivery statuses."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.wire.rules import any_of, has, lacks, only

_GROUP: Final = ("id", "participants")


class GroupIn(ControlIn):
    """The group that a text is sent in: one there is, by its id, or the one of these people."""

    model_config = ConfigDict(
        json_schema_extra=any_of(only("id", _GROUP, type="string"), only("participants", _GROUP, type="array"))
    )

    id: str | None = Field(default=None, description="`grp_…` of a group that exists.")
    participants: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=33,
        description="The other members; the sender and the account's number may be left out.",
    )
    name: str | None = Field(default=None, min_length=1, max_length=200, description="What its members call it now.")
    icon_url: str | None = Field(default=None, min_length=1, max_length=2048)

    @model_validator(mode="after")
    def _which_group(self) -> Self:
        if (self.id is None) == (self.participants is None):
            raise ValueError("a group needs either id or participants")
        return self


class TextIn(ControlIn):
    """Someone texts one of the account's numbers."""

    model_config = ConfigDict(
        json_schema_extra=any_of(has("body", type="string", minLength=1), has("media_urls", type="array", minItems=1))
    )

    from_: str = Field(alias="from", description="A phone number, a short code, or an e-mail address (iMessage).")
    to: str = Field(description="One of the account's numbers.")
    body: str = Field(default="", max_length=20_000)
    media_urls: list[str] = Field(default_factory=list, max_length=20)
    channel: Literal["sms", "mms", "imessage", "whatsapp", "rcs"] | None = Field(
        default=None,
        description="Absent: imessage on iMessage lines, on others mms when there is media and sms when there is not.",
    )
    group: GroupIn | None = Field(default=None, description="iMessage numbers only.")
    reply_to_message_id: str | None = Field(default=None, description="On imessage, whatsapp and rcs.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.body and not self.media_urls:
            raise ValueError("a text needs a body or media_urls")
        return self


class TextOut(ControlOut):
    """Where the text went."""

    message_id: str = Field(description="The first of `message_ids`.")
    message_ids: list[str] = Field(description="Several pictures by iMessage are several messages.")
    conversation_id: str
    group_id: str | None


class ReactionIn(ControlIn):
    """The other party reacts to a message."""

    reaction: str = Field(min_length=1, max_length=64, description="A tapback (love, like, …) or an emoji.")
    from_: str | None = Field(default=None, alias="from", description="Who; needed in groups only.")


class ReactionMadeOut(ControlOut):
    """The reaction."""

    reaction_id: str
    message_id: str
    reaction_type: str


class StatusIn(ControlIn):
    """What became of a text that was sent."""

    model_config = ConfigDict(
        json_schema_extra=any_of(has("status", const="failed"), lacks("failure_reason", "error_code"))
    )

    status: Literal["delivered", "failed", "read"]
    failure_reason: str | None = Field(default=None, min_length=1, max_length=500, description="With `failed` only.")
    error_code: str | None = Field(default=None, min_length=1, max_length=64, description="With `failed` only.")

    @model_validator(mode="after")
    def _reason_of_a_failure(self) -> Self:
        if self.status != "failed" and (self.failure_reason is not None or self.error_code is not None):
            raise ValueError(f"failure_reason and error_code go with status failed, not {self.status}")
        return self


class StatusOut(ControlOut):
    """The text as it stands now."""

    message_id: str
    status: str
    failure_reason: str | None
    error_code: str | None
    delivered_at: str | None
    read_at: str | None
