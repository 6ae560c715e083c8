"""One account at work: its world, its time, its live calls and its deliveries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.clock import Clock, ClockMode
from simulator.domain.calls import Call, Direction
from simulator.domain.findings import Finding
from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, DeliveryStatus, Notice, WebhookEndpoint
from simulator.engine.call import CallSetup
from simulator.engine.events import EndRequested, RemoteHungUp, RemotePressed, RemoteSaid
from simulator.engine.script import Answer, Step
from simulator.errors import Conflict
from simulator.runtime.deliver import Sender
from simulator.runtime.outbox import Outbox
from simulator.runtime.pacer import Key, Pacer
from simulator.runtime.switchboard import TIMER, Switchboard
from simulator.settings import DEFAULT_START, Settings
from simulator.world import accounts, calls, numbers, people
from simulator.world.journal import Entry, Journal
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.runtime.simulator import Simulator

EXPIRY = "expiry"  # of a number
MAX_QUEUED = 1000  # far more than anybody says ahead; a loop that floods a live call is told so
INBOUND_RING = timedelta(seconds=1)  # the platform answers after the first ring


class Runner:
    """The account's port to everything that takes time. Lives on one event loop.

    A sub-account has a runner of its own, with a world of its own; time and connections are its parent's.
    """

    def __init__(
        self,
        account_key: str,
        settings: Settings,
        *,
        platform: Simulator | None = None,
        parent: Runner | None = None,
        sub_account_id: str | None = None,
    ) -> None:
        self.settings = settings
        self.platform = platform  # every other account of the process; None when there is none to know
        self._key = account_key
        self._parent = parent
        self._sub_account_id = sub_account_id
        self._loop = asyncio.get_running_loop()
        self._appended = asyncio.Event()
        self._closing: asyncio.Event = parent._closing if parent else asyncio.Event()
        self.waiting = 0  # long polls that have nothing to answer yet
        self.sender: Sender = parent.sender if parent else Sender(settings.allow_hosts, settings.policies)
        self._build()

    def _build(self) -> None:
        settings = self.settings
        self._children: dict[str, Runner] = {}  # by sub-account id, made on first use
        journal = Journal(settings.journal_limit)
        journal.on_append(self._wake)
        # The key's digest keeps two accounts' ids and numbers apart under one seed, and so does the sub-account's id.
        scope = [self._key, *([self._sub_account_id] if self._sub_account_id else [])]
        digest = hashlib.sha256(":".join([str(settings.seed), *scope]).encode()).hexdigest()
        self.world = World(
            account_id=self._sub_account_id or f"acct_{digest[:12]}",
            seed=int(digest[:16], 16),
            policies=settings.policies,
            journal=journal,
        )
        if self._parent is not None:
            self.pacer: Pacer = self._parent.pacer
        else:
            start = settings.start or (datetime.now(UTC) if settings.clock is ClockMode.SYSTEM else DEFAULT_START)
            self.pacer = Pacer(Clock(settings.clock, start, self._loop.time, scale=settings.scale), self._note)
        self.pacer.own(self.world.account_id, self._fire)
        self.outbox = Outbox(self.world, self.pacer, self.sender, settings)
        self.switchboard = Switchboard(self.world, self.pacer, self.sender, self.outbox)

    # -- sub-accounts ------------------------------------------------------------------------------------------

    def scoped(self, sub_account_id: str) -> Runner:
        """The runner of a sub-account. Raises NotFound naming the id."""
        accounts.get(self.world, sub_account_id)
        child = self._children.get(sub_account_id)
        if child is None:
            child = Runner(self._key, self.settings, platform=self.platform, parent=self, sub_account_id=sub_account_id)
            self._children[sub_account_id] = child
        return child

    def close_sub_account(self, sub_account_id: str) -> None:
        """Forget everything of a sub-account: its calls end, its timers stop, its deliveries are tried no more."""
        child = self._children.pop(sub_account_id, None)
        if child is not None:
            child.switchboard.hang_up_all()
            child.outbox.abandon()
            self.pacer.disown(sub_account_id)

    def worlds(self) -> Iterator[Runner]:
        """This account's runner and those of its sub-accounts."""
        yield self
        yield from self._children.values()

    # -- time --------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The account's clock."""
        return self.pacer.clock

    @property
    def policies(self) -> Policies:
        """The switches this simulator runs with."""
        return self.settings.policies

    def now(self) -> datetime:
        """The account's simulated instant."""
        return self.pacer.clock.now()

    def _fire(self, key: Key) -> None:
        self._note("timer.fired", {"timer": ":".join(str(part) for part in key)})
        if key[0] == TIMER:
            self.switchboard.fire(str(key[1]), str(key[2]))
        elif key[0] == EXPIRY:
            self._expire(str(key[1]))
        else:
            self.outbox.fire(str(key[0]), str(key[1]))

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self.world.journal.append(kind, self.now(), **data)

    async def advance(self, delta: timedelta, patience: timedelta | None = None) -> None:
        """Move time forward, firing every timer on the way."""
        await self.pacer.advance(delta, self.settings.real_patience if patience is None else patience)

    async def run_until_idle(self, patience: timedelta | None = None) -> None:
        """Jump from timer to timer until none is left and nothing is in flight."""
        await self.pacer.run_until(lambda: False, self.settings.real_patience if patience is None else patience)

    # -- calls and texts ---------------------------------------------------------------------------------------

    def start_call(self, call: Call, *, steps: tuple[Step, ...] | None = None, live: bool = False) -> None:
        """Ring the callee; outbound, that is the person registered for the number, who listens by default.

        `live`: a human being drives the remote party; an auto clock then follows real time until the call has ended.
        """
        self.sender.prepare()  # while it rings, not while the first turn is timed
        answer, ring = Answer.ANSWERED, INBOUND_RING
        if call.direction is Direction.OUTBOUND:
            person = people.find(self.world, call.to_number)
            answer, ring, steps = Answer(person.answer), person.ring, person.steps
        agent = self.world.agents[call.agent_id] if call.agent_id else None
        greeting = call.initial_greeting
        if greeting is None and agent is not None:
            greeting = agent.begin_message
        setup = CallSetup(
            direction=call.direction,
            greeting=greeting,
            voice_speed=agent.voice_speed if agent else 1.0,
            max_silence=agent.max_silence if agent else timedelta(minutes=10),
            max_duration=self.settings.max_call_duration,
            transfer_number=agent.transfer_number if agent else None,
            policies=self.policies,
            steps=steps,
            answer=answer,
            ring=ring,
        )
        self.switchboard.start(call, setup, held=live)

    def say(self, call_id: str, text: str, confidence: float) -> bool:
        """The remote party wants to say something; False when the call has ended already.

        Raises Conflict when too much is waiting to be said already.
        """
        return self._queue(call_id, RemoteSaid(text, confidence))

    def press(self, call_id: str, digits: str) -> bool:
        """The remote party wants to press keys; False and Conflict as for `say`."""
        return self._queue(call_id, RemotePressed(digits))

    def end_call(self, call_id: str) -> bool:
        """End a live call as the API does; False when it has ended already."""
        return self.switchboard.feed(call_id, EndRequested())

    def _queue(self, call_id: str, event: RemoteSaid | RemotePressed) -> bool:
        live = self.switchboard.live.get(call_id)
        if live is not None and live.engine.queued >= MAX_QUEUED:
            raise Conflict(f"{call_id}: {MAX_QUEUED} things wait to be said or pressed: let time pass first")
        return self.switchboard.feed(call_id, event)

    def hang_up(self, call_id: str) -> bool:
        """The remote party puts the phone down; False when the call has ended already."""
        return self.switchboard.feed(call_id, RemoteHungUp())

    def findings(self, call_id: str) -> list[Finding]:
        """What the handler did badly during this call."""
        return self.switchboard.findings.get(call_id, [])

    async def wait_for_call(self, call_id: str, real_timeout: float) -> Call:
        """Wait until the call has ended, at most `real_timeout` seconds of real time; returns it, ended or not.

        Raises Conflict when the account is reset meanwhile. A manual clock would never get there, so waiting is what
        moves it.
        """
        live = self.switchboard.live.get(call_id)
        if live is not None and self.clock.mode is ClockMode.MANUAL:
            await self.pacer.run_until(live.ended.is_set, timedelta(seconds=real_timeout))
        elif live is not None:
            await self._either(live.ended, real_timeout)
        call = calls.get(self.world, call_id)
        if live is not None and live.ended.is_set() and call.live:
            raise Conflict(f"the account was reset while {call_id} was under way: dial again")
        return call

    async def _either(self, event: asyncio.Event, real_timeout: float) -> None:
        """Wait for `event`, for the end of the server, or for `real_timeout` seconds of real time."""
        self.waiting += 1
        waits = [asyncio.ensure_future(e.wait()) for e in (event, self._closing)]
        try:
            await asyncio.wait(waits, timeout=real_timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiting -= 1
            for wait in waits:
                wait.cancel()

    # -- numbers -----------------------------------------------------------------------------------------------

    def await_expiry(self, number: PhoneNumber) -> None:
        """Release the number by itself at its `expires_at`, if it has one; replaces an earlier expiry."""
        key = (self.world.account_id, EXPIRY, number.id)
        if number.expires_at is None:
            self.pacer.timers.stop(key)
        else:
            self.pacer.start_timer(key, number.expires_at - self.now())
        self.pacer.arm()

    def _expire(self, number_id: str) -> None:
        number = self.world.numbers[number_id]
        if number.status is NumberStatus.ACTIVE:
            numbers.release(self.world, number_id, self.now())
            self._note("number.expired", {"number_id": number_id, "phone_number": number.phone_number})

    # -- deliveries --------------------------------------------------------------------------------------------

    def notify(self, notices: Iterable[Notice]) -> None:
        """Send each notice to the one webhook endpoint that gets it."""
        self.outbox.notify(notices)

    async def send_test(self, notice: Notice, endpoint: WebhookEndpoint) -> Delivery:
        """Send one test payload now and return the settled delivery."""
        return await self.outbox.send_test(notice, endpoint)

    # -- journal -----------------------------------------------------------------------------------------------

    def _wake(self, _entry: Entry) -> None:
        self._appended.set()

    async def journal_since(self, after: int, kind: str | None, limit: int, real_timeout: float) -> list[Entry]:
        """Entries after `after`, waiting up to `real_timeout` real seconds for the first one."""
        deadline = self._loop.time() + real_timeout
        while True:
            found = list(self.world.journal.since(after, kind, limit))
            left = deadline - self._loop.time()
            if found or left <= 0 or self._closing.is_set():
                return found
            self._appended.clear()
            await self._either(self._appended, left)

    # -- life --------------------------------------------------------------------------------------------------

    def begin_shutdown(self) -> None:
        """Answer every long poll with what there is."""
        self._closing.set()

    async def reset(self) -> None:
        """An empty world at the starting instant, as if the account had just been opened."""
        mode, scale = self.clock.mode, self.clock.scale
        for runner in self.worlds():
            runner.switchboard.hang_up_all()
        await self.pacer.stop()
        for runner in self.worlds():
            runner.outbox.abandon()
        self.settings = replace(self.settings, clock=mode, scale=scale)
        self._build()

    def unsettled(self) -> tuple[int, int]:
        """How many calls are live and how many deliveries are pending, sub-accounts included."""
        live = sum(len(runner.switchboard.live) for runner in self.worlds())
        deliveries = (d for runner in self.worlds() for d in runner.world.deliveries.values())
        return live, sum(1 for d in deliveries if d.status is DeliveryStatus.PENDING)

    async def stop(self, patience: timedelta = timedelta(seconds=5)) -> None:
        """Let what is in flight finish, then close every connection."""
        await self.pacer.stop(patience)
        await self.sender.close()
