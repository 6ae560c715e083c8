"""Texts and the conversations they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from simulator.domain.calls import Direction


class Channel(StrEnum):
    """How something reached us. `voice` appears on events only."""

    VOICE = "voice"
    SMS = "sms"
    MMS = "mms"
    IMESSAGE = "imessage"
    WHATSAPP = "whatsapp"
    RCS = "rcs"


class MessageStatus(StrEnum):
    """What became of a text."""

    RECEIVED = "received"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text, in or out."""

    id: str
    conversation_id: str
    number_id: str
    agent_id: str | None
    direction: Direction
    channel: Channel
    from_number: str
    to_number: str
    body: str
    at: datetime
    sequence: int  # order within the account; ties in `at` are broken by it
    media_urls: tuple[str, ...] = ()
    status: MessageStatus
    failure_reason: str | None = None
    reply_to_message_id: str | None = None
    send_style: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The thread between one of our numbers and one other party."""

    id: str
    number_id: str
    phone_number: str
    participant: str
    agent_id: str | None
    created_at: datetime
    last_message_at: datetime
    last_sequence: int = 0
    last_message_preview: str = ""
    message_count: int = 0
    metadata: Mapping[str, Any] | None = None
    channel: Channel = Channel.SMS


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A line of `recentHistory`, oldest first on the wire."""

    content: str
    direction: Direction
    channel: Channel
    at: datetime
    message_id: str | None = None
