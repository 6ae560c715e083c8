"""Six attempts over 20 h 35 min of simulated time."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator

from simulator.clock import ClockMode
from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import CALLER, REPEATS, timed
from tests.helpers.platform import platform
from tests.helpers.receiver import Receiver, answer


def figures() -> Iterator[Figure]:
    yield Figure(
        "the whole retry ladder", asyncio.run(measure()) * 1000, "ms", at_most=20, beside="20 h 35 min simulated"
    )


async def measure() -> float:
    """Seconds to climb it."""
    async with Receiver(answer(503)) as receiver, platform(ClockMode.MANUAL) as p:
        agent = await p.post("/v1/agents", {"name": "A", "enableMessaging": False})
        number = (await p.post("/v1/numbers", {"agentId": agent["id"]}))["phoneNumber"]
        await p.post("/v1/webhooks", {"url": receiver.url})

        async def climb() -> None:
            await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
            await p.runner.run_until_idle()

        await climb()
        times = [await timed(climb) for _ in range(REPEATS)]
        assert len(receiver.requests) == 6 * (REPEATS + 1)
    return statistics.median(times)
