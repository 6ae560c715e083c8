"""Where people are."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.domain.locations import Position, SharedLocation
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.rules import any_of, both, has, lacks
from simulator.world import locations


class PlaceIn(ControlIn):
    """Where somebody is. Both null: their phone cannot be located."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            both(has("latitude", type="number"), has("longitude", type="number")), lacks("latitude", "longitude")
        )
    )

    latitude: float | None = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(ge=-180, le=180, allow_inf_nan=False)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("give latitude and longitude, or null for both")
        return self

    def position(self) -> Position | None:
        """The place, or None out of reach."""
        if self.latitude is None or self.longitude is None:
            return None
        return Position(latitude=self.latitude, longitude=self.longitude)


class PlaceOut(ControlOut):
    """Where somebody is, and where the account believes them to be."""

    number: str
    latitude: float | None
    longitude: float | None
    found_latitude: float | None
    found_longitude: float | None
    found_at: str


def _shown(location: SharedLocation) -> PlaceOut:
    there, found = location.position, location.found
    return PlaceOut(
        number=location.number,
        latitude=there.latitude if there else None,
        longitude=there.longitude if there else None,
        found_latitude=found.latitude if found else None,
        found_longitude=found.longitude if found else None,
        found_at=iso(location.found_at),
    )


def _put(ctx: Context, _query: Any, body: PlaceIn) -> PlaceOut:
    return _shown(locations.share(ctx.world, ctx.path["number"], body.position(), ctx.now))


def _delete(ctx: Context, _query: Any, _body: Any) -> PlaceOut:
    return _shown(locations.stop_sharing(ctx.world, ctx.path["number"]))


_PLACE = "/_sim/people/{number}/location"

OPERATIONS = (
    Operation(
        id="simPutLocation", method="PUT", path=_PLACE, tag="simulator",
        summary="Put somebody somewhere; they share their location with the account.",
        handler=_put, body=PlaceIn, response=PlaceOut, errors=(400,),
    ),
    Operation(
        id="simDeleteLocation", method="DELETE", path=_PLACE, tag="simulator",
        summary="Let somebody stop sharing their location.",
        handler=_delete, response=PlaceOut, errors=(400, 404),
    ),
)  # fmt: skip
