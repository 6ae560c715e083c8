from __future__ import annotations

import asyncio
import selectors
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.runtime.virtual import Pause, VirtualLoop, decide, mind_anyio, wait_really

PATIENCE = 10  # real seconds before a test that would hang fails instead
T = TypeVar("T")


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop(grace=PATIENCE)
    yield made
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


# -- the decision ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "outside", "grace_left", "wanted", "pause"),
    [
        (0.0, True, 1.0, True, Pause.LOOK),
        (-1.0, False, 0.0, False, Pause.LOOK),
        (5.0, True, 1.0, True, Pause.WAIT),
        (None, True, 1.0, False, Pause.WAIT),
        (5.0, True, 0.0, True, Pause.FOLLOW),
        (None, True, 0.0, False, Pause.FOLLOW),
        (5.0, False, 0.0, True, Pause.JUMP),
        (5.0, False, 0.0, False, Pause.REST),
        (None, False, 0.0, True, Pause.REST),
    ],
)
def test_what_a_loop_does_that_has_nothing_to_run(
    timeout: float | None, outside: bool, grace_left: float, wanted: bool, pause: Pause
) -> None:
    assert decide(timeout=timeout, outside=outside, grace_left=grace_left, wanted=wanted) is pause


# -- timers ----------------------------------------------------------------------------------------------------


def test_a_month_of_sleep_takes_no_time(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(30 * 86_400))
    assert loop.time() == 30 * 86_400


@pytest.mark.parametrize("days", [100, 1_000, 36_500])
def test_nor_do_years_though_a_float_cannot_tell_nanoseconds_any_more(loop: VirtualLoop, days: int) -> None:
    guard = loop.call_really_later(PATIENCE, loop.stop)
    for _ in range(3):
        loop.run_until_complete(asyncio.sleep(days * 86_400 + 0.1))
    guard.cancel()
    assert loop.time() == pytest.approx(3 * (days * 86_400 + 0.1), abs=1e-6)


def test_a_timeout_comes_before_a_longer_sleep_ends(loop: VirtualLoop) -> None:
    async def story() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(35)
        return loop.time()

    assert loop.run_until_complete(story()) == 30


def test_tenths_of_seconds_add_up(loop: VirtualLoop) -> None:
    async def story() -> None:
        for _ in range(10):
            await asyncio.sleep(0.1)

    loop.run_until_complete(story())
    assert loop.time() == 1.0


@given(naps=st.lists(st.decimals(min_value="0.000000001", max_value=100_000, places=9), min_size=1, max_size=20))
def test_time_is_in_whole_nanoseconds_however_long_it_goes_on(naps: list[Decimal]) -> None:
    async def story() -> None:
        for nap in naps:
            await asyncio.sleep(float(nap))
            assert made.time() == round(made.time(), 9)

    made = VirtualLoop()
    made.run_until_complete(story())
    assert made.time() == pytest.approx(float(sum(naps)), abs=1e-9)
    made.close()


def test_sleeping_less_than_a_nanosecond_moves_time_all_the_same(loop: VirtualLoop) -> None:
    async def story() -> int:
        count = 0
        while loop.time() < 1e-9:
            await asyncio.sleep(1e-10)
            count += 1
        return count

    assert 5 <= loop.run_until_complete(story()) <= 20


PROGRAMS = st.lists(st.lists(st.sampled_from([0, 0.1, 0.2, 0.3, 0.5, 1, 7, 3600]), max_size=6), max_size=8)


@given(programs=PROGRAMS)
def test_sleepers_wake_at_their_instants_and_in_the_order_in_which_they_lay_down(programs: list[list[float]]) -> None:
    woken: list[tuple[int, int]] = []

    async def sleeper(name: int, naps: list[float]) -> None:
        for number, nap in enumerate(naps):
            await asyncio.sleep(nap or 1e-3)
            woken.append((name, number))

    async def story() -> None:
        await asyncio.gather(*(sleeper(name, naps) for name, naps in enumerate(programs)))

    made = VirtualLoop()
    made.run_until_complete(story())
    total = made.time()
    made.close()
    assert woken == modelled(programs)
    assert total == pytest.approx(max((sum(nap or 1e-3 for nap in naps) for naps in programs), default=0))


def modelled(programs: list[list[float]]) -> list[tuple[int, int]]:
    """When sleepers wake on a loop of real time whose work takes an infinitesimal while: in whole milliseconds."""
    lying = [
        (round((naps[0] or 1e-3) * 1000), order, name, 0)
        for order, (name, naps) in enumerate(enumerate(programs))
        if naps
    ]
    woken, order = [], len(programs)
    while lying:
        lying.sort()
        now, _, name, number = lying.pop(0)
        woken.append((name, number))
        if number + 1 < len(programs[name]):
            lying.append((now + round((programs[name][number + 1] or 1e-3) * 1000), order, name, number + 1))
            order += 1
    return woken


def test_a_cancelled_timer_does_not_hold_time_up(loop: VirtualLoop) -> None:
    async def story() -> None:
        loop.call_later(3600, pytest.fail, "it was cancelled").cancel()
        await asyncio.sleep(7200)

    loop.run_until_complete(story())


# -- the world outside -----------------------------------------------------------------------------------------


def in_executor(loop: VirtualLoop, work: Callable[[], T]) -> Awaitable[T]:
    return loop.run_in_executor(None, work)


def in_own_executor(loop: VirtualLoop, work: Callable[[], T]) -> Awaitable[T]:
    pool = ThreadPoolExecutor(1)
    future = loop.run_in_executor(pool, work)
    pool.shutdown(wait=False)
    return future


def in_thread(_loop: VirtualLoop, work: Callable[[], T]) -> Awaitable[T]:
    return asyncio.to_thread(work)


async def in_anyio(_loop: VirtualLoop, work: Callable[[], T]) -> T:
    await mind_anyio()
    return await anyio.to_thread.run_sync(work)


@pytest.mark.parametrize("run", [in_executor, in_own_executor, in_thread, in_anyio])
def test_a_thread_at_work_does_not_let_a_timer_come_early(
    loop: VirtualLoop, run: Callable[..., Awaitable[str]]
) -> None:
    started, go = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        assert go.wait(PATIENCE)
        return "done"

    async def story() -> str:
        threading.Thread(target=lambda: (started.wait(PATIENCE), go.set())).start()
        async with asyncio.timeout(30):
            return await run(loop, work)

    assert loop.run_until_complete(story()) == "done"
    assert loop.time() == 0.0


def test_a_thread_that_takes_longer_than_the_grace_makes_time_follow_real_time() -> None:
    made, go = VirtualLoop(grace=0.0), threading.Event()

    async def story() -> str:
        work = made.run_in_executor(None, go.wait, PATIENCE)
        try:
            async with asyncio.timeout(0.001):
                await asyncio.shield(work)
        except TimeoutError:
            return "late"
        finally:
            go.set()
            await work
        return "in time"

    assert made.run_until_complete(story()) == "late"
    assert 0.001 <= made.time() < PATIENCE
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


def test_a_thread_is_at_work_until_the_loop_has_its_result(loop: VirtualLoop) -> None:
    async def story() -> tuple[bool, bool]:
        pool = ThreadPoolExecutor(1)
        future = loop.run_in_executor(pool, str, 7)
        pool.shutdown(wait=True)  # the thread has ended, and the loop had no turn since
        before = loop.in_threads
        await future
        await asyncio.sleep(0)
        return before, loop.in_threads

    assert loop.run_until_complete(story()) == (True, False)


def test_a_thread_whose_result_nobody_wants_is_at_work_all_the_same(loop: VirtualLoop) -> None:
    started, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        assert go.wait(PATIENCE)
        ended.set()

    async def story() -> None:
        future = loop.run_in_executor(None, work)
        assert started.wait(PATIENCE)
        future.cancel()
        loop.call_soon(go.set)
        await asyncio.sleep(1)
        assert ended.is_set()

    loop.run_until_complete(story())


def test_a_socket_that_is_waited_for_lets_no_timer_come_early(loop: VirtualLoop) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    async def story() -> bytes:
        read = asyncio.ensure_future(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        threading.Thread(target=theirs.sendall, args=(b"hello",)).start()
        async with asyncio.timeout(30):
            return await read

    with ours, theirs:
        assert loop.run_until_complete(story()) == b"hello"
    assert loop.time() == 0.0


def test_a_socket_that_nobody_waits_for_does_not_hold_time_up(loop: VirtualLoop) -> None:
    loop.minded = lambda: False

    async def story() -> None:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        async with server:
            await asyncio.sleep(3600)

    loop.run_until_complete(story())
    assert loop.time() == 3600


def test_what_a_thread_asks_of_the_loop_is_done_before_time_jumps(loop: VirtualLoop) -> None:
    async def story() -> list[str]:
        seen: list[str] = []

        def work() -> None:
            for word in ("one", "two", "three"):
                asyncio.run_coroutine_threadsafe(say(word), loop).result(PATIENCE)

        async def say(word: str) -> None:
            seen.append(word)

        async def timer() -> None:
            await asyncio.sleep(1)
            seen.append("a second later")

        await asyncio.gather(asyncio.to_thread(work), timer())
        return seen

    assert loop.run_until_complete(story()) == ["one", "two", "three", "a second later"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["sleep", "thread", "anyio", "socket", "yield"]), st.integers(0, 5)), max_size=6
)


@given(programs=st.lists(STEPS, max_size=4))
def test_threads_and_sockets_take_no_time_and_disturb_no_order(programs: list[list[tuple[str, int]]]) -> None:
    async def step(what: str, seconds: int) -> None:
        if what == "sleep":
            await asyncio.sleep(seconds)
        elif what == "thread":
            await asyncio.to_thread(sum, range(seconds * 1000))
        elif what == "anyio":
            await anyio.to_thread.run_sync(sum, range(seconds * 1000))
        elif what == "socket":
            await over_a_socket(b"x" * seconds or b"x")
        else:
            await asyncio.sleep(0)

    async def program(name: int, steps: list[tuple[str, int]]) -> float:
        for what, seconds in steps:
            await step(what, seconds)
        return asyncio.get_running_loop().time()

    async def story() -> list[float]:
        await mind_anyio()
        return await asyncio.gather(*(program(name, steps) for name, steps in enumerate(programs)))

    made = VirtualLoop(grace=PATIENCE)
    ended = made.run_until_complete(story())
    made.run_until_complete(made.shutdown_default_executor())
    made.close()
    assert ended == [sum(seconds for what, seconds in steps if what == "sleep") for steps in programs]


async def over_a_socket(data: bytes) -> None:
    """Send something to ourselves by way of another thread."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        await loop.sock_sendall(ours, data)
        echo = threading.Thread(target=lambda: theirs.sendall(theirs.recv(100)))
        echo.start()
        assert await loop.sock_recv(ours, 100) == data
        echo.join()


# -- who lets time pass ----------------------------------------------------------------------------------------


def test_without_anybody_who_wants_it_time_does_not_pass(loop: VirtualLoop) -> None:
    ticks: list[float] = []
    loop.wanted = lambda: False

    async def poller() -> None:
        while True:
            await asyncio.sleep(60)
            ticks.append(loop.time())

    async def story() -> None:
        polling = asyncio.ensure_future(poller())
        await loop.quiet()
        assert ticks == []
        loop.wanted = lambda: len(ticks) < 3
        await loop.quiet()
        polling.cancel()

    loop.run_until_complete(story())
    assert ticks == [60, 120, 180]


def test_work_at_the_end_of_an_instant_comes_after_everything_else_in_it(loop: VirtualLoop) -> None:
    seen: list[str] = []

    async def story() -> None:
        loop.when_over(lambda: seen.append("over"))
        loop.when_over(lambda: seen.append("cancelled")).cancel()
        loop.call_later(0.1, seen.append, "later")
        for _ in range(20):
            await asyncio.sleep(0)
        seen.append("twenty turns")
        await asyncio.to_thread(seen.append, "thread")
        await asyncio.sleep(1)

    loop.run_until_complete(story())
    assert seen == ["twenty turns", "thread", "over", "later"]


def test_callers_are_let_in_one_by_one_when_nothing_else_can_happen(loop: VirtualLoop) -> None:
    seen: list[str] = []

    async def caller(name: str) -> None:
        await loop.quiet()
        seen.append(f"{name} at {loop.time():g}")
        await asyncio.sleep(5)
        seen.append(f"{name} ends")

    async def story() -> None:
        callers = asyncio.gather(caller("a"), caller("b"))
        await asyncio.sleep(10)
        seen.append("slept")
        await callers

    loop.run_until_complete(story())
    assert seen == ["slept", "a at 10", "a ends", "b at 15", "b ends"]


def test_a_patient_caller_waits_for_threads_and_an_impatient_one_does_not(loop: VirtualLoop) -> None:
    async def story() -> list[str]:
        seen: list[str] = []
        go = threading.Event()

        async def caller(name: str, patient: bool) -> None:
            await loop.quiet(patient=patient)
            seen.append(name)
            go.set()

        async def work() -> None:
            await loop.run_in_executor(None, go.wait, PATIENCE)
            seen.append("thread")

        await asyncio.gather(work(), caller("patient", True), caller("impatient", False))
        return seen

    assert loop.run_until_complete(story()) == ["impatient", "thread", "patient"]


# -- real time -------------------------------------------------------------------------------------------------


async def waited(event: asyncio.Event, seconds: float | None, **how: Any) -> bool:
    wait = asyncio.ensure_future(event.wait())
    await wait_really([wait], seconds, **how)
    done = wait.done()
    wait.cancel()
    return done


def test_waiting_in_real_time_ends_when_nothing_will_happen_any_more(loop: VirtualLoop) -> None:
    assert loop.run_until_complete(waited(asyncio.Event(), 3600)) is False
    assert loop.time() == 0.0


def test_waiting_in_real_time_sees_what_simulated_time_brings_however_late(loop: VirtualLoop) -> None:
    event = asyncio.Event()
    loop.call_later(86_400, event.set)
    assert loop.run_until_complete(waited(event, 5)) is True


def test_whoever_waits_in_vain_waits_for_real(loop: VirtualLoop) -> None:
    assert loop.run_until_complete(waited(asyncio.Event(), 0.001, in_vain=True)) is False
    assert loop.time() == 0.0


def test_waiting_in_real_time_on_an_ordinary_loop() -> None:
    async def story() -> tuple[bool, bool]:
        event = asyncio.Event()
        late = await waited(event, 0.001)
        event.set()
        return late, await waited(event, None)

    assert asyncio.run(story()) == (False, True)


def test_the_loop_rests_until_a_thread_calls_in(loop: VirtualLoop) -> None:
    async def story() -> str:
        future: asyncio.Future[str] = loop.create_future()
        resting = loop.rest()
        await resting
        threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, "called")).start()
        return await future

    assert loop.run_until_complete(story()) == "called"


def test_the_loop_has_one_file_that_is_its_bell(loop: VirtualLoop) -> None:
    assert isinstance(loop._files, selectors.DefaultSelector)
    assert len(loop._files.get_map()) == 1


def test_work_at_the_end_of_an_instant_that_fails_is_reported_and_time_goes_on(loop: VirtualLoop) -> None:
    reported: list[Any] = []
    loop.set_exception_handler(lambda _loop, context: reported.append(context["exception"]))

    async def story() -> None:
        loop.when_over(lambda: 1 / 0)
        await asyncio.sleep(1)

    loop.run_until_complete(story())
    assert [type(error) for error in reported] == [ZeroDivisionError]
