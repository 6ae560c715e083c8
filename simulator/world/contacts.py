"""Contacts: the account's address book, one entry per number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from simulator.domain.contacts import Contact
from simulator.domain.phone import normalise
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world.world import World


def create(
    world: World, phone_number: str, name: str, *, email: str | None = None, notes: str | None = None, now: datetime
) -> Contact:
    """Write down a new contact. Raises BadRequest for a blank name or what is no number, Conflict for a known one."""
    e164 = normalise(phone_number)
    _check_name(name)
    _check_unique(world, e164, None)
    contact = Contact(
        id=world.entropy.new_id("contact"),
        phone_number=e164,
        name=name,
        email=email,
        notes=notes,
        created_at=now,
        updated_at=now,
    )
    return world.store_contact(contact)


def get(world: World, contact_id: str) -> Contact:
    """Return the contact. Raises NotFound naming the id."""
    contact = world.contacts.get(contact_id)
    if contact is None:
        raise NotFound(f"contact {contact_id!r} does not exist in this account")
    return contact


def by_number(world: World, number: str) -> Contact | None:
    """Return who has this E.164 number, or None when nobody in the address book has."""
    contact_id = world.contact_ids.get(number)
    return None if contact_id is None else world.contacts[contact_id]


def listing(world: World, search: str | None = None) -> Sequence[Contact]:
    """Return the contacts, newest first; with `search` those whose name or number holds it, in any case.

    Numbers are compared as text and, when the search has digits and no letters, by digits: "415-555" finds
    +14155550150.
    """
    found = list(reversed(world.contacts.values()))
    wanted = (search or "").strip().casefold()
    if not wanted:
        return found
    digits = "" if any(c.isalpha() for c in wanted) else "".join(c for c in wanted if "0" <= c <= "9")
    return [
        c
        for c in found
        if wanted in c.name.casefold() or wanted in c.phone_number or (digits and digits in c.phone_number)
    ]


def update(world: World, contact_id: str, changes: Mapping[str, Any], now: datetime) -> Contact:
    """Change what is given; `email` and `notes` may be taken away with None.

    Raises NotFound, BadRequest for a blank name or what is no number, Conflict when the number is another contact's.
    """
    contact = get(world, contact_id)
    fields = dict(changes)
    if "phone_number" in fields:
        fields["phone_number"] = normalise(fields["phone_number"])
        _check_unique(world, fields["phone_number"], contact_id)
    if "name" in fields:
        _check_name(fields["name"])
    return world.store_contact(replace(contact, **fields, updated_at=now))


def delete(world: World, contact_id: str) -> Contact:
    """Strike a contact out; messages and calls with that number stay. Raises NotFound."""
    return world.forget_contact(get(world, contact_id))


def _check_name(name: str) -> None:
    if not name.strip():
        raise BadRequest(f"a contact cannot be called {name!r}: give it a name")


def _check_unique(world: World, e164: str, contact_id: str | None) -> None:
    other = by_number(world, e164)
    if other is not None and other.id != contact_id:
        raise Conflict(f"contact {other.id!r} has the number {e164} already: change that contact instead")
