"""Every fault on deliveries over real sockets: what the receiver gets, byte for byte, and what the records say."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.clock import ClockMode
from simulator.domain.faults import DELIVERY, KINDS
from simulator.domain.policy import Policies
from simulator.engine.signing import verify
from tests.helpers.live_server import Outside, live_server
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, Request, answer

pytestmark = pytest.mark.anyio
SECRET = "whsec_of_this_test"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def genuine(request: Request, *, age: float = 0) -> bool:
    """Whether a handler that checks signatures and times would take the request, `age` seconds ago."""
    stamp, signature = request.header("X-Webhook-Timestamp") or "", request.header("X-Webhook-Signature") or ""
    return verify(SECRET, stamp, request.body, signature, now=time.time() - age, tolerance=60)


def bytes_of(request: Request) -> tuple[Any, ...]:
    """Everything of a request that a receiver can see."""
    return request.method, request.path, request.headers, request.body


async def rule(p: Platform, fault: str, **more: Any) -> str:
    made = await p.post("/_sim/faults", {"on": "delivery", "fault": fault, **more})
    return str(made["id"])


async def text(p: Platform, number: str, body: str = "hi") -> str:
    sent = await p.post("/_sim/messages", {"from": "+14155550151", "to": number, "body": body})
    return str(sent["message_id"])


async def idle(p: Platform) -> list[dict[str, Any]]:
    """Let everything happen; the deliveries, oldest first."""
    await p.post("/_sim/clock/run_until_idle")
    return (await p.get("/v1/webhooks/deliveries"))["items"][::-1]


def line(clock: ClockMode = ClockMode.AUTO) -> Any:
    """A platform that sends one event for each text."""
    return platform(clock, webhook_secret=SECRET, policies=Policies("2026-07"))


async def test_a_bad_signature_is_one_of_another_secret_over_the_right_bytes() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "bad_signature", times=1)
        await text(p, number)
        await text(p, number)
        await idle(p)
        first, second = handler.requests
        assert (first.header("X-Webhook-Signature") or "").startswith("sha256=")
        assert (genuine(first), genuine(second)) == (False, True)


async def test_a_missing_signature_leaves_only_its_header_out() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "missing_signature", times=1)
        await text(p, number)
        await idle(p)
        (request,) = handler.requests
        assert request.header("X-Webhook-Signature") is None
        assert request.header("X-Webhook-Timestamp") and request.header("X-Webhook-ID")


async def test_a_stale_timestamp_is_signed_properly() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "stale_timestamp", seconds=900)
        await text(p, number)
        await idle(p)
        (request,) = handler.requests
        assert (genuine(request), genuine(request, age=900)) == (False, True)


async def test_a_tampered_body_is_json_that_was_not_signed() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "tampered_body")
        await text(p, number)
        await idle(p)
        (request,) = handler.requests
        assert json.loads(request.body)["tampered"] is True
        assert json.loads(request.body)["event"] == "agent.message"
        assert not genuine(request)


async def test_malformed_json_is_signed_properly() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "malformed_json")
        await text(p, number)
        await idle(p)
        (request,) = handler.requests
        with pytest.raises(ValueError, match=r"char"):
            json.loads(request.body)
        assert genuine(request)


async def test_duplicates_are_byte_identical_and_come_after_the_answer_and_count_as_no_attempts() -> None:
    order: list[str] = []

    async def slow(exchange: Exchange) -> None:
        order.append("came")
        await asyncio.sleep(0)
        order.append("answered")
        await answer()(exchange)

    async with Receiver(slow) as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "duplicate", copies=2, times=1)
        await text(p, number)
        (delivery,) = await idle(p)
        assert len({bytes_of(request) for request in handler.requests}) == 1
        assert order == ["came", "answered"] * 3
        assert (delivery["status"], delivery["attemptCount"]) == ("success", 1)
        copies = await p.journal("fault.copy")
        assert [(c["copy"], c["outcome"], c["http_status"]) for c in copies] == [
            (1, "accepted", 200),
            (2, "accepted", 200),
        ]
        assert {c["delivery_id"] for c in copies} == {delivery["id"]}


async def test_a_duplicate_that_nobody_answers_times_out_on_the_simulated_clock() -> None:
    async def stuck(exchange: Exchange) -> None:
        await exchange.hung_up()

    async with Receiver(answer(), stuck, answer()) as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        await p.post("/v1/webhooks", {"url": handler.url, "timeout": 5})
        await rule(p, "duplicate", copies=2, times=1)
        await text(p, number)
        await handler.received(2)
        await p.post("/_sim/clock/advance", {"seconds": 5, "patience": 0})
        await handler.received(3)
        await idle(p)
        assert [c["outcome"] for c in await p.journal("fault.copy")] == ["timed_out", "accepted"]


async def test_copies_that_nobody_answers_hold_nobody_up() -> None:
    async def stuck(exchange: Exchange) -> None:
        await exchange.hung_up()

    async with Receiver(answer(), stuck) as handler, line(ClockMode.MANUAL) as p, asyncio.timeout(10):
        _, number = await p.line(None)
        await p.post("/v1/webhooks", {"url": handler.url, "timeout": 5})
        await rule(p, "duplicate", copies=2)
        await text(p, number)
        for count in (2, 3):
            await handler.received(count)
            await p.post("/_sim/clock/advance", {"seconds": 5, "patience": 0})
        assert [c["outcome"] for c in await p.journal("fault.copy")] == ["timed_out", "timed_out"]


async def test_overlapping_copies_are_both_there_before_either_is_answered() -> None:
    both = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        if len(handler.requests) == 2:
            both.set()
        await both.wait()  # never, were the second one sent after the first one's answer
        await answer()(exchange)

    async with Receiver(wait) as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "overlap", times=1)
        await text(p, number)
        (delivery,) = await idle(p)
        first, second = handler.requests
        assert bytes_of(first) == bytes_of(second) and first.connection != second.connection
        assert (delivery["status"], delivery["attemptCount"]) == ("success", 1)
        assert len(await p.journal("fault.copy")) == 1


async def test_an_overlap_with_nobody_there_ends_like_any_attempt() -> None:
    async with Receiver() as gone:
        url = gone.url
    async with line() as p:
        _, number = await p.line(url)
        await rule(p, "overlap")
        await text(p, number)
        (delivery,) = await idle(p)
        assert (delivery["status"], delivery["attemptCount"]) == ("failed", 6)


def at(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"])


async def test_a_late_delivery_is_first_sent_when_its_time_has_come() -> None:
    async with Receiver() as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await rule(p, "late", seconds=7200)
        await text(p, number)
        (waiting,) = (await p.get("/v1/webhooks/deliveries"))["items"]
        assert (waiting["status"], waiting["attemptCount"]) == ("pending", 0)
        await p.post("/_sim/clock/advance", {"seconds": 7199})
        assert handler.requests == []
        await p.post("/_sim/clock/advance", {"seconds": 1})
        (delivery,) = await idle(p)
        assert (len(handler.requests), delivery["status"], delivery["attemptCount"]) == (1, "success", 1)
        (made,), (tried,) = await p.journal("delivery.created"), await p.journal("delivery.attempt")
        assert (at(tried) - at(made)).total_seconds() == pytest.approx(7200, abs=1)
        assert genuine(handler.requests[0])


@pytest.mark.parametrize("fault", [{"fault": "refuse"}, {"fault": "late", "seconds": 60}, {"fault": "reorder"}])
async def test_an_auto_clock_goes_on_by_itself_to_what_was_not_sent(fault: dict[str, Any]) -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, **fault, times=1)
        await text(p, number)
        (request,) = await handler.received(1)  # nobody asks for anything meanwhile
        assert genuine(request)


async def test_a_reordered_delivery_follows_the_next_one() -> None:
    async with Receiver() as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await rule(p, "reorder", times=1)
        for words in ("first", "second", "third"):
            await text(p, number, words)
        await p.runner.pacer.settle(p.runner.settings.real_patience)
        await idle(p)
        said = [json.loads(r.body)["data"]["message"] for r in handler.requests]
        assert said.index("second") < said.index("first")
        assert sorted(said) == ["first", "second", "third"]
        assert (await p.get("/_sim/clock"))["now"] == "2026-01-05T15:00:00.000Z"


async def test_a_reordered_delivery_that_nothing_follows_goes_out_in_the_end() -> None:
    async with Receiver() as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await rule(p, "reorder", seconds=30)
        await text(p, number)
        await p.ask("DELETE", "/_sim/faults")  # what is held back is still owed
        (delivery,) = await idle(p)
        assert (len(handler.requests), delivery["status"]) == (1, "success")
        assert (await p.get("/_sim/clock"))["now"] == "2026-01-05T15:00:30.000Z"


async def test_what_is_held_back_for_a_webhook_that_is_deleted_is_recorded_as_not_sent() -> None:
    async with Receiver() as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await rule(p, "late", seconds=30)
        await text(p, number)
        await p.ask("DELETE", "/v1/webhooks")
        (delivery,) = await idle(p)
        assert (handler.requests, delivery["status"]) == ([], "failed")


async def test_a_reset_connection_breaks_in_the_middle_of_the_body_and_is_tried_again() -> None:
    pieces: list[bytes] = []
    broken = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                pieces.append(piece)
        except ConnectionResetError:
            broken.set()
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server, Receiver() as handler, line(ClockMode.MANUAL) as p:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b"
        _, number = await p.line(url)
        await rule(p, "reset", match={"attempt": 1})
        await text(p, number)
        await p.post("/_sim/clock/advance", {"seconds": 1})
        head, _, half = b"".join(pieces).partition(b"\r\n\r\n")
        assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\nHost: 127.0.0.1")
        declared = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert len(half) == declared // 2
        await p.post("/v1/webhooks", {"url": handler.url})
        (delivery,) = await idle(p)
        assert (delivery["status"], delivery["attemptCount"]) == ("success", 2)
        first = (await p.journal("delivery.attempt"))[0]
        assert (first["outcome"], first["error"]) == ("unreachable", "connection reset in the middle of the request")


def test_a_server_on_its_own_loop_resets_connections_as_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, live_server(webhook_secret=SECRET) as server:
        listener.settimeout(10)
        with Outside(server.url, server.new_key()) as outside:
            outside.send("POST", "/v1/webhooks", {"url": f"http://127.0.0.1:{listener.getsockname()[1]}/hook"})
            agent = outside.send("POST", "/v1/agents", {"name": "Support"})
            number = outside.send("POST", "/v1/numbers", {"agentId": agent["id"]})
            rule = {"on": "delivery", "fault": "reset", "match": {"event": "agent.message"}, "times": 1}
            outside.send("POST", "/_sim/faults", rule)
            outside.send("POST", "/_sim/faults", {"on": "delivery", "fault": "refuse"})
            outside.text("+14155550151", number["phoneNumber"], "hi")
            connection, _ = listener.accept()
            got = b""
            with connection, pytest.raises(ConnectionResetError):
                while piece := connection.recv(65_536):
                    got += piece
    head, _, half = got.partition(b"\r\n\r\n")
    assert half.startswith(b'{"event":"agent.message"')
    assert len(half) == int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) // 2


async def test_a_slow_body_arrives_whole_and_takes_its_simulated_time() -> None:
    async with Receiver() as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await rule(p, "slow_send", seconds=20, pieces=5)
        await text(p, number)
        await p.post("/_sim/clock/advance", {"seconds": 19})
        assert handler.requests == []
        (delivery,) = await idle(p)
        assert genuine(handler.requests[0])
        assert (delivery["status"], delivery["attemptCount"]) == ("success", 1)
        assert (await p.get("/_sim/clock"))["now"] == "2026-01-05T15:00:20.000Z"


async def test_a_body_that_is_slower_than_the_timeout_times_out() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "slow_send", seconds=3600, times=1)
        await text(p, number)
        (delivery,) = await idle(p)
        assert (delivery["status"], delivery["attemptCount"], len(handler.requests)) == ("success", 2, 1)
        assert (await p.journal("delivery.attempt"))[0]["outcome"] == "timed_out"


async def test_an_outage_climbs_the_ladder_and_ends_when_the_rule_does() -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "refuse", expires_in=3600)
        await text(p, number)
        (delivery,) = await idle(p)
        tried = await p.journal("delivery.attempt")
        assert [t["outcome"] for t in tried] == ["unreachable"] * 3 + ["accepted"]  # at 0, 5, 35 and 155 minutes
        assert tried[0]["error"] == "connection refused"
        assert (len(handler.requests), delivery["status"]) == (1, "success")
        (over,) = await p.journal("fault.expired")
        assert (over["fault"], over["fired"]) == ("refuse", 3)


@pytest.mark.parametrize(
    ("status", "attempts", "settled"), [(503, 6, "failed"), (404, 1, "failed"), (204, 1, "success")]
)
async def test_a_status_is_answered_by_nobody(status: int, attempts: int, settled: str) -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "status", status=status)
        await text(p, number)
        (delivery,) = await idle(p)
        assert handler.requests == []
        assert (delivery["status"], delivery["attemptCount"], delivery["httpStatus"]) == (settled, attempts, status)


@pytest.mark.parametrize("match", [
    {"event": "agent.call_ended"}, {"channel": "imessage"}, {"agent": "Sales"}, {"url": "http://127.0.0.1:1/*"},
    {"number": "+14155550199"}, {"attempt": 2},
])  # fmt: skip
async def test_what_does_not_match_is_left_alone(match: dict[str, Any]) -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, "refuse", match=match)
        await text(p, number)
        assert [d["attemptCount"] for d in await idle(p)] == [1]
        assert await p.journal("fault") == []


async def test_what_matches_is_told_with_what_it_hit_and_how_often() -> None:
    async with Receiver() as handler, line() as p:
        agent, number = await p.line(handler.url)
        match = {"event": "agent.message", "channel": "sms", "agent": "Support", "url": "http://127.0.0.1:*/hook",
                 "number": "(415) 555-0151", "attempt": 1}  # fmt: skip
        made = await rule(p, "missing_signature", match=match)
        await text(p, number)
        await rule(p, "refuse", match={"agent": agent})
        await text(p, number)
        first, second = await idle(p)
        fired = [
            {k: e[k] for k in ("rule_id", "fault", "delivery_id", "attempt", "fired")}
            for e in await p.journal("fault.fired")
        ]
        assert fired == [
            {"rule_id": made, "fault": "missing_signature", "delivery_id": d["id"], "attempt": 1, "fired": n}
            for n, d in enumerate((first, second), 1)
        ]  # fmt: skip


async def test_a_test_delivery_meets_faults_like_any_other() -> None:
    async with Receiver() as handler, line() as p:
        await p.line(handler.url)
        await rule(p, "refuse", times=1)
        answered = await p.post("/v1/webhooks/test")
        assert (answered["success"], answered["error"]) == (False, "connection refused")
        assert (await p.post("/v1/webhooks/test"))["success"] is True


async def test_a_reset_of_the_account_forgets_what_is_held_back_and_the_rules() -> None:
    async with Receiver() as handler, line(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await rule(p, "slow_send", seconds=60)
        await text(p, number)
        await rule(p, "late", seconds=60)
        await text(p, number)
        await p.post("/_sim/reset")
        assert await p.get("/_sim/faults") == {"faults": []}
        await p.post("/_sim/clock/run_until_idle")
        assert handler.requests == []


SENDING = [kind for kind in KINDS if kind.on == DELIVERY]
RULES = st.lists(
    st.builds(
        lambda kind, times, skip, probability: {
            "on": "delivery", "fault": kind.name, "times": times, "skip": skip, "probability": probability,
            **{p.name: {"seconds": 3, "status": 500}[p.name] for p in kind.parameters if p.required},
        },
        st.sampled_from(SENDING), st.none() | st.integers(1, 3), st.integers(0, 2), st.sampled_from([0.3, 0.7, 1.0]),
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(rules=RULES, texts=st.integers(1, 4), seed=st.integers(0, 3))
def test_whatever_goes_wrong_every_delivery_ends_and_the_same_seed_fires_the_same(
    rules: list[dict[str, Any]], texts: int, seed: int
) -> None:
    async def story() -> list[Any]:
        async with Receiver(answer(), answer(500), answer()) as handler, platform(seed=seed) as p:
            _, number = await p.line(handler.url)
            for fault in rules:
                await p.post("/_sim/faults", fault)
            for _ in range(texts):
                await text(p, number)
                await p.post("/_sim/clock/run_until_idle")
            ended = await idle(p)
            assert {d["status"] for d in ended} <= {"success", "failed"} and len(ended) == 2 * texts
            assert all(1 <= d["attemptCount"] <= 6 for d in ended)
            assert not p.runner.world.faults.held
            counts = [(f["seen"], f["fired"]) for f in (await p.get("/_sim/faults"))["faults"]]
            hits = [(e["rule_id"], e["delivery_id"], e["attempt"]) for e in await p.journal("fault.fired")]
            assert sum(fired for _, fired in counts) == len(hits)
            return [counts, sorted(hits)]

    assert asyncio.run(story()) == asyncio.run(story())


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [("late", {"seconds": 30}), ("reorder", {}), ("refuse", {}), ("status", {"status": 503})],
)
async def test_what_is_put_off_while_nothing_is_in_flight_arrives_though_nobody_asks(
    fault: str, parameters: dict[str, Any]
) -> None:
    async with Receiver() as handler, line() as p:
        _, number = await p.line(handler.url)
        await rule(p, fault, times=1, **parameters)
        await text(p, number)
        async with asyncio.timeout(10):
            await handler.received(1)
