"""Worlds in process: opened and closed, asked, and a call of twenty turns with a handler beside them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from simulator.clock import ClockMode
from simulator.settings import Settings
from simulator.testing.process import InProcess
from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import CALLER, REPEATS

PLACES = 50
REQUESTS = 1000
TURNS = 20
REPLY = b'{"text":"Your order shipped yesterday."}'
HEAD = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(REPLY))]


def figures() -> Iterator[Figure]:
    opened, closed = places()
    yield Figure("a world in process, opened", opened * 1000, "ms", at_most=1)
    yield Figure("a world in process, closed", closed * 1000, "ms", at_most=1)
    place = a_place()
    try:
        yield Figure(f"{REQUESTS:,} API requests in process", seconds(lambda: ask(place)) * 1000, "ms")
        number = line(place)
        single = seconds(lambda: call(place, number))
        yield Figure(f"one call of {TURNS} turns, handler in process", single * 1000, "ms", at_most=20)
    finally:
        place.close()


def a_place() -> InProcess:
    return InProcess(Settings(api_keys=("sk_live_benchmark",), clock=ClockMode.AUTO))


def places() -> tuple[float, float]:
    """Medians of what opening a world and closing it take, threads included."""
    opened, closed = [], []
    for _ in range(PLACES):
        began = time.perf_counter()
        place = a_place()
        opened.append(time.perf_counter() - began)
        place.ask("GET", "/v1/agents")
        began = time.perf_counter()
        place.close()
        closed.append(time.perf_counter() - began)
    return statistics.median(opened), statistics.median(closed)


def seconds(work: Callable[[], object]) -> float:
    """The median of several times, after one that does not count."""
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def ask(place: InProcess) -> None:
    for _ in range(REQUESTS):
        place.ask("GET", "/v1/agents")


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """A handler that costs as little as possible."""
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": HEAD})
        await send({"type": "http.response.body", "body": REPLY})


def line(place: InProcess) -> str:
    url = place.mount(answering)
    agent = place.ask("POST", "/v1/agents", {"name": "Support", "maxSilenceMs": 3_600_000})
    place.ask("POST", "/v1/webhooks", {"url": f"{url}/webhook"})
    return str(place.ask("POST", "/v1/numbers", {"agentId": agent["id"]})["phoneNumber"])


def call(place: InProcess, number: str) -> None:
    script = ["Where is my order?"] * TURNS
    heard = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number, "script": script, "wait": True})
    turns = sum(1 for row in heard["call"]["transcripts"] if row["response"])
    assert turns == TURNS, f"{turns} of {TURNS} turns were answered"
