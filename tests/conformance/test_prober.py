"""Whatever a handler does to a request, the prober says how it ended, and never raises."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.conformance.exchange import Ending, Exchange, Request
from simulator.conformance.prober import MOST, Prober
from simulator.runtime.deliver import Sender, reset

PATIENCE = 10  # real seconds before a test that would hang fails instead
SHORT = 0.05  # real seconds that a server which never answers is waited for
REQUEST = Request({"Content-Type": "application/json"}, b'{"event": "agent.message"}')
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HALF = OK + b"Content-Length: 100\r\n\r\n"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
T = TypeVar("T")


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[str]:
    """A server that does as it is told with each connection once the request is here; gives its URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(REQUEST.body)
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhook"


def saying(*pieces: bytes, then: Talk | None = None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then is not None:
            await then(reader, writer)

    return talk


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the other end has had enough


async def break_down(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer.transport)


async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


def run(work: Coroutine[Any, Any, T]) -> T:
    async def patiently() -> T:
        async with asyncio.timeout(PATIENCE):
            return await work

    return asyncio.run(patiently())


async def probe(url: str, timeout: float = PATIENCE, **how: Any) -> Exchange:
    sender = Sender()
    try:
        return await Prober(sender, url, timeout).send(REQUEST, **how)
    finally:
        await sender.close()


def probed(talk: Talk, timeout: float = PATIENCE, **how: Any) -> Exchange:
    async def work() -> Exchange:
        async with listening(talk) as url:
            return await probe(url, timeout, **how)

    return run(work())


def test_each_piece_is_taken_down_when_it_comes() -> None:
    read = asyncio.Event()

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        for piece in (b"one", b"two", b"three"):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await read.wait()
            read.clear()
        writer.write(b"0\r\n\r\n")

    def until(exchange: Exchange) -> bool:
        if exchange.pieces:
            read.set()
        return False

    exchange = probed(talk, until=until)
    assert [piece for _, piece in exchange.pieces] == [b"one", b"two", b"three"]
    assert exchange.ok
    times = [exchange.head_at or 0.0, *(at for at, _ in exchange.pieces), exchange.ended_at]
    assert times == sorted(times)


ENDINGS = [
    ("closed at once", saying(), Ending.BROKEN, None, "connection closed before an answer"),
    ("reset at once", saying(then=break_down), Ending.BROKEN, None, "connection reset"),
    ("garbage", saying(b"\x16\x03\x01 no HTTP\r\n\r\n"), Ending.BROKEN, None, "not an HTTP answer"),
    ("no status", saying(b"HTTP/1.1 fine\r\n\r\n"), Ending.BROKEN, None, "not an HTTP answer"),
    ("a header for ever", saying(OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n"), Ending.BROKEN, None, "not an HTTP"),
    ("bad length", saying(OK + b"Content-Length: -1\r\n\r\n"), Ending.BROKEN, None, "not an HTTP answer"),
    ("half a head", saying(OK + b"Content-Type: applic"), Ending.BROKEN, None, "connection closed"),
    ("half a body", saying(HALF + b"half"), Ending.BROKEN, 200, "middle of the answer"),
    ("half a chunk", saying(CHUNKED + b"ff\r\nhalf"), Ending.BROKEN, 200, "middle of the answer"),
    ("no last chunk", saying(CHUNKED + b"4\r\nhalf\r\n"), Ending.BROKEN, 200, "middle of the answer"),
    ("reset in the middle", saying(HALF + b"half", then=break_down), Ending.BROKEN, 200, ""),
    ("no end", saying(CHUNKED, then=flood), Ending.TOO_LONG, 200, "had not ended"),
    ("not packed", saying(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf"), Ending.BROKEN, 200, ""),
]


@pytest.mark.parametrize(
    ("talk", "ending", "status", "error"), [it[1:] for it in ENDINGS], ids=[it[0] for it in ENDINGS]
)
def test_every_way_to_fail_is_an_ending(talk: Talk, ending: Ending, status: int | None, error: str) -> None:
    exchange = probed(talk)
    assert (exchange.ending, exchange.status) == (ending, status)
    assert error in (exchange.error or "")
    assert exchange.crashed
    assert exchange.error


def test_garbage_after_a_good_piece_is_no_end() -> None:
    # The HTTP client closes such a connection without telling whoever reads: then it is the timeout that ends it.
    read = asyncio.Event()

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"4\r\nhalf\r\n")
        await read.wait()
        writer.write(b"zzz\r\n")

    def until(exchange: Exchange) -> bool:
        if exchange.pieces:
            read.set()
        return False

    exchange = probed(talk, SHORT, until=until)
    assert exchange.ending in (Ending.BROKEN, Ending.TIMED_OUT)
    assert (exchange.status, exchange.body) == (200, b"half")
    assert exchange.error


def test_what_came_before_it_broke_off_is_kept() -> None:
    exchange = probed(saying(CHUNKED + b"4\r\nhalf\r\n"))
    assert exchange.body == b"half"


@pytest.mark.parametrize("said", [b"", OK, CHUNKED, CHUNKED + b"3\r\none\r\n"])
def test_a_handler_that_stops_talking_has_timed_out(said: bytes) -> None:
    exchange = probed(saying(said, then=hang), SHORT)
    assert exchange.ending is Ending.TIMED_OUT
    assert exchange.error == f"nothing came for {SHORT:g} s"
    assert exchange.body == (b"one" if b"one" in said else b"")
    assert (exchange.status is None) == (b"\r\n\r\n" not in said)


def test_an_answer_that_does_not_end_is_read_up_to_a_limit() -> None:
    exchange = probed(saying(CHUNKED, then=flood))
    assert MOST < len(exchange.body) <= MOST + 1_000_000
    assert not exchange.ok


def test_a_redirect_is_not_followed() -> None:
    exchange = probed(saying(b"HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"))
    assert (exchange.complete, exchange.status, exchange.ok) == (True, 307, False)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_answer_is_unpacked(coding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b'{"text": "Hello."}')
    head = OK + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding.encode(), len(packed))
    exchange = probed(saying(head + packed))
    assert (exchange.body, exchange.headers["Content-Encoding"]) == (b'{"text": "Hello."}', coding)


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    exchange = probed(saying(OK + b"\r\n", b"all of it"))
    assert (exchange.ok, exchange.body) == (True, b"all of it")


def test_nobody_listens_where_nobody_listens() -> None:
    async def work() -> Exchange:
        async with listening(saying()) as url:
            pass
        return await probe(url)

    exchange = run(work())
    assert (exchange.ending, exchange.status, exchange.error) == (Ending.BROKEN, None, "connection refused")


def test_a_host_that_may_not_be_asked_is_not() -> None:
    exchange = run(probe("http://example.com/webhook"))
    assert exchange.ending is Ending.BROKEN
    assert "not sent" in (exchange.error or "")


@settings(max_examples=60)
@given(st.sampled_from([b"", OK, CHUNKED, HALF]), st.lists(st.binary(max_size=80), max_size=4), st.booleans())
def test_nothing_that_a_server_says_raises(head: bytes, pieces: list[bytes], broken: bool) -> None:
    exchange = probed(saying(head, *pieces, then=break_down if broken else None))
    assert (exchange.ending is Ending.COMPLETE) == (exchange.error is None)
    assert exchange.status is not None or not exchange.complete


# -- hanging up ------------------------------------------------------------------------------------------------


def test_we_hang_up_when_enough_has_come_and_the_server_notices() -> None:
    gone = asyncio.Event()

    async def until_we_leave(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    async def work() -> Exchange:
        async with listening(saying(CHUNKED + b"3\r\none\r\n", then=until_we_leave)) as url:
            exchange = await probe(url, until=lambda exchange: bool(exchange.pieces))
            await gone.wait()
            return exchange

    exchange = run(work())
    assert (exchange.ending, exchange.status, exchange.body) == (Ending.LEFT, 200, b"one")
    assert not exchange.complete


def test_we_leave_a_server_that_does_not_answer_before_its_timeout() -> None:
    exchange = probed(saying(then=hang), leave_after=SHORT)
    assert (exchange.ending, exchange.status) == (Ending.LEFT, None)


def test_a_request_that_is_broken_off_arrives_by_half() -> None:
    seen: list[bytes] = []

    async def work() -> Exchange:
        arrived = asyncio.Event()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                while piece := await reader.read(100):
                    seen.append(piece)
            except ConnectionError:
                pass
            finally:
                writer.close()
                arrived.set()

        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            sender = Sender()
            exchange = await Prober(sender, f"http://127.0.0.1:{port}/", PATIENCE).break_off(REQUEST)
            await arrived.wait()
            await sender.close()
        return exchange

    exchange = run(work())
    assert exchange.ending is Ending.LEFT
    assert b"".join(seen) in (b"", REQUEST.body[: len(REQUEST.body) // 2])  # a reset may overtake what it follows
