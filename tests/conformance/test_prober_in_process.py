"""The prober in process, where time is virtual: what over sockets is so is so here."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest

from simulator.conformance.exchange import Ending, Exchange, Request
from simulator.conformance.prober import LONGEST, MOST, Prober
from simulator.runtime.deliver import Sender
from simulator.runtime.transport import AppTransport
from simulator.runtime.virtual import VirtualLoop

HOST = "handler.localhost"
REQUEST = Request({"Content-Type": "application/json"}, b'{"event": "agent.message"}')

Application = Callable[[Any, Any, Any], Awaitable[None]]


def answering(*script: float | bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Application:
    """An application that answers with these pieces, and sleeps for these seconds."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        started = False
        for step in script:
            if isinstance(step, float):
                await asyncio.sleep(step)
                continue
            if not started:
                started = True
                await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
            await send({"type": "http.response.body", "body": step, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def mounted(app: Application, timeout: float = 30.0, **how: Any) -> Exchange:
    async def work() -> Exchange:
        transport = AppTransport(app)
        sender = Sender(mounts={HOST: transport})
        try:
            return await Prober(sender, f"http://{HOST}/", timeout).send(REQUEST, **how)
        finally:
            await transport.stop()
            await sender.close()

    with closing(VirtualLoop()) as loop:
        return loop.run_until_complete(work())


def test_times_are_those_of_the_loop() -> None:
    exchange = mounted(answering(1.5, b"one", 2.0, b"two", 0.5))
    assert exchange.head_at == 1.5
    assert exchange.pieces == [(1.5, b"one"), (3.5, b"two")]
    assert (exchange.ended_at, exchange.ok) == (4.0, True)


def test_a_pause_is_made_before_each_piece_is_read() -> None:
    exchange = mounted(answering(b"one", 1.0, b"two"), pause=10.0)
    assert exchange.pieces == [(10.0, b"onetwo")]
    assert exchange.ended_at == 20.0


@pytest.mark.parametrize(
    ("script", "status", "body"),
    [
        ((31.0, b"late"), None, b""),
        ((b"one", 31.0, b"two"), 200, b"one"),
        ((29.0, b"one", 29.0, b"two"), 200, b"onetwo"),
    ],
)
def test_the_timeout_is_for_the_next_byte(script: tuple[float | bytes, ...], status: int | None, body: bytes) -> None:
    exchange = mounted(answering(*script))
    assert (exchange.status, exchange.body) == (status, body)
    assert exchange.ending is (Ending.COMPLETE if body.endswith(b"two") else Ending.TIMED_OUT)


def test_drops_without_end_are_not_waited_for_for_ever() -> None:
    drips: list[float | bytes] = [20.0, b"x"]
    exchange = mounted(answering(*drips * 20))
    assert exchange.ending is Ending.TOO_LONG
    assert LONGEST < exchange.ended_at <= LONGEST + 20.0


def test_an_application_that_raises_has_answered_with_500() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError

    exchange = mounted(app)
    assert (exchange.status, exchange.crashed) == (500, True)


def test_an_application_that_raises_in_mid_answer_has_broken_off() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    exchange = mounted(app)
    assert (exchange.ending, exchange.status, exchange.body) == (Ending.BROKEN, 200, b"half")
    assert exchange.error


def test_an_application_hears_that_we_have_left() -> None:
    heard: list[str] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        heard.append((await receive())["type"])

    async def work() -> Exchange:
        transport = AppTransport(app)
        exchange = await Prober(Sender(mounts={HOST: transport}), f"http://{HOST}/", 30.0).send(
            REQUEST, until=lambda exchange: bool(exchange.pieces)
        )
        await asyncio.sleep(1)
        return exchange

    with closing(VirtualLoop()) as loop:
        exchange = loop.run_until_complete(work())
    assert (exchange.ending, exchange.body, heard) == (Ending.LEFT, b"one", ["http.disconnect"])


@pytest.mark.parametrize(("coding", "pack"), [(b"gzip", gzip.compress), (b"Deflate", zlib.compress)])
def test_a_compressed_answer_is_unpacked_here_as_over_sockets(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b'{"text": "Hello."}')
    app = answering(packed[:7], 1.0, packed[7:], headers=((b"content-encoding", coding),))
    exchange = mounted(app)
    assert (exchange.body, exchange.ok) == (b'{"text": "Hello."}', True)


def test_what_is_not_packed_as_it_says_is_a_broken_answer() -> None:
    exchange = mounted(answering(b"plain", headers=((b"content-encoding", b"gzip"),)))
    assert (exchange.ending, exchange.status) == (Ending.BROKEN, 200)
    assert "cannot be unpacked" in (exchange.error or "")


def test_a_packed_bomb_goes_off_within_limits() -> None:
    bomb = gzip.compress(b"x" * (20 * MOST))
    exchange = mounted(answering(bomb, headers=((b"content-encoding", b"gzip"),)))
    assert (exchange.ending, len(exchange.body)) == (Ending.TOO_LONG, MOST + 1)


def test_a_coding_that_nobody_knows_is_left_as_it_is() -> None:
    exchange = mounted(answering(b"plain", headers=((b"content-encoding", b"rot13"),)))
    assert (exchange.ok, exchange.body) == (True, b"plain")


def test_each_case_times_its_exchanges_from_its_beginning() -> None:
    async def work() -> list[float]:
        sender = Sender(mounts={HOST: AppTransport(answering(b"ok"))})
        prober = Prober(sender, f"http://{HOST}/", 30.0)
        await asyncio.sleep(5)
        first = await prober.send(REQUEST)
        prober.begin()
        await asyncio.sleep(2)
        return [first.started_at, (await prober.send(REQUEST)).started_at]

    with closing(VirtualLoop()) as loop:
        assert loop.run_until_complete(work()) == [5.0, 2.0]
