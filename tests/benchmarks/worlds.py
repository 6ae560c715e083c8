"""A new world, reset, snapshot, restore, fork and account, with 10,000 objects; beside a copy of the maps alone."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from simulator.clock import ClockMode
from simulator.runtime.runner import Runner
from simulator.runtime.simulator import Simulator
from simulator.settings import Settings
from simulator.world.world import World
from tests.benchmarks.figures import Figure
from tests.helpers.world import new_line, past_call, text_in

OBJECTS = 10_000
ROUNDS = 51
BUDGET = 1.0  # ms


def figures() -> Iterator[Figure]:
    times = asyncio.run(measure())
    copied = times.pop("maps")
    for what, ours in times.items():
        beside = "dict.copy() of the same maps" if what in ("snapshot", "restore", "fork") else ""
        yield Figure(
            f"{what}, {OBJECTS:,} objects",
            ours,
            "ms",
            at_most=BUDGET,
            yardstick=copied if beside else None,
            beside=beside,
        )


def furnish(world: World, now: Any) -> None:
    """Agents, numbers, texts in conversations, calls: as an account has them, ten thousand together."""
    from datetime import timedelta

    lines = [new_line(world, f"Agent {count}", now=now)[1] for count in range(OBJECTS // 100)]
    while len(world.messages) < OBJECTS * 6 // 10:
        count = len(world.messages)
        text_in(world, lines[count % len(lines)], "hello", f"+1415555{count % 300:04}", now=now)
    objects = len(world.agents) + len(world.numbers) + len(world.messages) + len(world.conversations)
    for count in range(OBJECTS - objects):
        past_call(world, lines[count % len(lines)], started=now, lasting=timedelta(seconds=9))


def copy_maps(world: World) -> None:
    """What a snapshot cannot do without."""
    for value in vars(world).values():
        if isinstance(value, dict):
            value.copy()


async def measure() -> dict[str, float]:
    """Milliseconds that each takes, and `maps`, the yardstick, each round after the other."""
    simulator = Simulator(Settings(clock=ClockMode.MANUAL, max_accounts=10 * ROUNDS))
    source = simulator.open(simulator.settings, "source")
    furnish(source.world, source.now())
    kept = source.image()
    taken: dict[str, list[float]] = {}

    async def timed(what: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = work()
        if isinstance(done, Awaitable):
            done = await done
        taken.setdefault(what, []).append((time.perf_counter() - began) * 1000)
        return done

    for number in range(ROUNDS):
        await timed("maps", lambda: copy_maps(source.world))
        await timed("snapshot", source.image)
        await timed("restore", lambda: source.restore(kept))
        fork: Runner = await timed("fork", lambda number=number: simulator.open_copy(source, kept, f"fork {number}"))
        await timed("reset", fork.reset)
        await timed("new world", lambda number=number: simulator.open(simulator.settings, f"new {number}"))
        await timed("closing", lambda number=number: simulator.close_account(f"fork {number}"))
        await simulator.close_account(f"new {number}")
    await simulator.stop()
    return {what: statistics.median(times) for what, times in taken.items()}
