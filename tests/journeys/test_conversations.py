"""Conversations with time in them, over sockets: who spoke over whom, and what the handler sees of it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from simulator.engine.speech import ENDPOINTING_DELAY
from simulator.engine.timeline import CallTimeline, Listener
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import PATIENCE, Exchange, Receiver, Reply, answer

pytestmark = pytest.mark.anyio
CALLER, CALLEE = "+14155550150", "+14155550161"
LONG = {"text": "Your order has shipped and it will be there tomorrow", "interim": True}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Handler:
    """Answers voice turns in order and every other event with an empty 200; knows which connections were closed."""

    def __init__(self, *turns: Reply) -> None:
        self.turns = iter(turns)
        self.payloads: list[dict[str, Any]] = []
        self.cut = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        payload = json.loads(exchange.request.body)
        if payload["event"] != "agent.message":
            await answer()(exchange)
            return
        self.payloads.append(payload)
        await next(self.turns)(exchange)

    def open_ended(self, *chunks: dict[str, Any]) -> Reply:
        """Send chunks (without any, not even a status) and then nothing, until the other end hangs up."""

        async def reply(exchange: Exchange) -> None:
            if chunks:
                await exchange.head()
            for chunk in chunks:
                await exchange.piece(json.dumps(chunk).encode() + b"\n")
            await exchange.hung_up()
            self.cut.set()

        return reply


def says(text: str, **more: Any) -> Reply:
    return answer(200, json.dumps({"text": text, **more}).encode())


async def dial(p: Platform, to: str, *script: Any) -> dict[str, Any]:
    called: dict[str, Any] = await p.post(
        "/_sim/calls", {"from": CALLER, "to": to, "script": list(script), "wait": True}
    )
    return called


def said(call: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(row["transcript"], row["response"]) for row in call["call"]["transcripts"]]


async def listened(p: Platform, call_id: str) -> CallTimeline:
    listener = Listener()
    for entry in await p.journal(""):
        if entry.get("call_id") == call_id:
            listener.entry(entry["kind"], entry, datetime.fromisoformat(entry["at"]))
    return listener.timeline()


def interrupting() -> Handler:
    handler = Handler()
    handler.turns = iter([handler.open_ended(LONG), says("Cancelled.", hangup=True)])
    return handler


async def test_barge_in_closes_the_request_and_history_keeps_what_was_heard() -> None:
    handler = interrupting()
    async with Receiver(handler) as receiver, platform() as p:
        _, number = await p.line(receiver.url)
        call = await dial(p, number, "Where is my order?", {"barge_in": {"say": "Cancel it", "after": 1}})
        async with asyncio.timeout(PATIENCE):
            await handler.cut.wait()
        assert said(call) == [("Where is my order?", "Your order has"), ("Cancel it", "Cancelled.")]
        assert [entry["content"] for entry in handler.payloads[1]["recentHistory"]] == [
            "Where is my order?",
            "Your order has",
            "Cancel it",
        ]
        assert (call["disconnection_reason"], call["findings"]) == ("agent_hangup", [])


async def test_an_interrupted_turn_that_was_answered_was_delivered() -> None:
    async with Receiver(interrupting()) as receiver, platform() as p:
        _, number = await p.line(receiver.url)
        await dial(p, number, "Where is my order?", {"barge_in": {"say": "Cancel it", "after": 1}})
        assert [(turn["turn_id"], turn["how"]) for turn in await p.journal("turn.closed")] == [
            ("1", "interrupted"),
            ("2", "final"),
        ]
        deliveries = (await p.get("/v1/webhooks/deliveries"))["data"]
        assert {d["status"] for d in deliveries if d["event"] == "agent.message"} == {"success"}


def slowly(_entry: object) -> None:
    """Read along, for two milliseconds of real time each."""
    end = time.perf_counter() + 0.002
    while time.perf_counter() < end:
        pass


async def test_a_simulator_that_is_slow_measures_the_same() -> None:
    async with Receiver(interrupting()) as receiver, platform() as p:
        _, number = await p.line(receiver.url)
        p.runner.world.journal.on_append(slowly)
        call = await dial(p, number, "Where is my order?", {"barge_in": {"say": "Cancel it", "after": 1}})
        heard = await listened(p, call["call_id"])
        asked, cut, barged, *_ = heard.sounds
        assert barged.span.begin - cut.span.begin == timedelta(seconds=1)
        assert heard.overruns == (timedelta(milliseconds=200),)
        assert heard.turns[0].opened_at - asked.span.end == ENDPOINTING_DELAY


async def test_the_ear_measures_the_same_from_the_journal() -> None:
    async with Receiver(interrupting()) as receiver, platform() as p:
        _, number = await p.line(receiver.url)
        call = await dial(p, number, "Where is my order?", {"barge_in": {"say": "Cancel it", "after": 1}})
        heard = await listened(p, call["call_id"])
        first, second = heard.turns
        assert first.overrun == timedelta(milliseconds=200)  # a timer fires at its deadline, while time is real too
        assert second.overrun is None
        assert first.first_word is not None and timedelta(milliseconds=700) <= first.first_word
        assert first.answered is not None and first.answered <= (first.first_chunk or timedelta())
        assert heard.overruns == (first.overrun,)


async def test_a_live_caller_interrupts_a_handler_that_thinks() -> None:
    handler = Handler()
    handler.turns = iter([handler.open_ended(), says("Sorry", hangup=True)])
    async with Receiver(handler) as receiver, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(receiver.url)
        call_id = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 2})
        await p.post(f"/_sim/calls/{call_id}/say", {"text": "Hello there"})
        await p.post("/_sim/clock/advance", {"seconds": 2, "patience": 0})
        await receiver.received(1 + 1)  # call.started, and the turn
        await p.post(f"/_sim/calls/{call_id}/say", {"text": "No, wait", "over": True})
        await p.post("/_sim/clock/advance", {"seconds": 0.5, "patience": 0})
        await p.post("/_sim/clock/run_until_idle")
        assert [payload["data"]["transcript"] for payload in handler.payloads] == ["Hello there", "No, wait"]
        deliveries = (await p.get("/v1/webhooks/deliveries"))["data"]
        turns = sorted(
            (d["createdAt"], d["status"], d["errorMessage"]) for d in deliveries if d["event"] == "agent.message"
        )
        assert [(status, error) for _, status, error in turns] == [
            ("failed", "the caller spoke before the handler answered"),
            ("success", None),
        ]


async def test_by_policy_the_former_request_runs_on_and_its_words_are_dropped() -> None:
    go_on = asyncio.Event()

    async def stubborn(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.piece(json.dumps(LONG).encode() + b"\n")
        await go_on.wait()
        await exchange.piece(b'{"text": "And another thing"}\n')
        await exchange.end()

    async def second(exchange: Exchange) -> None:
        go_on.set()
        await p.get("/_sim/journal", kind="finding", wait=PATIENCE)
        await says("Cancelled.", hangup=True)(exchange)

    policies = Policies(overrides={"overlapping_turns": "overlap"})
    async with Receiver(Handler(stubborn, second)) as receiver, platform(policies=policies) as p:
        _, number = await p.line(receiver.url)
        call = await dial(p, number, "Where is my order?", {"barge_in": {"say": "Cancel it", "after": 1}})
        assert [finding["kind"] for finding in call["findings"]] == ["words_after_interruption"]
        assert said(call) == [("Where is my order?", "Your order has"), ("Cancel it", "Cancelled.")]


async def test_a_caller_that_waits_for_words_in_vain_says_so() -> None:
    async with Receiver(Handler(says("It has shipped."))) as receiver, platform() as p:
        _, number = await p.line(receiver.url)
        script = ["Where is my order?", {"hear": {"contains": "cancelled", "within": 5}}, "Thanks"]
        call = await dial(p, number, *script)
        (failed,) = await p.journal("script.failed")
        assert (failed["step"], failed["expected"], failed["heard"]) == (
            [1],
            "contains 'cancelled'",
            "It has shipped.",
        )
        assert call["disconnection_reason"] == "user_hangup"
        assert [entry["step"] for entry in await p.journal("script.step")] == [[0]]


async def test_a_caller_goes_on_with_what_it_heard_and_repeats_itself() -> None:
    menu = {"when": [{"hears": {"contains": "press 2"}, "then": [{"press": "2"}]}, {"else": [{"press": "0"}]}]}
    loop = {"repeat": {"times": 2, "steps": ["Support please", menu]}}
    turns = (says("For support press 2"), says("Once more?"))
    async with Receiver(Handler(*turns)) as receiver, platform() as p:
        _, number = await p.line(receiver.url)
        await dial(p, number, loop, {"hang_up": {"after": 1}})
        assert [entry["digits"] for entry in await p.journal("digits")] == ["2", "0"]


async def outbound(p: Platform, answered: str, script: Any = None, **agent: Any) -> dict[str, Any]:
    """Call somebody whose phone is answered like this, and wait for the end."""
    agent_id, _ = await p.line(agent.pop("url", "http://127.0.0.1:9/hook"), **agent)
    await p.ask("PUT", f"/_sim/people/{CALLEE}", json={"answer": answered, "script": script})
    call = await p.post("/v1/calls", {"agentId": agent_id, "toNumber": CALLEE})
    await p.post("/_sim/clock/run_until_idle")
    whole: dict[str, Any] = await p.get(f"/v1/calls/{call['id']}")
    return whole


async def test_a_machine_is_left_the_agents_message() -> None:
    async with platform() as p:
        call = await outbound(p, "voicemail", voicemailMessage="Please call Acme back.")
        assert (call["status"], call["disconnectionReason"]) == ("completed", "voicemail_reached")
        assert call["transcripts"][-1]["transcript"] == "Please call Acme back."
        assert len(await p.journal("beep")) == 1


async def test_a_phone_that_asks_is_told_and_the_person_decides() -> None:
    known = {"callScreeningIdentity": "Acme Dental", "callScreeningPurpose": "Your appointment"}
    async with platform() as p:
        call = await outbound(p, "screened_out", beginMessage="Hello!", **known)
        assert call["disconnectionReason"] == "user_hangup"
        assert [row["transcript"] for row in call["transcripts"]][1:] == ["Acme Dental. Your appointment."]
    async with platform() as p:
        call = await outbound(p, "screened", script=[], beginMessage="Hello!", **known)
        assert [row["transcript"] for row in call["transcripts"]][1:] == ["Acme Dental. Your appointment.", "Hello!"]


async def test_the_agents_settings_decide_what_stops_it() -> None:
    for settings, stopped in (({"interruptionSensitivity": 0}, False), ({"interruptionSensitivity": 1}, True)):
        async with Receiver(Handler(says("Goodbye", hangup=True))) as receiver, platform() as p:
            _, number = await p.line(receiver.url, beginMessage="Thank you for calling Acme", **settings)
            await dial(p, number, {"barge_in": {"say": "Stop", "after": 0.5}})
            assert bool(await p.journal("barge_in")) is stopped


async def test_an_agent_without_backchannels_takes_them_for_words() -> None:
    for enabled in (True, False):
        async with Receiver(Handler(says("Yes?"))) as receiver, platform() as p:
            _, number = await p.line(receiver.url, beginMessage="Thank you for calling", enableBackchannel=enabled)
            await dial(p, number, {"backchannel": {"say": "mhm", "after": 0.5}})
            assert len(await p.journal("turn.opened")) == (0 if enabled else 1)
