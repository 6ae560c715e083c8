from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from simulator.wire.base import iso
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, Reply, answer

pytestmark = pytest.mark.anyio
CALLER = "+14155550150"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def says(text: str, **more: Any) -> Reply:
    return answer(200, json.dumps({"text": text, **more}).encode())


def streams(*chunks: dict[str, Any]) -> Reply:
    async def reply(exchange: Exchange) -> None:
        await exchange.head()
        for chunk in chunks:
            await exchange.piece(json.dumps(chunk).encode() + b"\n")
        await exchange.end()

    return reply


def by_event(voice: list[Reply]) -> Reply:
    """Answer voice turns in order, and every other event with an empty 200."""
    turns = iter(voice)

    async def reply(exchange: Exchange) -> None:
        payload = json.loads(exchange.request.body)
        is_turn = payload["event"] == "agent.message" and payload["channel"] == "voice"
        await (next(turns) if is_turn else answer())(exchange)

    return reply


async def dial(p: Platform, to: str, *script: Any) -> dict[str, Any]:
    called: dict[str, Any] = await p.post(
        "/_sim/calls", {"from": CALLER, "to": to, "script": list(script), "wait": True}
    )
    return called


def said(call: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(row["transcript"], row["response"]) for row in call["call"]["transcripts"]]


async def test_a_scripted_call_is_greeted_answered_and_hung_up() -> None:
    script = [streams({"text": "One moment.", "interim": True}, {"text": "It shipped."}), says("Bye!", hangup=True)]
    async with Receiver(by_event(script)) as handler, platform() as p:
        _, number = await p.line(handler.url, beginMessage="Acme, hello!")
        call = await dial(p, number, "Where is my order?", "Thanks, bye")
        assert said(call) == [
            ("Acme, hello!", None),
            ("Where is my order?", "One moment. It shipped."),
            ("Thanks, bye", "Bye!"),
        ]
        assert (call["status"], call["disconnection_reason"], call["findings"]) == ("completed", "agent_hangup", [])
        await p.post("/_sim/clock/run_until_idle")
        events = [json.loads(r.body)["event"] for r in handler.requests]
        assert sorted(events) == ["agent.call_ended", "agent.message", "agent.message", "call.ended", "call.started"]


async def test_the_turn_carries_the_history_that_was_heard() -> None:
    async with Receiver(by_event([says("First answer"), says("Second answer")])) as handler, platform() as p:
        await p.line(handler.url, beginMessage="Hi.")
        number = (await p.get("/v1/numbers"))["data"][0]["phoneNumber"]
        await dial(p, number, "one", "two")
        turns = [json.loads(r.body) for r in handler.requests if b'"transcript":"two"' in r.body]
        assert [(h["direction"], h["content"]) for h in turns[0]["recentHistory"]] == [
            ("outbound", "Hi."),
            ("inbound", "one"),
            ("outbound", "First answer"),
            ("inbound", "two"),
        ]


async def test_transfer_goes_to_the_agents_number_and_without_one_is_a_finding() -> None:
    transfer = [says("Putting you through.", action="transfer"), says("Or not.", action="transfer")]
    async with Receiver(by_event(transfer)) as handler, platform() as p:
        agent, number = await p.line(handler.url, transferNumber="+14155550177")
        call = await dial(p, number, "A human please")
        assert call["disconnection_reason"] == "call_transfer"
        await p.ask("PATCH", f"/v1/agents/{agent}", json={"transferNumber": ""})
        call = await dial(p, number, "A human please")
        assert call["disconnection_reason"] == "user_hangup"
        assert [f["kind"] for f in call["findings"]] == ["transfer_without_number"]


async def test_the_agents_keys_are_heard() -> None:
    async with Receiver(by_event([says("", digits="12#")])) as handler, platform() as p:
        _, number = await p.line(handler.url)
        await dial(p, number, "Press one, two, hash")
        assert [(d["party"], d["digits"]) for d in await p.journal("digits")] == [("agent", "12#")]


async def test_a_caller_who_says_nothing_for_ten_minutes_is_hung_up_on() -> None:
    async with Receiver() as handler, platform() as p:
        _, number = await p.line(handler.url, beginMessage="Hello?", maxSilenceMs=600_000)
        call = await dial(p, number, {"wait": 86_400})
        assert call["disconnection_reason"] == "inactivity"
        assert 600 <= call["duration_seconds"] < 605


async def test_a_handler_that_never_answers_times_out_in_simulated_time() -> None:
    closed = asyncio.Event()

    async def never(exchange: Exchange) -> None:
        await exchange.hung_up()
        closed.set()

    async with Receiver(by_event([never])) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await p.post("/v1/webhooks", {"url": handler.url, "timeout": 120})
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello?", {"wait": 300}]})
        await p.post("/_sim/clock/advance", {"seconds": 3, "patience": 0})
        await handler.received(2)  # the turn is on the wire
        await p.post("/_sim/clock/advance", {"seconds": 130, "patience": 0})
        await closed.wait()  # the request was cancelled on the wire, though the call goes on
        await p.post("/_sim/clock/run_until_idle")
        record = await p.get(f"/v1/calls/{call['call_id']}")
        assert [(t["transcript"], t["response"]) for t in record["transcripts"]] == [("Hello?", None)]
        finding = (await p.journal("finding"))[0]
        assert finding["finding"] == "reply_timed_out"
        turn = next(d for d in (await p.get("/v1/webhooks/deliveries"))["data"] if d["channel"] == "voice" and
                    d["eventType"] == "agent.message")  # fmt: skip
        assert (turn["status"], turn["attemptCount"]) == ("failed", 1)


async def test_an_outbound_call_rings_the_registered_person() -> None:
    async with Receiver(by_event([says("Great, see you then.", hangup=True)])) as handler, platform() as p:
        agent, number = await p.line(handler.url)
        await p.ask("PUT", "/_sim/people/+14155550161", json={"script": ["Tuesday works for me"]})
        body = {"agentId": agent, "toNumber": "+14155550161", "initialGreeting": "Which day suits you?"}
        call = await p.post("/v1/calls", {**body, "waitForCompletion": True})
        assert (call["status"], call["direction"], call["fromNumber"]) == ("completed", "outbound", number)
        assert [t["transcript"] for t in call["transcripts"]] == ["Which day suits you?", "Tuesday works for me"]


@pytest.mark.parametrize(
    ("answer_with", "status"), [("busy", "busy"), ("no_answer", "no-answer"), ("failed", "failed")]
)
async def test_an_outbound_call_nobody_takes_has_its_status(answer_with: str, status: str) -> None:
    async with Receiver() as handler, platform() as p:
        agent, _ = await p.line(handler.url)
        await p.ask("PUT", "/_sim/people/+14155550161", json={"answer": answer_with})
        call = await p.post("/v1/calls", {"agentId": agent, "toNumber": "+14155550161", "waitForCompletion": True})
        assert (call["status"], call["durationSeconds"], call["transcripts"]) == (status, 0, [])


async def test_a_call_without_a_webhook_fails_or_stays_silent_by_policy() -> None:
    async with platform() as p:
        _, number = await p.line(None, beginMessage="Hello")
        call = await dial(p, number, "Anybody there?")
        assert (call["status"], call["disconnection_reason"]) == ("failed", "error_no_webhook")
    async with platform(policies=Policies("2026-03")) as p:
        _, number = await p.line(None, beginMessage="Hello")
        call = await dial(p, number, "Anybody there?")
        assert said(call) == [("Hello", None), ("Anybody there?", None)]
        assert call["findings"][0]["kind"] == "no_webhook"


async def test_the_empty_turn_at_connect_is_sent_by_policy() -> None:
    async with Receiver(by_event([says("You have reached Acme."), says("Yes.")])) as handler:
        async with platform(policies=Policies("observed")) as p:
            _, number = await p.line(handler.url)
            await dial(p, number, "Acme?")
        transcripts = [json.loads(r.body)["data"].get("transcript") for r in handler.requests[:2]]
        assert transcripts == ["", "Acme?"]


async def test_a_live_phone_is_driven_step_by_step() -> None:
    async with Receiver(by_event([says("Yes?")])) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        call = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 5})
        await p.post(f"/_sim/calls/{call}/say", {"text": "Hello there"})
        await p.post("/_sim/clock/advance", {"seconds": 10})
        await p.post(f"/_sim/calls/{call}/press", {"digits": "1#"})
        await p.post("/_sim/clock/advance", {"seconds": 5})
        await p.post(f"/_sim/calls/{call}/hang_up")
        record = await p.get(f"/v1/calls/{call}")
        assert (record["status"], record["transcripts"][0]["response"]) == ("completed", "Yes?")
        gone = await p.post(f"/_sim/calls/{call}/say", {"text": "too late"}, 409)
        assert "user_hangup" in gone["detail"]
        assert [(d["party"], d["digits"]) for d in await p.journal("digits")] == [("user", "1#")]


async def test_a_live_phone_keeps_an_auto_clock_from_jumping() -> None:
    async with Receiver() as handler, platform(ClockMode.AUTO) as p:
        _, number = await p.line(handler.url)
        call = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
        for _ in range(100):
            await asyncio.sleep(0)
        assert (await p.get(f"/v1/calls/{call}"))["status"] == "in-progress"
        assert (await p.get("/_sim/clock"))["flowing"] is True
        await p.post(f"/_sim/calls/{call}/hang_up")
        assert (await p.get(f"/v1/calls/{call}"))["status"] == "completed"
        await p.post("/_sim/clock/run_until_idle")
        assert (await p.get("/_sim/clock"))["flowing"] is False


async def test_a_call_that_has_ended_leaves_no_timer_behind() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        call = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 5})
        assert (await p.get("/_sim/clock"))["timers"] == 2  # silence and the longest duration
        await p.post(f"/_sim/calls/{call}/hang_up")
        await p.post("/_sim/clock/advance", {"seconds": 1})
        assert (await p.get("/_sim/clock"))["timers"] == 0


async def test_words_are_dated_by_when_they_began() -> None:
    async with Receiver(by_event([says("It shipped.")])) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        call = await dial(p, number, "Where is my order?")
        began = [e["at"] for e in await p.journal("speech.started")]
        heard = [u.at for u in p.runner.world.calls[call["call_id"]].utterances]
        assert [iso(at) for at in heard] == began
        assert began[0] < began[1]


async def test_maximum_duration_ends_the_call() -> None:
    from datetime import timedelta

    async with Receiver() as handler, platform(max_call_duration=timedelta(seconds=20)) as p:
        _, number = await p.line(handler.url)
        call = await dial(p, number, {"wait": 3600})
        assert call["disconnection_reason"] == "max_duration_reached"
        assert 20 <= call["duration_seconds"] < 21


async def test_status_filters_find_the_call_in_each_state() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await p.post("/_sim/calls", {"from": CALLER, "to": number})
        live = await p.get("/v1/calls", status="in-progress")
        done = await p.get("/v1/calls", status="completed")
        assert (live["total"], done["total"]) == (1, 0)
        await p.post("/_sim/clock/run_until_idle")
        done = await p.get("/v1/calls", status="completed", direction="inbound", search="4155550150")
        assert done["total"] == 1


async def test_a_call_ended_through_the_api_keeps_only_what_was_heard() -> None:
    long = "Your order left our house on Monday and should arrive on Thursday before noon."
    async with Receiver(by_event([says(long)])) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        call = (await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Where is it?"]}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 5})
        asked = await p.post(f"/v1/calls/{call}/end")
        assert asked["status"] == "in-progress"
        ended = await p.get(f"/v1/calls/{call}")
        assert (ended["status"], ended["disconnectionReason"]) == ("completed", "api_hangup")
        heard = ended["transcripts"][0]["response"]
        assert heard
        assert long.startswith(heard)
        assert heard != long
        await p.post(f"/v1/calls/{call}/end", expect=409)
        await p.post("/v1/calls/call_none/end", expect=404)
        await p.post("/_sim/clock/run_until_idle")
        events = [json.loads(r.body)["event"] for r in handler.requests]
        assert (events.count("call.ended"), events.count("agent.call_ended")) == (1, 1)


async def test_a_call_that_still_rings_can_be_ended_through_the_api() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(handler.url)
        call = (await p.post("/v1/calls", {"agentId": agent, "toNumber": "+14155550161"}))["id"]
        await p.post(f"/v1/calls/{call}/end")
        ended = await p.get(f"/v1/calls/{call}")
        assert (ended["status"], ended["durationSeconds"], ended["transcripts"]) == ("completed", 0, [])


async def test_loading_the_http_client_is_not_counted_as_the_handlers_time() -> None:
    async with Receiver() as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        assert not p.runner.sender.ready
        await p.post("/_sim/calls", {"from": CALLER, "to": number})
        assert p.runner.sender.ready  # it still rings: nothing has been sent yet
        assert handler.requests == []
