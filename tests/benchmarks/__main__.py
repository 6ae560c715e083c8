"""Speed and memory as ratios measured in one run: `python -m tests.benchmarks`.

Absolute numbers on a shared machine say little, so every figure stands beside a yardstick that was measured between its
own repeats: ours, yardstick, ours, yardstick … The medians are compared. Nothing here is a test; nothing here can fail.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table

from simulator.clock import ClockMode
from simulator.domain.webhooks import DeliveryStatus, Notice
from simulator.engine.script import Say
from simulator.settings import DEFAULT_API_KEY
from simulator.world import calls, messages, notices
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Receiver, answer

HERE = Path(__file__).parent
KEY = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
CALLER = "+14155550150"
REPEATS = 5
SERVE = [sys.executable, "-m", "simulator", "serve", "--port", "0"]
LEAN = [sys.executable, str(HERE / "lean.py")]

Row = tuple[str, str, str, str]


@contextmanager
def process(argv: list[str], word: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A child that prints `word URL` when it is ready."""
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        line = next(line for line in child.stdout if line.startswith(word))
        yield line.split()[-1], child
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def start_up() -> Iterator[Row]:
    """From starting the command to its first answer, against the lean application; and memory then."""
    ours: list[float] = []
    lean: list[float] = []
    memory = 0.0
    for _ in range(REPEATS + 1):
        for argv, times in ((SERVE, ours), (LEAN, lean)):
            began = time.perf_counter()
            with process(argv, "ready") as (url, child):
                httpx.get(f"{url}/_sim/health")
                times.append(time.perf_counter() - began)
                memory = resident(child.pid) if times is ours else memory
    a, b = statistics.median(ours[1:]), statistics.median(lean[1:])
    yield "start to first answer", f"{a:.2f} s", f"{b:.2f} s (lean Starlette app)", f"{a / b:.2f} x"
    yield "memory at start", f"{memory:.0f} MiB", "70 MiB (budget)", f"{memory / 70:.2f} x"


def server_seconds(url: str, child: subprocess.Popen[str], path: str, count: int) -> float:
    """The server's own processor time per request, so that the client's cost does not dilute the ratio."""
    tick = os.sysconf("SC_CLK_TCK")

    def spent() -> float:
        fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / tick

    with httpx.Client(base_url=url, headers=KEY) as client:
        for _ in range(50):
            client.get(path).raise_for_status()
        before = spent()
        for _ in range(count):
            client.get(path)
        return (spent() - before) / count


def reads() -> Iterator[Row]:
    """`GET /v1/agents/{id}` through the whole table, against one route answering the same bytes."""
    with process(SERVE, "ready") as (url, server), tempfile.TemporaryDirectory() as folder:
        made = httpx.post(f"{url}/v1/agents", json={"name": "Support"}, headers=KEY).json()
        path = f"/v1/agents/{made['id']}"
        body = Path(folder, "body")
        body.write_bytes(httpx.get(url + path, headers=KEY).content)
        with process([*LEAN, str(body)], "ready") as (lean_url, lean_server):
            pairs = [
                (server_seconds(url, server, path, 2000), server_seconds(lean_url, lean_server, path, 2000))
                for _ in range(REPEATS)
            ]
    a, b = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    yield "GET /v1/agents/{id}, server time", f"{a:.0f} us", f"{b:.0f} us (one route, same bytes)", f"{b / a:.0%}"


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def deliveries(webhook: str, count: int = 2000) -> Iterator[Row]:
    """Signed deliveries, records and journal included, against a bare aiohttp loop posting the same bytes.

    The same bytes are the same body under the same headers; the bare loop makes neither.
    """
    async with platform(ClockMode.MANUAL) as p, aiohttp.ClientSession() as session:
        _, number = await p.line(webhook)
        world, runner = p.runner.world, p.runner
        body, headers = b"", {}

        due: list[Notice] = []
        for _ in range(count // 2):  # two events for each text
            message, _ = messages.receive(world, from_number=CALLER, to_number=number, body="hello", now=runner.now())
            due += notices.for_message_received(world, message, runner.now())

        async def ours() -> None:
            nonlocal body, headers
            for notice in due:
                runner.notify([notice])
                if runner.pacer.in_flight >= 32:
                    await runner.pacer.settle(timedelta(seconds=60))
            await runner.pacer.settle(timedelta(seconds=60))
            last = next(reversed(world.deliveries.values()))
            body, headers = last.body, runner.outbox.headers(last, world.endpoints[None], runner.now())

        async def post() -> None:
            async with session.post(webhook, data=body, headers=headers) as reply:
                await reply.read()

        async def bare() -> None:
            for _ in range(count // 32):
                await asyncio.gather(*(post() for _ in range(32)))

        await ours()
        pairs = [(await timed(ours), await timed(bare)) for _ in range(REPEATS)]
        assert all(d.status is DeliveryStatus.SUCCESS for d in world.deliveries.values())
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    return iter(
        [("signed deliveries", f"{count / a:,.0f}/s", f"{count / b:,.0f}/s (bare aiohttp, same bytes)", f"{b / a:.0%}")]
    )


async def ladder() -> Iterator[Row]:
    """Six attempts over 20 h 35 min of simulated time."""
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
    a = statistics.median(times)
    return iter([("the whole retry ladder", f"{a * 1000:.0f} ms", "20 h 35 min simulated", f"1 : {74_100 / a:,.0f}")])


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


async def conversations(webhook: str) -> Iterator[Row]:
    """One call of twenty turns; then 2,000 calls at once."""
    async with platform(ClockMode.AUTO) as p:
        _, number = await p.line(webhook, maxSilenceMs=3_600_000)
        await talk(p, number, 1, 20)
        single = statistics.median([await timed(lambda: talk(p, number, 1, 20)) for _ in range(REPEATS)])
        before = resident(os.getpid())
        many = await timed(lambda: talk(p, number, 2000, 5))
        each = (resident(os.getpid()) - before) * 1024 / 2000
    return iter(
        [
            ("one call of 20 turns, over sockets", f"{single * 1000:.0f} ms", "20 ms (budget, in process)", "-"),
            ("2,000 calls of 5 turns at once", f"{many:.1f} s, all whole", "-", f"{2000 / many:,.0f} calls/s"),
            ("memory of a call", f"{each:.0f} KiB", "60 KiB (budget)", f"{each / 60:.2f} x"),
        ]
    )


def main() -> None:
    table = Table(title="ours beside a yardstick, medians of one run")
    for name in ("what", "ours", "yardstick", "ratio"):
        table.add_column(name)
    rows = [*start_up(), *reads()]
    with process([sys.executable, str(HERE / "handler.py")], "listening") as (webhook, _):
        rows += asyncio.run(deliveries(webhook))
        rows += asyncio.run(ladder())
        rows += asyncio.run(conversations(webhook))
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
