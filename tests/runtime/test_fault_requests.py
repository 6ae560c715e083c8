"""Requests that a fault has struck, sent by hand to a receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from simulator.clock import Clock, ClockMode
from simulator.domain.fault_rules import FaultRule, FaultSpec
from simulator.domain.webhooks import Outcome, OutcomeKind
from simulator.engine.events import CallEvent, ReplyBytes, ReplyFailed, ReplyStarted
from simulator.engine.faults import Struck
from simulator.runtime.deliver import Sender
from simulator.runtime.faults import BROKEN, Gate, Letter, attempt, post_turn
from simulator.runtime.pacer import Pacer
from tests.helpers.receiver import Exchange, Receiver

pytestmark = pytest.mark.anyio
HEADERS = {"Content-Type": "application/json"}
START = datetime(2026, 1, 5, 15, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender()
    yield sender
    await sender.close()


@pytest.fixture
async def pacer() -> AsyncIterator[Pacer]:
    pacer = Pacer(Clock(ClockMode.AUTO, START, asyncio.get_running_loop().time), lambda _kind, _data: None)
    yield pacer
    await pacer.stop()


def struck(fault: str, on: str = "turn", **parameters: Any) -> Struck:
    return Struck(FaultRule(id="flt_1", spec=FaultSpec.of({"on": on, "fault": fault, **parameters})), 1)


async def halves(host: str, server_host: str, sender: Sender) -> tuple[bytes, Any]:
    """What arrives of a request that breaks off, and its outcome."""
    got, over = bytearray(), asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                got.extend(piece)
        except ConnectionResetError:
            over.set()
        writer.close()

    server = await asyncio.start_server(accept, server_host, 0)
    async with server, asyncio.timeout(10):
        outcome = await sender.break_off(f"http://{host}:{server.sockets[0].getsockname()[1]}/", HEADERS, b"0123456789")
        await over.wait()
    return bytes(got), outcome


@pytest.mark.parametrize(
    ("host", "served"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("handler.localhost", "127.0.0.1"), ("localhost", "::1")],
)
async def test_a_request_breaks_off_wherever_the_client_would_have_sent_it(
    sender: Sender, host: str, served: str
) -> None:
    got, outcome = await halves(host, served, sender)
    assert got.endswith(b"\r\n\r\n01234") and f"Host: {host}:".encode() in got
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.UNREACHABLE, None)


async def test_a_large_request_breaks_off_in_its_middle(sender: Sender) -> None:
    async with Receiver() as receiver:
        outcome = await sender.break_off(receiver.url, HEADERS, b"x" * 3_000_000)
    assert outcome.error == "connection reset in the middle of the request"
    assert receiver.requests == []


async def test_a_request_that_may_not_be_sent_is_not_begun_either(sender: Sender) -> None:
    outcome = await sender.break_off("http://example.com/", HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.REFUSED


async def test_nothing_breaks_off_where_nobody_listens(sender: Sender) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    assert (await sender.break_off(url, HEADERS, b"{}")).error == "connection refused"
    assert (await sender.break_off(url.replace("127.0.0.1", "localhost"), HEADERS, b"{}")).error == "connection refused"


async def test_an_attempt_is_sent_as_the_fault_has_it(sender: Sender, pacer: Pacer) -> None:
    async with Receiver() as receiver:
        outcome = await attempt(sender, pacer, Letter(receiver.url, HEADERS, b"{}"), struck("duplicate"))
        broken = await attempt(sender, pacer, Letter(receiver.url, HEADERS, b"{}"), struck("reset"))
    assert (outcome.kind, broken.kind) == (OutcomeKind.ACCEPTED, OutcomeKind.UNREACHABLE)


async def heard(sender: Sender, pacer: Pacer, url: str, fault: str, **parameters: Any) -> list[CallEvent]:
    events: list[CallEvent] = []
    await post_turn(sender, pacer, Letter(url, HEADERS, b"{}"), struck(fault, **parameters), "1", events.append)
    return events


async def test_a_struck_turn_that_nobody_takes_has_failed(sender: Sender, pacer: Pacer) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    assert await heard(sender, pacer, url, "split") == [ReplyFailed("1", "connection refused")]


async def test_a_struck_turn_whose_handler_breaks_off_has_failed_after_what_was_seen(
    sender: Sender, pacer: Pacer
) -> None:
    async def broken(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.piece(b"{")
        exchange.close()

    async with Receiver(broken) as receiver:
        events = await heard(sender, pacer, receiver.url, "split")
    assert events == [ReplyStarted("1", 200, "application/x-ndjson"), ReplyBytes("1", b"{"), ReplyFailed("1", BROKEN)]


async def test_a_cut_reply_is_read_no_further_and_its_connection_is_closed(sender: Sender, pacer: Pacer) -> None:
    gone = asyncio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.piece(b"0123456789")
        await exchange.hung_up()
        gone.set()

    async with Receiver(endless) as receiver, asyncio.timeout(10):
        events = await heard(sender, pacer, receiver.url, "cut", after_bytes=4)
        await gone.wait()
    assert events[1:] == [ReplyBytes("1", b"0123"), ReplyFailed("1", BROKEN)]


async def test_a_bug_of_ours_closes_the_connection(sender: Sender, pacer: Pacer) -> None:
    gone = asyncio.Event()

    async def stall(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.hung_up()
        gone.set()

    def feed(_event: CallEvent) -> None:
        raise RuntimeError("a bug of ours")

    async with Receiver(stall) as receiver, asyncio.timeout(10):
        with pytest.raises(RuntimeError, match="a bug of ours"):
            await post_turn(sender, pacer, Letter(receiver.url, HEADERS, b"{}"), struck("split"), "1", feed)
        await gone.wait()


async def test_neither_of_a_pair_is_complete_before_both_are_there() -> None:
    gate = Gate()
    first, second = gate.pieces(b"0123"), gate.pieces(b"0123")
    assert [await anext(first), await anext(second)] == [b"012", b"012"]
    last = asyncio.ensure_future(anext(first))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not last.done()
    assert await anext(second) == b"3" == await last


async def test_whoever_is_left_of_a_pair_waits_for_nobody() -> None:
    gate = Gate()
    gate.leave()
    async with asyncio.timeout(10):
        assert [piece async for piece in gate.pieces(b"0123")] == [b"012", b"3"]


class AtOnce:
    """Stands in for a sender: whatever is asked is answered before anybody else has a turn."""

    status = 200
    headers: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})

    def __init__(self, answers: bool) -> None:
        self.content = self
        self._pieces = [b'{"text": ', b'"It has shipped."}']
        self._outcome = None if answers else Outcome(kind=OutcomeKind.UNREACHABLE, error="gone")

    async def open(self, *_: Any, **__: Any) -> Any:
        return self._outcome or self

    async def break_off(self, *_: Any) -> Outcome:
        return Outcome(kind=OutcomeKind.UNREACHABLE, error="connection reset")

    async def readany(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def release(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("fault", "more", "answers"),
    [
        ("refuse", {}, True),
        ("status", {"status": 503}, True),
        ("reset", {}, True),
        ("split", {}, True),
        ("split", {}, False),
        ("cut", {}, True),
    ],
)
async def test_while_time_stands_still_a_struck_turn_waits_for_requests_before_it(
    fault: str, more: dict[str, Any], answers: bool
) -> None:
    clock = Clock(ClockMode.AUTO, START, asyncio.get_running_loop().time)
    pacer = Pacer(clock, lambda _kind, _data: None, grace=timedelta(minutes=10))
    told: list[object] = []
    gate = asyncio.Event()

    async def before() -> None:
        await gate.wait()
        told.append("before")

    sender: Any = AtOnce(answers)
    pacer.track(before())
    turn = post_turn(sender, pacer, Letter("http://x/", HEADERS, b"{}"), struck(fault, **more), "1", told.append)
    pacer.track(turn)
    for _ in range(50):  # more than everything takes that does not wait
        await asyncio.sleep(0)
    gate.set()
    await pacer.settle(timedelta(minutes=1))
    await pacer.stop()
    assert told[0] == "before" and len(told) > 1
