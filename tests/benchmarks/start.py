"""From starting the command to its first answer, against the lean application; and memory then."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import LEAN, REPEATS, SERVE, medians, process, resident


def figures() -> Iterator[Figure]:
    once()  # the first start of all reads from the disk
    rounds = [once() for _ in range(REPEATS)]
    ours, lean, memory, lean_memory = medians(rounds)
    yield Figure("start to first answer", ours, "s", at_most=0.4, yardstick=lean, beside="lean Starlette app")
    yield Figure("memory at start", memory, "MiB", at_most=70, yardstick=lean_memory, beside="lean Starlette app")


def once() -> tuple[float, float, float, float]:
    """Seconds of ours and of the yardstick, then MiB of both."""
    times, memory = [], []
    for argv in (SERVE, LEAN):
        began = time.perf_counter()
        with process(argv, "ready") as (url, child):
            httpx.get(f"{url}/_sim/health")
            times.append(time.perf_counter() - began)
            memory.append(resident(child.pid))
    return times[0], times[1], memory[0], memory[1]
