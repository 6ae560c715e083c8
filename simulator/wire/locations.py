"""Locations on the wire."""

from __future__ import annotations

from simulator.domain.locations import LocationStatus, SharedLocation
from simulator.wire.base import Out


class LocationOut(Out):
    """Where somebody was found; `lastUpdated` is in milliseconds since 1970. Null where the phone was out of reach.

    The sources give neither the unit nor the words of `status`.
    """

    phone_number: str
    latitude: float | None
    longitude: float | None
    status: str
    last_updated: int

    @classmethod
    def of(cls, location: SharedLocation, status: LocationStatus) -> LocationOut:
        """Show what the platform knows."""
        found = location.found
        return cls(
            phone_number=location.number,
            latitude=found.latitude if found else None,
            longitude=found.longitude if found else None,
            status=status.value,
            last_updated=int(location.found_at.timestamp() * 1000),
        )


class LocationRefreshOut(Out):
    """Phones are being asked; ask for locations again after `pollAfterSeconds`."""

    success: bool = True
    poll_after_seconds: int
