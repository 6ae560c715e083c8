"""Waiting until a world is at rest, and until a live call's agent has had its say."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Receiver, Reply, answer

pytestmark = pytest.mark.anyio
CALLER = "+14155550150"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def says(text: str) -> Reply:
    return answer(200, json.dumps({"text": text}).encode())


async def dialled(p: Platform, webhook: str, **agent: Any) -> str:
    _, number = await p.line(webhook, **agent)
    return str((await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"])


async def heard(p: Platform) -> list[str]:
    return [entry["text"] for entry in await p.journal("speech.heard")]


async def test_an_auto_clock_has_come_to_its_last_timer_once_settled() -> None:
    async with Receiver(answer(503)) as receiver, platform() as p:
        _, number = await p.line(receiver.url, enableMessaging=False)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        settled = await p.post("/_sim/clock/settle")
        assert (settled["timers"], settled["in_flight"]) == (0, 0)
        assert {entry["status"] for entry in await p.journal("delivery.settled")} == {"failed"}


async def test_a_manual_clock_does_not_move_while_it_settles() -> None:
    async with Receiver(answer(503)) as receiver, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(receiver.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        before = (await p.get("/_sim/clock"))["now"]
        settled = await p.post("/_sim/clock/settle")
        assert (settled["now"], settled["in_flight"]) == (before, 0)
        assert {entry["attempt"] for entry in await p.journal("delivery.attempt")} == {1}


async def test_a_manual_clock_settles_no_longer_than_its_patience() -> None:
    release = asyncio.Event()

    async def never(exchange: Any) -> None:
        await release.wait()
        await answer()(exchange)

    async with Receiver(never) as receiver, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(receiver.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        assert (await p.post("/_sim/clock/settle", {"patience": 0.01}))["in_flight"] > 0
        release.set()


async def test_listening_moves_a_manual_clock_until_the_agent_has_had_its_say() -> None:
    async with Receiver(says("It has shipped.")) as handler, platform(ClockMode.MANUAL) as p:
        call = await dialled(p, handler.url, beginMessage="Acme, hello!")
        await p.post(f"/_sim/calls/{call}/listen")
        assert await heard(p) == ["Acme, hello!"]
        await p.post(f"/_sim/calls/{call}/say", {"text": "Where is it?"})
        listened = await p.post(f"/_sim/calls/{call}/listen", {"until": "silence"})
        assert await heard(p) == ["Acme, hello!", "Where is it?", "It has shipped."]
        assert listened == {"call_id": call, "status": "in-progress"}
        still = (await p.get("/_sim/clock"))["now"]
        await p.post(f"/_sim/calls/{call}/listen")
        assert (await p.get("/_sim/clock"))["now"] == still


async def test_listening_to_speech_stops_when_the_agent_begins_to_be_heard() -> None:
    async with Receiver(says("It has shipped, and it is on its way.")) as handler, platform(ClockMode.MANUAL) as p:
        call = await dialled(p, handler.url)
        await p.post(f"/_sim/calls/{call}/listen")
        await p.post(f"/_sim/calls/{call}/say", {"text": "Where is it?"})
        await p.post(f"/_sim/calls/{call}/listen", {"until": "speech"})
        assert [entry["party"] for entry in await p.journal("speech.started")] == ["user", "agent"]
        assert await heard(p) == ["Where is it?"]


async def test_listening_on_an_auto_clock_leaves_time_to_itself() -> None:
    async with Receiver(says("Yes.")) as handler, platform(scale=1000) as p:
        call = await dialled(p, handler.url)
        await p.post(f"/_sim/calls/{call}/say", {"text": "Hello"})
        await p.post(f"/_sim/calls/{call}/listen")
        assert await heard(p) == ["Hello", "Yes."]
        await p.post(f"/_sim/calls/{call}/hang_up")


async def test_listening_ends_with_the_call() -> None:
    async with Receiver(answer(200, b'{"text": "Bye!", "hangup": true}')) as handler, platform(ClockMode.MANUAL) as p:
        call = await dialled(p, handler.url)
        await p.post(f"/_sim/calls/{call}/say", {"text": "Bye"})
        assert (await p.post(f"/_sim/calls/{call}/listen"))["status"] == "completed"
        assert (await p.post(f"/_sim/calls/{call}/listen"))["status"] == "completed"
        await p.ask("POST", "/_sim/calls/call_none/listen", 404)
