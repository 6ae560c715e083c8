"""Phone numbers that an account has bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
