"""Locations: where people say they are, and what the platform knows of it.

Somebody who begins to share is found at once. Later moves are seen when the account asks for a refresh, which takes
the phones a while: until then the account knows where they were.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from simulator.domain.locations import FRESH, LocationStatus, Position, SharedLocation
from simulator.domain.phone import normalise
from simulator.errors import NotFound
from simulator.world.world import World


def share(world: World, number: str, position: Position | None, now: datetime) -> SharedLocation:
    """Put somebody somewhere, or out of reach with None; they share where they are from now on. Raises BadRequest."""
    e164 = normalise(number)
    before = world.locations.get(e164)
    if before is None:
        location = SharedLocation(number=e164, position=position, found=position, found_at=now)
    else:
        location = replace(before, position=position)
    world.locations[e164] = location
    return location


def stop_sharing(world: World, number: str) -> SharedLocation:
    """Let somebody share no longer: the account then knows nothing of them. Raises BadRequest, NotFound."""
    location = get(world, number)
    del world.locations[location.number]
    return location


def get(world: World, number: str) -> SharedLocation:
    """Return what is known of where somebody is. Raises BadRequest for no number, NotFound when they do not share."""
    e164 = normalise(number)
    location = world.locations.get(e164)
    if location is None:
        raise NotFound(f"{e164} does not share a location with this account")
    return location


def status(world: World, location: SharedLocation, now: datetime) -> LocationStatus:
    """Say how far the known location can be trusted at `now`."""
    if world.locating_since is not None:
        return LocationStatus.LOCATING
    if location.found is None:
        return LocationStatus.UNAVAILABLE
    return LocationStatus.LIVE if now - location.found_at <= FRESH else LocationStatus.STALE


def refresh(world: World, now: datetime) -> bool:
    """Begin to locate everybody; False when that is under way already."""
    if world.locating_since is not None:
        return False
    world.locating_since = now
    return True


def find_everybody(world: World, now: datetime) -> None:
    """The phones have answered: everybody is known to be where they are now."""
    world.locating_since = None
    for e164, location in world.locations.items():
        world.locations[e164] = replace(location, found=location.position, found_at=now)
    world.journal.append("location.refreshed", now, people=len(world.locations))
