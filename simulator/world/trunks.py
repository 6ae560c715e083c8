"""SIP trunks: made, changed, their credentials rotated, removed. No SIP is spoken: a trunk is a record here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from simulator.domain.trunks import AllowedIp, OriginationUri, SipCredential, SipTrunk
from simulator.errors import BadRequest, NotFound
from simulator.world.world import World

MAX_TRUNKS: Final = 1_000  # more is a mistake in a loop
_SIP_URI: Final = re.compile(r"sips?:([^\s@;?]+@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?([;?][^\s]*)?")
_LABEL_LENGTH: Final = 12  # characters of a host name that no other trunk has


def create(world: World, now: datetime) -> SipTrunk:
    """Make a trunk with fresh credentials. Raises BadRequest when there are too many."""
    if len(world.trunks) >= MAX_TRUNKS:
        raise BadRequest(f"{len(world.trunks)} SIP trunks are too many: delete one first")
    label = world.entropy.token("sip_label")[:_LABEL_LENGTH]
    trunk = SipTrunk(
        id=world.entropy.new_id("sip_trunk"),
        name=f"Trunk {label}",
        created_at=now,
        label=label,
        credential=_fresh_credential(world, label),
    )
    world.journal.append("sip_trunk.created", now, trunk_id=trunk.id, uri=trunk.termination_sip_uri)
    return _store(world, trunk)


def get(world: World, trunk_id: str) -> SipTrunk:
    """Return the trunk. Raises NotFound naming the id."""
    trunk = world.trunks.get(trunk_id)
    if trunk is None:
        raise NotFound(f"SIP trunk {trunk_id!r} does not exist in this account")
    return trunk


def listing(world: World) -> list[SipTrunk]:
    """Return every trunk, newest first."""
    return list(reversed(world.trunks.values()))


def update(world: World, trunk_id: str, changes: Mapping[str, Any]) -> SipTrunk:
    """Change the given fields of `SipTrunk`. Raises NotFound, or BadRequest for what cannot be."""
    trunk = get(world, trunk_id)
    if not changes.get("name", trunk.name).strip():
        raise BadRequest(f"a SIP trunk cannot be called {changes['name']!r}: give it a name")
    for uri in changes.get("origination_uris", ()):
        _check_uri(uri)
    for allowed in changes.get("allowed_ips", ()):
        _check_network(allowed)
    return _store(world, replace(trunk, **changes))


def rotate(world: World, trunk_id: str, now: datetime) -> SipTrunk:
    """Give the trunk a new user name and password; the old ones are worth nothing from now on."""
    trunk = get(world, trunk_id)
    world.journal.append("sip_trunk.rotated", now, trunk_id=trunk.id)
    return _store(world, replace(trunk, credential=_fresh_credential(world, trunk.label)))


def delete(world: World, trunk_id: str, now: datetime) -> SipTrunk:
    """Remove the trunk for good."""
    trunk = get(world, trunk_id)
    del world.trunks[trunk_id]
    world.journal.append("sip_trunk.deleted", now, trunk_id=trunk.id)
    return trunk


def _fresh_credential(world: World, label: str) -> SipCredential:
    return SipCredential(
        username=f"user-{world.entropy.token('sip_username')[:_LABEL_LENGTH]}",
        password=world.entropy.token("sip_password"),
        list_name=f"{label}-credentials",
    )


def _check_uri(uri: OriginationUri) -> None:
    if not _SIP_URI.fullmatch(uri.sip_uri):
        raise BadRequest(f"sip_uri {uri.sip_uri[:200]!r} is no SIP address: give one like sip:pbx.example.com:5061")


def _check_network(allowed: AllowedIp) -> None:
    try:
        ipaddress.ip_network(allowed.cidr)
    except ValueError as error:
        raise BadRequest(
            f"cidr {allowed.cidr[:200]!r} is no network: give one like 203.0.113.0/24 ({error})"
        ) from error


def _store(world: World, trunk: SipTrunk) -> SipTrunk:
    world.trunks[trunk.id] = trunk
    return trunk
