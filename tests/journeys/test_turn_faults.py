"""Every fault on voice turns over real sockets: what the handler gets, what the caller hears, what the record says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer
from tests.journeys.test_delivery_faults import SECRET, bytes_of, genuine

pytestmark = pytest.mark.anyio
JSON = answer(200, b'{"text": "It has shipped."}')
LINES = [b'{"text": "One moment.", "interim": true}\n', b'{"text": "It has shipped."}\n']
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def streamed(exchange: Exchange) -> None:
    await exchange.head(200, NDJSON)
    for piece in LINES:
        await exchange.piece(piece)
    await exchange.end()


def line() -> Any:
    return platform(webhook_secret=SECRET)


async def call(p: Platform, url: str, fault: str, **more: Any) -> dict[str, Any]:
    """A call of two questions; the first one's turn meets the fault unless the rule says otherwise."""
    _, number = await p.line(url)
    await p.post("/_sim/faults", {"on": "turn", "fault": fault, "match": {"turn": 1}, **more})
    script = ["Where is my order?", {"wait": 2}, "And now?"]
    dialled = {"from": "+14155550150", "to": number, "script": script, "wait": True}
    ended: dict[str, Any] = await p.post("/_sim/calls", dialled)
    await p.post("/_sim/clock/run_until_idle")
    return ended


def heard(ended: dict[str, Any]) -> list[str | None]:
    return [row["response"] for row in ended["call"]["transcripts"]]


def found(ended: dict[str, Any]) -> list[str]:
    return [finding["kind"] for finding in ended["findings"]]


def turns(handler: Receiver) -> list[Any]:
    return [r for r in handler.requests if (r.header("X-Webhook-ID") or "").startswith("voice_")]


SHIPPED = "It has shipped."


@pytest.mark.parametrize("fault", ["bad_signature", "missing_signature", "stale_timestamp", "tampered_body"])
async def test_a_handler_can_tell_that_a_turn_is_not_genuine(fault: str) -> None:
    async with Receiver(JSON) as handler, line() as p:
        await call(p, handler.url, fault)
        first, second = turns(handler)
        assert (genuine(first), genuine(second)) == (False, True)


async def test_a_malformed_turn_is_genuine_and_no_json() -> None:
    async with Receiver(JSON) as handler, line() as p:
        await call(p, handler.url, "malformed_json")
        first = turns(handler)[0]
        with pytest.raises(ValueError, match=r"char"):
            json.loads(first.body)
        assert genuine(first)


async def test_a_duplicated_turn_is_heard_once() -> None:
    async with Receiver(JSON) as handler, line() as p:
        ended = await call(p, handler.url, "duplicate")
        first, second, third = turns(handler)
        assert bytes_of(first) == bytes_of(second) != bytes_of(third)
        assert heard(ended) == [SHIPPED, SHIPPED]
        (copy,) = await p.journal("fault.copy")
        assert (copy["delivery_id"], copy["outcome"]) == (first.header("X-Webhook-ID"), "accepted")


async def test_overlapping_turns_are_both_there_before_either_is_answered() -> None:
    both = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        if len(turns(handler)) == 2:
            both.set()
        if exchange.request.header("X-Webhook-Event") == "agent.message":
            await both.wait()
        await JSON(exchange)

    async with Receiver(wait) as handler, line() as p:
        ended = await call(p, handler.url, "overlap")
        assert bytes_of(turns(handler)[0]) == bytes_of(turns(handler)[1])
        assert heard(ended) == [SHIPPED, SHIPPED]


async def test_a_late_turn_leaves_the_caller_in_silence_for_as_long() -> None:
    async with Receiver(JSON) as handler, line() as p:
        ended = await call(p, handler.url, "late", seconds=8)
        assert heard(ended) == [SHIPPED, SHIPPED]
        first, second = await p.journal("turn.started")
        assert first["after"] == pytest.approx(8, abs=0.5) and second["after"] < 1


async def test_a_turn_that_is_later_than_the_timeout_is_never_sent() -> None:
    async with Receiver(JSON) as handler, line() as p:
        ended = await call(p, handler.url, "late", seconds=31)
        assert (heard(ended), found(ended)) == ([None, SHIPPED], ["reply_timed_out"])
        assert len(turns(handler)) == 1


async def test_a_dribbling_turn_is_answered_when_it_is_whole() -> None:
    async with Receiver(JSON) as handler, line() as p:
        ended = await call(p, handler.url, "slow_send", seconds=6, pieces=3)
        assert heard(ended) == [SHIPPED, SHIPPED] and all(map(genuine, turns(handler)))
        assert (await p.journal("turn.started"))[0]["after"] == pytest.approx(6, abs=0.5)


@pytest.mark.parametrize(
    ("fault", "more", "finding", "outcome", "came"),
    [
        ("refuse", {}, "reply_unreachable", "unreachable", 1),
        ("reset", {}, "reply_unreachable", "unreachable", 1),
        ("status", {"status": 500}, "reply_http_error", "rejected", 1),
    ],
)
async def test_a_turn_that_does_not_get_through_is_silence_and_a_finding(
    fault: str, more: dict[str, Any], finding: str, outcome: str, came: int
) -> None:
    async with Receiver(JSON) as handler, line() as p:
        ended = await call(p, handler.url, fault, **more)
        assert (heard(ended), found(ended), len(turns(handler))) == ([None, SHIPPED], [finding], came)
        voice = [a for a in await p.journal("delivery.attempt") if a["delivery_id"].startswith("voice_")]
        assert [a["outcome"] for a in voice] == [outcome, "accepted"]


# What is left of two chunks, and what the caller hears of them.
REPLIES: list[tuple[str, dict[str, Any], str | None, list[str]]] = [
    ("cut", {}, None, ["reply_unreachable"]),
    ("cut", {"after_bytes": len(LINES[0])}, "One moment.", ["reply_broken"]),
    ("cut", {"after_bytes": len(LINES[0]) + 4}, "One moment.", ["reply_broken"]),
    ("cut", {"after_bytes": 100_000}, "One moment. It has shipped.", []),
    ("stall", {"seconds": 2}, "One moment. It has shipped.", []),
    ("stall", {"seconds": 2, "after_bytes": len(LINES[0])}, "One moment. It has shipped.", []),
    ("stall", {"seconds": 3600, "after_bytes": len(LINES[0])}, "One moment.", ["reply_stalled"]),
    ("stall", {"seconds": 3600}, None, ["reply_timed_out"]),
    ("drop_final", {}, "One moment.", ["missing_final"]),
    ("garble", {}, SHIPPED, ["chunk_not_json"]),
    ("garble", {"line": 2}, "One moment.", ["chunk_not_json", "missing_final"]),
    ("garble", {"line": 3}, "One moment. It has shipped.", []),
    ("split", {}, "One moment. It has shipped.", []),
]


@pytest.mark.parametrize(("fault", "more", "said", "findings"), REPLIES)
async def test_of_a_spoilt_stream_the_caller_hears_what_came_through(
    fault: str, more: dict[str, Any], said: str | None, findings: list[str]
) -> None:
    async with Receiver(streamed) as handler, line() as p:
        ended = await call(p, handler.url, fault, **more)
        assert (heard(ended)[0], found(ended)) == (said, findings)
        assert heard(ended)[1] == "One moment. It has shipped."
        (fired,) = await p.journal("fault.fired")
        assert (fired["on"], fired["turn"], fired["call_id"]) == ("turn", 1, ended["call_id"])


@pytest.mark.parametrize(
    ("fault", "more", "said", "findings"),
    [
        ("cut", {"after_bytes": 5}, None, ["reply_broken"]),
        ("drop_final", {}, None, ["reply_empty"]),
        ("garble", {}, None, ["reply_not_json"]),
        ("split", {}, SHIPPED, []),
        ("stall", {"seconds": 5, "after_bytes": 10}, SHIPPED, []),
    ],
)
async def test_of_a_spoilt_object_the_caller_hears_all_or_nothing(
    fault: str, more: dict[str, Any], said: str | None, findings: list[str]
) -> None:
    pretty = answer(200, json.dumps({"text": SHIPPED}, indent=2).encode())
    async with Receiver(pretty) as handler, line() as p:
        ended = await call(p, handler.url, fault, **more)
        assert (heard(ended)[0], found(ended)) == (said, findings)


async def test_the_second_try_of_a_turn_may_fare_better() -> None:
    async with Receiver(JSON) as handler, platform(policies=Policies("all", {"voice_turn_retry": "once"})) as p:
        ended = await call(p, handler.url, "refuse", match={"turn": 1, "attempt": 1})
        assert heard(ended) == [SHIPPED, SHIPPED]


async def test_a_caller_who_hangs_up_while_a_turn_is_held_back_leaves_nothing_behind() -> None:
    async with Receiver(JSON) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await p.post("/_sim/faults", {"on": "turn", "fault": "late", "seconds": 20})
        call_id = (await p.post("/_sim/calls", {"from": "+14155550150", "to": number}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 2})
        await p.post(f"/_sim/calls/{call_id}/say", {"text": "Where is my order?"})
        await p.post("/_sim/clock/advance", {"seconds": 10})
        assert (await p.get("/_sim/clock"))["in_flight"] == 0  # it waits, and holds nobody up
        await p.post(f"/_sim/calls/{call_id}/hang_up")
        await p.post("/_sim/clock/run_until_idle")
        assert turns(handler) == []
        assert len(await p.journal("fault.fired")) == 1
        clock = await p.get("/_sim/clock")
        assert (clock["timers"], clock["in_flight"]) == (0, 0)
