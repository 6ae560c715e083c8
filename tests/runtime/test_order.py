from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.runtime.order import Order
from simulator.runtime.virtual import VirtualLoop, virtual_loop

GRACE = timedelta(seconds=5)


class Wire:
    """Requests whose news comes when a test says.

    The loop's time is simulated, so that nothing takes long. To the order it is real time, unless it is told better.
    """

    def __init__(self, grace: timedelta = GRACE, *, virtual: bool = False) -> None:
        loop = virtual_loop()
        assert loop is not None
        self.loop = loop
        self.ended: list[float] = []  # when time stood still no longer
        over: Callable[[], None] = lambda: self.ended.append(loop.time())  # noqa: E731
        self.order = Order(loop, grace, over, loop if virtual else None)
        self.taken: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, *news: float) -> None:
        """Begin a request; each of its news comes so many seconds after the one before it."""
        task = self.loop.create_task(self._request(name, news))
        self.order.join(task)
        self.order.stir()
        task.add_done_callback(self._landed)
        self.tasks.append(task)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self.order.leave(task)
        if all(task.done() for task in self.tasks):
            self.order.rest()

    async def _request(self, name: str, news: tuple[float, ...]) -> None:
        for number, delay in enumerate(news):
            await asyncio.sleep(delay)
            await self.order.turn()
            self.taken.append(f"{name}{number}")

    async def done(self) -> list[str]:
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.taken


def told(story: Coroutine[Any, Any, Any]) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(story)
    finally:
        loop.close()


async def both(wire: Wire, first: tuple[float, ...], second: tuple[float, ...]) -> list[str]:
    wire.start("a", *first)
    wire.start("b", *second)
    return await wire.done()


def test_without_a_grace_everything_is_taken_in_when_it_comes() -> None:
    async def story() -> list[str]:
        wire = Wire(timedelta())
        taken = await both(wire, (2, 2), (1, 2))
        assert (wire.order.standing, wire.ended) == (False, [])
        return taken

    assert told(story()) == ["b0", "a0", "b1", "a1"]


def test_news_of_a_later_request_waits_until_the_earlier_one_has_ended() -> None:
    async def story() -> list[str]:
        return await both(Wire(), (2, 2), (1, 1))

    assert told(story()) == ["a0", "a1", "b0", "b1"]


def test_when_the_grace_is_over_all_that_waits_is_taken_in_and_nobody_waits_any_more() -> None:
    async def story() -> list[str]:
        wire = Wire()
        wire.start("late", 60)
        wire.start("b", 3, 10)
        wire.start("c", 2, 10)
        taken = await wire.done()
        assert wire.ended[0] == 3 + 5  # the latest news was that of b
        return taken

    assert told(story()) == ["b0", "c0", "b1", "c1", "late0"]


def test_a_request_that_starts_after_the_grace_does_not_wait_for_those_before_it() -> None:
    async def story() -> list[str]:
        wire = Wire()
        wire.start("late", 60)
        await asyncio.sleep(30)
        wire.start("b", 2, 2)
        wire.start("c", 1)
        return await wire.done()

    assert told(story()) == ["b0", "b1", "c0", "late0"]


def test_time_stands_still_from_the_latest_news_on() -> None:
    async def story() -> list[float]:
        wire = Wire()
        wire.start("a", 4, 4, 4, 20)
        standing = []
        for _ in range(4):
            standing.append(wire.order.standing)
            await asyncio.sleep(4)
        await asyncio.sleep(2)
        assert standing == [True] * 4
        assert wire.order.standing is False
        await wire.done()
        return wire.ended

    assert told(story()) == [12 + 5]


def test_time_that_stood_still_does_not_when_nothing_is_in_flight() -> None:
    async def story() -> None:
        wire = Wire()
        wire.start("a", 1)
        await wire.done()
        assert wire.order.standing is False
        await asyncio.sleep(60)
        assert wire.ended == []

    told(story())


def test_a_request_that_is_cancelled_while_it_waits_lets_the_next_one_go_on() -> None:
    async def story() -> list[str]:
        wire = Wire()
        wire.start("a", 3)
        wire.start("b", 1)
        wire.start("c", 1)
        await asyncio.sleep(2)
        wire.tasks[1].cancel()
        return await wire.done()

    assert told(story()) == ["a0", "c0"]


def test_on_a_virtual_loop_nobody_waits_for_what_only_time_will_bring() -> None:
    async def story() -> list[str]:
        wire = Wire(virtual=True)
        taken = await both(wire, (0, 2), (0, 1))
        assert wire.ended[0] == 0
        return taken

    assert told(story()) == ["a0", "b0", "b1", "a1"]


def test_on_a_virtual_loop_turns_of_the_loop_do_not_count() -> None:
    async def story() -> list[str]:
        wire = Wire(virtual=True)

        async def long_winded(name: str, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await wire.order.turn()
            wire.taken.append(name)

        for name, turns in (("a", 20), ("b", 0), ("c", 7)):
            task = wire.loop.create_task(long_winded(name, turns))
            wire.order.join(task)
            wire.order.stir()
            task.add_done_callback(wire._landed)
            wire.tasks.append(task)
        return await wire.done()

    assert told(story()) == ["a", "b", "c"]


@pytest.mark.parametrize("virtual", [False, True])
@given(data=st.data())
def test_within_the_grace_the_order_is_that_of_the_requests_whatever_comes_first(
    virtual: bool, data: st.DataObject
) -> None:
    delay = st.just(0.0) if virtual else st.floats(0.001, 1)
    delays = data.draw(st.lists(st.lists(delay, min_size=1, max_size=4), min_size=1, max_size=5))

    async def story() -> list[str]:
        wire = Wire(timedelta(seconds=5), virtual=virtual)
        for number, news in enumerate(delays):
            wire.start(f"{number}.", *news)
        return await wire.done()

    assert told(story()) == [f"{number}.{piece}" for number, news in enumerate(delays) for piece in range(len(news))]
