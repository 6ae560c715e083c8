"""Work that waits for simulated time: it holds nobody up, and time waits for it once it is awake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from simulator.clock import Clock, ClockMode
from simulator.errors import Conflict
from simulator.runtime.pacer import Pacer

pytestmark = pytest.mark.anyio
START = datetime(2026, 1, 5, 15, tzinfo=UTC)
PATIENCE = timedelta(seconds=10)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=[ClockMode.MANUAL, ClockMode.AUTO])
async def pacer(request: pytest.FixtureRequest) -> AsyncIterator[Pacer]:
    loop = asyncio.get_running_loop()
    pacer = Pacer(Clock(request.param, START, loop.time), lambda _kind, _data: None)
    yield pacer
    await pacer.stop()


async def test_work_that_waits_is_not_in_flight_and_is_so_again_when_its_time_has_come(pacer: Pacer) -> None:
    seen: list[tuple[datetime, int]] = []

    async def work() -> None:
        for _ in range(3):
            await pacer.sleep(MINUTE)
            seen.append((pacer.clock.now().replace(microsecond=0), pacer.in_flight))

    pacer.track(work())
    await pacer.run_until(lambda: False, PATIENCE)
    assert seen == [(START + n * MINUTE, 1) for n in (1, 2, 3)]
    assert (pacer.in_flight, len(pacer.timers)) == (0, 0)


async def test_time_does_not_go_on_before_whoever_woke_up_has(pacer: Pacer) -> None:
    seen: list[datetime] = []

    async def stranger() -> None:
        await pacer.sleep(MINUTE)
        seen.append(pacer.clock.now().replace(microsecond=0))

    waiting = asyncio.ensure_future(stranger())
    await asyncio.sleep(0)
    pacer.own("other", lambda _key: None)
    pacer.start_timer(("other",), 2 * MINUTE)
    await pacer.advance(timedelta(hours=1), PATIENCE)
    await waiting
    assert seen == [START + MINUTE]
    assert pacer.in_flight == 0


async def test_what_is_cancelled_while_it_waits_leaves_nothing_behind(pacer: Pacer) -> None:
    work = pacer.track(pacer.sleep(MINUTE))
    await asyncio.sleep(0)
    assert len(pacer.timers) == 1
    work.cancel()
    await pacer.settle(PATIENCE)
    assert work.cancelled() and (pacer.in_flight, len(pacer.timers)) == (0, 0)


async def test_one_task_may_wait_for_another(pacer: Pacer) -> None:
    asleep = asyncio.Event()

    async def work() -> None:
        me = asyncio.current_task()
        writer = asyncio.ensure_future(pacer.sleep(MINUTE, me))
        asleep.set()
        await writer

    task = pacer.track(work())
    await asleep.wait()
    await asyncio.sleep(0)
    assert pacer.in_flight == (1 if pacer.clock.mode is ClockMode.AUTO else 0)  # an idle clock has jumped already
    await pacer.run_until(task.done, PATIENCE)
    assert (pacer.clock.now().replace(microsecond=0), pacer.in_flight) == (START + MINUTE, 0)


async def test_a_pacer_that_stops_cancels_its_own_and_lets_strangers_go(pacer: Pacer) -> None:
    own, stranger = pacer.track(pacer.sleep(MINUTE)), asyncio.ensure_future(pacer.sleep(MINUTE))
    await asyncio.sleep(0)
    if pacer.clock.mode is ClockMode.AUTO:
        pacer.hold()  # somebody real is on the line, so that time does not jump
    await pacer.stop()
    assert own.cancelled()
    for late in (stranger, pacer.sleep(MINUTE)):
        with pytest.raises(Conflict, match="nobody waits any more"):
            await late
