"""Phone numbers on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simulator.domain.numbers import PhoneNumber
from simulator.wire.base import In, Instant, Out, iso, iso_or_none
from simulator.wire.pages import PageOut


class NumberIn(In):
    """A number to buy. Area codes exist in the US and Canada only."""

    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    area_code: str | None = Field(default=None, pattern=r"^[0-9]{3}$")
    agent_id: str | None = None
    type: str | None = None
    imessage_type: str | None = None
    external_id: str | None = None
    expires_at: Instant | None = None

    def fields(self) -> dict[str, Any]:
        """Every field, in the domain's names."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class NumberPatch(In):
    """What to change about a number. Absent fields stay; null takes the id or the expiry away."""

    external_id: str | None = None
    expires_at: Instant | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent, be they null, in the domain's names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NumberOut(Out):
    """A number in all sixteen fields that some client knows; what is not modelled is null."""

    id: str
    phone_number: str
    country: str
    status: str
    type: str
    agent_id: str | None
    created_at: str
    purchased_at: str | None
    external_id: str | None
    expires_at: str | None
    outbound_sms: str | None = None
    inbound_calls_enabled: bool | None = None
    read_receipts_enabled: bool | None = None
    whatsapp_enabled: bool | None = None
    daily_new_contacts: dict[str, int] | None = None
    rcs_fallback_for_alias: str | None = None

    @classmethod
    def of(cls, number: PhoneNumber) -> NumberOut:
        """Show one number."""
        return cls(
            id=number.id,
            phone_number=number.phone_number,
            country=number.country,
            status=number.status.value,
            type=number.type,
            agent_id=number.agent_id,
            created_at=iso(number.created_at),
            purchased_at=iso(number.created_at),
            external_id=number.external_id,
            expires_at=iso_or_none(number.expires_at),
        )


class NumberListOut(PageOut):
    """The account's numbers, newest first, without released ones."""

    data: list[NumberOut]


class NumberReleasedOut(Out):
    """A number that went back to the carrier."""

    success: bool = True
    id: str
    phone_number: str
    status: str
    message: str
