"""One account at work: its world, its time, its live calls and its deliveries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.clock import Clock, ClockMode
from simulator.domain.calls import Call
from simulator.domain.messages import Message
from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, DeliveryStatus, Notice, WebhookEndpoint
from simulator.runtime.deliver import Sender
from simulator.runtime.outbox import TIMERS as OUTBOX_TIMERS
from simulator.runtime.outbox import Outbox
from simulator.runtime.pacer import CALL_TIMER, THREAD_TIMER, Key, Pacer
from simulator.settings import DEFAULT_START, Settings
from simulator.world import accounts
from simulator.world.journal import Entry, Journal
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.runtime.chores import Chores
    from simulator.runtime.simulator import Simulator
    from simulator.runtime.telephone import Gone, Telephone
    from simulator.runtime.threads import Threads


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
        self.sub_account_id = sub_account_id  # None: the account itself
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
        journal.on_growth(self._appended.set)
        # The key's digest keeps two accounts' ids and numbers apart under one seed, and so does the sub-account's id.
        scope = [self._key, *([self.sub_account_id] if self.sub_account_id else [])]
        digest = hashlib.sha256(":".join([str(settings.seed), *scope]).encode()).hexdigest()
        self.world = World(
            account_id=self.sub_account_id or f"acct_{digest[:12]}",
            seed=int(digest[:16], 16),
            policies=settings.policies,
            journal=journal,
        )
        self.world.limits = settings.limits
        self.world.webhook_secret = settings.webhook_secret
        if self._parent is not None:
            self.pacer: Pacer = self._parent.pacer
        else:
            start = settings.start or (datetime.now(UTC) if settings.clock is ClockMode.SYSTEM else DEFAULT_START)
            self.pacer = Pacer(Clock(settings.clock, start, self._loop.time, scale=settings.scale), self._note)
        self.pacer.own(self.world.account_id, self._fire)
        self.outbox = Outbox(self.world, self.pacer, self.sender, settings)
        self._telephone: Telephone | None = None
        self._chores: Chores | None = None
        self._threads: Threads | None = None

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
            child.hang_up_all()
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
        if key[0] == CALL_TIMER:
            self.telephone.switchboard.fire(str(key[1]), str(key[2]))
        elif key[0] == THREAD_TIMER:
            self.threads.fire(str(key[1]))
        elif key[0] in OUTBOX_TIMERS:
            self.outbox.fire(str(key[0]), str(key[1]))
        else:
            self.chores.fire(str(key[0]), str(key[1]))

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self.world.journal.append(kind, self.now(), **data)

    async def advance(self, delta: timedelta, patience: timedelta | None = None) -> None:
        """Move time forward, firing every timer on the way."""
        await self.pacer.advance(delta, self.settings.real_patience if patience is None else patience)

    async def run_until_idle(self, patience: timedelta | None = None) -> None:
        """Jump from timer to timer until none is left and nothing is in flight."""
        await self.pacer.run_until(lambda: False, self.settings.real_patience if patience is None else patience)

    # -- calls -------------------------------------------------------------------------------------------------

    @property
    def telephone(self) -> Telephone:
        """The account's calls."""
        if self._telephone is None:
            from simulator.runtime.telephone import Telephone

            self._telephone = Telephone(self)
        return self._telephone

    def find_call(self, call_id: str) -> Call | None:
        """A call of any account and sub-account of this simulator: whoever has its id may hear its recording."""
        root = self._parent or self
        runners = root.platform.runners() if root.platform else root.worlds()
        return next((call for runner in runners if (call := runner.world.calls.get(call_id)) is not None), None)

    # -- waiting -----------------------------------------------------------------------------------------------

    async def bounded(self, work: Coroutine[Any, Any, None], real_timeout: float, gone: Gone | None) -> None:
        """Do `work` for as long as somebody wants it: until the time is up, the server stops or the client has left."""
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(work), asyncio.ensure_future(self._closing.wait())]
        if gone is not None:
            tasks.append(asyncio.ensure_future(gone()))
        try:
            await asyncio.wait(tasks, timeout=real_timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)  # what was cancelled clears up first
        if not tasks[0].cancelled():
            tasks[0].result()

    @property
    def closing(self) -> bool:
        """Whether the server is stopping: nobody should wait for anything any more."""
        return self._closing.is_set()

    async def pause(self, event: asyncio.Event, real_timeout: float) -> None:
        """Wait for `event`, for the end of the server, or for `real_timeout` seconds of real time."""
        self.waiting += 1
        waits = [asyncio.ensure_future(e.wait()) for e in (event, self._closing)]
        try:
            await asyncio.wait(waits, timeout=real_timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.waiting -= 1
            for wait in waits:
                wait.cancel()

    # -- records ----------------------------------------------------------------------------------------------

    @property
    def chores(self) -> Chores:
        """What happens to the account's records when time gets there."""
        if self._chores is None:
            from simulator.runtime.chores import Chores

            self._chores = Chores(self.world, self.pacer, sent=self.text_sent, arrived=self.text_arrived)
        return self._chores

    # -- texts -------------------------------------------------------------------------------------------------

    @property
    def threads(self) -> Threads:
        """The account's people who text by a script."""
        if self._threads is None:
            from simulator.runtime.threads import Threads

            self._threads = Threads(self)
        return self._threads

    def text_sent(self, message: Message) -> None:
        """A text of the account is on its way."""
        if self._threads is not None:
            self._threads.handed_over(message)

    def text_arrived(self, message: Message) -> None:
        """A text of the account has arrived. With nobody registered and no script begun, nobody minds."""
        if self._threads is not None or self.world.people:
            self.threads.arrived(message)

    # -- deliveries --------------------------------------------------------------------------------------------

    def notify(self, notices: Iterable[Notice]) -> None:
        """Send each notice to the one webhook endpoint that gets it."""
        self.outbox.notify(notices)

    async def send_test(self, notice: Notice, endpoint: WebhookEndpoint) -> Delivery:
        """Send one test payload now and return the settled delivery."""
        return await self.outbox.send_test(notice, endpoint)

    # -- journal -----------------------------------------------------------------------------------------------

    async def journal_since(self, after: int, kind: str | None, limit: int, real_timeout: float) -> list[Entry]:
        """Entries after `after`, waiting up to `real_timeout` real seconds for the first one."""
        deadline = self._loop.time() + real_timeout
        journal, seen = self.world.journal, after
        while True:
            if journal is not self.world.journal:  # the account was reset
                journal, seen = self.world.journal, after
            found = journal.since(seen, kind, limit)
            seen = max(seen, journal.last_seq)  # what was not wanted once is not looked at again
            left = deadline - self._loop.time()
            if found or left <= 0 or self._closing.is_set():
                return found
            self._appended.clear()
            await self.pause(self._appended, left)

    # -- life --------------------------------------------------------------------------------------------------

    def begin_shutdown(self) -> None:
        """Answer every long poll with what there is."""
        self._closing.set()

    async def reset(self) -> None:
        """An empty world at the starting instant, as if the account had just been opened."""
        mode, scale = self.clock.mode, self.clock.scale
        for runner in self.worlds():
            runner.hang_up_all()
        await self.pacer.stop()
        for runner in self.worlds():
            runner.outbox.abandon()
        self.settings = replace(self.settings, clock=mode, scale=scale)
        self._build()

    def hang_up_all(self) -> None:
        """Forget every live call and every scripted thread without ceremony."""
        if self._telephone is not None:
            self._telephone.switchboard.hang_up_all()
        self._abandon_threads()

    def _abandon_threads(self) -> None:
        if self._threads is not None:
            self._threads.abandon()

    def unsettled(self) -> tuple[int, int]:
        """How many calls are live and how many deliveries are pending, sub-accounts included."""
        live = sum(len(runner.world.live_calls) for runner in self.worlds())
        deliveries = (d for runner in self.worlds() for d in runner.world.deliveries.values())
        return live, sum(1 for d in deliveries if d.status is DeliveryStatus.PENDING)

    async def stop(self, patience: timedelta = timedelta(seconds=5)) -> None:
        """Let what is in flight finish, then close every connection."""
        for runner in self.worlds():
            runner._abandon_threads()  # who waits for a text would be waited for
        await self.pacer.stop(patience)
        await self.sender.close()
