"""Contacts on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from simulator.domain.contacts import Contact
from simulator.domain.devices import Device
from simulator.wire.base import In, Out, Query, iso
from simulator.wire.pages import PageOut


class ContactIn(In):
    """A contact to write down; the number is read as US when it has no country code."""

    phone_number: str
    name: str
    email: str | None = None
    notes: str | None = None

    def fields(self) -> dict[str, Any]:
        """Every field, in the domain's names."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class ContactPatch(In):
    """What to change about a contact. Null takes e-mail or notes away; a contact keeps a number and a name."""

    phone_number: str | None = None
    name: str | None = None
    email: str | None = None
    notes: str | None = None

    def changes(self) -> dict[str, Any]:
        """The fields to write, in the domain's names."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in sent.items() if value is not None or name in ("email", "notes")}


class ContactsQuery(Query):
    """The window into the contacts, and what to look for in names and numbers."""

    limit: int = Field(default=50, ge=1, le=200)
    offset: int = Field(default=0, ge=0)
    search: str | None = None


def _unescaped_plus(value: Any) -> Any:
    """Read the space that an unescaped "+" becomes in a query string as the plus it was."""
    return f"+{value[1:]}" if isinstance(value, str) and value[:1] == " " else value


class CapabilitiesQuery(Query):
    """Whose phone to ask about."""

    model_config = ConfigDict(alias_generator=None)

    phone_number: Annotated[str, BeforeValidator(_unescaped_plus)]


class ContactOut(Out):
    """A contact."""

    id: str
    phone_number: str
    name: str
    email: str | None
    notes: str | None
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, contact: Contact) -> ContactOut:
        """Show one contact."""
        return cls(
            id=contact.id,
            phone_number=contact.phone_number,
            name=contact.name,
            email=contact.email,
            notes=contact.notes,
            created_at=iso(contact.created_at),
            updated_at=iso(contact.updated_at),
        )


class ContactListOut(PageOut):
    """Contacts, newest first."""

    data: list[ContactOut]


class CapabilityFlagsOut(Out):
    """What reaches a phone."""

    imessage: bool
    sms: bool


class CapabilitiesOut(Out):
    """What reaches a phone, as of `checkedAt`."""

    phone_number: str
    capabilities: CapabilityFlagsOut
    checked_at: str

    @classmethod
    def of(cls, device: Device, checked_at: str) -> CapabilitiesOut:
        """Show what a phone can do."""
        flags = CapabilityFlagsOut(imessage=device.imessage, sms=device.sms)
        return cls(phone_number=device.number, capabilities=flags, checked_at=checked_at)
