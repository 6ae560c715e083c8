"""Recordings of calls: whether there is one, and the add-on that pays for them."""

from __future__ import annotations

from datetime import datetime

from simulator.domain.calls import Call
from simulator.domain.money import Item
from simulator.errors import NotFound
from simulator.world import money
from simulator.world.world import World


def included(world: World) -> bool:
    """Whether a call that connects now is recorded, unless the call itself says no."""
    return world.policies["recording_addon"] == "included" or world.recording_since is not None


def enable(world: World, now: datetime) -> datetime:
    """Switch the add-on on and return since when it is on; a second time changes nothing.

    Calls that have connected already stay as they are.
    """
    if world.recording_since is None:
        money.require(world, Item.RECORDING)
        world.recording_since = now
        money.charge(world, Item.RECORDING, now)
        world.journal.append("recording.enabled", now)
    return world.recording_since


def check_available(call: Call) -> None:
    """Raise NotFound with the reason why the call has no recording (yet)."""
    if call.recording_available:
        return
    if call.live:
        why = "it is not over; its recording is there when it has ended"
    elif call.connected_at is None:
        why = "it was never answered"
    elif call.disable_recording:
        why = "it was placed with disableRecording"
    else:
        why = "the recording add-on was off when it connected; POST /credits/recording/enable switches it on"
    raise NotFound(f"call {call.id!r} has no recording: {why}")
