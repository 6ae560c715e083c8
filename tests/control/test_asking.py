"""`POST /_sim/expect` over ASGI: what it waits for, how far it moves time, and what it says when nothing came."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.app import SimulatorApp
from simulator.clock import ClockMode
from tests.helpers.asgi import Request, until
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
MOVED = [ClockMode.AUTO, ClockMode.MANUAL]
CALLER = "+14155550151"
START = "2026-01-05T15:00:00.000Z"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def app_of(p: Platform) -> SimulatorApp:
    app = p.client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, SimulatorApp)
    return app


async def text(p: Platform, number: str, body: str = "hi") -> None:
    await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": body})


async def expect(p: Platform, kind: str, **question: Any) -> dict[str, Any]:
    asked: dict[str, Any] = await p.post("/_sim/expect", {"kind": kind, "patience": 0, **question})
    return asked


async def test_what_is_there_is_found_without_moving_time() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        found = await expect(p, "api.request", where={"body.name": "Support", "status": {"lt": 300}}, within=60)
        assert (found["found"], found["count"], found["explanation"], found["closest"]) == (True, 1, None, [])
        assert found["entries"] == (await p.journal("api.request"))[:1]
        assert found["now"] == START
        assert agent


@pytest.mark.parametrize("clock", MOVED)
async def test_time_moves_to_what_is_waited_for_and_no_further(clock: ClockMode) -> None:
    async with Receiver(answer(503)) as handler, platform(clock) as p:
        _, number = await p.line(handler.url)
        if clock is ClockMode.AUTO:
            await p.ask("PUT", "/_sim/clock", json={"mode": "manual"})  # or the ladder is climbed before it is asked
        await text(p, number)
        await p.ask("PUT", "/_sim/clock", json={"mode": clock.value})
        third = {"attempt": 3, "http_status": 503, "event": "agent.message"}
        found = await expect(p, "delivery.attempt", where=third, within=7200)
        assert found["found"], found["explanation"]
        assert found["now"].startswith("2026-01-05T15:35:00")
        assert found["entries"][0]["message_id"].startswith("msg_")


@pytest.mark.parametrize("clock", MOVED)
async def test_what_is_due_at_the_end_of_the_wait_still_counts(clock: ClockMode) -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await expect(p, "delivery.attempt", count={"at_least": 2}, within=1)
        await p.ask("PUT", "/_sim/clock", json={"mode": clock.value})
        found = await expect(p, "delivery.attempt", where={"attempt": 2}, count={"at_least": 2}, within=300)
        assert (found["found"], found["now"]) == (True, "2026-01-05T15:05:00.000Z"), found["explanation"]


@pytest.mark.parametrize("clock", MOVED)
async def test_time_is_never_moved_past_the_end_of_the_wait(clock: ClockMode) -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await expect(p, "delivery.attempt", count={"at_least": 2}, within=1)
        await p.ask("PUT", "/_sim/clock", json={"mode": clock.value})
        missed = await expect(p, "delivery.attempt", where={"attempt": 3}, within=600)
        assert (missed["found"], missed["count"], missed["entries"]) == (False, 0, [])
        assert missed["now"] == "2026-01-05T15:10:00.000Z"
        near = missed["closest"][0]
        assert near["differences"] == [{"field": "attempt", "expected": 3, "observed": 2}]
        assert "the time was over at 2026-01-05T15:10:00.000Z" in missed["explanation"]
        assert "attempt 2: the webhook answered 503" in missed["explanation"]


@pytest.mark.parametrize("clock", MOVED)
async def test_that_nothing_happens_is_known_when_the_time_is_over(clock: ClockMode) -> None:
    async with platform(clock) as p:
        found = await expect(p, "call.ended", count=0, within=86_400)
        assert (found["found"], found["count"], found["now"]) == (True, 0, "2026-01-06T15:00:00.000Z")


@pytest.mark.parametrize("clock", MOVED)
async def test_what_should_not_happen_ends_the_wait_when_it_does(clock: ClockMode) -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await expect(p, "delivery.attempt", count={"at_least": 2}, within=1)
        await p.ask("PUT", "/_sim/clock", json={"mode": clock.value})
        refuted = await expect(p, "delivery.attempt", count={"at_most": 3}, within=86_400)
        assert (refuted["found"], refuted["count"]) == (False, 4)
        assert refuted["now"].startswith("2026-01-05T15:05:00")
        assert "expected at most 3 delivery.attempt, within 86400 s" in refuted["explanation"]


async def test_an_exact_number_is_known_when_the_time_is_over() -> None:
    async with Receiver(answer(503), answer(503), answer(200)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        found = await expect(p, "delivery.attempt", count=4, within=86_400)
        assert (found["found"], found["now"]) == (True, "2026-01-06T15:00:00.000Z")
        assert not (await expect(p, "delivery.attempt", count=3))["found"]
        assert (await expect(p, "delivery.attempt", count={"at_least": 2, "at_most": 4}))["found"]


async def test_looking_waits_for_nothing() -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        looked = await p.post("/_sim/expect", {"kind": "delivery.settled"})
        assert (looked["found"], looked["now"]) == (False, START)
        assert "hint: no entry of that kind was ever written" in looked["explanation"]


async def test_on_an_auto_clock_a_handlers_time_counts() -> None:
    gate = asyncio.Event()

    async def held(exchange: Exchange) -> None:
        await gate.wait()
        await answer()(exchange)

    async with Receiver(held) as handler, platform() as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        missed = await expect(p, "delivery.settled", within=0.05)  # real time passes, and the handler still thinks
        assert not missed["found"]
        gate.set()
        assert (await expect(p, "delivery.settled", within=10))["found"]


async def test_on_a_manual_clock_a_handler_takes_no_time() -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.05)
        await answer()(exchange)

    async with Receiver(slow) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        found = await expect(p, "delivery.settled", count={"at_least": 2}, within=0.01)
        assert (found["found"], found["now"]) == (True, START)


async def test_a_handler_that_hangs_is_passed_by_on_a_manual_clock() -> None:
    async def stuck(exchange: Exchange) -> None:
        await exchange.hung_up()

    async with Receiver(stuck) as handler, platform(ClockMode.MANUAL, real_patience=timedelta()) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        found = await expect(p, "delivery.attempt", where={"outcome": "timed_out"}, within=60)
        assert (found["found"], found["now"]) == (True, "2026-01-05T15:00:30.000Z"), found["explanation"]


@pytest.mark.parametrize("clock", MOVED)
@pytest.mark.parametrize("within", [0, 60])
async def test_patience_waits_for_what_nobody_can_see_and_is_woken_by_it(clock: ClockMode, within: int) -> None:
    async with platform(clock) as p:
        _, number = await p.line(None)
        asked = asyncio.create_task(expect(p, "message.sent", within=within, patience=600))
        await until(lambda: p.runner.waiting == 1)
        await p.get("/v1/agents")  # another request is no answer
        await until(lambda: p.runner.waiting == 1)
        agents = (await p.get("/v1/agents"))["data"]
        await p.post("/v1/messages", {"agent_id": agents[0]["id"], "to_number": CALLER, "body": "shipped"})
        found = await asked
        assert (found["found"], found["now"], p.runner.waiting) == (True, START, 0)
        assert number


async def test_patience_is_over_when_it_stays_quiet() -> None:
    async with platform(ClockMode.MANUAL) as p:
        missed = await expect(p, "message.sent", within=60, patience=0.01)
        assert (missed["found"], missed["now"]) == (False, "2026-01-05T15:01:00.000Z")
        looked = await expect(p, "message.sent", patience=0.01)
        assert (looked["found"], looked["now"]) == (False, "2026-01-05T15:01:00.000Z")


async def test_a_live_phone_does_not_keep_time_from_moving() -> None:
    async with platform() as p:
        _, number = await p.line(None, voiceMode="hosted", beginMessage="Hello")
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number})
        found = await expect(p, "call.ended", where={"call_id": call["call_id"]}, within=86_400)
        assert found["found"], found["explanation"]
        assert found["entries"][0]["reason"]


@pytest.mark.parametrize("scale", [1000.0])
async def test_on_a_system_clock_waiting_takes_real_time(scale: float) -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.SYSTEM, scale=scale) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        found = await expect(p, "delivery.attempt", where={"attempt": 2}, within=1000)
        assert found["found"], found["explanation"]
        missed = await expect(p, "call.ended", within=20)
        assert not missed["found"]
        looked = await expect(p, "call.ended", patience=0.01)
        assert "the time was over" in looked["explanation"]


async def test_on_a_system_clock_patience_waits_for_what_comes() -> None:
    async with platform(ClockMode.SYSTEM) as p:
        await p.line(None)
        asked = asyncio.create_task(expect(p, "api.request", where={"method": "GET"}, patience=600))
        await until(lambda: p.runner.waiting == 1)
        await p.get("/v1/agents")
        assert (await asked)["found"]


async def test_of_two_who_wait_the_earlier_end_is_not_passed() -> None:
    async with platform(ClockMode.MANUAL) as p:
        long = asyncio.create_task(expect(p, "call.ended", within=7200))
        short = asyncio.create_task(expect(p, "call.placed", within=60))
        first, second = await short, await long
        assert (first["now"], second["now"]) == ("2026-01-05T15:01:00.000Z", "2026-01-05T17:00:00.000Z")


async def test_what_comes_when_somebody_else_has_moved_time_on_is_too_late() -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await expect(p, "delivery.attempt", count={"at_least": 2}, within=1)
        question = {"where": {"timer": {"contains": "retry"}}, "within": 60, "patience": 600}
        asked = asyncio.create_task(expect(p, "timer.fired", **question))
        await until(lambda: p.runner.waiting == 1)
        await p.post("/_sim/clock/advance", {"seconds": 400})
        missed = await asked
        assert not missed["found"]
        assert "it came when the time was over" in missed["explanation"]
        assert "at 2026-01-05T15:05:00.000Z" in missed["explanation"]


async def test_with_a_live_phone_time_stands_still_while_it_is_patient() -> None:
    async with platform() as p:
        _, number = await p.line(None, voiceMode="hosted", beginMessage="Hello")
        await p.post("/_sim/calls", {"from": CALLER, "to": number})
        asked = asyncio.create_task(expect(p, "message.sent", within=30, patience=600))
        await until(lambda: p.runner.waiting == 1)
        agents = (await p.get("/v1/agents"))["data"]
        await p.post("/v1/messages", {"agent_id": agents[0]["id"], "to_number": CALLER, "body": "shipped"})
        found = await asked
        story = p.runner.world.journal.since()[: found["entries"][0]["seq"]]
        fired = [entry.at for entry in story if entry.kind == "timer.fired"]
        assert fired[-1] == story[-1].at


async def test_what_lands_without_a_word_wakes_who_waits() -> None:
    async with platform(ClockMode.MANUAL, real_patience=timedelta(minutes=10)) as p:
        _, number = await p.line(None)
        script = [{"text": "hi"}, {"expect_no_reply": {"for": 5}}]
        await p.post("/_sim/threads", {"from": CALLER, "to": number, "script": script, "patience": 0.01})
        async with asyncio.timeout(60):
            assert (await expect(p, "thread.done", within=60))["found"]


async def test_entries_up_to_after_do_not_count() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.line(None)
        last = (await p.journal("api.request"))[-1]["seq"]
        missed = await expect(p, "api.request", where={"path": "/v1/agents"}, after=last)
        assert not missed["found"]
        assert "it came before: #1" in missed["explanation"]


@pytest.mark.parametrize("clock", [ClockMode.AUTO, ClockMode.MANUAL, ClockMode.SYSTEM])
async def test_a_reset_tells_who_waits(clock: ClockMode) -> None:
    async with platform(clock) as p:
        body = {"kind": "call.ended", "within": 60, "patience": 600}
        wait = asyncio.create_task(p.post("/_sim/expect", body, expect=409))
        await until(lambda: p.runner.waiting == 1)
        await p.post("/_sim/reset")
        assert "the account was reset" in (await wait)["detail"]
        assert p.runner.waiting == 0


async def test_a_stopping_server_answers_who_waits() -> None:
    async with platform(ClockMode.MANUAL) as p:
        wait = asyncio.create_task(expect(p, "call.ended", within=60, patience=600))
        await until(lambda: p.runner.waiting == 1)
        app_of(p).begin_shutdown()
        told = await wait
        assert not told["found"]
        assert "the simulator was stopped at 2026-01-05T15:00:00.000Z" in told["explanation"]


async def test_a_wait_that_takes_too_long_says_so() -> None:
    async with platform(ClockMode.MANUAL) as p:
        told = await expect(p, "call.ended", count=0, within=60, patience=600, timeout=0.01)
        assert not told["found"]  # nothing came, but the time was not over either
        assert "gave up at 2026-01-05T15:00:00.000Z after 0.01 real seconds" in told["explanation"]


async def test_a_client_that_leaves_stops_moving_time() -> None:
    async with platform(ClockMode.MANUAL) as p:
        body = json.dumps({"kind": "call.ended", "within": 60, "patience": 600}).encode()
        hooks = len(p.runner.world.journal._hooks)
        request = Request(app_of(p), "POST", "/_sim/expect", body=body)
        await until(lambda: p.runner.waiting == 1)
        await request.leave()
        assert len(p.runner.world.journal._hooks) == hooks
        assert (p.runner.waiting, (await p.get("/_sim/clock"))["now"]) == (0, START)
        found = await expect(p, "call.ended", count=0, within=5)  # nothing of it is left
        assert found["now"] == "2026-01-05T15:00:05.000Z"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"kind": "mesage.sent"}, "did you mean message.sent"),
        ({"kind": "message.sent", "where": {"body": {"contians": "x"}}}, "did you mean 'contains'"),
        ({"kind": "message.sent", "where": {"body": {"matches": "("}}}, "not a regular expression"),
        ({"kind": "message.sent", "count": {"at_least": 3, "at_most": 2}}, "leave nothing between them"),
    ],
)
async def test_mistakes_are_refused_with_the_way_out(question: dict[str, Any], told: str) -> None:
    async with platform(ClockMode.MANUAL) as p:
        assert told in (await p.post("/_sim/expect", question, expect=400))["detail"]


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"kind": ""},
        {"kind": "call.ended", "was": {}},
        {"kind": "call.ended", "where": []},
        {"kind": "call.ended", "within": -1},
        {"kind": "call.ended", "within": "long"},
        {"kind": "call.ended", "count": -1},
        {"kind": "call.ended", "count": {}},
        {"kind": "call.ended", "count": {"at_leats": 1}},
        {"kind": "call.ended", "patience": 601},
        {"kind": "call.ended", "timeout": 0},
    ],
)
async def test_questions_of_the_wrong_shape_are_refused(question: dict[str, Any]) -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.post("/_sim/expect", question, expect=422)


async def test_time_ends_before_the_wait_would() -> None:
    async with platform(ClockMode.MANUAL, start=datetime(8995, 1, 1, tzinfo=UTC)) as p:
        refused = await p.post("/_sim/expect", {"kind": "call.ended", "within": 316_224_000}, expect=400)
        assert "time cannot move past" in refused["detail"]


async def test_a_sub_account_is_asked_about_itself() -> None:
    async with platform(ClockMode.MANUAL) as p:
        sub = (await p.post("/v1/sub-accounts", {"name": "Other"}))["id"]
        scope = {"X-Sub-Account-Id": sub}
        await p.ask("POST", "/v1/agents", json={"name": "Theirs"}, headers=scope)
        question = {"kind": "api.request", "where": {"body.name": "Theirs"}}
        assert (await p.ask("POST", "/_sim/expect", json=question, headers=scope))["found"]
        assert not (await p.post("/_sim/expect", question))["found"]
