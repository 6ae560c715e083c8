"""Threads for event loops, used one after the other: a world ends, and the next one finds its thread running."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextvars import Context


class Work:
    """Something under way in a thread of `Threads`."""

    def __init__(self, work: Callable[[], None], thread: int | None) -> None:
        self._work = work
        self._over = threading.Event()
        self.thread = thread  # its ident

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    def join(self) -> None:
        """Wait until it has ended."""
        self._over.wait()

    def do(self, then: Callable[[], None]) -> None:
        """Do it, in a context of its own: the next work of this thread should find nothing of it. Then say so."""
        try:
            Context().run(self._work)
            then()
        finally:
            self._over.set()


class Threads:
    """Daemon threads that are kept for the next work.

    A new thread begins behind everything that waits for a processor, one that sleeps wakes up before it: on a busy
    machine that is the difference between a tenth of a millisecond and several.
    """

    def __init__(self) -> None:
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()

    def run(self, work: Callable[[], None]) -> Work:
        """Do `work` in a thread of its own."""
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = _Worker(self._idle)
        return worker.take(work)

    def stop(self) -> None:
        """End those that are idle; one that is still at work ends with the process."""
        while True:
            try:
                self._idle.get_nowait().end()
            except queue.Empty:
                return


class _Worker:
    def __init__(self, idle: queue.SimpleQueue[_Worker]) -> None:
        self._idle = idle
        self._jobs: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="agentphone world", daemon=True)
        self._thread.start()

    def take(self, work: Callable[[], None]) -> Work:
        taken = Work(work, self._thread.ident)
        self._jobs.put(taken)
        return taken

    def end(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.do(lambda: self._idle.put(self))  # whoever has waited for the end may count on the thread
