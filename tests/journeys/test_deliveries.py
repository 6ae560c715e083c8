from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.engine.signing import verify
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
LADDER = [0, 300, 1800, 7200, 21_600, 43_200]
TEXT = {"from": "+14155550151", "body": "hi"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def text(p: Platform, number: str, body: str = "hi") -> str:
    sent = await p.post("/_sim/messages", {**TEXT, "to": number, "body": body})
    return str(sent["message_id"])


def at(entry: dict[str, str]) -> datetime:
    return datetime.fromisoformat(entry["at"])


def before_retry(page: dict[str, Any]) -> int:
    """How many deliveries wait for their next attempt; nothing else may keep a timer."""
    return sum(delivery["nextRetryAt"] is not None for delivery in page["items"])


async def test_the_whole_ladder_is_climbed_in_simulated_time() -> None:
    async with Receiver(answer(503)) as handler, platform() as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await p.post("/_sim/clock/run_until_idle")
        attempts = await p.journal("delivery.attempt")
        first = {a["delivery_id"] for a in attempts}
        assert len(first) == 2  # agent.message and message.received
        for delivery in first:
            times = [at(a) for a in attempts if a["delivery_id"] == delivery]
            gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
            assert [round(g) for g in gaps] == LADDER[1:]
        page = await p.get("/v1/webhooks/deliveries")
        assert {(d["status"], d["attemptCount"], d["httpStatus"]) for d in page["items"]} == {("failed", 6, 503)}
        assert {r.header("X-Webhook-ID") for r in handler.requests} == first


async def test_a_receiver_that_recovers_gets_the_payload_once_more_and_no_further() -> None:
    async with Receiver(answer(500), answer(500), answer(200)) as handler, platform(ClockMode.MANUAL) as p:
        agent, number = await p.line(None)
        await p.post(f"/v1/agents/{agent}/webhook", {"url": handler.url})
        await p.ask("PATCH", f"/v1/agents/{agent}", json={"enableMessaging": True})
        await text(p, number)
        await p.post("/_sim/clock/advance", {"seconds": 1})
        assert (await p.get("/_sim/clock"))["timers"] == before_retry(await p.get("/v1/webhooks/deliveries"))
        before = await p.get("/v1/webhooks/deliveries/stats", hours=24)
        assert before["pending"] > 0
        await p.post("/_sim/clock/run_until_idle")
        after = await p.get("/v1/webhooks/deliveries/stats", hours=24)
        assert (after["total"], after["success"], after["failed"], after["pending"]) == (2, 2, 0, 0)


async def test_every_attempt_is_signed_with_real_time_over_the_same_bytes() -> None:
    async with Receiver(answer(503), answer(503), answer(200)) as handler, platform() as p:
        _, number = await p.line(None)
        hook = await p.post("/v1/webhooks", {"url": handler.url})
        await text(p, number)
        await p.post("/_sim/clock/run_until_idle")
        assert len(handler.requests) >= 4
        for request in handler.requests:
            stamp = request.header("X-Webhook-Timestamp") or ""
            signature = request.header("X-Webhook-Signature") or ""
            assert verify(hook["secret"], stamp, request.body, signature)
        bodies = {r.header("X-Webhook-ID"): set() for r in handler.requests}
        for request in handler.requests:
            bodies[request.header("X-Webhook-ID")].add(request.body)
        assert all(len(seen) == 1 for seen in bodies.values())


async def test_an_event_goes_to_the_agents_webhook_and_not_to_the_accounts() -> None:
    async with Receiver() as account, Receiver() as own, platform() as p:
        agent, number = await p.line(account.url)
        await p.post(f"/v1/agents/{agent}/webhook", {"url": own.url})
        await text(p, number)
        await p.post("/_sim/clock/run_until_idle")
        assert (len(account.requests), len(own.requests)) == (0, 2)
        await p.ask("DELETE", f"/v1/agents/{agent}/webhook")
        await text(p, number)
        await p.post("/_sim/clock/run_until_idle")
        assert (len(account.requests), len(own.requests)) == (2, 2)


async def test_a_slow_receiver_times_out_and_is_tried_again() -> None:
    async def stuck(exchange: Exchange) -> None:
        await exchange.hung_up()

    async with Receiver(stuck, stuck, answer()) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        await p.post("/v1/webhooks", {"url": handler.url, "timeout": 5})
        await text(p, number)
        await handler.received(2)
        await p.post("/_sim/clock/advance", {"seconds": 5, "patience": 0})
        page = await p.get("/v1/webhooks/deliveries")
        assert {d["status"] for d in page["items"]} == {"pending"}
        assert all("5 s" in d["errorMessage"] for d in page["items"])
        await p.post("/_sim/clock/run_until_idle")
        assert {d["status"] for d in (await p.get("/v1/webhooks/deliveries"))["items"]} == {"success"}


async def test_a_host_that_is_not_this_machine_is_recorded_as_not_sent() -> None:
    async with platform() as p:
        _, number = await p.line("https://example.com/hook")
        await text(p, number)
        await p.post("/_sim/clock/run_until_idle")
        for delivery in (await p.get("/v1/webhooks/deliveries"))["items"]:
            assert (delivery["status"], delivery["attemptCount"]) == ("failed", 1)
            assert "--allow-host example.com" in delivery["errorMessage"]


async def test_deleting_the_webhook_ends_its_pending_deliveries() -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await p.post("/_sim/clock/advance", {"seconds": 1})
        await p.ask("DELETE", "/v1/webhooks")
        await p.post("/_sim/clock/run_until_idle")
        assert {d["status"] for d in (await p.get("/v1/webhooks/deliveries"))["items"]} == {"failed"}
        assert len(handler.requests) == 2


async def test_the_test_route_really_sends_and_reports() -> None:
    async with Receiver(answer(204), answer(500, b"no")) as handler, platform() as p:
        await p.line(handler.url)
        good = await p.post("/v1/webhooks/test")
        assert (good["success"], good["statusCode"], good["error"]) == (True, 204, None)
        payload = json.loads(handler.requests[0].body)
        assert (payload["test"], payload["event"]) == (True, "agent.message")
        bad = await p.post("/v1/webhooks/test")
        assert (bad["success"], bad["statusCode"]) == (False, 500)


async def test_context_limit_bounds_the_history() -> None:
    async with Receiver() as handler, platform() as p:
        _, number = await p.line(None)
        await p.post("/v1/webhooks", {"url": handler.url, "contextLimit": 3})
        for index in range(6):
            await text(p, number, f"text {index}")
        await p.post("/_sim/clock/run_until_idle")
        last = next(json.loads(r.body) for r in handler.requests if b"text 5" in r.body)
        assert [h["content"] for h in last["recentHistory"]] == ["text 3", "text 4", "text 5"]


async def test_stop_lets_deliveries_in_flight_finish() -> None:
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await answer()(exchange)

    async with Receiver(slow) as handler, platform() as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await handler.received(2)
        stopping = asyncio.create_task(p.runner.stop(timedelta(seconds=30)))
        gate.set()
        await stopping
        assert p.runner.unsettled() == (0, 0)


async def test_a_delivery_is_timed_after_the_http_client_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as handler, platform() as p:
        await p.line(handler.url)
        order: list[str] = []
        prepare, start_timer = p.runner.sender.prepare, p.runner.pacer.start_timer
        monkeypatch.setattr(p.runner.sender, "prepare", lambda: (order.append("load"), prepare())[1])
        monkeypatch.setattr(p.runner.pacer, "start_timer", lambda *a: (order.append("time"), start_timer(*a))[1])
        await p.post("/v1/webhooks/test")
        assert order == ["load", "time"]
