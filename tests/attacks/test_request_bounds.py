"""Requests that are too large, too deep, too many or never complete: each meets its bound, and others are served."""

from __future__ import annotations

import json
import select
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.clock import ClockMode
from simulator.runtime.protocol import MAX_HEAD
from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.raw_http import Answer, Wire, request

MEGABYTE = 1_048_576
PERSON = "+14155550150"


def post(live: Live, path: str, body: Any) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request(live.url, f"POST {path} HTTP/1.1", ["Host: 127.0.0.1"], data, key=live.first_key)


def head(live: Live, *more: str) -> bytes:
    lines = ["POST /v1/agents HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {live.first_key}", *more, "", ""]
    return "\r\n".join(lines).encode()


def served(live: Live) -> bool:
    return request(live.url).status == 200


# -- bodies ----------------------------------------------------------------------------------------------------------


def test_a_body_that_declares_too_much_is_refused_before_it_is_sent(victim: Live) -> None:
    with Wire(victim.url) as wire:
        wire.send(head(victim, "Content-Length: 999999999999"))
        refused = wire.answer()
    assert refused.status == 413
    assert refused.detail.startswith(f"the request body is over the limit of {MEGABYTE} bytes (Settings.max_body")


def test_a_chunked_body_is_refused_when_it_is_over_the_limit_and_not_kept(victim: Live) -> None:
    piece = b"%x\r\n%s\r\n" % (65_536, b"a" * 65_536)
    with Wire(victim.url) as wire:
        refused = wire.flood(head(victim, "Transfer-Encoding: chunked"), piece, 64 * MEGABYTE)
    assert refused.status == 413
    assert served(victim)


@pytest.mark.parametrize(
    "lies",
    [
        ["Content-Length: -1"],
        ["Content-Length: 1", "Content-Length: 2"],
        ["Content-Length: 0x2"],
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked, identity"],
    ],
)
def test_a_length_that_contradicts_itself_is_a_bad_request(victim: Live, lies: list[str]) -> None:
    with Wire(victim.url) as wire:
        wire.send(head(victim, *lies) + b"{}")
        assert wire.answer().status == 400
    assert served(victim)


def test_what_goes_beyond_the_declared_length_is_no_second_request_in_disguise(victim: Live) -> None:
    with Wire(victim.url) as wire:
        wire.send(head(victim, "Content-Length: 2") + b'{}{"name": "smuggled"}\r\n\r\n')
        assert wire.answer().status in (400, 422)  # to {}, if that was answered before the rest was looked at
    with Outside(victim.url, victim.first_key) as outside:
        assert outside.send("GET", "/v1/agents")["data"] == []


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"customTools":['])
@pytest.mark.parametrize("path", ["/v1/agents", "/_sim/calls"])
def test_deep_json_is_refused_by_its_depth(victim: Live, path: str, opening: str) -> None:
    refused = post(victim, path, (opening * 10_000).encode())
    assert refused.status == 422
    assert "recursion limit" in refused.detail[0]["msg"]


@pytest.mark.parametrize("number", ["9" * 5000, "1e99999", "-1e99999", "1" + "0" * 400, "0." + "0" * 100_000 + "1"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_sim/clock/advance", '{"seconds": NUMBER}'),
        ("/v1/agents", '{"name": "x", "maxSilenceMs": NUMBER}'),
        ("/v1/webhooks", '{"url": "http://127.0.0.1:1", "timeout": NUMBER}'),
    ],
)
def test_huge_and_tiny_numbers_are_refused_and_move_nothing(victim: Live, path: str, body: str, number: str) -> None:
    before = request(victim.url, "GET /_sim/clock HTTP/1.1", key=victim.first_key).body
    assert post(victim, path, body.replace("NUMBER", number).encode()).status == 422
    assert request(victim.url, "GET /_sim/clock HTTP/1.1", key=victim.first_key).body == before


# -- heads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /_sim/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ", b"a" * 16_384),
        (b"GET /_sim/health HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-Many: a\r\n" * 1000),
        (b"GET /_sim/health?", b"a=b&" * 4096),
        (b"GET /", b"a" * 16_384),
    ],
)
def test_a_head_that_does_not_end_is_refused_with_its_limit(victim: Live, start: bytes, piece: bytes) -> None:
    with Wire(victim.url) as wire:
        refused = wire.flood(start, piece, 64 * MEGABYTE)
    assert refused.status == 431
    assert f"over the limit of {MAX_HEAD} bytes" in refused.detail
    assert served(victim)


def test_a_head_behind_an_answer_on_the_same_connection_is_bounded_as_well(victim: Live) -> None:
    with Wire(victim.url) as wire:
        wire.send(b"GET /_sim/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert wire.answer().status == 200
        assert wire.flood(b"GET /_sim/health HTTP/1.1\r\nX: ", b"a" * 16_384, 64 * MEGABYTE).status == 431


def test_a_long_head_that_ends_is_served(victim: Live) -> None:
    cookies = [f"X-{number}: {'a' * 1000}" for number in range(40)]
    assert request(victim.url, headers=["Host: 127.0.0.1", *cookies]).status == 200


def test_ten_thousand_query_parameters_are_read_like_few(victim: Live) -> None:
    query = "&".join(f"a{number}=1" for number in range(5000))
    line = f"GET /v1/agents?{query}&limit=5 HTTP/1.1"
    assert request(victim.url, line, key=victim.first_key).status == 200


@given(st.binary(max_size=200))
@example(b"GET http://[ HTTP/1.1\r\n\r\n")
@example(b"GET ?# HTTP/1.1\r\n\r\n")
@example(b"OPTIONS * HTTP/1.1\r\n\r\n")
@example(b"GET /%ff%00 HTTP/1.1\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
@example(b"GET / HTTP/9.9\r\n\r\n")
@example(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
@example(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
@example(b"GET /\xff HTTP/1.1\r\n\r\n")
def test_no_bytes_are_answered_with_500_or_stop_the_server(victim: Live, data: bytes) -> None:
    with Wire(victim.url) as wire:
        wire.send(data)
        wire.sock.shutdown(1)
        assert wire.answer().status < 500
    assert served(victim)


# -- open requests ---------------------------------------------------------------------------------------------------


def test_uploads_that_never_end_hold_nobody_else_up_and_no_time(victim: Live) -> None:
    key = victim.new_key()
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(victim.url)) for _ in range(100)]
        for wire in wires:
            wire.send(head(victim, "Content-Length: 1000") + b"{")
        with Outside(victim.url, key) as outside:
            before = outside.send("GET", "/_sim/clock")
            assert before["in_flight"] == 0
            moved = outside.send("POST", "/_sim/clock/advance", {"seconds": 3600})
            assert moved["now"] > before["now"]
    assert served(victim)


def test_open_requests_are_bounded_and_one_that_left_makes_room() -> None:
    with live_server(clock=ClockMode.MANUAL, max_open_requests=20) as live, ExitStack() as stack:
        wires = [stack.enter_context(Wire(live.url)) for _ in range(21)]
        poll = f"GET /_sim/journal?wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {live.first_key}"
        for wire in wires:
            wire.send(f"{poll}\r\n\r\n".encode())
        (sock,), _, _ = select.select([wire.sock for wire in wires], [], [], 20)
        refused = next(wire for wire in wires if wire.sock is sock).answer()
        assert refused.status == 503
        assert "20 requests are open already" in refused.detail
        assert "Settings.max_open_requests" in refused.detail
        for wire in wires:
            wire.sock.close()
        with httpx.Client(base_url=live.url, trust_env=False, timeout=20) as client:
            assert 200 in (client.get("/_sim/health").status_code for _ in range(10_000))  # once it has noticed
