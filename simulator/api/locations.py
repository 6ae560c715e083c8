"""Locations of people who share theirs with the account."""

from __future__ import annotations

from simulator.domain.locations import POLL_AFTER
from simulator.serving.operation import Context, Operation
from simulator.wire.locations import LocationOut, LocationRefreshOut
from simulator.world import locations


def get(ctx: Context, _query: None, _body: None) -> LocationOut:
    """Show where somebody was last found."""
    location = locations.get(ctx.world, ctx.path["phone_number"])
    return LocationOut.of(location, locations.status(ctx.world, location, ctx.now))


def refresh(ctx: Context, _query: None, _body: None) -> LocationRefreshOut:
    """Ask every phone where it is; the answers come a little later."""
    if locations.refresh(ctx.world, ctx.now):
        ctx.runner.chores.locate()
    return LocationRefreshOut(poll_after_seconds=int(POLL_AFTER.total_seconds()))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getLocation",
        method="GET",
        path="/v1/location/{phone_number}",
        tag="location",
        summary="Get where somebody who shares their location was last found",
        handler=get,
        response=LocationOut,
        errors=(400, 404),
    ),
    Operation(
        id="refreshLocations",
        method="POST",
        path="/v1/location/refresh",
        tag="location",
        summary="Ask every phone that shares its location where it is",
        handler=refresh,
        response=LocationRefreshOut,
    ),
)
