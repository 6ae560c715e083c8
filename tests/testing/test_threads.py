from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from simulator.testing.threads import Threads


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads()
    yield threads
    threads.stop()


def test_work_that_has_ended_leaves_its_thread_to_the_next(threads: Threads) -> None:
    idents = []
    for _ in range(3):
        work = threads.run(lambda: idents.append(threading.get_ident()))
        work.join()
        assert work.done
        assert work.thread == idents[-1]
    assert len(set(idents)) == 1
    assert idents[0] != threading.get_ident()


def test_work_under_way_has_its_thread_to_itself(threads: Threads) -> None:
    go = threading.Event()
    one, two = threads.run(lambda: go.wait() and None), threads.run(lambda: None)
    two.join()
    assert not one.done
    assert one.thread != two.thread
    go.set()
    one.join()


def test_nothing_of_one_work_s_context_is_left_to_the_next(threads: Threads) -> None:
    variable = ContextVar("variable", default="none")
    seen = []
    threads.run(lambda: variable.set("mine") and None).join()
    threads.run(lambda: seen.append(variable.get())).join()
    assert seen == ["none"]


def test_idle_threads_end_when_they_are_told_to() -> None:
    before = threading.active_count()
    threads = Threads()
    threads.run(lambda: None).join()
    assert threading.active_count() == before + 1
    threads.stop()
    assert threading.active_count() == before
