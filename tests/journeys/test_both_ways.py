"""A test that runs in process and over sockets gives the same journal, byte for byte, however often and beside whom."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.helpers.both_ways import CALLER, SAMPLES, OverSockets, in_process, journal, sample, told

SENT = (
    {"fault": "bad_signature"}, {"fault": "missing_signature"}, {"fault": "stale_timestamp"},
    {"fault": "tampered_body"}, {"fault": "malformed_json"}, {"fault": "duplicate", "copies": 2}, {"fault": "overlap"},
    {"fault": "late", "seconds": 30}, {"fault": "reset"}, {"fault": "slow_send", "seconds": 2, "pieces": 3},
    {"fault": "refuse"}, {"fault": "status", "status": 503},
)  # fmt: skip
ANSWERED = (
    {"fault": "cut", "after_bytes": 5}, {"fault": "stall", "seconds": 3}, {"fault": "stall", "seconds": 100},
    {"fault": "drop_final"}, {"fault": "garble"}, {"fault": "split"},
)  # fmt: skip
RULES = (
    [{"on": "delivery", **rule} for rule in (*SENT, {"fault": "reorder"})]
    + [{"on": "turn", **rule} for rule in (*SENT, *ANSWERED)]
)  # fmt: skip


def written(entries: list[dict[str, Any]]) -> str:
    return json.dumps(entries)


@contextmanager
def busy_machine(processes: int = 3) -> Iterator[None]:
    """Keep every processor of this machine busy until the block ends."""
    spinning = [multiprocessing.get_context("spawn").Process(target=spin, daemon=True) for _ in range(processes)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.join()


def spin() -> None:
    while True:
        sum(range(10_000))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_handler_gives_the_same_journal_in_process_and_over_sockets(name: str) -> None:
    here, there = told(in_process, sample(name)), told(OverSockets, sample(name))
    assert "It has" in written(here) or "4521" in written(here)
    assert here == there


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_the_same_each_time_and_in_threads_side_by_side(name: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        journals = {written(found) for found in pool.map(lambda _: told(in_process, sample(name)), range(8))}
    assert len(journals) == 1


def test_over_sockets_it_is_the_same_twenty_times_on_a_busy_machine() -> None:
    expected = written(told(in_process, sample("simple_starlette")))
    with busy_machine():
        journals = [written(told(OverSockets, sample("simple_starlette"))) for _ in range(20)]
    assert journals == [expected] * 20


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: " ".join(map(str, rule.values())))
def test_what_goes_wrong_on_purpose_is_the_same_both_ways(rule: dict[str, Any]) -> None:
    here, there = (told(home, streaming, {**rule, "times": 2}) for home in (in_process, OverSockets))
    assert [entry["kind"] for entry in here].count("fault.fired") == 2
    assert here == there


def test_without_a_grace_a_handler_on_a_socket_takes_the_time_it_takes() -> None:
    entries = told(lambda: OverSockets(handler_grace=timedelta()), sample("simple_starlette"))
    assert any(entry["after"] > 0 for entry in entries if entry["kind"] == "turn.started")


def test_the_retry_ladder_is_the_same_both_ways() -> None:
    def climb(place: Any) -> list[dict[str, Any]]:
        try:
            url = place.mount(refusing)
            agent = place.ask("POST", "/v1/agents", {"name": "A"})
            number = place.ask("POST", "/v1/numbers", {"agentId": agent["id"]})
            place.ask("POST", "/v1/webhooks", {"url": f"{url}/hook"})
            place.ask("POST", "/_sim/messages", {"from": CALLER, "to": number["phoneNumber"], "body": "hi"})
            place.ask("POST", "/_sim/clock/run_until_idle")
            return journal(place)
        finally:
            place.close()

    here, there = climb(in_process()), climb(OverSockets())
    assert here == there
    assert [entry["kind"] for entry in here].count("delivery.attempt") == 12  # two events, six attempts each


async def refusing(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def streaming(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    head = (b"content-type", b"application/x-ndjson")
    await send({"type": "http.response.start", "status": 200, "headers": [head]})
    for chunk in ({"text": "Let me look.", "interim": True}, {"text": "Order 4521 shipped."}):
        line = json.dumps(chunk).encode() + b"\n"
        await send({"type": "http.response.body", "body": line, "more_body": True})
        await asyncio.sleep(0)  # in process each is read by itself; from a socket both at once
    await send({"type": "http.response.body", "body": b""})
