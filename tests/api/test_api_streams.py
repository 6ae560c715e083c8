"""A call's transcript as server-sent events, on a real runner in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.api.streams import transcript_events
from simulator.app import SimulatorApp
from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from tests.helpers.asgi import Request
from tests.helpers.platform import Platform, platform
from tests.helpers.sse import Event, events, words

pytestmark = pytest.mark.anyio
SILENT = Policies("all", {"no_webhook_call": "silence"})
LINES = ("Hello?", "Is anybody there?", "I will call again.")
TRANSCRIPT = [("agent", "Acme, hello!"), *(("user", line) for line in LINES)]


@asynccontextmanager
async def dialled(clock: ClockMode = ClockMode.MANUAL, script: Any = LINES) -> AsyncIterator[tuple[Platform, str]]:
    """A call that rings: a greeting, then somebody who talks to a handler that is not there."""
    async with platform(clock, policies=SILENT) as p:
        _, number = await p.line(None, beginMessage="Acme, hello!")
        body = {"from": "+14155550150", "to": number, "script": None if script is None else list(script)}
        yield p, (await p.post("/_sim/calls", body))["call_id"]


def app_of(p: Platform) -> SimulatorApp:
    app = p.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, SimulatorApp)
    return app


def stream(p: Platform, call_id: str) -> Request:
    return Request(app_of(p), "GET", f"/v1/calls/{call_id}/transcript/stream")


async def collected(p: Platform, call_id: str) -> list[Event]:
    return events([piece async for piece in transcript_events(p.runner, call_id)])


async def test_a_finished_call_is_replayed_and_ended_at_once() -> None:
    async with dialled() as (p, call_id):
        await p.post("/_sim/clock/run_until_idle")
        reader = stream(p, call_id)
        await reader.done
        assert (reader.status, reader.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        told = events(reader.pieces)
        assert [name for name, _ in told] == ["connected", *["turn"] * 4, "ended"]
        assert words(told) == TRANSCRIPT
        record = await p.get(f"/v1/calls/{call_id}")
        assert told[-1][1].items() >= {"status": "completed", "durationSeconds": record["durationSeconds"]}.items()


async def test_what_is_said_arrives_while_the_call_goes_on() -> None:
    async with dialled(script=None) as (p, call_id):
        reader = stream(p, call_id)
        assert words(events(await reader.arrived(1))) == []
        await p.post("/_sim/clock/advance", {"seconds": 5})
        assert words(events(await reader.arrived(2))) == TRANSCRIPT[:1]
        await p.post(f"/_sim/calls/{call_id}/say", {"text": "Hello?"})
        await p.post("/_sim/clock/advance", {"seconds": 5})
        assert words(events(await reader.arrived(3))) == TRANSCRIPT[:2]
        await p.post(f"/_sim/calls/{call_id}/hang_up")
        await reader.done
        assert events(reader.pieces)[-1][0] == "ended"


async def following(moments: list[float]) -> None:
    async with dialled() as (p, call_id):
        readers, passed = [], 0.0
        for moment in sorted(moments):
            if moment > passed:
                await p.post("/_sim/clock/advance", {"seconds": moment - passed})
                passed = moment
            readers.append(asyncio.create_task(collected(p, call_id)))
        await p.post("/_sim/clock/run_until_idle")
        for told in await asyncio.gather(*readers):
            assert words(told) == TRANSCRIPT
            assert [name for name, _ in told if name != "turn"] == ["connected", "ended"]
        assert p.runner.waiting == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=5))
def test_replay_and_live_together_are_the_transcript_whenever_a_reader_joins(moments: list[float]) -> None:
    asyncio.run(following(moments))


async def test_a_reader_neither_holds_nor_freezes_an_auto_clock() -> None:
    async with dialled(ClockMode.AUTO) as (p, call_id):
        told = await collected(p, call_id)  # the call takes half a minute, and this test does not
        assert words(told) == TRANSCRIPT
        assert not p.runner.clock.flowing


async def test_a_reader_who_leaves_frees_everything() -> None:
    async with dialled(script=None) as (p, call_id):
        reader, stays = stream(p, call_id), stream(p, call_id)
        await reader.arrived(1)
        await stays.arrived(1)
        await reader.leave()
        assert p.runner.waiting == 1
        await p.post(f"/_sim/calls/{call_id}/hang_up")
        await stays.done
        assert (p.runner.waiting, events(reader.pieces)[-1][0]) == (0, "connected")


async def test_what_a_reader_does_not_take_does_not_pile_up() -> None:
    async with dialled() as (p, call_id):
        reader = stream(p, call_id)
        await reader.arrived(1)
        reader.room.clear()
        await p.post("/_sim/clock/run_until_idle")
        assert words(events(reader.pieces)) == []
        reader.room.set()
        await reader.done
        assert words(events(reader.pieces)) == TRANSCRIPT


async def test_heartbeats_come_while_nothing_happens() -> None:
    async with dialled(script=None) as (p, call_id):
        told = transcript_events(p.runner, call_id, heartbeat=0)
        first = [await anext(told) for _ in range(4)]
        assert events(first)[1:] == [("", "heartbeat")] * 3
        await p.post(f"/_sim/calls/{call_id}/hang_up")
        rest = [name for name, _ in events([piece async for piece in told]) if name]
        assert rest == ["ended"]


async def test_a_reset_closes_the_stream_without_an_end_that_never_was() -> None:
    async with dialled(script=None) as (p, call_id):
        reader = stream(p, call_id)
        await reader.arrived(1)
        await p.post("/_sim/reset")
        await reader.done
        assert [name for name, _ in events(reader.pieces)] == ["connected"]


async def test_a_stopping_server_closes_the_stream() -> None:
    async with dialled(script=None) as (p, call_id):
        reader = stream(p, call_id)
        await reader.arrived(1)
        app_of(p).begin_shutdown()
        await reader.done
        late = stream(p, call_id)
        await late.done
        assert [name for name, _ in events(reader.pieces + late.pieces)] == ["connected"] * 2


async def test_an_unknown_call_has_no_stream() -> None:
    async with platform() as p:
        refused = await p.get("/v1/calls/call_none/transcript/stream", expect=404)
        assert "call_none" in refused["detail"]
