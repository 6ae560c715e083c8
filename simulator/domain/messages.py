"""Texts, what people do to them, and the conversations they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from simulator.domain.calls import Direction


class Channel(StrEnum):
    """How something reached us. `voice` appears on events only."""

    VOICE = "voice"
    SMS = "sms"
    MMS = "mms"
    IMESSAGE = "imessage"
    WHATSAPP = "whatsapp"
    RCS = "rcs"


# How people react to a text with one tap.
TAPBACKS: Final = ("love", "like", "dislike", "laugh", "emphasize", "question")
# What older documentation and clients call them.
PAST_TENSE: Final[Mapping[str, str]] = {
    "love": "Loved",
    "like": "Liked",
    "dislike": "Disliked",
    "laugh": "Laughed",
    "emphasize": "Emphasized",
    "question": "Questioned",
}
# One emoji, with its variation selector, skin tone, joined parts or tags; a flag; or a keycap.
_PICTOGRAPH: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55\u3030"
    "\u303d\u3297\u3299\U0001f004-\U0001f251\U0001f300-\U0001faff]"
)
_ONE: Final = f"{_PICTOGRAPH}[\ufe0f\U0001f3fb-\U0001f3ff]*[\U000e0020-\U000e007f]*"
EMOJI: Final = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d{_ONE}){{0,8}}",
)

# The code of a text of which nobody can say whether it went out.
UNCONFIRMED: Final = "DELIVERY_UNCONFIRMED"
NOT_TAKEN: Final = "CARRIER_ERROR"  # the outcome of a text that the carrier does not even take: the send fails with 502


class MessageStatus(StrEnum):
    """What became of a text."""

    RECEIVED = "received"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOutcome:
    """What the recipient's carrier makes of a text once it has been handed over.

    `code` is the carrier's error code, or DELIVERY_UNCONFIRMED when nobody can say whether the text went out.
    """

    status: MessageStatus = MessageStatus.DELIVERED
    failure_reason: str | None = None
    code: str | None = None
    delay: timedelta | None = None  # until the final status is known; None: as long as it usually takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A tapback or an emoji on a text; a party has one at a time on each."""

    id: str
    kind: str  # one of TAPBACKS, or an emoji
    from_number: str
    direction: Direction
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Who is in a group besides our number, in alphabetical order; the set of members identifies it."""

    id: str
    members: tuple[str, ...]
    name: str | None = None
    icon_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """The picture behind an iMessage conversation. `version` counts every change, removals included."""

    id: str
    version: int
    image_url: str


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
    error_code: str | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    sender_identifier: str | None = None  # in a group: which member sent it; None for ours
    reply_to_message_id: str | None = None
    reply_parent_unresolved: bool | None = None  # of a reply: the recipient sees no link to what it answers
    send_style: str | None = None
    content: Mapping[str, Any] | None = None  # WhatsApp: buttons, list, cta or template
    reactions: tuple[Reaction, ...] = ()
    fate: TextOutcome | None = None  # what a fault has made of it; None: what its recipient's carrier says


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The thread between one of our numbers and one other party, or one group, whose id is then the `participant`."""

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
    group: Group | None = None
    background: Background | None = None
    background_version: int = 0  # outlives the background


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What can be done in a conversation, as things stand with its number."""

    send_channel: Channel | None  # what a text goes out on when nobody chooses; None: nothing can be sent
    send_disabled_reason: str | None
    channels: tuple[Channel, ...]
    media_channels: tuple[Channel, ...]
    reactions: bool
    emoji_reactions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A conversation and what is looked up elsewhere when it is shown. `names` are the contacts' in a group."""

    conversation: Conversation
    capabilities: Capabilities
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A line of `recentHistory`, oldest first on the wire."""

    content: str
    direction: Direction
    channel: Channel
    at: datetime
    message_id: str | None = None
