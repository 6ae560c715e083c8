"""One account at work: its world, its time, its live calls and its deliveries."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from simulator.clock import Clock, ClockMode, Timers
from simulator.domain.calls import Call
from simulator.domain.messages import Message
from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, DeliveryStatus, Notice, WebhookEndpoint
from simulator.runtime.deliver import Sender
from simulator.runtime.images import AccountImage, Identity, WorldImage
from simulator.runtime.in_flight import Key
from simulator.runtime.outbox import TIMERS as OUTBOX_TIMERS
from simulator.runtime.outbox import Outbox
from simulator.runtime.pacer import CALL_TIMER, THREAD_TIMER, Pacer
from simulator.runtime.waits import Waits
from simulator.settings import DEFAULT_START, Settings
from simulator.world import accounts, faults, images
from simulator.world.journal import Journal
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.runtime.chores import Chores
    from simulator.runtime.simulator import Simulator
    from simulator.runtime.telephone import Gone, Telephone
    from simulator.runtime.threads import Threads


class Runner(Waits):
    """The account's port to everything that takes time. Lives on one event loop.

    A sub-account has a runner of its own, with a world of its own; time and connections are its parent's.
    """

    def __init__(
        self,
        api_key: str,
        settings: Settings,
        *,
        platform: Simulator | None = None,
        identity: Identity | None = None,
        parent: Runner | None = None,
        sub_account_id: str | None = None,
        image: AccountImage | None = None,
        part: WorldImage | None = None,
    ) -> None:
        super().__init__(parent._closing if parent else asyncio.Event())
        self.settings = settings
        self.platform = platform  # every other account of the process; None when there is none to know
        self.api_key = api_key
        # The key keeps two accounts' ids and numbers apart under one seed, unless somebody settles them otherwise.
        self.identity = identity or Identity.of(settings.seed, api_key)
        self._parent = parent
        self.sub_account_id = sub_account_id  # None: the account itself
        self.snapshots: dict[str, AccountImage] = {}  # by name; a reset leaves them alone
        self._loop = asyncio.get_running_loop()
        self.closed = False  # the account is gone: whoever still has hold of this has come too late
        self.sender: Sender = parent.sender if parent else self._new_sender()
        self._build(image, part)

    def _new_sender(self) -> Sender:
        mounts = ChainMap({}, self.platform.mounts) if self.platform is not None else None
        return Sender(self.settings.allow_hosts, self.settings.policies, mounts)

    def _build(self, image: AccountImage | None = None, part: WorldImage | None = None) -> None:
        """Furnish the account: as an image of it says, which is copied, or else empty."""
        settings = self.settings
        part = part if image is None else image.whole
        self._children: dict[str, Runner] = {}  # by sub-account id, made on first use
        self.world = self._empty_world() if part is None else images.copy_of(part.world)
        self.world.journal.on_growth(self._appended.set)
        if self._parent is not None:
            self.pacer = self._parent.pacer
        else:
            start = settings.start or (datetime.now(UTC) if settings.clock is ClockMode.SYSTEM else DEFAULT_START)
            now, timers = (start, Timers[Key]()) if image is None else (image.now, image.timers.copy())
            clock = Clock(settings.clock, now, self._loop.time, scale=settings.scale)
            self.pacer = Pacer(clock, self._note, timers=timers, grace=settings.handler_grace)
            self.sender.policies = settings.policies
        self.pacer.own(self.world.account_id, self._fire)
        if part is None:
            for spec in settings.faults:
                faults.add(self.world, spec, self.now())
        self.outbox = Outbox(self.world, self.pacer, self.sender, settings)
        self._telephone: Telephone | None = None
        self._chores: Chores | None = None
        self._threads: Threads | None = None
        if part is not None:
            self._revive(part)
        if image is not None:
            self._children = {name: self._child(name, its_part) for name, its_part in image.parts.items()}
            self.pacer.arm()

    def empty_part(self, sub_account_id: str) -> World:
        """What the world of a sub-account is before anything happens in it."""
        return self._empty_world(self.identity.part(sub_account_id))

    def _empty_world(self, identity: Identity | None = None) -> World:
        account_id, seed = identity or self.identity
        journal = Journal(self.settings.journal_limit)
        world = World(account_id=account_id, seed=seed, policies=self.settings.policies, journal=journal)
        world.limits, world.webhook_secret = self.settings.limits, self.settings.webhook_secret
        return world

    def _revive(self, part: WorldImage) -> None:
        if part.calls:
            self.telephone.switchboard.revive(part.calls)
        if part.threads:
            self.threads.revive(part.threads)

    # -- sub-accounts ------------------------------------------------------------------------------------------

    def scoped(self, sub_account_id: str) -> Runner:
        """The runner of a sub-account. Raises NotFound naming the id."""
        accounts.get(self.world, sub_account_id)
        child = self._children.get(sub_account_id)
        if child is None:
            child = self._children[sub_account_id] = self._child(sub_account_id)
        return child

    def _child(self, sub_account_id: str, part: WorldImage | None = None) -> Runner:
        return Runner(
            self.api_key,
            self.settings,
            platform=self.platform,
            identity=self.identity.part(sub_account_id),
            parent=self,
            sub_account_id=sub_account_id,
            part=part,
        )

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

    async def settle(self, patience: timedelta | None = None, gone: Gone | None = None) -> None:
        """Wait until everything has happened that happens by itself. Time is not moved.

        An auto clock has then come to its last timer. Handlers bound the wait by their timeouts; on a manual clock,
        where those do not run out, `patience` of real time does.
        """
        if self.clock.mode is ClockMode.MANUAL:
            await self.pacer.settle(self.settings.real_patience if patience is None else patience)
        elif not self.pacer.at_rest:
            await self.bounded(self.pacer.watch(lambda: self.pacer.at_rest), None, gone)

    # -- calls -------------------------------------------------------------------------------------------------

    @property
    def telephone(self) -> Telephone:
        """The account's calls."""
        if self._telephone is None:
            from simulator.runtime.telephone import Telephone

            self._telephone = Telephone(self)
        return self._telephone

    def find_call(self, call_id: str) -> Call | None:
        """A call of any account and sub-account of this simulator: whoever has its id may hear its recording.

        Accounts with the same seed may have a call of the same id; then it is the one of the account that asks.
        """
        root = self._parent or self
        runners = chain(root.worlds(), root.platform.runners() if root.platform else ())
        return next((call for runner in runners if (call := runner.world.calls.get(call_id)) is not None), None)

    # -- requests of the account -------------------------------------------------------------------------------

    def restless(self, *, test: bool) -> bool:
        """Whether a request of the account, or of its `test`, has to wait for `admit` before it is taken in."""
        return self.pacer.restless(test=test)

    async def admit(self) -> None:
        """Wait until a request of the account can be taken in."""
        await self.pacer.admit()

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

    # -- life --------------------------------------------------------------------------------------------------

    def begin_shutdown(self) -> None:
        """Answer every long poll with what there is."""
        self._closing.set()
        self.pacer.dismiss()

    async def reset(self) -> None:
        """An empty world at the starting instant, as if the account had just been opened. Its snapshots stay."""
        await self._clear()
        self.settings = self.as_now(self.settings)
        self._build()

    def as_now(self, settings: Settings) -> Settings:
        """These settings with who moves time, how fast and for whom it stands still, as it is at this moment."""
        clock = self.clock
        return replace(settings, clock=clock.mode, scale=clock.scale, handler_grace=self.pacer.order.grace)

    async def _clear(self) -> None:
        """End without ceremony whatever is under way."""
        for runner in self.worlds():
            runner.hang_up_all()
        await self.pacer.stop()
        for runner in self.worlds():
            runner.hang_up_all()  # what was begun while we waited
            runner.outbox.abandon()

    def image(self, *, records_only: bool = False) -> AccountImage:
        """The account as it is now. No request may be in flight, unless records are all that is wanted."""
        whole, *parts = (runner._part(records_only) for runner in self.worlds())
        return AccountImage(
            identity=self.identity,
            settings=self.as_now(self.settings),
            now=self.now(),
            timers=self.pacer.kept_timers(),
            whole=whole,
            parts=dict(zip(self._children, parts, strict=True)),
        )

    def _part(self, records_only: bool) -> WorldImage:
        world = images.copy_of(self.world)
        if records_only:
            return WorldImage(world)
        calls = self._telephone.switchboard.image() if self._telephone is not None else ()
        return WorldImage(world, calls, self._threads.image() if self._threads is not None else ())

    async def restore(self, image: AccountImage) -> None:
        """Everything as it was when the image was made, time included; who moves it stays as it is.

        What is under way ends without ceremony, as with a reset.
        """
        await self._clear()
        self._put_back(image)

    async def load(self, image: AccountImage) -> None:
        """The same with an image out of a file, which holds records only: what was under way is brought to an end."""
        await self._clear()
        self._put_back(image)
        self.resume()

    def resume(self) -> None:
        """Bring what was under way to an end, in worlds that were just read from a file."""
        from simulator.runtime.resuming import resume

        for runner in self.worlds():
            resume(runner)
        self.pacer.arm()

    def _put_back(self, image: AccountImage) -> None:
        self.settings = self.as_now(image.settings)
        self.identity = image.identity
        self._build(image)

    async def close(self) -> None:
        """End the account: what is under way ends without ceremony, and nobody waits for anything any more."""
        self.closed = True
        self.begin_shutdown()
        await self._clear()
        await self.sender.close()

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
        for runner in self.worlds():
            runner.outbox.abandon()
        await self.sender.close()
