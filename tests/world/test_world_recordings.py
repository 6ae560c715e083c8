from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.domain.calls import Call, Party, Tones
from simulator.errors import Conflict, NotFound
from simulator.world import calls, recordings
from simulator.world.world import World
from tests.helpers.world import NOW, after, dial_out, hang_up, make_world, new_endpoint, new_line, snapshot


def spoken(world: World, *, answered: bool = True, **options: bool) -> Call:
    """A call that is over."""
    agent, _ = new_line(world)
    new_endpoint(world)
    call = dial_out(world, agent, **options)
    if answered:
        calls.connect(world, call.id, NOW)
    return hang_up(world, call, now=after(seconds=9))


def test_a_call_is_recorded_from_its_connection_to_its_end() -> None:
    world = make_world()
    agent, _ = new_line(world)
    new_endpoint(world)
    call = dial_out(world, agent)
    assert not call.recording_available
    live = calls.connect(world, call.id, NOW)
    with pytest.raises(NotFound, match="not over"):
        recordings.check_available(live)
    ended = hang_up(world, live)
    recordings.check_available(ended)
    assert (live.recording_available, ended.recording_available) == (False, True)


def test_a_call_without_a_recording_says_why() -> None:
    world = make_world()
    for call, why in (
        (spoken(world, answered=False), "never answered"),
        (spoken(world, disable_recording=True), "disableRecording"),
        (spoken(make_world(recording_addon="required")), "add-on was off"),
    ):
        assert not call.recording_available
        with pytest.raises(NotFound, match=f"'{call.id}' has no recording: .*{why}"):
            recordings.check_available(call)


def test_the_addon_records_calls_that_connect_from_then_on() -> None:
    world = make_world(recording_addon="required")
    before = spoken(world)
    recordings.enable(world, after(minutes=1))
    assert spoken(world).recording_available
    assert not calls.get(world, before.id).recording_available


def test_the_addon_is_switched_on_once() -> None:
    world = make_world()
    assert recordings.enable(world, NOW) == NOW
    before = snapshot(world)
    assert recordings.enable(world, after(days=1)) == NOW
    assert snapshot(world) == before
    assert [entry.kind for entry in world.journal.since()] == ["recording.enabled"]


def test_keys_are_kept_with_the_call_until_it_ends() -> None:
    world = make_world()
    agent, _ = new_line(world)
    new_endpoint(world)
    call = calls.connect(world, dial_out(world, agent).id, NOW)
    keys = Tones(party=Party.AGENT, digits="1#", at=NOW, duration=timedelta(seconds=0.4))
    assert calls.append_tones(world, call.id, keys).tones == (keys,)
    hang_up(world, call)
    with pytest.raises(Conflict, match="ended"):
        calls.append_tones(world, call.id, keys)
