"""Signed deliveries, records and journal included, against a bare aiohttp loop posting the same bytes.

The same bytes are the same body under the same headers to the same receiver, as many at once; the bare loop makes
neither body nor headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import aiohttp

from simulator.clock import ClockMode
from simulator.domain.webhooks import DeliveryStatus, Notice
from simulator.world import messages, notices
from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import CALLER, REPEATS, handler, medians, timed
from tests.helpers.platform import platform

COUNT = 2000
AT_ONCE = 32


def figures() -> Iterator[Figure]:
    with handler() as webhook:
        ours, bare = asyncio.run(measure(webhook))
    yield Figure(
        "signed deliveries",
        COUNT / ours,
        "/s",
        yardstick=COUNT / bare,
        beside="bare aiohttp, same bytes",
        at_least=0.75,
    )


async def measure(webhook: str) -> list[float]:
    """Seconds for `COUNT` deliveries: ours, the bare loop's."""
    async with platform(ClockMode.MANUAL) as p, aiohttp.ClientSession() as session:
        _, number = await p.line(webhook)
        world, runner = p.runner.world, p.runner
        body, headers = b"", {}

        due: list[Notice] = []
        for _ in range(COUNT // 2):  # two events for each text
            message, _ = messages.receive(world, from_number=CALLER, to_number=number, body="hello", now=runner.now())
            due += notices.for_message_received(world, message, runner.now())

        async def ours() -> None:
            nonlocal body, headers
            for notice in due:
                runner.notify([notice])
                if runner.pacer.in_flight >= AT_ONCE:
                    await runner.pacer.settle(timedelta(seconds=60))
            await runner.pacer.settle(timedelta(seconds=60))
            last = next(reversed(world.deliveries.values()))
            body, headers = last.body, runner.outbox.headers(last, world.endpoints[None], runner.now())

        async def post() -> None:
            async with session.post(webhook, data=body, headers=headers) as reply:
                await reply.read()

        async def bare() -> None:
            for _ in range(COUNT // AT_ONCE):
                await asyncio.gather(*(post() for _ in range(AT_ONCE)))

        await ours()
        rounds = [(await timed(ours), await timed(bare)) for _ in range(REPEATS)]
        assert all(d.status is DeliveryStatus.SUCCESS for d in world.deliveries.values())
    return medians(rounds)
