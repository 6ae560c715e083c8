from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import Clock, ClockMode
from simulator.errors import StuckHandler
from simulator.runtime import pacer as pacer_module
from simulator.runtime.in_flight import Key
from simulator.runtime.pacer import Pacer

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=5)
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Bench:
    """A pacer that records what fires and when, and lets a test react."""

    def __init__(self, mode: ClockMode, scale: float = 1.0) -> None:
        loop = asyncio.get_running_loop()
        self.fired: list[tuple[Key, float]] = []
        self.notes: list[str] = []
        self.react: Callable[[Key], None] = lambda _key: None
        self.pacer = Pacer(Clock(mode, START, loop.time, scale=scale), self._note)
        self.pacer.own("us", self._fire)

    def _fire(self, key: Key) -> None:
        self.fired.append((key, (self.pacer.clock.now() - START).total_seconds()))
        self.react(key)

    def _note(self, kind: str, _data: dict[str, Any]) -> None:
        self.notes.append(kind)

    def start(self, name: str, seconds: float) -> None:
        self.pacer.start_timer(("us", name), timedelta(seconds=seconds))
        self.pacer.arm()


@pytest.fixture
async def manual() -> AsyncIterator[Bench]:
    bench = Bench(ClockMode.MANUAL)
    yield bench
    await bench.pacer.stop()


@pytest.fixture
async def auto() -> AsyncIterator[Bench]:
    bench = Bench(ClockMode.AUTO)
    yield bench
    await bench.pacer.stop()


async def test_manual_time_moves_only_when_told(manual: Bench) -> None:
    manual.start("a", 10)
    await manual.pacer.advance(timedelta(seconds=9.5), PATIENCE)
    assert manual.fired == []
    await manual.pacer.advance(timedelta(seconds=0.5), PATIENCE)
    assert manual.fired == [(("a",), 10.0)]


async def test_each_timer_fires_at_its_own_instant_and_time_ends_at_the_target(manual: Bench) -> None:
    for name, seconds in (("b", 7), ("a", 3), ("c", 7)):
        manual.start(name, seconds)
    await manual.pacer.advance(timedelta(hours=1), PATIENCE)
    assert manual.fired == [(("a",), 3.0), (("b",), 7.0), (("c",), 7.0)]
    assert manual.pacer.clock.now() == START + timedelta(hours=1)


async def test_a_timer_started_by_a_timer_fires_within_the_same_advance(manual: Bench) -> None:
    manual.react = lambda key: manual.start("second", 5) if key == ("first",) else None
    manual.start("first", 5)
    await manual.pacer.advance(timedelta(seconds=10), PATIENCE)
    assert manual.fired == [(("first",), 5.0), (("second",), 10.0)]


async def test_a_timer_that_is_started_again_for_the_same_instant_keeps_its_place(manual: Bench) -> None:
    for name in ("a", "b", "a"):
        manual.start(name, 5)
    await manual.pacer.advance(timedelta(seconds=5), PATIENCE)
    assert [key for key, _ in manual.fired] == [("a",), ("b",)]


async def test_auto_time_jumps_to_the_next_timer_when_idle(auto: Bench) -> None:
    done = asyncio.Event()
    auto.react = lambda key: done.set() if key == ("day",) else None
    auto.start("minute", 60)
    auto.start("day", 86_400)
    await done.wait()
    assert auto.fired == [(("minute",), 60.0), (("day",), 86_400.0)]
    assert auto.notes == []  # every timer that fires is an entry of its own


async def test_time_that_was_moved_by_request_is_noted(auto: Bench) -> None:
    auto.start("minute", 60)
    await auto.pacer.advance(timedelta(seconds=90), PATIENCE)
    assert auto.notes == ["clock.jumped"]


async def test_auto_time_does_not_jump_while_something_is_in_flight(auto: Bench) -> None:
    gate = asyncio.Event()
    done = asyncio.Event()
    auto.react = lambda _key: done.set()

    async def work() -> None:
        await gate.wait()

    auto.pacer.track(work())
    auto.start("hour", 3600)
    for _ in range(50):  # every chance to jump by mistake
        await asyncio.sleep(0)
    assert auto.fired == []
    assert auto.pacer.clock.flowing
    gate.set()
    await done.wait()
    assert auto.fired[0][0] == ("hour",)
    assert not auto.pacer.clock.flowing


async def test_a_hold_keeps_auto_time_flowing_until_released(auto: Bench) -> None:
    done = asyncio.Event()
    auto.react = lambda _key: done.set()
    auto.pacer.hold()
    auto.start("hour", 3600)
    for _ in range(50):
        await asyncio.sleep(0)
    assert auto.fired == []
    auto.pacer.release()
    await done.wait()
    assert auto.fired[0][0] == ("hour",)


async def test_time_passes_an_impatiently_awaited_handler_by(manual: Bench) -> None:
    forever = asyncio.Event()

    async def stuck() -> None:
        await forever.wait()

    task = manual.pacer.track(stuck())
    manual.react = lambda _key: (task.cancel(), None)[1]
    manual.start("timeout", 30)
    await manual.pacer.advance(timedelta(seconds=31), timedelta())
    assert manual.fired == [(("timeout",), 30.0)]
    assert task.cancelled()


async def test_run_until_stops_as_soon_as_it_is_done(manual: Bench) -> None:
    for second in (1, 2, 3):
        manual.start(f"t{second}", second)
    await manual.pacer.run_until(lambda: len(manual.fired) == 2, PATIENCE)
    assert [key for key, _ in manual.fired] == [("t1",), ("t2",)]


async def test_a_timer_that_starts_itself_for_ever_is_a_named_error(
    manual: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacer_module, "MAX_JUMPS", 20)
    manual.react = lambda key: manual.start(str(key[0]), 1)
    manual.start("again", 1)
    with pytest.raises(StuckHandler, match="still being started"):
        await manual.pacer.run_until(lambda: False, PATIENCE)


async def test_changing_the_mode_keeps_the_instant_and_the_timers(manual: Bench) -> None:
    done = asyncio.Event()
    manual.react = lambda _key: done.set()
    manual.start("soon", 600)
    manual.pacer.set_mode(ClockMode.AUTO, 1.0)
    assert manual.pacer.clock.now() == START
    await done.wait()
    assert manual.fired == [(("soon",), 600.0)]


async def test_system_time_can_be_advanced_too() -> None:
    bench = Bench(ClockMode.SYSTEM)
    bench.start("later", 5000)
    await bench.pacer.advance(timedelta(seconds=6000), PATIENCE)
    assert [key for key, _ in bench.fired] == [("later",)]
    assert bench.pacer.clock.now() >= START + timedelta(seconds=6000)
    await bench.pacer.stop()


async def test_scaled_system_time_fires_on_real_time() -> None:
    bench = Bench(ClockMode.SYSTEM, scale=1_000_000)
    done = asyncio.Event()
    bench.react = lambda _key: done.set()
    bench.start("hour", 3600)
    await done.wait()
    assert bench.fired[0][1] >= 3600
    await bench.pacer.stop()


async def test_work_that_fails_is_reported_not_swallowed(auto: Bench) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    async def broken() -> None:
        raise ValueError("boom")

    task = auto.pacer.track(broken())
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert isinstance(reported[0]["exception"], ValueError)


async def test_nothing_fires_after_stop(auto: Bench) -> None:
    auto.pacer.hold()
    auto.start("late", 5)
    await auto.pacer.stop()
    auto.pacer.release()
    for _ in range(20):
        await asyncio.sleep(0)
    assert auto.fired == []


@given(
    delays=st.lists(st.floats(0, 1e6, allow_nan=False), max_size=30), cuts=st.lists(st.floats(0.001, 1e6), max_size=5)
)
def test_timers_fire_in_order_whatever_the_steps(delays: list[float], cuts: list[float]) -> None:
    async def story() -> list[tuple[Key, float]]:
        bench = Bench(ClockMode.MANUAL)
        for index, delay in enumerate(delays):
            bench.start(str(index), delay)
        for cut in cuts:
            await bench.pacer.advance(timedelta(seconds=cut), PATIENCE)
        await bench.pacer.run_until(lambda: False, PATIENCE)
        await bench.pacer.stop()
        return bench.fired

    fired = asyncio.run(story())
    moments = [timedelta(seconds=delay) for delay in delays]
    expected = sorted(range(len(delays)), key=lambda i: (moments[i], i))
    assert [key for key, _ in fired] == [(str(i),) for i in expected]
    assert [at for _, at in fired] == [moments[i].total_seconds() for i in expected]


async def test_a_timer_whose_work_fails_does_not_stop_time() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    bench = Bench(ClockMode.AUTO)
    done = asyncio.Event()

    def react(key: Key) -> None:
        if key == ("bad",):
            raise ValueError("boom")
        done.set()

    bench.react = react
    bench.start("bad", 1)
    bench.start("good", 2)
    await done.wait()
    assert [key for key, _ in bench.fired] == [("bad",), ("good",)]
    assert isinstance(reported[0]["exception"], ValueError)
    await bench.pacer.stop()


async def test_what_was_cancelled_is_waited_for_even_without_patience(manual: Bench) -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):  # closing a connection takes some turns of the loop
                await asyncio.sleep(0)
            cleaned.append("closed")

    task = manual.pacer.track(work())
    await asyncio.sleep(0)
    manual.react = lambda _key: (task.cancel(), None)[1]
    manual.start("timeout", 30)
    await manual.pacer.advance(timedelta(seconds=30), timedelta())
    assert cleaned == ["closed"]


async def test_nobody_starts_a_timer_for_an_owner_that_is_gone(manual: Bench) -> None:
    manual.start("before", 1)
    manual.pacer.disown("us")
    manual.start("after", 1)
    assert len(manual.pacer.timers) == 0
    await manual.pacer.advance(timedelta(seconds=2), timedelta())
    assert manual.fired == []


async def test_the_timers_of_others_stay_when_one_owner_goes(manual: Bench) -> None:
    manual.pacer.own("them", lambda _key: None)
    manual.pacer.start_timer(("them", "theirs"), timedelta(seconds=1))
    manual.start("ours", 1)
    manual.pacer.disown("them")
    await manual.pacer.advance(timedelta(seconds=2), timedelta())
    assert manual.fired == [(("ours",), 1.0)]


# -- time that follows real time -------------------------------------------------------------------------------


def due(bench: Bench) -> list[tuple[str, float]]:
    return [(str(key[0]), at) for key, at in bench.fired]


class Late:
    """Real seconds that a test turns by hand: a loop that gets everywhere too late."""

    def __init__(self, bench: Bench) -> None:
        self.seconds = 0.0
        bench.pacer._loop = asyncio.get_running_loop()
        bench.pacer.clock._source = lambda: self.seconds
        bench.pacer.clock._flowing_since = 0.0


@pytest.fixture
async def system() -> AsyncIterator[Bench]:
    bench = Bench(ClockMode.SYSTEM)
    yield bench
    await bench.pacer.stop()


async def test_a_timer_that_fires_late_sees_its_own_deadline(system: Bench) -> None:
    real = Late(system)
    system.start("a", 0.28)
    real.seconds = 5.0
    system.pacer.catch_up()
    assert due(system) == [("a", 0.28)]
    assert system.pacer.clock.now() == START + timedelta(seconds=5)


async def test_a_timer_started_by_a_late_one_counts_from_its_deadline(system: Bench) -> None:
    real = Late(system)
    system.react = lambda key: system.start("second", 0.5) if key == ("first",) else None
    system.start("first", 0.28)
    real.seconds = 5.0
    for _ in range(2):
        system.pacer.catch_up()
    assert due(system) == [("first", 0.28), ("second", 0.78)]


async def test_what_is_pinned_within_what_is_pinned_ends_where_it_began(system: Bench) -> None:
    real, clock = Late(system), system.pacer.clock
    with clock.at(START + timedelta(seconds=1)):
        real.seconds = 5.0
        with clock.at(START + timedelta(seconds=2)):
            assert clock.now() == START + timedelta(seconds=2)
        assert clock.now() == START + timedelta(seconds=1)
    assert clock.now() == START + timedelta(seconds=5)


async def test_nobody_sees_an_instant_behind_a_timer_that_has_not_fired(system: Bench) -> None:
    real = Late(system)
    system.start("a", 1)
    system.start("b", 2)
    real.seconds = 5.0
    assert system.pacer.clock.now() == START + timedelta(seconds=1)
    system.pacer.timers.stop(("us", "a"))
    assert system.pacer.clock.now() == START + timedelta(seconds=2)


async def test_an_auto_clock_that_flows_fires_at_the_deadlines_too(auto: Bench) -> None:
    done = asyncio.Event()
    auto.react = lambda key: done.set() if key == ("c",) else None
    for name, seconds in (("a", 0.001), ("b", 0.0015), ("c", 0.002)):
        auto.start(name, seconds)
    auto.pacer.hold()
    await done.wait()
    assert due(auto) == [("a", 0.001), ("b", 0.0015), ("c", 0.002)]


async def test_a_clock_that_stops_in_a_late_timer_stops_at_its_deadline(auto: Bench) -> None:
    done = asyncio.Event()
    auto.start("a", 0.001)
    auto.pacer.hold()
    auto.react = lambda _key: (auto.pacer.release(), done.set())[1]
    await done.wait()
    assert auto.pacer.clock.now() == START + timedelta(milliseconds=1)


async def test_catching_up_reports_work_that_fails_and_goes_on(system: Bench) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    real = Late(system)
    system.react = lambda key: 1 / 0 if key == ("bad",) else None  # type: ignore[assignment, return-value]
    system.start("bad", 1)
    system.start("good", 2)
    real.seconds = 5.0
    system.pacer.catch_up()
    assert due(system) == [("bad", 1.0), ("good", 2.0)]
    assert isinstance(reported[0]["exception"], ZeroDivisionError)


async def test_a_timer_that_fires_cannot_make_others_fire_inside_it(system: Bench) -> None:
    real = Late(system)
    seen: list[str] = []

    def react(key: Key) -> None:
        seen.append(f"{key[0]} begins")
        system.pacer.catch_up()
        seen.append(f"{key[0]} ends")

    system.react = react
    system.start("a", 1)
    system.start("b", 1)
    real.seconds = 5.0
    system.pacer.catch_up()
    assert seen == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_timer_cannot_be_due_in_the_past(system: Bench) -> None:
    real = Late(system)
    real.seconds = 5.0
    assert system.pacer.start_timer(("us", "a"), timedelta(seconds=-3)) == START + timedelta(seconds=5)
    assert system.pacer.clock.now() == START + timedelta(seconds=5)


class Story:
    """Timers of a system clock under a loop that comes late; everything it sees is checked."""

    def __init__(self, follow: dict[int, int]) -> None:
        self.bench = Bench(ClockMode.SYSTEM)
        self.real = Late(self.bench)
        self.seen = [START]
        self.deadlines: dict[str, datetime] = {}
        self.follow = follow
        self.bench.react = self.react

    def start(self, name: str, seconds: int) -> None:
        self.deadlines[name] = self.bench.pacer.start_timer(("us", name), timedelta(seconds=seconds))

    def react(self, key: Key) -> None:
        name = str(key[0])
        self.look()
        assert self.seen[-1] == self.deadlines.pop(name)
        if name.isdecimal() and (after := self.follow.get(int(name))) is not None:
            self.start(f"{name}+", after)

    def look(self) -> None:
        self.seen.append(self.bench.pacer.clock.now())
        assert self.seen[-1] >= self.seen[-2]

    def take(self, what: str, number: int) -> None:
        if what == "start":
            self.start(str(number % 10), number)
        elif what == "pass":
            self.real.seconds += number
        elif what == "stop":
            self.bench.pacer.timers.stop(("us", str(number)))
            self.deadlines.pop(str(number), None)
        else:
            self.bench.pacer.catch_up()
        self.look()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.integers(0, 30)),
        st.tuples(st.just("pass"), st.integers(0, 40)),
        st.tuples(st.just("event"), st.just(0)),
        st.tuples(st.just("stop"), st.integers(0, 9)),
    ),
    max_size=40,
)


@given(steps=STEPS, follow=st.dictionaries(st.integers(0, 9), st.integers(0, 20), max_size=4))
def test_time_never_runs_back_and_every_timer_sees_its_deadline(
    steps: list[tuple[str, int]], follow: dict[int, int]
) -> None:
    async def told() -> None:
        story = Story(follow)
        for what, number in steps:
            story.take(what, number)
        story.real.seconds += 100
        for _ in range(5):  # one time fires as many as there were when it began
            story.take("event", 0)
        assert story.deadlines == {}
        assert story.bench.pacer.clock.now() == START + timedelta(seconds=story.real.seconds)
        await story.bench.pacer.stop()

    asyncio.run(told())


async def test_a_busy_loop_fires_in_order_each_at_its_own_instant() -> None:
    bench = Bench(ClockMode.SYSTEM, scale=1000)
    done = asyncio.Event()
    bench.react = lambda key: done.set() if key == ("59",) else None
    deadlines = [bench.pacer.start_timer(("us", str(n)), timedelta(seconds=n + 1)) for n in range(60)]
    bench.pacer.arm()
    sum(range(300_000))  # work that keeps the loop from them
    await done.wait()
    assert due(bench) == [(str(n), (at - START).total_seconds()) for n, at in enumerate(deadlines)]
    await bench.pacer.stop()


async def test_an_auto_clock_is_at_rest_when_its_last_timer_has_fired_and_nothing_is_in_flight(auto: Bench) -> None:
    done = asyncio.Event()
    auto.react = lambda _key: None if auto.fired[1:] else auto.start("second", 60)

    async def post() -> None:
        await done.wait()

    auto.start("first", 3600)
    auto.pacer.track(post())
    assert not auto.pacer.at_rest
    done.set()
    await auto.pacer.watch(lambda: auto.pacer.at_rest)
    assert [(key[0], round(at)) for key, at in auto.fired] == [("first", 3600), ("second", 3660)]


async def test_an_auto_clock_is_at_rest_with_timers_while_somebody_real_is_on_the_line(auto: Bench) -> None:
    auto.pacer.hold()
    auto.start("silence", 3600)
    assert auto.pacer.at_rest
    under_way = auto.pacer.track(asyncio.sleep(0))
    assert not auto.pacer.at_rest
    await under_way
    await auto.pacer.watch(lambda: auto.pacer.at_rest)
    auto.pacer.release()
    assert not auto.pacer.at_rest


async def test_a_manual_clock_is_at_rest_with_its_timers(manual: Bench) -> None:
    manual.start("later", 3600)
    assert manual.pacer.at_rest
