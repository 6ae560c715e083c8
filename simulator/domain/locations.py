"""Where people are who share their location with the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LOCATING: Final = timedelta(seconds=15)  # until phones have answered; clients are told to ask again after 20 s
POLL_AFTER: Final = timedelta(seconds=20)
FRESH: Final = timedelta(minutes=1)  # a phone that was found this recently is still about there


class LocationStatus(StrEnum):
    """How far a location can be trusted. The sources do not give the words."""

    LIVE = "live"  # found within the last minute
    STALE = "stale"  # found earlier
    LOCATING = "locating"  # a refresh is under way
    UNAVAILABLE = "unavailable"  # the phone did not answer when it was last asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on earth, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLocation:
    """Where somebody is, and where the platform last found them. No position: the phone cannot be located."""

    number: str
    position: Position | None
    found: Position | None
    found_at: datetime
