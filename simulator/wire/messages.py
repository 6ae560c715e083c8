"""Texts on the wire. Sending is the one part of the API whose bodies are snake_case."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.domain.messages import Message, MessageStatus, Reaction
from simulator.wire.base import In, JsonObject, OneOf, Out, iso, iso_or_none
from simulator.wire.pages import PageOut
from simulator.wire.rules import any_of, at_most_one, has
from simulator.wire.urls import LONGEST, PATTERN, HttpUrl

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
SEND_CHANNELS: Final = ("sms", "mms", "imessage", "whatsapp")
MAX_MEDIA: Final = 20
MAX_BUTTONS: Final = 3
MAX_TITLE: Final = 20  # characters on a button


def _https(url: str) -> str:
    if not url.lower().startswith("https:"):
        raise PydanticCustomError("url_scheme", "URL scheme should be 'https'")
    return url


# Of files that others fetch. Webhook URLs may be plain http, these may not.
HttpsUrl = Annotated[
    HttpUrl,
    AfterValidator(_https),
    Field(json_schema_extra={"pattern": PATTERN.replace("https?", "https"), "maxLength": LONGEST}),
]


class ButtonIn(In):
    """A button under a WhatsApp message; a string instead of one is its title."""

    model_config = ConfigDict(alias_generator=None)

    id: str | None = Field(default=None, min_length=1, max_length=256)
    title: str = Field(min_length=1, max_length=MAX_TITLE)


def _named(template: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(template.get("name"), str) or not template["name"]:
        raise PydanticCustomError("missing", "a template needs its name")
    return template


# An approved WhatsApp template; fields besides its name go on as they are.
Template = Annotated[
    JsonObject,
    AfterValidator(_named),
    Field(json_schema_extra={"required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}}),
]


Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]


class MessageIn(In):
    """A text to send. `from_number`, `number_id` or `agent_id` names the sender; a text needs a body or media.

    `buttons`, `list`, `cta` and `template` are for WhatsApp, one of them at a time.
    """

    model_config = ConfigDict(
        alias_generator=None,
        json_schema_extra={
            "allOf": [
                at_most_one("buttons", "list", "cta", "template"),
                any_of(has("to_number", type="string"), has("recipients", type="array")),
                any_of(
                    has("body", type="string", minLength=1),
                    has("media_url", type="string"),
                    has("media_urls", type="array", minItems=1),
                    has("template", type="object"),
                ),
            ]
        },
    )

    agent_id: str | None = None
    number_id: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    recipients: list[str] | None = Field(default=None, min_length=2, max_length=32)
    body: str | None = None
    media_url: HttpsUrl | None = Field(default=None, deprecated=True)
    media_urls: list[HttpsUrl] | None = Field(default=None, max_length=MAX_MEDIA)
    channel: Annotated[str, OneOf(SEND_CHANNELS)] | None = None
    buttons: list[Title | ButtonIn] | None = Field(default=None, min_length=1, max_length=MAX_BUTTONS)
    list_: JsonObject | None = Field(default=None, alias="list")
    cta: JsonObject | None = None
    template: Template | None = None
    send_style: Annotated[str, OneOf(SEND_STYLES)] | None = None
    reply_to_message_id: str | None = None

    @property
    def media(self) -> tuple[str, ...]:
        """Everything attached; the deprecated single URL comes last, and once."""
        urls = tuple(self.media_urls or ())
        single = self.__dict__["media_url"]  # not by attribute: that would warn our own code of the deprecation
        return urls if single is None or single in urls else (*urls, single)

    @property
    def content(self) -> dict[str, Any] | None:
        """What WhatsApp shows besides the body, with its `type`."""
        if self.buttons is not None:
            titled = [ButtonIn(title=button) if isinstance(button, str) else button for button in self.buttons]
            return {"type": "buttons", "buttons": [{"id": b.id or b.title, "title": b.title} for b in titled]}
        if self.template is not None:
            return {"type": "template", "template": self.template}
        for kind, value in (("list", self.list_), ("cta", self.cta)):
            if value is not None:
                return {"type": kind, kind: value}
        return None

    @model_validator(mode="after")
    def _has_content_and_address(self) -> Self:
        rich = [v for v in (self.buttons, self.list_, self.cta, self.template) if v is not None]
        if len(rich) > 1:
            raise PydanticCustomError("too_many", "one of buttons, list, cta and template can be given, not several")
        if not self.body and not self.media and self.template is None:
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
            reply_parent_unresolved=message.reply_parent_unresolved,
        )


class ReactionIn(In):
    """One of love, like, dislike, laugh, emphasize, question, or an emoji."""

    reaction: str = Field(min_length=1, max_length=64)


class ReactionSentOut(Out):
    """A reaction of ours."""

    model_config = ConfigDict(alias_generator=None)

    id: str
    reaction_type: str
    message_id: str
    channel: str

    @classmethod
    def of(cls, message: Message, reaction: Reaction) -> ReactionSentOut:
        """Show a reaction to a message."""
        return cls(id=reaction.id, reaction_type=reaction.kind, message_id=message.id, channel=message.channel.value)


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

    @classmethod
    def of(cls, reaction: Reaction) -> ReactionOut:
        """Show a reaction."""
        return cls(
            id=reaction.id,
            reaction_type=reaction.kind,
            from_number=reaction.from_number,
            direction=reaction.direction.value,
            created_at=iso(reaction.at),
        )


class ConversationMessageOut(_TextOut):
    """A text inside its conversation."""

    sender_identifier: str | None
    content: dict[str, Any] | None
    reactions: list[ReactionOut]
    reply_to: ReplyToOut | None
    delivered_at: str | None
    delivered_channel: str | None
    read_at: str | None
    error_code: str | None

    @classmethod
    def of(cls, message: Message, parent: Message | None) -> ConversationMessageOut:
        """Show one text; `parent` is the one it answers."""
        reply = None
        if parent is not None:
            reply = ReplyToOut(message_id=parent.id, message=parent.body, media_urls=list(parent.media_urls))
        delivered = message.status is MessageStatus.DELIVERED
        return cls(
            **_text(message),
            sender_identifier=message.sender_identifier,
            content=None if message.content is None else dict(message.content),
            reactions=[ReactionOut.of(reaction) for reaction in message.reactions],
            reply_to=reply,
            delivered_at=iso_or_none(message.delivered_at),
            delivered_channel=message.channel.value if delivered else None,
            read_at=iso_or_none(message.read_at),
            error_code=message.error_code,
        )


class ConversationMessageListOut(PageOut):
    """A conversation's texts, newest first."""

    data: list[ConversationMessageOut]
