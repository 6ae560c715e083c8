"""Calls as the rest of the house asks for them: dialled, joined, spoken into, waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulator.clock import ClockMode
from simulator.domain.calls import Call, Direction
from simulator.domain.findings import Finding
from simulator.engine.events import EndRequested, RemoteHungUp, RemotePressed, RemoteSaid
from simulator.engine.script import Step
from simulator.errors import Conflict
from simulator.runtime import ringing
from simulator.runtime.switchboard import Switchboard
from simulator.world import calls

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner

Gone = Callable[[], Awaitable[None]]  # returns when the client has gone away

MAX_QUEUED: Final = 1000  # far more than anybody says ahead; a loop that floods a live call is told so


class Telephone:
    """The live calls of one account. Made for the first call: the call engine takes a while to load."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._world = runner.world
        self.switchboard = Switchboard(runner.world, runner.pacer, runner.sender, runner.outbox, runner.settings)

    def start_call(self, call: Call, *, steps: tuple[Step, ...] | None = None, live: bool = False) -> None:
        """Ring the callee; outbound, that is the person registered for the number, who listens by default.

        `live`: a human being drives the remote party; an auto clock then follows real time until the call has ended.
        """
        self._runner.sender.prepare()  # while it rings, not while the first turn is timed
        # A browser that is about to join a web call is somebody real as well: its token must not expire in a jump.
        held = live or call.direction is Direction.WEB
        setup = ringing.dialled(self._world, self._runner.settings, call, steps, self._runner.now())
        self.switchboard.start(call, setup, held=held)

    def join_call(self, call: Call, *, steps: tuple[Step, ...] | None = None, live: bool = False) -> None:
        """A browser takes the web call that waits for it; `steps` and `live` as for `start_call`."""
        setup = ringing.joined(self._world, self._runner.settings, call, steps)
        self.switchboard.join(call.id, setup, held=live)

    def say(self, call_id: str, text: str, confidence: float, *, over: bool = False) -> bool:
        """The remote party wants to say something; False when the call has ended already.

        `over`: without waiting until the agent has finished. Raises Conflict when too much is waiting already.
        """
        return self._queue(call_id, RemoteSaid(text, confidence, over))

    def press(self, call_id: str, digits: str) -> bool:
        """The remote party wants to press keys; False and Conflict as for `say`."""
        return self._queue(call_id, RemotePressed(digits))

    def _queue(self, call_id: str, event: RemoteSaid | RemotePressed) -> bool:
        live = self.switchboard.live.get(call_id)
        if live is not None and live.engine.queued >= MAX_QUEUED:
            raise Conflict(f"{call_id}: {MAX_QUEUED} things wait to be said or pressed: let time pass first")
        return self.switchboard.feed(call_id, event)

    def hang_up(self, call_id: str) -> bool:
        """The remote party puts the phone down; False when the call has ended already."""
        return self.switchboard.feed(call_id, RemoteHungUp())

    def end_call(self, call_id: str) -> bool:
        """End a live call as the API does; False when it has ended already."""
        return self.switchboard.feed(call_id, EndRequested())

    async def listen(
        self, call_id: str, real_timeout: float, gone: Gone | None = None, *, to_speech: bool = False
    ) -> Call:
        """Wait until the agent has had its say: the line is silent and nobody is owed words, or the call has ended.

        `to_speech`: only until the agent begins to be heard, if it has something to say. Waiting moves a manual clock,
        no further than needed; real time and the client's leaving bound it as they do `wait_for_call`.
        """
        runner, live = self._runner, self.switchboard.live.get(call_id)

        def done() -> bool:
            if live is None or live.ended.is_set():
                return True
            return live.engine.listening or (to_speech and live.engine.speaking)

        if not done():
            if runner.clock.mode is ClockMode.MANUAL:
                waiting = runner.pacer.run_until(done, timedelta(seconds=real_timeout))
            else:
                waiting = runner.pacer.watch(done)
            await runner.bounded(waiting, real_timeout, gone)
        return calls.get(self._world, call_id)

    def findings(self, call_id: str) -> list[Finding]:
        """What the handler did badly during this call."""
        return list(self._world.findings.get(call_id, ()))

    async def wait_for_call(self, call_id: str, real_timeout: float, gone: Gone | None = None) -> Call:
        """Wait until the call has ended, at most `real_timeout` seconds of real time; returns it, ended or not.

        Raises Conflict when the account is reset meanwhile. A manual clock would never get there, so waiting is what
        moves it. Nobody waits any more once `gone` returns: the client has left.
        """
        runner, live = self._runner, self.switchboard.live.get(call_id)
        if live is not None and runner.clock.mode is ClockMode.MANUAL:
            moving = runner.pacer.run_until(live.ended.is_set, timedelta(seconds=real_timeout))
            await runner.bounded(moving, real_timeout, gone)
        elif live is not None:
            await runner.bounded(runner.pause(live.ended, real_timeout), real_timeout, gone)
        call = calls.get(self._world, call_id)
        if live is not None and live.ended.is_set() and call.live:
            raise Conflict(f"the account was reset while {call_id} was under way: dial again")
        return call
