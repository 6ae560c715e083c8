from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulator.clock import Clock, ClockMode, Timers

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Real:
    """Real seconds that a test turns by hand."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def make(mode: ClockMode, scale: float = 1.0) -> tuple[Clock, Real]:
    real = Real()
    return Clock(mode, START, real, scale=scale), real


@pytest.mark.parametrize("mode", ClockMode)
def test_a_clock_begins_at_its_start(mode: ClockMode) -> None:
    assert make(mode)[0].now() == START


def test_a_system_clock_follows_real_time_at_its_scale() -> None:
    clock, real = make(ClockMode.SYSTEM, scale=60)
    real.seconds += 2
    assert clock.now() == START + timedelta(minutes=2)


def test_a_system_clock_cannot_be_frozen() -> None:
    clock, real = make(ClockMode.SYSTEM)
    clock.freeze()
    real.seconds += 5
    assert clock.flowing
    assert clock.now() == START + 5 * SECOND


def test_a_manual_clock_cannot_be_made_to_flow() -> None:
    clock, real = make(ClockMode.MANUAL)
    clock.flow()
    real.seconds += 5
    assert not clock.flowing
    assert clock.now() == START


def test_time_that_flows_stops_at_the_limit() -> None:
    clock, real = make(ClockMode.SYSTEM)
    clock.limit = lambda: START + 3 * SECOND
    real.seconds += 2
    assert clock.now() == START + 2 * SECOND
    real.seconds += 2
    assert clock.now() == START + 3 * SECOND
    clock.limit = lambda: None
    assert clock.now() == START + 4 * SECOND


def test_a_limit_in_the_past_does_not_turn_time_back() -> None:
    clock, _ = make(ClockMode.SYSTEM)
    clock.limit = lambda: START - SECOND
    assert clock.now() == START


def test_a_clock_that_stops_within_an_instant_stops_there() -> None:
    clock, real = make(ClockMode.AUTO)
    clock.flow()
    real.seconds += 5
    with clock.at(START + SECOND):
        assert clock.now() == START + SECOND
        clock.freeze()
    assert clock.now() == START + SECOND


def test_time_goes_on_after_an_instant_even_when_what_happened_in_it_failed() -> None:
    clock, real = make(ClockMode.SYSTEM)
    real.seconds += 5
    with pytest.raises(ZeroDivisionError), clock.at(START + SECOND):
        raise ZeroDivisionError
    assert clock.now() == START + 5 * SECOND


def test_an_auto_clock_flows_only_between_flow_and_freeze() -> None:
    clock, real = make(ClockMode.AUTO, scale=2)
    real.seconds += 5
    assert clock.now() == START
    clock.flow()
    real.seconds += 3
    assert clock.now() == START + 6 * SECOND
    clock.freeze()
    real.seconds += 100
    assert clock.now() == START + 6 * SECOND


def test_flow_and_freeze_may_be_repeated() -> None:
    clock, real = make(ClockMode.AUTO)
    for _ in range(3):
        clock.flow()
        clock.flow()
        real.seconds += 1
        clock.freeze()
        clock.freeze()
    assert clock.now() == START + 3 * SECOND


@pytest.mark.parametrize("mode", ClockMode)
def test_a_jump_lands_exactly_where_it_was_aimed(mode: ClockMode) -> None:
    clock, real = make(mode)
    real.seconds += 0.123
    clock.jump(START + timedelta(hours=12))
    assert clock.now() == START + timedelta(hours=12)


def test_a_jump_into_the_past_does_nothing() -> None:
    clock, real = make(ClockMode.SYSTEM)
    real.seconds += 10
    clock.jump(START + 3 * SECOND)
    assert clock.now() == START + 10 * SECOND


def test_time_flows_on_after_a_jump() -> None:
    clock, real = make(ClockMode.AUTO, scale=10)
    clock.flow()
    real.seconds += 1
    clock.jump(START + 60 * SECOND)
    real.seconds += 1
    assert clock.now() == START + 70 * SECOND


def test_the_real_delay_is_scaled_and_never_negative() -> None:
    clock, real = make(ClockMode.SYSTEM, scale=4)
    assert clock.real_delay(START + 8 * SECOND) == 2.0
    real.seconds += 1
    assert clock.real_delay(START + 8 * SECOND) == 1.0
    assert clock.real_delay(START) == 0.0


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf, -math.inf])
def test_a_scale_that_is_no_number_above_zero_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        Clock(ClockMode.SYSTEM, START, Real(), scale=scale)


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Clock(ClockMode.SYSTEM, START.replace(tzinfo=None), Real())


def test_a_start_elsewhere_is_told_in_utc() -> None:
    there = datetime(2026, 1, 5, 20, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    now = Clock(ClockMode.MANUAL, there, Real()).now()
    assert (now, now.tzinfo) == (START, UTC)


def test_no_hour_is_lost_when_the_place_of_the_start_changes_to_summer_time() -> None:
    # New York, 2026-03-08: at 02:00 the clocks went to 03:00.
    start = datetime(2026, 3, 8, 1, 0, tzinfo=ZoneInfo("America/New_York"))
    real = Real()
    clock = Clock(ClockMode.SYSTEM, start, real)
    real.seconds += 7200
    assert clock.now() == datetime(2026, 3, 8, 8, 0, tzinfo=UTC)


def test_a_jump_to_local_time_is_told_in_utc() -> None:
    clock, _ = make(ClockMode.MANUAL)
    clock.jump(datetime(2026, 3, 8, 1, 0, tzinfo=ZoneInfo("America/New_York")))
    assert clock.now().tzinfo is UTC


@given(
    mode=st.sampled_from(ClockMode),
    scale=st.sampled_from([0.25, 1.0, 60.0, 3600.0]),
    steps=st.lists(
        st.tuples(st.sampled_from(["flow", "freeze", "wait", "jump"]), st.floats(0, 1e6, allow_nan=False)),
        max_size=20,
    ),
)
def test_time_never_goes_back(mode: ClockMode, scale: float, steps: list[tuple[str, float]]) -> None:
    clock, real = make(mode, scale)
    before = clock.now()
    for step, amount in steps:
        match step:
            case "flow":
                clock.flow()
            case "freeze":
                clock.freeze()
            case "wait":
                real.seconds += amount
            case _:
                clock.jump(START + timedelta(seconds=amount))
        now = clock.now()
        assert now >= before
        assert clock.flowing or mode is not ClockMode.SYSTEM
        assert not clock.flowing or mode is not ClockMode.MANUAL
        before = now


def test_timers_come_due_earliest_first_and_ties_in_the_order_they_were_started() -> None:
    timers: Timers[str] = Timers()
    for name, seconds in (("late", 9), ("b", 5), ("a", 5), ("early", 1)):
        timers.start(name, START + seconds * SECOND)
    due = [timers.pop_due(START + 9 * SECOND) for _ in range(5)]
    assert due == ["early", "b", "a", "late", None]


def test_a_timer_is_due_at_its_very_instant_and_not_before() -> None:
    timers: Timers[str] = Timers()
    timers.start("x", START)
    assert timers.pop_due(START - timedelta(microseconds=1)) is None
    assert timers.pop_due(START) == "x"


def test_a_timer_that_is_started_again_goes_to_the_end_of_its_tie() -> None:
    timers: Timers[str] = Timers()
    timers.start("a", START)
    timers.start("b", START)
    timers.start("a", START)
    assert [key for _, key in timers] == ["b", "a"]
    assert [timers.pop_due(START), timers.pop_due(START)] == ["b", "a"]


def test_keys_need_not_be_comparable() -> None:
    timers: Timers[object] = Timers()
    keys = [object(), ("a", 1), None, 7]
    for key in keys:
        timers.start(key, START)
    assert [timers.pop_due(START) for _ in keys] == keys


def test_timers_may_be_stopped_while_they_are_looked_through() -> None:
    timers: Timers[int] = Timers()
    for n in range(5):
        timers.start(n, START + n * SECOND)
    for _, key in timers:
        timers.stop(key)
    assert len(timers) == 0


def test_restarted_timers_do_not_pile_up() -> None:
    timers: Timers[int] = Timers()
    for n in range(10_000):
        timers.start(n % 3, START + n * SECOND)
    assert len(timers._heap) <= 64


def test_stopped_timers_do_not_pile_up_behind_those_that_fire() -> None:
    timers: Timers[int] = Timers()
    for n in range(1000):
        timers.start(n, START)
        timers.start(-n - 1, START + timedelta(days=1))
    for n in range(990):
        timers.stop(-n - 1)
    while timers.pop_due(START) is not None:
        assert len(timers._heap) <= max(64, 2 * len(timers))
    assert len(timers) == 10


class TimersMachine(RuleBasedStateMachine):
    """Timers against a list that is sorted afresh every time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: Timers[int] = Timers()
        self.model: list[tuple[datetime, int, int]] = []
        self.sequence = 0
        self.now = START

    keys = st.integers(0, 120)  # more than the heap keeps without looking for dead entries

    @rule(key=keys, seconds=st.integers(0, 5))
    def start(self, key: int, seconds: int) -> None:
        self.begin(key, self.now + seconds * SECOND)

    @rule(first=st.integers(0, 40), count=st.integers(1, 80), seconds=st.integers(0, 5))
    def start_many(self, first: int, count: int, seconds: int) -> None:
        for key in range(first, first + count):
            self.begin(key, self.now + seconds * SECOND)

    def begin(self, key: int, deadline: datetime) -> None:
        self.sequence += 1
        self.timers.start(key, deadline)
        self.model = [row for row in self.model if row[2] != key] + [(deadline, self.sequence, key)]

    @rule(key=keys)
    def stop(self, key: int) -> None:
        running = any(row[2] == key for row in self.model)
        assert self.timers.stop(key) is running
        self.model = [row for row in self.model if row[2] != key]

    @rule(first=st.integers(0, 40), count=st.integers(1, 80))
    def stop_many(self, first: int, count: int) -> None:
        for key in range(first, first + count):
            self.stop(key)

    @rule(seconds=st.integers(0, 3), most=st.integers(1, 100))
    def wait(self, seconds: int, most: int) -> None:
        self.now += seconds * SECOND
        for _ in range(most):
            due = sorted(row for row in self.model if row[0] <= self.now)
            expected = due[0][2] if due else None
            assert self.timers.pop_due(self.now) == expected
            if expected is None:
                return
            self.model.remove(due[0])

    @rule()
    def clear(self) -> None:
        self.timers.clear()
        self.model = []

    @invariant()
    def they_agree(self) -> None:
        ordered = sorted(self.model)
        assert list(self.timers) == [(deadline, key) for deadline, _, key in ordered]
        assert len(self.timers) == len(ordered)
        assert self.timers.next_deadline() == (ordered[0][0] if ordered else None)
        for deadline, _, key in ordered[:3]:
            assert self.timers.deadline(key) == deadline
            assert key in self.timers
        assert self.timers.deadline(-1) is None
        assert len(self.timers._heap) <= max(64, 2 * len(self.timers))


TestTimersMachine = TimersMachine.TestCase
TestTimersMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
