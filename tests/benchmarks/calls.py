"""One call of twenty turns; then 2,000 calls at once; a handler on a real socket answers every turn."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator
from datetime import timedelta

from simulator.clock import ClockMode
from simulator.engine.script import Say
from simulator.world import calls
from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import REPEATS, handler, resident, timed
from tests.helpers.platform import Platform, platform

MANY = 2000


def figures() -> Iterator[Figure]:
    with handler() as webhook:
        single, many, each = asyncio.run(measure(webhook))
    yield Figure("one call of 20 turns, over sockets", single * 1000, "ms", beside="20 ms in process")
    yield Figure(f"{MANY:,} calls of 5 turns at once, all whole", many, "s")
    yield Figure("memory of a call of 5 turns", each, "KiB", at_most=60)


async def measure(webhook: str) -> tuple[float, float, float]:
    """Seconds of one call, seconds of many, KiB of each of those."""
    async with platform(ClockMode.AUTO) as p:
        _, number = await p.line(webhook, maxSilenceMs=3_600_000)
        await talk(p, number, 1, 20)
        single = statistics.median([await timed(lambda: talk(p, number, 1, 20)) for _ in range(3 * REPEATS)])
        before = resident(os.getpid())
        many = await timed(lambda: talk(p, number, MANY, 5))
        return single, many, (resident(os.getpid()) - before) * 1024 / MANY


async def talk(p: Platform, number: str, count: int, turns: int) -> None:
    """Hold `count` scripted calls at once, to their ends."""
    world, runner = p.runner.world, p.runner
    placed = []
    for index in range(count):
        call = calls.receive(
            world, from_number=f"+1415555{index % 10_000:04d}", to_number=number, max_live=5000, now=runner.now()
        )
        runner.telephone.start_call(call, steps=tuple(Say("Where is my order?") for _ in range(turns)))
        placed.append(call.id)
    for call_id in placed:
        await runner.telephone.wait_for_call(call_id, 600)
    await runner.pacer.settle(timedelta(seconds=60))
    whole = [c for c in placed if len(world.calls[c].utterances) == 2 * turns and not world.calls[c].live]
    assert len(whole) == count, f"{count - len(whole)} calls are not whole"
