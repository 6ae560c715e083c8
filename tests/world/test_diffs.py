from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from simulator.domain.calls import DisconnectionReason
from simulator.domain.limits import Limits
from simulator.world import calls, numbers, people
from simulator.world.diffs import FOLLOWS, Change, KindDiff, compare, plain, text_of
from simulator.world.images import copy_of
from tests.helpers.world import CALLER, NOW, after, dial_in, make_world, new_agent, new_endpoint, new_line, text_in


def test_equal_worlds_do_not_differ() -> None:
    world = make_world()
    new_line(world)
    assert compare(world, copy_of(world)) == ()
    assert text_of(()) == ""


def test_records_that_came_and_went_are_named() -> None:
    world = make_world()
    agent = new_agent(world)
    before = copy_of(world)
    world.forget_agent(agent.id)
    other = new_agent(world, "Sales")
    assert compare(before, world) == (KindDiff("agents", (other.id,), (agent.id,), {}),)
    assert compare(world, before) == (KindDiff("agents", (agent.id,), (other.id,), {}),)


def test_a_changed_record_has_its_fields_before_and_after() -> None:
    world = make_world()
    agent, number = new_line(world)
    call = dial_in(world, number)
    before = copy_of(world)
    world.store_agent(replace(agent, name="Sales", max_silence=timedelta(seconds=5)))
    calls.finish(world, call.id, DisconnectionReason.USER_HANGUP, after(seconds=3))
    found = {kind.kind: kind for kind in compare(before, world)}
    assert found["agents"].changed == {
        agent.id: (Change("name", "Support", "Sales"), Change("max_silence", 600.0, 5.0))
    }
    assert Change("disconnection_reason", None, "user_hangup") in (found["calls"].changed or {})[call.id]
    assert set(found) == {"agents", "calls"}


def test_what_is_true_of_the_whole_account_is_compared_too() -> None:
    world = make_world()
    before = copy_of(world)
    world.limits = Limits(numbers=3)
    world.recording_since = NOW
    (account,) = compare(before, world)
    assert account.kind == "account"
    assert [change.field for change in (account.changed or {})["acct_test"]] == ["recording_since", "limits"]


def test_keys_that_are_no_ids_are_written_out() -> None:
    world = make_world()
    _, number = new_line(world)
    before = copy_of(world)
    new_endpoint(world)
    world.opted_out[number.id, CALLER] = None
    world.first_texts[number.id, NOW.date()] = 2
    added = {kind.kind: kind.added for kind in compare(before, world)}
    assert added["endpoints"] == ("account",)
    assert added["opted_out"] == (f"{number.id} {CALLER}",)
    assert added["first_texts"] == (f"{number.id} 2026-01-05",)


def test_values_that_are_no_records_are_compared_whole() -> None:
    world = make_world()
    _, number = new_line(world)
    world.first_texts[number.id, NOW.date()] = 2
    before = copy_of(world)
    world.first_texts[number.id, NOW.date()] = 3
    (kind,) = compare(before, world)
    assert kind.changed == {f"{number.id} 2026-01-05": (Change("value", 2, 3),)}


def test_the_text_shows_what_came_went_and_changed() -> None:
    world = make_world()
    agent, number = new_line(world)
    before = copy_of(world)
    people.put(world, CALLER, answer="busy")
    world.store_agent(replace(agent, system_prompt="x" * 500))
    numbers.release(world, number.id, NOW)
    lines = text_of(compare(before, world)).splitlines()
    assert lines[:3] == ["agents", f"  ~ {agent.id}", f'      system_prompt: null -> "{"x" * 199}…']
    assert '      status: "active" -> "released"' in lines
    assert lines[-2:] == ["people", f"  + {CALLER}"]


def test_every_value_of_a_busy_world_is_shown_as_json() -> None:
    import json

    from tests.world.test_images import busy_world

    world = busy_world()
    for records in (value for value in vars(world).values() if isinstance(value, dict)):
        for record in records.values():
            json.dumps(plain(record))
    assert plain(frozenset({"b", "a"})) == ["a", "b"]
    assert plain(b"\xff") == "�"


def test_what_follows_from_records_exists() -> None:
    assert set(vars(make_world())) >= FOLLOWS


def test_a_text_changes_its_conversation_only_once() -> None:
    world = make_world()
    _, number = new_line(world)
    text_in(world, number)
    before = copy_of(world)
    text_in(world, number)
    assert [kind.kind for kind in compare(before, world)] == ["conversations", "messages"]
