"""Phone numbers that an account has bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

TYPES: Final = ("sms", "imessage", "shared-imessage")
DEFAULT_ROUTING: Final = "agent"


class NumberStatus(StrEnum):
    """`released` is final: the number went back to the carrier."""

    ACTIVE = "active"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A number of the account; released ones are kept for their history."""

    id: str
    phone_number: str
    country: str
    created_at: datetime
    status: NumberStatus = NumberStatus.ACTIVE
    type: str = "sms"
    imessage_type: str | None = None
    agent_id: str | None = None
    attached_at: int = 0  # order of attachment: an agent's first number is its caller id
    external_id: str | None = None
    expires_at: datetime | None = None
    released_at: datetime | None = None
    voice_routing: str = DEFAULT_ROUTING  # who takes inbound calls
    whatsapp_enabled: bool = False

    @property
    def imessage(self) -> bool:
        """Whether the line speaks iMessage, not SMS."""
        return self.type != "sms"

    @property
    def voice(self) -> bool:
        """Whether the line takes and places calls; a shared iMessage line does neither."""
        return self.type != "shared-imessage"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableNumber:
    """A number that could be bought, and where its data says it is at home."""

    phone_number: str
    city: str | None = None
    state: str | None = None
    area_code: str | None = None
