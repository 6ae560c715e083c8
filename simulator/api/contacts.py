"""Contacts: the account's address book."""

from __future__ import annotations

from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.contacts import (
    CapabilitiesOut,
    CapabilitiesQuery,
    ContactIn,
    ContactListOut,
    ContactOut,
    ContactPatch,
    ContactsQuery,
)
from simulator.wire.pages import window
from simulator.world import contacts, devices


def listing(ctx: Context, query: ContactsQuery, _body: None) -> ContactListOut:
    """Show contacts, newest first."""
    found = contacts.listing(ctx.world, query.search)
    shown, has_more, total = window(found, query.limit, query.offset)
    return ContactListOut(data=[ContactOut.of(c) for c in shown], has_more=has_more, total=total)


def create(ctx: Context, _query: None, body: ContactIn) -> ContactOut:
    """Write down a contact."""
    return ContactOut.of(contacts.create(ctx.world, **body.fields(), now=ctx.now))


def get(ctx: Context, _query: None, _body: None) -> ContactOut:
    """Show one contact."""
    return ContactOut.of(contacts.get(ctx.world, ctx.path["contact_id"]))


def update(ctx: Context, _query: None, body: ContactPatch) -> ContactOut:
    """Change a contact."""
    return ContactOut.of(contacts.update(ctx.world, ctx.path["contact_id"], body.changes(), ctx.now))


def delete(ctx: Context, _query: None, _body: None) -> None:
    """Strike a contact out."""
    contacts.delete(ctx.world, ctx.path["contact_id"])


def capabilities(ctx: Context, query: CapabilitiesQuery, _body: None) -> CapabilitiesOut:
    """Say what reaches a phone."""
    return CapabilitiesOut.of(devices.capabilities(ctx.world, query.phone_number), iso(ctx.now))


_ONE = "/v1/contacts/{contact_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listContacts",
        method="GET",
        path="/v1/contacts",
        tag="contacts",
        summary="List contacts, newest first, or those whose name or number holds a text",
        handler=listing,
        query=ContactsQuery,
        response=ContactListOut,
    ),
    Operation(
        id="createContact",
        method="POST",
        path="/v1/contacts",
        tag="contacts",
        summary="Create a contact",
        handler=create,
        body=ContactIn,
        response=ContactOut,
        status=201,
        errors=(400, 409),
    ),
    Operation(
        id="getContactCapabilities",
        method="GET",
        path="/v1/contacts/capabilities",
        tag="contacts",
        summary="Find out whether iMessage and SMS reach a number",
        handler=capabilities,
        query=CapabilitiesQuery,
        response=CapabilitiesOut,
        errors=(400,),
    ),
    Operation(
        id="getContact",
        method="GET",
        path=_ONE,
        tag="contacts",
        summary="Get a contact",
        handler=get,
        response=ContactOut,
        errors=(404,),
    ),
    Operation(
        id="updateContact",
        method="PATCH",
        path=_ONE,
        tag="contacts",
        summary="Change a contact",
        handler=update,
        body=ContactPatch,
        response=ContactOut,
        errors=(400, 404, 409),
    ),
    Operation(
        id="deleteContact",
        method="DELETE",
        path=_ONE,
        tag="contacts",
        summary="Delete a contact; its messages and calls stay",
        handler=delete,
        status=204,
        errors=(404,),
    ),
)
