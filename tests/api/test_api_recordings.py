"""Recordings through the API, on a real runner in the test's own loop."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from simulator.settings import Settings
from tests.helpers.asgi import Request
from tests.helpers.platform import BASE_URL, Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CALLER = "+14155550150"


@asynccontextmanager
async def silent(**policies: str) -> AsyncIterator[tuple[Platform, str, str]]:
    """An account whose agent greets and then says nothing."""
    async with platform(policies=Policies("all", {"no_webhook_call": "silence", **policies})) as p:
        yield p, *await p.line(None, beginMessage="Acme, hello!")


async def spoken(p: Platform, number: str, *script: Any) -> str:
    """A call that is over."""
    body = {"from": CALLER, "to": number, "script": [*script, "Goodbye"], "wait": True}
    call_id: str = (await p.post("/_sim/calls", body))["call_id"]
    return call_id


async def fetched(p: Platform, call_id: str, **headers: str) -> httpx.Response:
    return await p.client.get(f"/v1/calls/{call_id}/recording", headers={"Authorization": "", **headers})


async def test_a_recording_is_a_wav_as_long_as_the_call_and_needs_no_key() -> None:
    async with silent() as (p, _, number):
        call_id = await spoken(p, number, {"wait": 3}, {"press": "12#"})
        answer = await fetched(p, call_id)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
        assert answer.headers["content-disposition"] == f'attachment; filename="recording-{call_id}.wav"'
        assert int(answer.headers["content-length"]) == len(answer.content)
        duration = p.runner.world.calls[call_id].duration
        with wave.open(io.BytesIO(answer.content)) as file:
            assert duration is not None
            assert file.getnframes() == duration // timedelta(microseconds=125)
        assert [(t.party.value, t.digits) for t in p.runner.world.calls[call_id].tones] == [("user", "12#")]


async def test_a_recording_comes_whole_or_not_at_all() -> None:
    async with silent() as (p, _, number):
        call_id = await spoken(p, number)
        part = await fetched(p, call_id, Range="bytes=0-99")
        assert (part.status_code, part.headers["accept-ranges"]) == (200, "none")
        assert len(part.content) == int(part.headers["content-length"]) > 100
        head = await p.client.head(f"/v1/calls/{call_id}/recording")
        assert (head.status_code, head.headers["allow"]) == (405, "GET")


async def test_keys_are_on_the_recording_whoever_pressed_them() -> None:
    async def dials(exchange: Exchange) -> None:
        turn = json.loads(exchange.request.body)["event"] == "agent.message"
        await answer(200, b'{"text": "Extension.", "digits": "42#"}' if turn else b"")(exchange)

    async with Receiver(dials) as handler, platform() as p:
        _, number = await p.line(handler.url)
        call = p.runner.world.calls[await spoken(p, number, {"press": "1"})]
        assert [(keys.party.value, keys.digits) for keys in call.tones] == [("user", "1"), ("agent", "42#")]
        assert call.connected_at is not None
        with wave.open(io.BytesIO((await fetched(p, call.id)).content)) as file:
            samples = file.readframes(file.getnframes())
        for keys in call.tones:
            begin = (keys.at - call.connected_at) // timedelta(microseconds=125) * 2
            assert any(samples[begin : begin + 1600])  # a tone of 100 ms …
            assert not any(samples[begin + 1600 : begin + 3200])  # … and a pause


async def test_the_call_says_where_its_recording_is() -> None:
    async with silent() as (p, agent_id, number):
        call_id = await spoken(p, number)
        url = f"{BASE_URL}/v1/calls/{call_id}/recording"
        listed = (await p.get(f"/v1/agents/{agent_id}/calls"))["data"]
        for call in (await p.get(f"/v1/calls/{call_id}"), (await p.get("/v1/calls"))["data"][0], *listed):
            assert (call["recordingAvailable"], call["recordingUrl"]) == (True, url)
        assert (await p.client.get(url, headers={"Authorization": "Bearer of_nobody"})).status_code == 200


async def test_a_recording_that_is_not_there_is_not_found() -> None:
    async with silent() as (p, agent_id, number):
        placed = {"agentId": agent_id, "toNumber": CALLER, "disableRecording": True, "waitForCompletion": True}
        unrecorded = await p.post("/v1/calls", placed)
        assert (unrecorded["recordingAvailable"], unrecorded["recordingUrl"]) == (False, None)
        live = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
        for call_id, why in ((live, "not over"), (unrecorded["id"], "disableRecording"), ("call_x", "does not exist")):
            refused = await fetched(p, call_id)
            assert refused.status_code == 404
            assert call_id in refused.json()["detail"]
            assert why in refused.json()["detail"]


async def test_the_addon_makes_the_platform_record_where_it_is_required() -> None:
    async with silent(recording_addon="required") as (p, _, number):
        assert (await fetched(p, await spoken(p, number))).status_code == 404
        enabled = await p.post("/credits/recording/enable")
        assert enabled.items() >= {"success": True, "monthlyPriceUsd": 5.0}.items()
        assert await p.post("/credits/recording/enable") == enabled
        assert (await fetched(p, await spoken(p, number))).status_code == 200


async def test_the_id_finds_a_call_of_any_account_and_sub_account() -> None:
    settings = Settings(
        api_keys=("one", "two"), clock=ClockMode.AUTO, policies=Policies("all", {"no_webhook_call": "silence"})
    )
    simulator = build_simulator(settings)
    transport = httpx.ASGITransport(app=build_app(simulator))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        owner = simulator.runner_for("two")
        assert owner is not None
        p = Platform(client, owner)
        client.headers["Authorization"] = "Bearer two"
        client.headers["X-Sub-Account-Id"] = (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]
        _, number = await p.line(None, beginMessage="Hello")
        call_id = await spoken(p, number)
        del client.headers["X-Sub-Account-Id"]
        await p.get(f"/v1/calls/{call_id}", expect=404)
        assert (await fetched(p, call_id)).status_code == 200
    await simulator.stop()


async def test_a_long_recording_leaves_others_their_turn() -> None:
    async with silent() as (p, _, number):
        call_id = await spoken(p, number, {"wait": 550})
        app = p.client._transport.app  # type: ignore[attr-defined]
        download = Request(app, "GET", f"/v1/calls/{call_id}/recording")
        await download.arrived(3)
        await p.get("/v1/agents")
        assert len(download.pieces) < 100  # of more than 500
        assert max(map(len, download.pieces)) < 20_000
        await download.done
        assert sum(map(len, download.pieces)) > 550 * 16_000
