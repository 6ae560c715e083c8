"""Requests that wait for a call's end: answered on every clock, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator.app import SimulatorApp
from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from tests.helpers.asgi import Request, until
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
SILENT = {"policies": Policies("all", {"no_webhook_call": "silence"})}
CLOCKS = [(ClockMode.AUTO, 1.0), (ClockMode.MANUAL, 1.0), (ClockMode.SYSTEM, 100.0)]
CALLER = "+14155550150"
PERSON = "+14155552671"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def app_of(p: Platform) -> SimulatorApp:
    app = p.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, SimulatorApp)
    return app


async def called(p: Platform, *script: Any) -> str:
    """A call that rings: live without a script."""
    _, number = await p.line(None, beginMessage="Hello")
    body = {"from": CALLER, "to": number, "script": list(script) or None}
    call_id: str = (await p.post("/_sim/calls", body))["call_id"]
    return call_id


async def thinks(exchange: Exchange) -> None:
    """A handler that takes every event, and never finds an answer to a turn."""
    if json.loads(exchange.request.body)["event"] == "agent.message":
        await exchange.hung_up()
    else:
        await answer()(exchange)


@pytest.mark.parametrize(("clock", "scale"), CLOCKS)
async def test_getting_a_call_waits_for_its_end_on_every_clock(clock: ClockMode, scale: float) -> None:
    async with platform(clock, scale=scale, **SILENT) as p:
        call_id = await called(p, "Anybody?", {"wait": 30})
        ended = await p.get(f"/v1/calls/{call_id}", wait="true", timeout=10)
        assert (ended["status"], ended["disconnectionReason"]) == ("completed", "user_hangup")
        assert ended["durationSeconds"] >= 30
        assert p.runner.waiting == 0


@pytest.mark.parametrize(("clock", "scale"), CLOCKS)
async def test_placing_a_call_waits_for_its_end_on_every_clock(clock: ClockMode, scale: float) -> None:
    async with platform(clock, scale=scale, **SILENT) as p:
        agent, _ = await p.line(None)
        await p.ask("PUT", f"/_sim/people/{PERSON}", json={"script": ["Yes?"]})
        body = {"agentId": agent, "toNumber": PERSON, "initialGreeting": "Good day", "waitForCompletion": True}
        ended = await p.post("/v1/calls", {**body, "maxWaitSeconds": 10})
        assert [t["transcript"] for t in ended["transcripts"]] == ["Good day", "Yes?"]
        assert ended["status"] == "completed"


async def test_many_may_wait_for_one_call() -> None:
    async with platform(ClockMode.AUTO, **SILENT) as p:
        call_id = await called(p)
        waits = [asyncio.create_task(p.get(f"/v1/calls/{call_id}", wait="true")) for _ in range(5)]
        await until(lambda: p.runner.waiting == 5)
        await p.post(f"/_sim/calls/{call_id}/hang_up")
        assert {call["status"] for call in await asyncio.gather(*waits)} == {"completed"}


@pytest.mark.parametrize("clock", [ClockMode.AUTO, ClockMode.SYSTEM])
async def test_a_client_that_leaves_while_it_waits_leaves_nothing_behind(clock: ClockMode) -> None:
    async with platform(clock, **SILENT) as p:
        call_id = await called(p)
        request = Request(app_of(p), "GET", f"/v1/calls/{call_id}", "wait=true&timeout=300")
        await until(lambda: p.runner.waiting == 1)
        tasks = len(asyncio.all_tasks())
        await request.leave()
        assert p.runner.waiting == 0
        assert len(asyncio.all_tasks()) < tasks
        assert (await p.get(f"/v1/calls/{call_id}"))["status"] == "in-progress"  # its call goes on


async def test_a_client_that_placed_a_call_and_left_does_not_end_it() -> None:
    async with platform(ClockMode.SYSTEM, **SILENT) as p:
        agent, _ = await p.line(None)
        body = json.dumps({"agentId": agent, "toNumber": PERSON, "waitForCompletion": True}).encode()
        request = Request(app_of(p), "POST", "/v1/calls", body=body)
        await until(lambda: p.runner.waiting == 1)
        await request.leave()
        assert (p.runner.waiting, (await p.get("/v1/calls"))["total"]) == (0, 1)


async def test_a_reader_of_the_journal_who_left_is_not_waited_for() -> None:
    async with platform(ClockMode.MANUAL) as p:
        request = Request(app_of(p), "GET", "/_sim/journal", "wait=60")
        await until(lambda: p.runner.waiting == 1)
        await request.leave()
        assert p.runner.waiting == 0


async def test_on_a_manual_clock_a_client_that_leaves_stops_moving_it() -> None:
    async with Receiver(thinks) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        body = {"from": CALLER, "to": number, "script": ["Hello?"]}
        call_id = (await p.post("/_sim/calls", body))["call_id"]
        request = Request(app_of(p), "GET", f"/v1/calls/{call_id}", "wait=true&timeout=300")
        await handler.received(2)  # the turn: its handler takes its time, and so does the wait
        before = (await p.get("/_sim/clock"))["now"]
        await request.leave()
        assert (await p.get("/_sim/clock"))["now"] == before
        assert (await p.get(f"/v1/calls/{call_id}"))["status"] == "in-progress"
        assert p.runner.pacer.in_flight
        await p.post(f"/v1/calls/{call_id}/end")


@pytest.mark.parametrize("clock", [ClockMode.AUTO, ClockMode.SYSTEM])
async def test_a_wait_that_takes_too_long_answers_with_the_call_as_it_is(clock: ClockMode) -> None:
    async with platform(clock, **SILENT) as p:
        call = await p.runner.telephone.wait_for_call(await called(p), 0.01)
        assert (call.live, p.runner.waiting) == (True, 0)


async def test_a_wait_that_takes_too_long_on_a_manual_clock_answers_too() -> None:
    async with Receiver(thinks) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        body = {"from": CALLER, "to": number, "script": ["Hello?"]}
        call_id = (await p.post("/_sim/calls", body))["call_id"]
        assert (await p.runner.telephone.wait_for_call(call_id, 0.2)).live
        await p.post(f"/v1/calls/{call_id}/end")


async def test_a_stopping_server_answers_who_waits_with_the_call_as_it_is() -> None:
    async with platform(ClockMode.SYSTEM, **SILENT) as p:
        call_id = await called(p)
        wait = asyncio.create_task(p.get(f"/v1/calls/{call_id}", wait="true"))
        await until(lambda: p.runner.waiting == 1)
        app_of(p).begin_shutdown()
        assert (await wait)["status"] == "in-progress"


async def test_a_reset_tells_who_waits() -> None:
    async with platform(ClockMode.SYSTEM, **SILENT) as p:
        call_id = await called(p)
        wait = asyncio.create_task(p.get(f"/v1/calls/{call_id}", wait="true", expect=409))
        await until(lambda: p.runner.waiting == 1)
        await p.post("/_sim/reset")
        assert "reset" in (await wait)["detail"]


async def test_a_ringing_call_is_not_in_progress_where_it_says_that_it_rings() -> None:
    async with platform(ClockMode.MANUAL, policies=Policies("2026-03", {"ringing_status": "ringing"})) as p:
        call_id = await called(p)
        refused = await p.post(f"/v1/calls/{call_id}/end", expect=409)
        assert "it is ringing" in refused["detail"]
        await p.post("/_sim/clock/advance", {"seconds": 5})
        assert (await p.post(f"/v1/calls/{call_id}/end"))["status"] == "in-progress"


async def test_ending_a_call_answers_ending_by_policy() -> None:
    policies = Policies("all", {"end_reply": "ending", "no_webhook_call": "silence"})
    async with platform(ClockMode.MANUAL, policies=policies) as p:
        call_id = await called(p)
        assert (await p.post(f"/v1/calls/{call_id}/end")).items() >= {"id": call_id, "status": "ending"}.items()
        assert (await p.get(f"/v1/calls/{call_id}"))["status"] == "completed"
