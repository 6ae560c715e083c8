"""Many scenarios, one after another or several at once; each of those that go on at once has a server of its own."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.runtime.server import ServerThread
from simulator.scenarios.model import Scenario
from simulator.scenarios.results import RunResult, ScenarioResult
from simulator.scenarios.runner import Conditions, play
from simulator.scenarios.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One round of one scenario."""

    file: str
    scenario: Scenario
    seed: int = 0
    round: int = 1

    @property
    def needs_api(self) -> bool:
        """Whether the handler is expected to find its way back to us."""
        calls = self.scenario.calls
        return bool(self.scenario.texts) or any(part.expect and part.expect.api_calls for part in calls)


def jobs_of(
    scenarios: Iterable[tuple[str, Scenario]], repeat: int = 1, *, seed: int | None = None, usual: int = 0
) -> list[Job]:
    """All rounds of all scenarios, the first of each before the second of any.

    Seeds count up from `seed`; without one, from a file's own, or from `usual`. No two are alike unless files say so:
    a handler that remembers the ids of what it was sent would ignore what comes with one of them again.
    """
    listed = list(scenarios)
    jobs: list[Job] = []
    for round_ in range(1, repeat + 1):
        for file, scenario in listed:
            own = None if scenario.seed is None else scenario.seed + round_ - 1
            chosen = usual + len(jobs) if own is None else own
            chosen = chosen if seed is None else seed + len(jobs)
            jobs.append(Job(file=file, scenario=scenario, seed=chosen, round=round_))
    return jobs


class Lane:
    """One server, on which one scenario is played at a time. A context manager.

    `connected`: the handler was told this lane's address, so scenarios in which it uses the API can be played here.
    """

    def __init__(self, port: int = 0, *, connected: bool = True) -> None:
        self.stage = Stage()
        self.connected = connected
        self._server = ServerThread(self.stage, port=port)
        self.base_url = self._server.url

    def __enter__(self) -> Lane:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def play(self, job: Job, conditions: Conditions) -> ScenarioResult:
        """Play one scenario, and wait until it is over."""
        assert self.stage.loop is not None
        playing = play(self.stage, job.scenario, conditions, file=job.file, seed=job.seed, round_=job.round)
        return asyncio.run_coroutine_threadsafe(playing, self.stage.loop).result()


Done = Callable[[ScenarioResult], None]


class Batch:
    """The jobs of a run, taken by lanes as they come free."""

    def __init__(self, jobs: Sequence[Job], *, fail_fast: bool = False) -> None:
        self._waiting = list(enumerate(jobs))
        self._left: list[Job] = []  # not played, because one before them failed
        self._fail_fast = fail_fast
        self._lock = threading.Lock()
        self._finished: queue.SimpleQueue[tuple[int, ScenarioResult] | BaseException | None] = queue.SimpleQueue()

    def run(self, lanes: Sequence[tuple[Lane, Conditions]], *, handler: str, version: str, done: Done) -> RunResult:
        """Play every job and tell `done` about each; the lanes have been started."""
        started, began = datetime.now(UTC), time.monotonic()
        threads = [threading.Thread(target=self._work, args=lane, daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        results: dict[int, ScenarioResult] = {}
        try:
            for _ in threads:
                while (item := self._finished.get()) is not None:
                    if isinstance(item, BaseException):
                        raise item
                    results[item[0]] = item[1]
                    done(item[1])
        finally:
            self._stop()
        return RunResult(
            handler=handler,
            started=started,
            version=version,
            scenarios=tuple(results[index] for index in sorted(results)),
            real_seconds=time.monotonic() - began,
            not_run=tuple(_label(job) for job in self._left),
        )

    def _work(self, lane: Lane, conditions: Conditions) -> None:
        try:
            while (taken := self._take(lane)) is not None:
                index, job = taken
                result = lane.play(job, conditions)
                if self._fail_fast and not result.ok:
                    self._stop()
                self._finished.put((index, result))
        except BaseException as error:  # the run's thread raises it
            self._finished.put(error)
        self._finished.put(None)

    def _take(self, lane: Lane) -> tuple[int, Job] | None:
        """Take the next job that can be played on this lane."""
        with self._lock:
            found = next((item for item in self._waiting if lane.connected or not item[1].needs_api), None)
            if found is not None:
                self._waiting.remove(found)
            return found

    def _stop(self) -> None:
        with self._lock:
            self._left += [job for _, job in self._waiting]
            self._waiting.clear()


def _label(job: Job) -> str:
    return job.file if job.round == 1 else f"{job.file} (round {job.round})"
