"""A copy of a world shares nothing that changes, whatever a world is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from simulator.domain.findings import Finding, FindingKind
from simulator.world import calls, contacts, people, texters
from simulator.world.images import copy_of
from simulator.world.journal import Journal
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    after,
    apple_line,
    dial_in,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    owe,
    past_call,
    settle,
    snapshot,
    text_group,
    text_in,
    text_out,
)


def busy_world() -> World:
    """A world in which as much as possible has happened."""
    world = make_world()
    agent, number = new_line(world)
    new_number(world)
    endpoint = new_endpoint(world, agent)
    message, _ = text_in(world, number)
    text_out(world, number)
    apple = apple_line(world, agent)
    text_group(world, apple)
    settle(world, owe(world, message, endpoint))
    owe(world, message, endpoint)
    past_call(world, number, started=NOW, lasting=timedelta(minutes=2))
    call = dial_in(world, number)
    calls.add_finding(
        world, Finding(kind=FindingKind.REPLY_EMPTY, message="m", at=NOW, call_id=call.id, turn_id=None, sample=b"")
    )
    contacts.create(world, phone_number=CALLER, name="Ada", email=None, notes=None, now=NOW)
    people.put(world, CALLER, answer="busy")
    texters.begin(world, from_number=CALLER, to_number=number.phone_number, participants=None, now=NOW)
    world.begun[(number.id, frozenset({CALLER})), CALLER] = ()
    return world


def parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Everything inside `value` that could be changed, with where it is."""
    if isinstance(value, dict):
        yield name, value
        for key, item in value.items():
            yield from parts(f"{name}[{key!r}]", item)
    elif isinstance(value, list | set):
        yield name, value
    elif hasattr(value, "copy"):
        names = [*getattr(type(value), "__slots__", ()), *getattr(value, "__dict__", ())]
        for inner in names:
            yield from parts(f"{name}.{inner}", getattr(value, inner))


def disturb(container: Any) -> None:
    if isinstance(container, dict):
        container["something new"] = "something new"
    elif isinstance(container, list):
        container.append("something new")
    else:
        container.add("something new")


def places(world: World) -> dict[str, Any]:
    return {place: found for name, value in vars(world).items() for place, found in parts(name, value)}


PLACES = tuple(places(busy_world()))


def shared(place: str) -> bool:
    """Agents' counts are shared until either side counts something more; `test_counts_go_their_own_way` is theirs."""
    return place.startswith("tally.agents[") or place == "tally._own"


def test_the_walk_finds_what_a_world_is_made_of() -> None:
    assert {"agents", "journal._ring", "entropy._counters", "tally.whole.voice.sums", "number_messages.last"} <= set(
        PLACES
    )
    assert {name for name, value in vars(busy_world()).items() if isinstance(value, dict)} <= set(PLACES)


@pytest.mark.parametrize("place", [place for place in PLACES if not shared(place)])
def test_what_is_changed_in_one_is_not_changed_in_the_other(place: str) -> None:
    original = busy_world()
    copy = copy_of(original)
    disturb(places(copy)[place])
    assert "something new" not in places(original)[place]
    disturb(places(original)[place])
    assert places(original)[place] != [] and repr(places(original)[place]).count("something new") > 0


@pytest.mark.parametrize("name", [name for name, value in vars(busy_world()).items() if not hasattr(value, "copy")])
def test_scalars_go_their_own_way(name: str) -> None:
    original = busy_world()
    before = getattr(original, name)
    setattr(copy_of(original), name, object())
    assert getattr(original, name) is before


def test_records_in_maps_cannot_be_changed() -> None:
    # A list or a dictionary inside a map would be shared by the copies.
    world = busy_world()
    inside = (item for value in vars(world).values() if isinstance(value, dict) for item in value.values())
    assert [item for item in inside if isinstance(item, list | set | dict)] == []


def test_a_copy_is_equal() -> None:
    world = busy_world()
    copy = copy_of(world)
    assert snapshot(copy) == snapshot(world)
    assert copy.journal.since() == world.journal.since()
    assert list(vars(copy)) == list(vars(world))


def test_counts_go_their_own_way() -> None:
    original = busy_world()
    agent = next(iter(original.agents))
    number = original.numbers[original.agent_numbers[agent][0]]
    first, second = copy_of(original), copy_of(original)
    counts = original.tally.counts()
    for world, times in ((original, 3), (first, 1), (second, 2)):
        for _ in range(times):
            text_in(world, number, now=after(minutes=5))
    made = [world.tally.agents[agent].messages.total for world in (first, second, original)]
    assert [total - made[0] for total in made] == [0, 1, 2]
    assert copy_of(first).tally.counts() == first.tally.counts() != counts


def test_ids_go_on_alike_and_apart() -> None:
    original = busy_world()
    copy = copy_of(original)
    made = [new_agent(original).id, new_agent(original).id]
    assert [new_agent(copy).id, new_agent(copy).id] == made


def test_an_attribute_that_nobody_knows_how_to_copy_is_refused() -> None:
    world = make_world()
    world.mystery = object()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"World\.mystery cannot be copied"):
        copy_of(world)


def test_a_journal_goes_on_numbering_without_what_came_before() -> None:
    journal = Journal(3)
    journal.go_on(40)
    assert (journal.dropped, len(journal), journal.since()) == (40, 0, [])
    for number in range(1, 6):
        journal.append("x", NOW, number=number)
        assert journal.last_seq == 40 + number
        assert [entry.seq for entry in journal.since()] == list(range(max(41, 38 + number), 41 + number))
    assert journal.newest("x", number=4) is not None
    copy = journal.copy()
    copy.append("y", NOW)
    assert [entry.kind for entry in copy.since()] == ["x", "x", "y"]
    assert [entry.kind for entry in journal.since()] == ["x", "x", "x"]


def test_nobody_listens_to_a_copied_journal() -> None:
    heard: list[int] = []
    journal = Journal(3)
    journal.on_append(lambda entry: heard.append(entry.seq))
    journal.copy().append("x", NOW)
    assert heard == []
