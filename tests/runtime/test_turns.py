from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.events import CallEvent, ReplyBytes, ReplyEnded, ReplyFailed, ReplyStarted
from simulator.runtime.deliver import Sender
from simulator.runtime.lines import MOST_LINES, lines_of
from simulator.runtime.turns import post_turn
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio

HEADERS = {"Content-Type": "application/json"}
PATIENCE = 10


class Ear:
    """Keeps the events it is fed, and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self._more = asyncio.Condition()
        self._wakers: set[asyncio.Task[None]] = set()

    def __call__(self, event: CallEvent) -> None:
        self.events.append(event)
        task = asyncio.get_running_loop().create_task(self._wake())
        self._wakers.add(task)
        task.add_done_callback(self._wakers.discard)

    async def _wake(self) -> None:
        async with self._more:
            self._more.notify_all()

    async def heard(self, event: CallEvent) -> None:
        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(lambda: event in self.events)

    @property
    def body(self) -> bytes:
        return b"".join(e.data for e in self.events if isinstance(e, ReplyBytes))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender()
    yield sender
    await sender.close()


async def test_a_json_reply_is_started_fed_and_ended(sender: Sender) -> None:
    ear = Ear()
    async with Receiver(answer(200, b'{"text":"hi"}')) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b'{"a":1}', "1", ear)
    assert receiver.requests[0].body == b'{"a":1}'
    assert ear.events == [
        ReplyStarted("1", 200, "application/json"),
        ReplyBytes("1", b'{"text":"hi"}'),
        ReplyEnded("1"),
    ]


async def test_an_empty_reply_has_no_bytes(sender: Sender) -> None:
    ear = Ear()
    async with Receiver(answer(204)) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b"{}", "7", ear)
    assert ear.events == [ReplyStarted("7", 204, "application/json"), ReplyEnded("7")]


async def test_the_head_is_fed_before_any_byte_of_the_body(sender: Sender) -> None:
    ear, go = Ear(), asyncio.Event()

    async def slow_body(exchange: Exchange) -> None:
        await exchange.head(200)
        await go.wait()
        await exchange.piece(b"{}")
        await exchange.end()

    async with Receiver(slow_body) as receiver:
        turn = asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear))
        await ear.heard(ReplyStarted("1", 200, "application/x-ndjson"))
        assert len(ear.events) == 1
        go.set()
        await turn
    assert ear.events[1:] == [ReplyBytes("1", b"{}"), ReplyEnded("1")]


async def test_every_piece_is_fed_the_moment_it_arrives(sender: Sender) -> None:
    ear, gates = Ear(), [asyncio.Event() for _ in range(4)]
    pieces = [b'{"text":"One', b' moment.","interim":true}\n', b'{"te', b'xt":"Done."}\n']

    async def stream(exchange: Exchange) -> None:
        await exchange.head(200)
        for gate, piece in zip(gates, pieces, strict=True):
            await gate.wait()
            await exchange.piece(piece)
        await exchange.end()

    async with Receiver(stream) as receiver:
        turn = asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear))
        for gate, piece in zip(gates, pieces, strict=True):
            gate.set()  # the receiver writes this piece only now, after the one before it was heard
            await ear.heard(ReplyBytes("1", piece))
        await turn
    assert [e.data for e in ear.events if isinstance(e, ReplyBytes)] == pieces
    assert ear.events[-1] == ReplyEnded("1")


@given(piece=st.binary(max_size=60).map(lambda data: data.replace(b"a", b"\n").replace(b"b", b"\n")))
def test_cutting_at_line_ends_loses_nothing_and_leaves_each_line_whole(piece: bytes) -> None:
    lines = lines_of(piece)
    assert b"".join(lines) == piece
    assert all(lines) and all(b"\n" not in line.rstrip(b"\n") for line in lines)
    assert all(line.endswith(b"\n") for line in lines[:-1])


def test_a_piece_with_very_many_lines_is_cut_into_no_more_than_somebody_could_say() -> None:
    lines = lines_of(b"x\n" * 5000)
    assert len(lines) == MOST_LINES + 1
    assert b"".join(lines) == b"x\n" * 5000


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_an_error_answer_is_fed_like_any_other(sender: Sender, status: int) -> None:
    ear = Ear()
    async with Receiver() as other, Receiver(answer(status, b"no", {"Location": other.url})) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear)
    assert ear.events == [
        ReplyStarted("1", status, "application/json"),
        ReplyBytes("1", b"no"),
        ReplyEnded("1"),
    ]
    assert other.requests == []


async def test_a_reply_without_a_content_type_starts_with_none(sender: Sender) -> None:
    async def bare(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    ear = Ear()
    async with Receiver(bare) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear)
    assert ear.events[0] == ReplyStarted("1", 200, "")


async def test_a_reply_without_a_length_ends_with_the_connection(sender: Sender) -> None:
    async def old_style(exchange: Exchange) -> None:
        await exchange.raw(b'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"text":"hi"}')
        exchange.close()

    ear = Ear()
    async with Receiver(old_style) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear)
    assert ear.body == b'{"text":"hi"}'
    assert ear.events[-1] == ReplyEnded("1")


async def test_a_compressed_reply_is_fed_unpacked(sender: Sender) -> None:
    ear = Ear()
    packed = gzip.compress(b'{"text":"hi"}')
    async with Receiver(answer(200, packed, {"Content-Encoding": "gzip"})) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear)
    assert ear.body == b'{"text":"hi"}'
    assert ear.events[-1] == ReplyEnded("1")


async def test_a_reply_that_breaks_off_is_failed_after_what_was_seen(sender: Sender) -> None:
    ear, seen = Ear(), asyncio.Event()

    async def break_off(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.piece(b'{"text":"One')
        await seen.wait()
        exchange.reset()

    async with Receiver(break_off) as receiver:
        turn = asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear))
        await ear.heard(ReplyBytes("1", b'{"text":"One'))
        seen.set()
        await turn
    assert isinstance(ear.events[-1], ReplyFailed)
    assert ear.events[-1].error


async def test_a_chunked_reply_without_its_end_is_failed(sender: Sender) -> None:
    async def cut(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.piece(b"{}")
        exchange.close()

    ear = Ear()
    async with Receiver(cut) as receiver:
        await post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear)
    assert ear.events[-1] == ReplyFailed("1", "connection broke in the middle of the answer")


async def test_a_refused_connection_is_failed_at_once(sender: Sender) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    ear = Ear()
    await post_turn(sender, url, HEADERS, b"{}", "1", ear)
    assert ear.events == [ReplyFailed("1", "connection refused")]


async def test_a_host_that_is_not_allowed_is_failed_without_a_connection(sender: Sender) -> None:
    ear = Ear()
    await post_turn(sender, "https://hooks.example.com/", HEADERS, b"{}", "1", ear)
    (event,) = ear.events
    assert isinstance(event, ReplyFailed)
    assert event.error.startswith("not sent: ")
    assert "--allow-host hooks.example.com" in event.error


async def test_cancelling_a_silent_turn_closes_the_connection(sender: Sender) -> None:
    ear, gone = Ear(), asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        await exchange.hung_up()
        gone.set()

    async with Receiver(silent) as receiver, asyncio.timeout(PATIENCE):
        turn = asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear))
        await receiver.received(1)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        await gone.wait()
    assert ear.events == []


async def test_cancelling_in_mid_reply_closes_the_connection(sender: Sender) -> None:
    ear, gone = Ear(), asyncio.Event()

    async def stall(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.piece(b"a")
        await exchange.hung_up()
        gone.set()

    async with Receiver(stall) as receiver, asyncio.timeout(PATIENCE):
        turn = asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", "1", ear))
        await ear.heard(ReplyBytes("1", b"a"))
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        await gone.wait()
    assert not any(isinstance(e, ReplyEnded | ReplyFailed) for e in ear.events)


async def test_the_listener_may_cancel_the_turn_from_inside(sender: Sender) -> None:
    # The engine has heard enough: an endless reply must not be read for ever.
    total, gone = 0, asyncio.Event()

    async def pour(exchange: Exchange) -> None:
        await exchange.head(200)
        try:
            while True:
                await exchange.piece(b"x" * 8192)
        finally:
            gone.set()

    def feed(event: CallEvent) -> None:
        nonlocal total
        if isinstance(event, ReplyBytes):
            total += len(event.data)
            if total > 100_000:
                turn.cancel()

    async with Receiver(pour) as receiver, asyncio.timeout(PATIENCE):
        turn = asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", "1", feed))
        with pytest.raises(asyncio.CancelledError):
            await turn
        await gone.wait()
    assert total < 1_000_000


async def test_a_listener_that_raises_closes_the_connection(sender: Sender) -> None:
    gone = asyncio.Event()

    async def stall(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.hung_up()
        gone.set()

    def feed(_event: CallEvent) -> None:
        raise RuntimeError("a bug of ours")

    async with Receiver(stall) as receiver, asyncio.timeout(PATIENCE):
        with pytest.raises(RuntimeError, match="a bug of ours"):
            await post_turn(sender, receiver.url, HEADERS, b"{}", "1", feed)
        await gone.wait()


async def test_turns_one_after_another_share_a_connection(sender: Sender) -> None:
    async with Receiver(answer(200, b'{"text":"hi"}')) as receiver:
        for n in range(4):
            await post_turn(sender, receiver.url, HEADERS, b"{}", str(n), Ear())
    assert receiver.connections == 1


async def test_two_turns_at_once_use_a_connection_each(sender: Sender) -> None:
    go = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        await go.wait()
        await answer(200, b"{}")(exchange)

    async with Receiver(wait) as receiver:
        turns = [asyncio.create_task(post_turn(sender, receiver.url, HEADERS, b"{}", str(n), Ear())) for n in range(2)]
        await receiver.received(2)
        go.set()
        await asyncio.gather(*turns)
    assert receiver.connections == 2
