"""Texts on the wire. Sending is the one part of the API whose bodies are snake_case."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.domain.messages import Message
from simulator.wire.base import In, OneOf, Out, iso
from simulator.wire.pages import PageOut
from simulator.wire.urls import HttpUrl

SEND_STYLES: Final = (
    "celebration",
    "fireworks",
    "lasers",
    "love",
    "confetti",
    "balloons",
    "spotlight",
    "echo",
    "invisible",
    "gentle",
    "loud",
    "slam",
)
MAX_MEDIA: Final = 20


class MessageIn(In):
    """A text to send. `from_number`, `number_id` or `agent_id` names the sender; a text needs a body or media."""

    model_config = ConfigDict(alias_generator=None)

    agent_id: str | None = None
    number_id: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    recipients: list[str] | None = Field(default=None, min_length=2, max_length=32)
    body: str | None = None
    media_url: HttpUrl | None = Field(default=None, deprecated=True)
    media_urls: list[HttpUrl] | None = Field(default=None, max_length=MAX_MEDIA)
    send_style: Annotated[str, OneOf(SEND_STYLES)] | None = None
    reply_to_message_id: str | None = None

    @property
    def media(self) -> tuple[str, ...]:
        """Everything attached; the deprecated single URL comes last, and once."""
        urls = tuple(self.media_urls or ())
        single = self.__dict__["media_url"]  # not by attribute: that would warn our own code of the deprecation
        return urls if single is None or single in urls else (*urls, single)

    @model_validator(mode="after")
    def _has_content_and_address(self) -> Self:
        if not self.body and not self.media:
            raise PydanticCustomError("missing", "body is required unless there is media")
        if self.to_number is None and self.recipients is None:
            raise PydanticCustomError("missing", "to_number is required (or recipients, for a group)")
        return self


class MessageSentOut(Out):
    """What was handed to the carrier."""

    model_config = ConfigDict(alias_generator=None)

    id: str
    status: str
    channel: str
    from_number: str
    to_number: str
    conversation_id: str
    media_urls: list[str]
    reply_to_message_id: str | None
    reply_parent_unresolved: bool | None = None

    @classmethod
    def of(cls, message: Message) -> MessageSentOut:
        """Show a text that was just sent."""
        return cls(
            id=message.id,
            status=message.status.value,
            channel=message.channel.value,
            from_number=message.from_number,
            to_number=message.to_number,
            conversation_id=message.conversation_id,
            media_urls=list(message.media_urls),
            reply_to_message_id=message.reply_to_message_id,
        )


class _TextOut(Out):
    """A text, with its two numbers in every spelling that some client reads."""

    id: str
    conversation_id: str
    from_plain: str = Field(alias="from")
    from_underscore: str = Field(alias="from_")
    from_number: str
    to: str
    to_number: str
    body: str
    direction: str
    channel: str
    received_at: str
    status: str
    failure_reason: str | None
    media_url: str | None
    media_urls: list[str]


def _text(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "conversation_id": message.conversation_id,
        "from_plain": message.from_number,
        "from_underscore": message.from_number,
        "from_number": message.from_number,
        "to": message.to_number,
        "to_number": message.to_number,
        "body": message.body,
        "direction": message.direction.value,
        "channel": message.channel.value,
        "received_at": iso(message.at),
        "status": message.status.value,
        "failure_reason": message.failure_reason,
        "media_url": message.media_urls[0] if message.media_urls else None,
        "media_urls": list(message.media_urls),
    }


class NumberMessageOut(_TextOut):
    """A text in the list of its number."""

    @classmethod
    def of(cls, message: Message) -> NumberMessageOut:
        """Show one text."""
        return cls(**_text(message))


class NumberMessageListOut(PageOut):
    """A number's texts, newest first."""

    data: list[NumberMessageOut]


class ReplyToOut(Out):
    """The text that another one answers."""

    message_id: str
    message: str
    media_urls: list[str]


class ReactionOut(Out):
    """A tapback or an emoji on a text."""

    id: str
    reaction_type: str
    from_number: str
    direction: str
    created_at: str


class ConversationMessageOut(_TextOut):
    """A text inside its conversation."""

    sender_identifier: str | None = None
    content: dict[str, Any] | None = None
    reactions: list[ReactionOut] = Field(default_factory=list)
    reply_to: ReplyToOut | None
    delivered_at: str | None = None
    delivered_channel: str | None = None
    read_at: str | None = None
    error_code: str | None = None

    @classmethod
    def of(cls, message: Message, parent: Message | None) -> ConversationMessageOut:
        """Show one text; `parent` is the one it answers."""
        reply = None
        if parent is not None:
            reply = ReplyToOut(message_id=parent.id, message=parent.body, media_urls=list(parent.media_urls))
        return cls(**_text(message), reply_to=reply)


class ConversationMessageListOut(PageOut):
    """A conversation's texts, newest first."""

    data: list[ConversationMessageOut]
