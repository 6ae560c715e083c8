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
from tests.benchmarks.measuring import CALLER, handler, medians, timed
from tests.helpers.platform import platform

TEXTS = 192  # of a round; each is two events
AT_ONCE = 32
ROUNDS = 25  # short ones, so that whatever else the machine does falls on both alike


def figures() -> Iterator[Figure]:
    with handler() as webhook:
        ours, bare = (2 * TEXTS / seconds for seconds in asyncio.run(measure(webhook)))
    yield Figure("signed deliveries", ours, "/s", yardstick=bare, beside="bare aiohttp, same bytes", at_least=0.75)


async def measure(webhook: str) -> list[float]:
    """Seconds for a round of deliveries: ours, the bare loop's."""
    async with platform(ClockMode.MANUAL) as p, aiohttp.ClientSession() as session:
        _, number = await p.line(webhook)
        world, runner = p.runner.world, p.runner
        body, headers = b"", {}

        def arrive() -> list[Notice]:
            message, _ = messages.receive(world, from_number=CALLER, to_number=number, body="hello", now=runner.now())
            return notices.for_message_received(world, message, runner.now())

        async def ours(due: list[list[Notice]]) -> None:
            for pair in due:
                runner.notify(pair)
                if runner.pacer.in_flight >= AT_ONCE:
                    await runner.pacer.settle(timedelta(seconds=60))

        async def post() -> None:
            async with session.post(webhook, data=body, headers=headers) as reply:
                await reply.read()

        async def bare() -> None:
            for _ in range(2 * TEXTS // AT_ONCE):
                await asyncio.gather(*(post() for _ in range(AT_ONCE)))

        rounds = []
        for _ in range(ROUNDS + 1):
            due = [arrive() for _ in range(TEXTS)]
            seconds = await timed(lambda due=due: ours(due))
            last = next(reversed(world.deliveries.values()))
            body, headers = last.body, runner.outbox.headers(last, world.endpoints[None], runner.now())
            rounds.append((seconds, await timed(bare)))
        assert all(d.status is DeliveryStatus.SUCCESS for d in world.deliveries.values())
    return medians(rounds[1:])
