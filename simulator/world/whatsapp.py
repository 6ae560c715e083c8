"""WhatsApp Business accounts and their numbers: connected, listed, disconnected.

Every answer here is inferred (trust `inf`): the clients show the requests only. A number that can be connected is one
of the account's own; Meta's id for it is made from ours, so that asking twice gives the same id.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Final

from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.whatsapp import WhatsAppConnection
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world import agents
from simulator.world.world import World

_FIRST_ID: Final = 10**14  # Meta's ids are long decimal numbers; fifteen digits here
_IDS: Final = 9 * 10**14
_TRIES: Final = 64


def connect(
    world: World,
    *,
    code: str,
    waba_id: str | None = None,
    phone_number_id: str | None = None,
    business_id: str | None = None,
    agent_id: str | None = None,
    now: datetime,
) -> WhatsAppConnection:
    """Connect a WABA; a `phone_number_id` that names a number of ours is connected with it.

    `code` comes from Meta's sign-up dialogue and is not looked into. Raises BadRequest for a blank one, NotFound for an
    unknown agent, Conflict for a WABA or number that is connected already.
    """
    if not code.strip():
        raise BadRequest("the code is blank: give the one that the WhatsApp sign-up dialogue returned")
    if agent_id is not None:
        world.require_agent(agent_id)
    for other in world.whatsapp_connections.values():
        if waba_id is not None and other.waba_id == waba_id:
            raise Conflict(f"waba_id {waba_id!r} is connected already, as {other.id}: disconnect it first")
    number = _find_number(world, phone_number_id) if phone_number_id is not None else None
    if number is not None:
        _check_unconnected(number)
    connection = WhatsAppConnection(
        id=world.entropy.new_id("whatsapp_connection"),
        waba_id=waba_id or _new_waba_id(world),
        connected_at=now,
        business_id=business_id,
        phone_number_id=phone_number_id,
        agent_id=agent_id,
    )
    world.journal.append("whatsapp.connected", now, connection_id=connection.id, waba_id=connection.waba_id)
    world.whatsapp_connections[connection.id] = connection
    if number is not None and phone_number_id is not None:
        connect_number(world, connection.id, phone_number_id, None, now)
    return world.whatsapp_connections[connection.id]


def get(world: World, connection_id: str) -> WhatsAppConnection:
    """Return the connection. Raises NotFound naming the id."""
    connection = world.whatsapp_connections.get(connection_id)
    if connection is None:
        raise NotFound(f"WhatsApp connection {connection_id!r} does not exist in this account")
    return connection


def listing(world: World) -> list[WhatsAppConnection]:
    """Return every connection, newest first."""
    return list(reversed(world.whatsapp_connections.values()))


def disconnect(world: World, connection_id: str, now: datetime) -> WhatsAppConnection:
    """Take the connection away, with its templates; its numbers stay, without WhatsApp."""
    connection = get(world, connection_id)
    for number_id in connection.number_ids:
        world.store_number(replace(world.numbers[number_id], whatsapp_enabled=False))
    for template_id in [t.id for t in world.message_templates.values() if t.connection_id == connection_id]:
        del world.message_templates[template_id]
    del world.whatsapp_connections[connection_id]
    world.journal.append("whatsapp.disconnected", now, connection_id=connection_id)
    return connection


def available_numbers(world: World, connection_id: str) -> list[PhoneNumber]:
    """Return the account's numbers that could be connected: active, no iMessage line, and on no connection yet."""
    get(world, connection_id)
    active = (world.numbers[number_id] for number_id in world.active_numbers)
    return [number for number in active if not number.imessage and not number.whatsapp_enabled]


def connected_numbers(world: World, connection: WhatsAppConnection) -> list[PhoneNumber]:
    """Return the connection's numbers, without those that were released since."""
    numbers = (world.numbers[number_id] for number_id in connection.number_ids)
    return [number for number in numbers if number.status is NumberStatus.ACTIVE]


def connect_number(
    world: World, connection_id: str, phone_number_id: str, agent_id: str | None, now: datetime
) -> PhoneNumber:
    """Let a number send and receive over WhatsApp, and give it to the agent if one is named here or on the connection.

    Raises NotFound for an unknown connection, number or agent, Conflict when the number is connected already.
    """
    connection = get(world, connection_id)
    number = _find_number(world, phone_number_id)
    if number is None:
        raise NotFound(
            f"phone_number_id {phone_number_id!r} is not on connection {connection_id!r}: "
            f"see GET /integrations/whatsapp/{connection_id}/available-numbers"
        )
    _check_unconnected(number)
    if agent_id is not None:
        world.require_agent(agent_id)
    owner = agent_id or (connection.agent_id if connection.agent_id in world.agents else None)
    if owner is not None:
        _, number = agents.attach(world, owner, number.id)
    world.whatsapp_connections[connection_id] = replace(connection, number_ids=(*connection.number_ids, number.id))
    world.journal.append(
        "whatsapp.number_connected", now, connection_id=connection_id, number_id=number.id, number=number.phone_number
    )
    return world.store_number(replace(number, whatsapp_enabled=True))


def phone_number_id(number: PhoneNumber) -> str:
    """Meta's id for a number of ours."""
    digest = hashlib.blake2b(number.id.encode(), digest_size=8).digest()
    return str(_FIRST_ID + int.from_bytes(digest, "big") % _IDS)


def new_meta_id(world: World, kind: str, taken: frozenset[str]) -> str:
    """Draw an id that looks like Meta's and is not among `taken`."""

    def accept(draw: int) -> str | None:
        made = str(_FIRST_ID + draw % _IDS)
        return None if made in taken else made

    found = world.entropy.pick(kind, accept, _TRIES)
    if found is None:
        raise Conflict(f"no {kind} id is left")
    return found


def _new_waba_id(world: World) -> str:
    return new_meta_id(world, "waba", frozenset(c.waba_id for c in world.whatsapp_connections.values()))


def _find_number(world: World, meta_id: str) -> PhoneNumber | None:
    active = (world.numbers[number_id] for number_id in world.active_numbers)
    return next((n for n in active if not n.imessage and phone_number_id(n) == meta_id), None)


def _check_unconnected(number: PhoneNumber) -> None:
    if number.whatsapp_enabled:
        raise Conflict(f"{number.phone_number} is on WhatsApp already: disconnect its connection first")
