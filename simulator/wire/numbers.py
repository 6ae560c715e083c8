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


class VoiceRoutingIn(In):
    """Who takes a number's calls. Only "agent" means something; other words are taken and change nothing."""

    method: str


class NewContactsOut(Out):
    """How many people an iMessage number texted first today, and how many it may."""

    used: int
    limit: int


class VoiceRoutingOut(Out):
    """Who takes a number's calls."""

    method: str


class NumberOut(Out):
    """A number in every field that some client knows; null where a field has no meaning for this kind of line."""

    id: str
    phone_number: str
    country: str
    status: str
    type: str
    imessage_type: str | None
    agent_id: str | None
    created_at: str
    purchased_at: str | None
    external_id: str | None
    expires_at: str | None
    outbound_sms: str | None
    inbound_calls_enabled: bool | None
    read_receipts_enabled: bool | None
    whatsapp_enabled: bool | None
    daily_new_contacts: NewContactsOut | None
    rcs_fallback_for_alias: str | None
    voice_routing: VoiceRoutingOut | None

    @classmethod
    def of(
        cls, number: PhoneNumber, *, outbound_sms: str | None = None, new_contacts: tuple[int, int] | None = None
    ) -> NumberOut:
        """Show one number. What may be sent from it today is not the number's own to know, so it is given."""
        return cls(
            id=number.id,
            phone_number=number.phone_number,
            country=number.country,
            status=number.status.value,
            type=number.type,
            imessage_type=number.imessage_type,
            agent_id=number.agent_id,
            created_at=iso(number.created_at),
            purchased_at=iso(number.created_at),
            external_id=number.external_id,
            expires_at=iso_or_none(number.expires_at),
            outbound_sms=None if number.imessage else outbound_sms,
            inbound_calls_enabled=number.voice,
            read_receipts_enabled=False if number.imessage else None,  # SMS has none, and nobody reads here
            whatsapp_enabled=number.whatsapp_enabled,
            daily_new_contacts=NewContactsOut(used=new_contacts[0], limit=new_contacts[1]) if new_contacts else None,
            rcs_fallback_for_alias=None,
            voice_routing=VoiceRoutingOut(method=number.voice_routing) if number.voice else None,
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
