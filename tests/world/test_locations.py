from __future__ import annotations

import pytest

from simulator.domain.locations import LocationStatus, Position
from simulator.errors import InvalidPhoneNumber, NotFound
from simulator.world import locations
from simulator.world.world import World
from tests.helpers.world import NOW, after, make_world

PERSON = "+14155552671"
HOME = Position(latitude=37.77, longitude=-122.42)
WORK = Position(latitude=37.79, longitude=-122.40)


def known(world: World) -> Position | None:
    return locations.get(world, PERSON).found


def test_who_begins_to_share_is_found_at_once() -> None:
    world = make_world()
    shared = locations.share(world, "415 555 2671", HOME, NOW)
    assert (shared.number, shared.found, shared.found_at) == (PERSON, HOME, NOW)
    assert locations.get(world, "(415) 555-2671") == shared


def test_a_move_is_seen_when_a_refresh_has_ended() -> None:
    world = make_world()
    locations.share(world, PERSON, HOME, NOW)
    locations.share(world, PERSON, WORK, after(seconds=5))
    assert known(world) == HOME
    assert locations.refresh(world, after(seconds=6))
    assert known(world) == HOME
    locations.find_everybody(world, after(seconds=21))
    assert (known(world), locations.get(world, PERSON).found_at) == (WORK, after(seconds=21))
    assert world.journal.last_seq == 1


def test_a_move_during_a_refresh_is_seen_at_its_end() -> None:
    world = make_world()
    locations.share(world, PERSON, HOME, NOW)
    locations.refresh(world, NOW)
    locations.share(world, PERSON, WORK, after(seconds=10))
    locations.find_everybody(world, after(seconds=15))
    assert known(world) == WORK


def test_a_second_refresh_joins_the_first() -> None:
    world = make_world()
    assert [locations.refresh(world, NOW), locations.refresh(world, NOW)] == [True, False]
    locations.find_everybody(world, NOW)
    assert locations.refresh(world, NOW)


@pytest.mark.parametrize(
    ("position", "seconds", "status"),
    [
        (HOME, 0, LocationStatus.LIVE),
        (HOME, 60, LocationStatus.LIVE),
        (HOME, 60.001, LocationStatus.STALE),
        (None, 0, LocationStatus.UNAVAILABLE),
        (None, 90, LocationStatus.UNAVAILABLE),
    ],
)
def test_a_status_follows_the_clock(position: Position | None, seconds: float, status: LocationStatus) -> None:
    world = make_world()
    shared = locations.share(world, PERSON, position, NOW)
    assert locations.status(world, shared, after(seconds=seconds)) is status
    locations.refresh(world, NOW)
    assert locations.status(world, shared, after(seconds=seconds)) is LocationStatus.LOCATING


def test_a_phone_that_goes_out_of_reach_is_noticed_by_the_next_refresh() -> None:
    world = make_world()
    locations.share(world, PERSON, HOME, NOW)
    locations.share(world, PERSON, None, NOW)
    assert known(world) == HOME
    locations.find_everybody(world, NOW)
    assert known(world) is None


def test_who_stops_sharing_is_unknown_and_begins_anew() -> None:
    world = make_world()
    locations.share(world, PERSON, HOME, NOW)
    locations.stop_sharing(world, PERSON)
    with pytest.raises(NotFound, match="does not share"):
        locations.get(world, PERSON)
    with pytest.raises(NotFound, match="does not share"):
        locations.stop_sharing(world, PERSON)
    assert locations.share(world, PERSON, WORK, after(hours=1)).found == WORK


def test_what_is_no_number_is_nowhere() -> None:
    with pytest.raises(InvalidPhoneNumber):
        locations.get(make_world(), "nobody")
