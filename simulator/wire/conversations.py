"""Conversations on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import ConfigDict, Field

from simulator.domain.messages import Background, Capabilities, Conversation, ConversationView
from simulator.wire.base import In, JsonObject, Out, Query, iso
from simulator.wire.messages import ConversationMessageOut, HttpsUrl
from simulator.wire.pages import PageOut

SHOWN_ON: Final = "imessage"  # typing indicators and backgrounds


class ConversationQuery(Query):
    """How many of the latest messages to show. The parameter has two names; `message_limit` wins."""

    message_limit: int = Field(default=50, alias="message_limit", ge=1, le=100)
    older_limit: int = Field(default=50, alias="messageLimit", ge=1, le=100)

    @property
    def limit(self) -> int:
        """The limit that counts."""
        return self.message_limit if "message_limit" in self.model_fields_set else self.older_limit


class ConversationPatch(In):
    """What to change. Absent fields stay; `metadata` is replaced whole, and null clears it."""

    metadata: JsonObject | None = None
    group_name: str | None = Field(default=None, alias="group_name", description="Groups on iMessage lines only.")

    @property
    def replaces_metadata(self) -> bool:
        """Whether `metadata` was sent, be it null."""
        return "metadata" in self.model_fields_set


class ParticipantOut(Out):
    """Somebody in a group, with their name if they are a contact."""

    identifier: str
    name: str | None


class CapabilitiesOut(Out):
    """What can be done in a conversation now."""

    can_send_messages: bool
    media: bool
    reactions: bool
    emoji_reactions: bool
    send_disabled_reason: str | None
    send_channel: str | None
    available_channels: list[str]
    media_channels: list[str]

    @classmethod
    def of(cls, capabilities: Capabilities) -> CapabilitiesOut:
        """Show what can be done."""
        return cls(
            can_send_messages=capabilities.send_channel is not None,
            media=bool(capabilities.media_channels),
            reactions=capabilities.reactions,
            emoji_reactions=capabilities.emoji_reactions,
            send_disabled_reason=capabilities.send_disabled_reason,
            send_channel=capabilities.send_channel and capabilities.send_channel.value,
            available_channels=[channel.value for channel in capabilities.channels],
            media_channels=[channel.value for channel in capabilities.media_channels],
        )


class ConversationOut(Out):
    """A conversation without its messages. The other party has an older name, `contactNumber`."""

    id: str
    agent_id: str | None
    phone_number_id: str
    phone_number: str
    participant: str
    contact_number: str
    channel: str
    is_group: bool
    group_id: str | None
    group_name: str | None
    group_icon_url: str | None
    participants: list[ParticipantOut] | None
    last_message_at: str
    last_message_preview: str
    message_count: int
    metadata: dict[str, Any] | None
    created_at: str
    capabilities: CapabilitiesOut | None

    @classmethod
    def of(cls, view: ConversationView) -> ConversationOut:
        """Show one conversation."""
        return cls(**_fields(view))


def _fields(view: ConversationView) -> dict[str, Any]:
    conversation = view.conversation
    metadata, group = conversation.metadata, conversation.group
    return {
        "id": conversation.id,
        "agent_id": conversation.agent_id,
        "phone_number_id": conversation.number_id,
        "phone_number": conversation.phone_number,
        "participant": conversation.participant,
        "contact_number": conversation.participant,
        "channel": conversation.channel.value,
        "is_group": group is not None,
        "group_id": group and group.id,
        "group_name": group and group.name,
        "group_icon_url": group and group.icon_url,
        "participants": group and [ParticipantOut(identifier=m, name=view.names.get(m)) for m in group.members],
        "last_message_at": iso(conversation.last_message_at),
        "last_message_preview": conversation.last_message_preview,
        "message_count": conversation.message_count,
        "metadata": None if metadata is None else dict(metadata),
        "created_at": iso(conversation.created_at),
        "capabilities": CapabilitiesOut.of(view.capabilities),
    }


class ConversationListOut(PageOut):
    """Conversations, most recent activity first."""

    data: list[ConversationOut]


class ConversationDetailOut(ConversationOut):
    """A conversation with its latest messages, oldest first."""

    messages: list[ConversationMessageOut]

    @classmethod
    def with_messages(cls, view: ConversationView, messages: Iterable[ConversationMessageOut]) -> ConversationDetailOut:
        """Show one conversation and the given messages."""
        return cls(**_fields(view), messages=list(messages))


class TypingOut(Out):
    """The other end was told that something is being written."""

    conversation_id: str
    channel: str
    status: str

    @classmethod
    def of(cls, conversation: Conversation) -> TypingOut:
        """Say that the indicator was sent; whether anybody saw it is not known."""
        return cls(conversation_id=conversation.id, channel=SHOWN_ON, status="sent")


class BackgroundIn(In):
    """A picture to put behind a conversation: JPEG, PNG, GIF, WebP or HEIC, at most 10 MB. It is not fetched here."""

    model_config = ConfigDict(alias_generator=None)

    image_url: HttpsUrl


class BackgroundOut(Out):
    """The picture behind a conversation."""

    conversation_id: str
    channel: str
    has_background: bool
    background_id: str | None
    background_version: int | None
    changed: bool

    @classmethod
    def of(cls, conversation: Conversation, background: Background, changed: bool) -> BackgroundOut:
        """Show the picture, and whether it is a new one."""
        return cls(
            conversation_id=conversation.id,
            channel=SHOWN_ON,
            has_background=True,
            background_id=background.id,
            background_version=background.version,
            changed=changed,
        )
