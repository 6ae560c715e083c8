"""Conversations on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from simulator.domain.messages import Conversation
from simulator.wire.base import In, JsonObject, Out, Query, iso
from simulator.wire.messages import ConversationMessageOut
from simulator.wire.pages import PageOut


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


class ConversationOut(Out):
    """A conversation without its messages. The other party has an older name, `contactNumber`."""

    id: str
    agent_id: str | None
    phone_number_id: str
    phone_number: str
    participant: str
    contact_number: str
    channel: str
    is_group: bool = False
    group_id: str | None = None
    group_name: str | None = None
    group_icon_url: str | None = None
    participants: list[dict[str, Any]] | None = None
    last_message_at: str
    last_message_preview: str
    message_count: int
    metadata: dict[str, Any] | None
    created_at: str
    capabilities: dict[str, Any] | None = None

    @classmethod
    def of(cls, conversation: Conversation) -> ConversationOut:
        """Show one conversation."""
        return cls(**_fields(conversation))


def _fields(conversation: Conversation) -> dict[str, Any]:
    metadata = conversation.metadata
    return {
        "id": conversation.id,
        "agent_id": conversation.agent_id,
        "phone_number_id": conversation.number_id,
        "phone_number": conversation.phone_number,
        "participant": conversation.participant,
        "contact_number": conversation.participant,
        "channel": conversation.channel.value,
        "last_message_at": iso(conversation.last_message_at),
        "last_message_preview": conversation.last_message_preview,
        "message_count": conversation.message_count,
        "metadata": None if metadata is None else dict(metadata),
        "created_at": iso(conversation.created_at),
    }


class ConversationListOut(PageOut):
    """Conversations, most recent activity first."""

    data: list[ConversationOut]


class ConversationDetailOut(ConversationOut):
    """A conversation with its latest messages, oldest first."""

    messages: list[ConversationMessageOut]

    @classmethod
    def with_messages(
        cls, conversation: Conversation, messages: Iterable[ConversationMessageOut]
    ) -> ConversationDetailOut:
        """Show one conversation and the given messages."""
        return cls(**_fields(conversation), messages=list(messages))
