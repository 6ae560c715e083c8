"""The pacer on a loop of virtual time: our timers and everybody else's are in one order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import Clock, ClockMode
from simulator.runtime.in_flight import Key
from simulator.runtime.pacer import Pacer
from simulator.runtime.transport import handling
from simulator.runtime.virtual import VirtualLoop, virtual_loop

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=30)


class Bench:
    """A pacer on the running virtual loop, and a list of what happens when."""

    def __init__(self, mode: ClockMode = ClockMode.AUTO, scale: float = 1.0) -> None:
        loop = virtual_loop()
        assert loop is not None
        self.loop = loop
        self.seen: list[tuple[str, float]] = []
        self.notes: list[str] = []
        self.react: Callable[[str], None] = lambda _name: None
        self.pacer = Pacer(Clock(mode, START, loop.time, scale=scale), lambda kind, _data: self.notes.append(kind))
        self.pacer.own("us", self._fire)
        loop.wanted = lambda: self.pacer.wanted

    def _fire(self, key: Key) -> None:
        self.see(str(key[0]))
        self.react(str(key[0]))

    def see(self, what: str) -> None:
        self.seen.append((what, (self.pacer.clock.now() - START).total_seconds()))

    def timer(self, name: str, seconds: float) -> None:
        self.pacer.start_timer(("us", name), timedelta(seconds=seconds))
        self.pacer.arm()

    def request(self, name: str, *naps: float) -> asyncio.Task[None]:
        async def work() -> None:
            for nap in naps:
                await asyncio.sleep(nap)
                self.see(name)

        return self.pacer.track(work())

    async def over(self) -> list[tuple[str, float]]:
        await self.pacer.run_until(lambda: False, PATIENCE)
        return self.seen


def told(story: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(story())
    finally:
        loop.close()


def test_timers_and_sleeps_are_in_one_order() -> None:
    async def story() -> Any:
        bench = Bench()
        bench.request("handler", 1, 1.5)
        for name, seconds in (("a", 0.5), ("b", 2), ("c", 3)):
            bench.timer(name, seconds)
        return await bench.over()

    assert told(story) == [("a", 0.5), ("handler", 1.0), ("b", 2.0), ("handler", 2.5), ("c", 3.0)]


def test_what_a_timer_sets_in_motion_is_done_before_the_next_timer_of_the_same_instant() -> None:
    async def story() -> Any:
        bench = Bench()

        async def long_winded() -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            bench.see("done")

        bench.react = lambda name: (bench.pacer.track(long_winded()), None)[1] if name == "a" else None
        bench.timer("a", 5)
        bench.timer("b", 5)
        return await bench.over()

    assert told(story) == [("a", 5.0), ("done", 5.0), ("b", 5.0)]


def test_what_comes_at_the_instant_of_a_timer_comes_before_it() -> None:
    async def story() -> Any:
        bench = Bench()

        async def reply() -> None:
            await asyncio.sleep(5)
            bench.pacer.catch_up()  # as whatever comes from outside does
            bench.see("reply")

        bench.timer("a", 5)
        bench.pacer.track(reply())
        return await bench.over()

    assert told(story) == [("reply", 5.0), ("a", 5.0)]


def test_the_clock_stands_still_while_nobody_wants_time_to_pass() -> None:
    async def story() -> Any:
        bench = Bench()
        bench.loop.wanted = lambda: True  # another account's time passes
        await asyncio.sleep(3600)
        bench.see("an hour of others later")
        bench.timer("ours", 5)
        await asyncio.sleep(10)
        bench.see("ten seconds of others later")
        return bench.seen

    assert told(story) == [("an hour of others later", 0.0), ("ours", 5.0), ("ten seconds of others later", 5.0)]


def test_a_live_phone_keeps_timers_from_coming_until_somebody_waits_for_them() -> None:
    async def story() -> Any:
        bench = Bench()
        bench.pacer.hold()
        bench.timer("silence", 60)
        await bench.loop.quiet()
        bench.see("quiet")
        with bench.pacer.waited_for():
            await asyncio.sleep(61)
        bench.see("waited")
        return bench.seen

    assert told(story) == [("quiet", 0.0), ("silence", 60.0), ("waited", 61.0)]


@pytest.mark.parametrize("mode", [ClockMode.AUTO, ClockMode.SYSTEM])
def test_advancing_passes_a_handler_by_that_takes_longer(mode: ClockMode) -> None:
    async def story() -> Any:
        bench = Bench(mode)
        bench.request("handler", 5, 30)
        bench.timer("a", 10)
        await bench.pacer.advance(timedelta(seconds=20), PATIENCE)
        bench.see("there")
        assert (bench.notes, bench.pacer.in_flight) == (["clock.jumped"], 1)
        return bench.seen

    assert told(story) == [("handler", 5.0), ("a", 10.0), ("there", 20.0)]


def test_a_timer_due_at_the_very_end_of_an_advance_fires_and_what_it_starts_as_well() -> None:
    async def story() -> Any:
        bench = Bench()
        bench.react = lambda name: bench.timer("b", 0) if name == "a" else None
        bench.timer("a", 20)
        await bench.pacer.advance(timedelta(seconds=20), PATIENCE)
        bench.see("there")
        return bench.seen

    assert told(story) == [("a", 20.0), ("b", 20.0), ("there", 20.0)]


def test_a_manual_clock_is_not_moved_by_the_loop() -> None:
    async def story() -> Any:
        bench = Bench(ClockMode.MANUAL)
        bench.request("handler", 5)
        bench.timer("a", 3)
        await bench.pacer.settle(PATIENCE)
        bench.see("settled")
        await bench.pacer.advance(timedelta(seconds=3), PATIENCE)
        return bench.seen

    assert told(story) == [("handler", 0.0), ("settled", 0.0), ("a", 3.0)]


def test_a_manual_clock_passes_a_handler_by_after_its_patience_at_no_cost() -> None:
    async def story() -> Any:
        bench = Bench(ClockMode.MANUAL)
        task = bench.request("handler", 3600)
        bench.react = lambda _name: (task.cancel(), None)[1]
        bench.timer("timeout", 30)
        await bench.pacer.advance(timedelta(seconds=31), PATIENCE)
        return bench.seen

    assert told(story) == [("timeout", 30.0)]


def test_a_scaled_clock_runs_as_many_times_faster_than_the_handler() -> None:
    async def story() -> Any:
        bench = Bench(scale=10)
        bench.request("handler", 1)
        bench.timer("a", 9.999)
        bench.timer("b", 10.001)
        return await bench.over()

    assert told(story) == [("a", 9.999), ("handler", 10.0), ("b", 10.001)]


def test_requests_of_a_test_wait_until_everything_has_happened_and_those_of_a_handler_do_not() -> None:
    async def story() -> Any:
        bench = Bench()

        async def request(name: str) -> None:
            if bench.pacer.restless(test=False):
                await bench.pacer.admit()
            bench.see(name)

        async def handler() -> None:
            handling.set(True)
            await asyncio.sleep(1)
            await request("handler's")

        bench.timer("a", 5)
        bench.pacer.track(handler())
        await request("test's")
        return bench.seen

    assert told(story) == [("handler's", 1.0), ("a", 5.0), ("test's", 5.0)]


THINGS = st.lists(st.tuples(st.booleans(), st.integers(1, 10**7)), max_size=12, unique_by=lambda pair: pair[1])


@given(things=THINGS)
def test_everything_happens_at_its_microsecond_and_in_order(things: list[tuple[bool, int]]) -> None:
    async def story() -> Any:
        bench = Bench()
        for ours, micros in things:
            if ours:
                bench.timer(str(micros), micros / 1e6)
            else:
                bench.request(str(micros), micros / 1e6)
        return await bench.over()

    assert told(story) == [(str(micros), micros / 1e6) for _, micros in sorted(things, key=lambda pair: pair[1])]
