from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.runtime import telephone
from tests.helpers.platform import platform
from tests.helpers.receiver import Exchange, Receiver

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_health_needs_no_key() -> None:
    async with platform() as p:
        del p.client.headers["Authorization"]
        assert (await p.get("/_sim/health"))["status"] == "ok"
        await p.get("/_sim/clock", expect=401)


async def test_reset_empties_the_account_and_starts_time_over() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        started = (await p.get("/_sim/clock"))["now"]
        _, number = await p.line(handler.url)
        await p.post("/_sim/calls", {"from": "+14155550150", "to": number})
        await p.post("/_sim/clock/advance", {"seconds": 60})
        assert (await p.post("/_sim/reset"))["now"] == started
        assert (await p.get("/v1/agents"))["total"] == 0
        assert (await p.get("/v1/calls"))["total"] == 0
        assert (await p.get("/_sim/clock"))["timers"] == 0
        assert await p.get("/v1/webhooks") is None


@pytest.mark.parametrize(
    "step",
    [
        {},
        {"say": "a", "press": "1"},
        {"say": "  "},
        "",
        {"wait": -1},
        {"wait": "long"},
        {"press": "A"},
        {"press": ""},
        {"hang_up": False},
        {"sing": "la"},
        {"say": "a", "confidence": 2},
        {"wait": 1, "confidence": 0.5},
        7,
        None,
    ],
)
async def test_a_step_that_makes_no_sense_is_refused_and_nothing_rings(step: Any) -> None:
    async with platform() as p:
        _, number = await p.line("http://127.0.0.1:9/hook")
        refused = await p.post("/_sim/calls", {"from": "+14155550150", "to": number, "script": [step]}, 422)
        assert refused["detail"][0]["loc"][:2] == ["body", "script"]
        assert (await p.get("/v1/calls"))["total"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"from": "+14155550150", "to": "+14155550151"}, 404),
        ({"from": "not a number", "to": "+14155550151"}, 400),
        ({"from": "+14155550150"}, 422),
        ({"from": "+14155550150", "to": "+14155550151", "wait": True}, 422),
        ({"from": "+14155550150", "to": "+14155550151", "scrpt": []}, 422),
    ],
)
async def test_dialling_nobody_is_a_clear_refusal(body: dict[str, Any], status: int) -> None:
    async with platform() as p:
        refused = await p.post("/_sim/calls", body, status)
        assert refused["detail"]


async def test_a_number_without_an_agent_cannot_be_dialled() -> None:
    async with platform() as p:
        number = (await p.post("/v1/numbers"))["phoneNumber"]
        refused = await p.post("/_sim/calls", {"from": "+14155550150", "to": number}, 400)
        assert number in refused["detail"]


async def test_live_routes_refuse_an_unknown_call() -> None:
    async with platform() as p:
        for verb, body in (("say", {"text": "hi"}), ("press", {"digits": "1"}), ("hang_up", {})):
            refused = await p.post(f"/_sim/calls/call_nope/{verb}", body, 404)
            assert "call_nope" in refused["detail"]


async def test_a_text_needs_something_in_it() -> None:
    async with platform() as p:
        _, number = await p.line(None)
        await p.post("/_sim/messages", {"from": "+14155550150", "to": number}, 422)
        picture = {"from": "+14155550150", "to": number, "media_urls": ["https://example.com/a.png"]}
        sent = await p.post("/_sim/messages", picture)
        thread = await p.get(f"/v1/conversations/{sent['conversation_id']}")
        assert thread["messages"][0]["mediaUrls"] == ["https://example.com/a.png"]


async def test_people_are_registered_under_e164() -> None:
    async with platform() as p:
        person = await p.ask("PUT", "/_sim/people/(415) 555-0161", json={"script": ["Hello"], "ring_seconds": 0})
        assert person == {
            "number": "+14155550161",
            "answer": "answered",
            "ring_seconds": 0.0,
            "patience_seconds": None,
            "greeting": None,
            "steps": 1,
            "texts": {"status": "delivered", "failure_reason": None, "code": None, "delay_seconds": None},
            "text_steps": None,
        }
        await p.ask("PUT", "/_sim/people/nobody", 400, json={})
        await p.ask("PUT", "/_sim/people/+14155550161", 422, json={"answer": "perhaps"})


async def test_what_becomes_of_texts_is_registered_with_the_person() -> None:
    async with platform() as p:
        texts = {"status": "failed", "failure_reason": "blocked", "code": "BLOCKED", "delay_seconds": 90.0}
        shown = await p.ask("PUT", "/_sim/people/+14155550102", json={"texts": texts, "patience_seconds": 3})
        assert (shown["texts"], shown["patience_seconds"], shown["answer"]) == (texts, 3.0, "answered")
        for wrong in ({"status": "lost"}, {"failure_reason": "blocked"}, {"code": "no word"}, {"reason": "x"}):
            await p.ask("PUT", "/_sim/people/+14155550102", 422, json={"texts": wrong})


async def test_a_fictional_number_behaves_on_the_telephone() -> None:
    async with Receiver() as handler, platform() as p:
        agent, _ = await p.line(handler.url, beginMessage="This greeting is longer than three seconds, I promise you.")
        for digits, status, seconds in (("02", "busy", 0), ("03", "no-answer", 0), ("04", "failed", 0)):
            body = {"agentId": agent, "toNumber": f"+121255501{digits}", "waitForCompletion": True}
            call = await p.post("/v1/calls", body)
            assert (call["status"], call["durationSeconds"]) == (status, seconds)
        call = await p.post("/v1/calls", {"agentId": agent, "toNumber": "+12125550108", "waitForCompletion": True})
        assert (call["status"], call["durationSeconds"]) == ("completed", 3)
        assert call["transcripts"][0]["transcript"] == "This greeting is longer than three seconds,"


async def test_the_clock_can_be_read_changed_and_moved() -> None:
    async with platform(ClockMode.AUTO) as p:
        before = await p.get("/_sim/clock")
        assert (before["mode"], before["flowing"], before["next_timer"]) == ("auto", False, None)
        changed = await p.ask("PUT", "/_sim/clock", json={"mode": "manual"})
        assert (changed["mode"], changed["now"]) == ("manual", before["now"])
        moved = await p.post("/_sim/clock/advance", {"seconds": 90})
        assert moved["now"] == "2026-01-05T15:01:30.000Z"
        for wrong in ({"seconds": 0}, {"seconds": -5}, {"seconds": "1"}, {}, {"seconds": 1e12}):
            await p.post("/_sim/clock/advance", wrong, 422)
        await p.ask("PUT", "/_sim/clock", 422, json={"mode": "sideways"})


async def test_the_journal_is_read_in_pages_and_by_kind() -> None:
    async with platform() as p:
        await p.line(None)
        page = await p.get("/_sim/journal", limit=1)
        rest = await p.get("/_sim/journal", after=page["next"])
        seqs = [e["seq"] for e in page["entries"] + rest["entries"]]
        assert seqs == list(range(1, len(seqs) + 1))
        requests = await p.journal("api.request")
        assert [(r["method"], r["path"], r["status"]) for r in requests] == [
            ("POST", "/v1/agents", 200),
            ("POST", "/v1/numbers", 200),
        ]


async def test_a_long_poll_answers_when_something_happens() -> None:
    async with platform() as p:
        poll = asyncio.create_task(p.get("/_sim/journal", wait=60, kind="message"))
        _, number = await p.line(None)
        await p.post("/_sim/messages", {"from": "+14155550150", "to": number, "body": "hi"})
        page = await poll
        assert [e["kind"] for e in page["entries"]] == ["message.received"]


async def test_shutdown_answers_long_polls() -> None:
    async with platform() as p:
        poll = asyncio.create_task(p.get("/_sim/journal", wait=60))
        while not p.runner.waiting:  # noqa: ASYNC110 - a turn of the loop, not a time
            await asyncio.sleep(0)
        p.runner.begin_shutdown()
        assert (await poll)["entries"] == []


async def test_control_requests_are_not_in_the_journal_they_read() -> None:
    async with platform() as p:
        await p.get("/_sim/clock")
        assert (await p.get("/_sim/journal"))["entries"] == []


async def test_a_reset_ends_whoever_waits_for_a_call_or_a_test() -> None:
    async def stuck(exchange: Exchange) -> None:
        await exchange.hung_up()

    async with Receiver(stuck) as handler, platform(ClockMode.AUTO) as p:
        _, number = await p.line(handler.url)
        dialled = {"from": "+14155550150", "to": number, "script": ["Hello?"], "wait": True}
        call = asyncio.create_task(p.post("/_sim/calls", dialled, 409))
        test = asyncio.create_task(p.post("/v1/webhooks/test", None, 409))
        await handler.received(2)
        await p.post("/_sim/reset")
        assert "reset" in (await call)["detail"]
        assert "reset" in (await test)["detail"]


async def test_a_live_call_that_is_flooded_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telephone, "MAX_QUEUED", 3)
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        call = (await p.post("/_sim/calls", {"from": "+14155550150", "to": number}))["call_id"]
        for _ in range(3):
            await p.post(f"/_sim/calls/{call}/say", {"text": "hello"})
        refused = await p.post(f"/_sim/calls/{call}/press", {"digits": "1"}, 409)
        assert "let time pass" in refused["detail"]


async def test_time_has_an_end_and_says_so() -> None:
    async with platform(ClockMode.MANUAL, start=datetime(8995, 1, 1, tzinfo=UTC)) as p:
        await p.post("/_sim/clock/advance", {"seconds": 3600})
        refused = await p.post("/_sim/clock/advance", {"seconds": 300_000_000}, 400)
        assert "9000-01-01" in refused["detail"]
        assert (await p.get("/_sim/clock"))["now"] == "8995-01-01T01:00:00.000Z"


async def test_a_server_that_stops_tells_who_awaits_a_test() -> None:
    async with Receiver(Exchange.hung_up) as hook, platform(ClockMode.MANUAL) as p:
        await p.post("/v1/webhooks", {"url": hook.url})
        waiting = asyncio.create_task(p.post("/v1/webhooks/test", expect=409))
        await hook.received(1)
        await p.runner.stop(timedelta())
        assert "the server stopped, while the test was under way" in (await waiting)["detail"]
