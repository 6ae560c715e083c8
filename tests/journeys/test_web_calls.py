"""Web calls from their token to their end, on the clock."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CLOCKS = [ClockMode.AUTO, ClockMode.MANUAL, ClockMode.SYSTEM]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def reply(exchange: Exchange) -> None:
    """Answer voice turns, and take every other event."""
    event = json.loads(exchange.request.body)
    spoken = {"text": "Two pears, five euros.", "hangup": True} if event["data"].get("transcript") == "Order" else {}
    await answer(200, json.dumps(spoken).encode())(exchange)


async def made(p: Platform, webhook: str, **agent: Any) -> dict[str, str]:
    """A web call that waits for its browser, made for an agent without a number."""
    created = await p.post("/v1/agents", {"name": "Shop", **agent})
    await p.post("/v1/webhooks", {"url": webhook})
    call: dict[str, str] = await p.post("/v1/calls/web", {"agentId": created["id"], "metadata": {"cart": 7}})
    return call


async def join(p: Platform, call: dict[str, str], expect: int = 200, **more: Any) -> Any:
    return await p.post("/_sim/calls/web/join", {"access_token": call["accessToken"], **more}, expect)


async def test_a_joined_web_call_is_a_call_like_any_other() -> None:
    async with Receiver(reply) as handler, platform() as p:
        call = await made(p, handler.url, beginMessage="Hello, browser")
        joined = await join(p, call, script=["Order"], wait=True)
        assert (joined["call_id"], joined["disconnection_reason"]) == (call["callId"], "agent_hangup")
        shown = await p.get(f"/v1/calls/{call['callId']}")
        assert joined["call"] == shown
        assert (shown["direction"], shown["status"], shown["recordingAvailable"]) == ("web", "completed", True)
        assert [(t["transcript"], t["response"]) for t in shown["transcripts"]] == [
            ("Hello, browser", None),
            ("Order", "Two pears, five euros."),
        ]
        await p.post("/_sim/clock/run_until_idle")
        events = [json.loads(request.body) for request in handler.requests]
        assert {event["event"] for event in events} == {"agent.message", "agent.call_ended", "call.ended"}
        assert {event["data"]["direction"] for event in events} == {"web"}
        assert not p.runner.clock.flowing  # nobody real is on the line any more


@pytest.mark.parametrize("clock", [ClockMode.AUTO, ClockMode.MANUAL])
async def test_a_token_is_good_for_thirty_simulated_seconds(clock: ClockMode) -> None:
    async with Receiver() as handler, platform(clock) as p:
        call = await made(p, handler.url)
        await p.post("/_sim/clock/advance", {"seconds": 29.5})
        assert (await p.get(f"/v1/calls/{call['callId']}"))["status"] == "in-progress"
        await p.post("/_sim/clock/advance", {"seconds": 1})
        ended = await p.get(f"/v1/calls/{call['callId']}")
        assert (ended["status"], ended["disconnectionReason"]) == ("failed", "registered_call_timeout")
        assert (ended["durationSeconds"], ended["recordingAvailable"]) == (0, False)
        refused = await join(p, call, expect=409)
        assert "expired after 30 s" in refused["detail"]
        assert not p.runner.clock.flowing


async def test_a_call_that_rings_says_so_until_it_is_joined_where_the_policy_wants_it() -> None:
    async with (
        Receiver() as handler,
        platform(ClockMode.MANUAL, policies=Policies("all", {"ringing_status": "ringing"})) as p,
    ):
        call = await made(p, handler.url)
        assert (await p.get(f"/v1/calls/{call['callId']}"))["status"] == "ringing"
        assert (await join(p, call))["status"] == "in-progress"


async def test_a_token_that_waits_keeps_an_auto_clock_from_jumping_past_it() -> None:
    async with Receiver() as handler, platform(ClockMode.AUTO) as p:
        call = await made(p, handler.url)
        assert p.runner.clock.flowing
        await join(p, call)  # a live browser, which holds time as well
        assert p.runner.clock.flowing
        await p.post(f"/_sim/calls/{call['callId']}/hang_up")
        await p.post("/_sim/clock/run_until_idle")
        assert not p.runner.clock.flowing
        assert (await p.get("/_sim/clock"))["timers"] == 0


async def test_a_token_is_good_once_and_only_a_real_one_is() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        call = await made(p, handler.url)
        await join(p, call)
        assert "was used" in (await join(p, call, expect=409))["detail"]
        assert "opens no call" in (await join(p, {"accessToken": "wct_made_up"}, expect=404))["detail"]
        for body in ({}, {"access_token": ""}, {"access_token": "a", "wait": True}, {"access_token": "a", "say": "b"}):
            await p.post("/_sim/calls/web/join", body, expect=422)


async def test_a_live_browser_speaks_step_by_step() -> None:
    async with Receiver(reply) as handler, platform(ClockMode.MANUAL) as p:
        call = await made(p, handler.url)
        await join(p, call)
        await p.post(f"/_sim/calls/{call['callId']}/say", {"text": "Order"})
        await p.post("/_sim/clock/run_until_idle")
        shown = await p.get(f"/v1/calls/{call['callId']}")
        assert (shown["transcripts"][0]["response"], shown["disconnectionReason"]) == (
            "Two pears, five euros.",
            "agent_hangup",
        )


async def test_a_web_call_nobody_joined_yet_can_be_ended_and_stays_ended() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        call = await made(p, handler.url)
        await p.post(f"/v1/calls/{call['callId']}/end")
        assert "api_hangup" in (await join(p, call, expect=409))["detail"]
        assert not [key for _, key in p.runner.pacer.timers if call["callId"] in key]
        await p.post("/_sim/clock/advance", {"seconds": 60})
        assert (await p.get(f"/v1/calls/{call['callId']}"))["disconnectionReason"] == "api_hangup"


async def test_a_browser_needs_the_token_and_no_sub_account() -> None:
    async with Receiver() as handler, platform() as p:
        branch = (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]
        p.client.headers["X-Sub-Account-Id"] = branch
        call = await made(p, handler.url)
        del p.client.headers["X-Sub-Account-Id"]
        joined = await join(p, call, script=["Bye"], wait=True)
        assert (joined["status"], joined["call_id"]) == ("completed", call["callId"])


@pytest.mark.parametrize("clock", CLOCKS)
async def test_waiting_for_a_web_call_ends_with_it_on_every_clock(clock: ClockMode) -> None:
    scale = {"scale": 100.0} if clock is ClockMode.SYSTEM else {}
    async with Receiver(reply) as handler, platform(clock, **scale) as p:
        call = await made(p, handler.url)
        joined = await join(p, call, script=["Order"])
        assert joined["status"] == "in-progress"
        ended = await p.get(f"/v1/calls/{call['callId']}", wait="true", timeout=10)
        assert (ended["status"], ended["disconnectionReason"]) == ("completed", "agent_hangup")
        assert timedelta(seconds=ended["durationSeconds"]) < timedelta(minutes=1)
