"""Waiting for something to happen, on simulated time: jumps from timer to timer until it has, and no further.

On an `auto` and a `manual` clock waiting is what moves time. Requests in flight are waited for before each jump: on an
auto clock time follows them, so that a reply's latency counts; on a manual clock they take none. When nothing is in
flight and no timer is due within reach, something may still come that nobody can see, a handler at work after its 200
for example. It gets `patience` real seconds of quiet before time moves to the end of the wait.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from simulator.clock import ClockMode
from simulator.engine.asking import Question, Search, explain, surroundings
from simulator.errors import Conflict
from simulator.runtime.pacer import Fence
from simulator.wire.base import iso
from simulator.world.journal import Entry

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner
    from simulator.runtime.telephone import Gone

# Real seconds of quiet. A handler that still works on its answer mostly needs a fraction of a second; where it is
# awaited the wait ends with the answer, and where nothing should come the wait is spent each time.
PATIENCE: Final = 1.0
QUIET_PATIENCE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of a question. `explanation` is None when the answer is as expected."""

    search: Search
    now: datetime
    explanation: str | None


def row_of(entry: Entry) -> dict[str, Any]:
    """A journal entry as `/_sim` shows it."""
    return {"seq": entry.seq, "at": iso(entry.at), "kind": entry.kind, **entry.data}


async def expect(
    runner: Runner, question: Question, *, patience: float | None, real_timeout: float, gone: Gone | None
) -> Findings:
    """Look for what is asked, and wait for it for as long as `question.within` says.

    `patience` None: the usual one. Raises Conflict when the account is reset meanwhile.
    """
    wait = _Wait(runner, question, patience)
    journal = runner.world.journal
    for entry in journal.since(question.after):
        wait.see(entry)
    remove = journal.on_append(wait.see)
    try:
        with runner.pacer.fence(wait.end, wait.wake.set) as fence:
            if not wait.over:
                await runner.bounded(wait.until_over(fence), real_timeout, gone)
            return wait.findings(real_timeout)
    finally:
        remove()


class _Wait:
    """One question under way."""

    def __init__(self, runner: Runner, question: Question, patience: float | None) -> None:
        self._runner = runner
        self._pacer = runner.pacer
        self.search = Search(question)
        self.wake = asyncio.Event()  # something was written down, or has landed
        self._looks_only = not question.within and not patience
        usual = PATIENCE if question.bounds.at_least else QUIET_PATIENCE
        self._patience = usual if patience is None else patience
        # Where no time may pass, whoever asks says how long what is in flight may take.
        settling = runner.settings.real_patience.total_seconds()
        self._settling = settling if question.within else self._patience
        self.end = self._end(question.within)
        self._at_end = not question.within  # time was moved there; what that set in motion may still land
        self._ended = False  # on a virtual loop: whatever was due at the end has happened
        self._quiet = False  # nothing has come by itself, however patiently it was waited for
        self._ran_out = False

    def _end(self, within: float) -> datetime:
        clock = self._pacer.clock
        if not within and clock.mode is ClockMode.SYSTEM:
            within = self._patience * clock.scale  # this clock does not stand still meanwhile
        return clock.now() + timedelta(seconds=within)

    def see(self, entry: Entry) -> None:
        """Take in one entry of the journal."""
        if entry.kind in self.search.question.kinds:
            self.search.see(row_of(entry), late=entry.at > self.end)
        self.wake.set()

    @property
    def over(self) -> bool:
        """Whether the answer is known."""
        return self._looks_only or self._ran_out or self.search.decided

    def findings(self, real_timeout: float) -> Findings:
        """The answer, as far as it is known."""
        runner, now = self._runner, self._pacer.clock.now()
        complete = self.over or self.search.question.bounds.at_most is None
        if self.search.holds and complete:
            return Findings(self.search, now, None)
        if self.search.decided or self._looks_only:
            ended = f"it is {iso(now)}"
        elif self._ran_out:
            ended = f"the time was over at {iso(self.end)}"
        elif runner.closing:
            ended = f"the simulator was stopped at {iso(now)}, before the time was over"
        else:
            ended = f"gave up at {iso(now)} after {real_timeout:g} real seconds, before the time was over"
        for entry in runner.world.journal.since():
            if entry.seq <= self.search.question.after:
                self.see(entry)
        around = surroundings(map(row_of, runner.world.journal.since()))
        return Findings(self.search, now, explain(self.search, around, ended))

    async def until_over(self, fence: Fence) -> None:
        """Let things happen until the answer is known or the time is over."""
        while not self.over:
            self.wake.clear()
            if self._pacer.stopped:
                if self._runner.closing:
                    return
                raise Conflict("the account was reset while something was waited for: ask again")
            self._ran_out = not await self._next(fence)

    async def _next(self, fence: Fence) -> bool:
        """Let one thing happen; False when nothing will any more within the time."""
        if not self._pacer.may_move(fence):
            await self._sleep(None)  # until whoever waits for something earlier has seen it
            return True
        mode = self._pacer.clock.mode
        if self._pacer.flows_by_itself:
            return await self._flow_virtually()
        if mode is ClockMode.SYSTEM:
            return await self._flow()
        if self._pacer.clock.now() > self.end:
            return False  # somebody else has moved it
        if not self._pacer.in_flight:
            return await self._jump()
        self._quiet = False
        if mode is ClockMode.AUTO and not self._at_end:
            return await self._flow()
        if await self._sleep(self._settling):
            return True
        return not self._at_end and self._pass_by()

    async def _flow(self) -> bool:
        """Wait while time follows real time."""
        left = self._pacer.clock.real_delay(self.end)
        if left:
            await self._sleep(left)
        return left > 0

    async def _flow_virtually(self) -> bool:
        """Wait while the time of a virtual loop passes; what is due just when it ends happens as well."""
        left = self._pacer.clock.real_delay(self.end)
        if left:
            await self._sleep(left)
            return True
        if self._ended:
            return False
        await self._pacer.end_of_instant()
        due = self._pacer.timers.next_deadline()
        self._ended = due is None or due > self.end
        return True

    async def _jump(self) -> bool:
        """Move to the next timer; or to the end, when whatever may come by itself has had its chance."""
        due = self._pacer.timers.next_deadline()
        if due is not None and due <= self.end:
            self._quiet = False
            self._pass_by()
            await asyncio.sleep(0)  # what the timer set in motion begins
            return True
        if not self._quiet:
            if self._patience and await self._sleep(self._patience):
                return True
            self._quiet = True
        return not self._at_end and self._pass_by()

    def _pass_by(self) -> bool:
        """Move time on, whatever is in flight: to the next timer, or to the end."""
        due = self._pacer.timers.next_deadline()
        to = self.end if due is None else min(due, self.end)
        self._at_end = to == self.end
        self._pacer.step(to)
        return True

    async def _sleep(self, real_seconds: float | None) -> bool:
        """Wait until something is written down or lands; says whether it did, before the real seconds were over."""
        self._runner.waiting += 1
        try:
            await asyncio.wait_for(self.wake.wait(), real_seconds)
        except TimeoutError:
            return False
        finally:
            self._runner.waiting -= 1
        return True
