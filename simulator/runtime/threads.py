"""People who text by a script: carries out what `engine.thread` decides, and tells it what has come back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulator.clock import ClockMode
from simulator.domain.messages import Message
from simulator.domain.text_threads import TextThread, ThreadStatus
from simulator.engine.thread import (
    NoteTextStep,
    ReactNow,
    ReplyArrived,
    SendNow,
    StartWait,
    StopWait,
    Texter,
    TextRefused,
    TextSent,
    ThreadBegun,
    ThreadEffect,
    ThreadEvent,
    ThreadFailed,
    ThreadFinished,
    WaitOver,
)
from simulator.engine.thread_script import ExpectNoReply, SendText, ThreadStep
from simulator.errors import ApiError, Conflict
from simulator.runtime.in_flight import WAITING, Key
from simulator.runtime.pacer import THREAD_TIMER
from simulator.world import notices, texters

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner
    from simulator.runtime.telephone import Gone

# A handler acknowledges a text first and answers it later, through the API. Nobody can see whether it is still at it,
# so time follows real time for a while before it may jump on: longer where an answer is expected, as language models
# take seconds, and shorter where none is, as that while is spent each time.
REPLY_PATIENCE: Final = 10.0  # real seconds
QUIET_PATIENCE: Final = 1.0  # real seconds


@dataclass(slots=True)
class _Live:
    """A script that has not ended."""

    id: str
    texter: Texter
    patience: float | None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)  # time need not stay for the handler any longer


@dataclass(frozen=True, slots=True)
class ThreadImage:
    """A script under way at one instant. Never used itself, only copied."""

    id: str
    texter: Texter
    patience: float | None


class Threads:
    """The scripted texters of one account. Made for the first of them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._world = runner.world
        self._pacer = runner.pacer
        self._live: dict[str, _Live] = {}

    # -- beginning ---------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        from_number: str,
        to_number: str,
        participants: Iterable[str] | None = None,
        steps: tuple[ThreadStep, ...],
        patience: float | None = None,
    ) -> TextThread:
        """Let somebody text one of the account's numbers by a script. Raises what `texters.begin` does.

        `patience` is how many real seconds an auto or manual clock stays with a handler that may still answer.
        """
        thread = texters.begin(
            self._world,
            from_number=from_number,
            to_number=to_number,
            participants=participants,
            now=self._pacer.clock.now(),
        )
        self._run(thread, steps, patience, None)
        return texters.get(self._world, thread.id)

    def _run(
        self, thread: TextThread, steps: tuple[ThreadStep, ...], patience: float | None, opener: Message | None
    ) -> None:
        self._runner.sender.prepare()
        live = self._live[thread.id] = _Live(thread.id, Texter(steps), patience)
        self._feed(live, ThreadBegun(None if opener is None else ReplyArrived(opener.id, opener.body)))

    # -- what the account does ---------------------------------------------------------------------------------

    def handed_over(self, message: Message) -> None:
        """A text of the account is on its way: its handler has answered."""
        for thread in texters.latest(self._world, texters.pair_of(self._world, message)):
            if (live := self._live.get(thread.id)) is not None:
                live.answered.set()

    def arrived(self, message: Message) -> None:
        """A text of the account has arrived: those who wait for it go on, those who answer it begin."""
        pair = texters.pair_of(self._world, message)
        beginning = {member: steps for member in sorted(pair[1]) if (steps := self._unused(pair, member))}
        for thread in texters.latest(self._world, pair):
            if thread.from_number not in beginning:
                self._reply(thread.id, message)
        for member, steps in beginning.items():
            self._answer(pair, member, steps, message)

    def _reply(self, thread_id: str, message: Message) -> None:
        texters.note_reply(self._world, thread_id, message, self._pacer.clock.now())
        if (live := self._live.get(thread_id)) is not None:
            self._feed(live, ReplyArrived(message.id, message.body))

    def _unused(self, pair: texters.Pair, member: str) -> tuple[ThreadStep, ...] | None:
        """The script by which somebody answers the account's first text, if it is yet to be used between these two."""
        steps = texters.script_of(self._world, member)
        if not steps or self._world.begun.get((pair, member)) is steps:
            return None
        last = (thread for thread in texters.latest(self._world, pair) if thread.from_number == member)
        return None if any(thread.status is ThreadStatus.RUNNING for thread in last) else steps

    def _answer(self, pair: texters.Pair, member: str, steps: tuple[ThreadStep, ...], opener: Message) -> None:
        now = self._pacer.clock.now()
        thread = texters.begin(
            self._world,
            from_number=member,
            to_number=self._world.numbers[pair[0]].phone_number,
            participants=pair[1] if len(pair[1]) > 1 else None,
            opener=opener,
            now=now,
        )
        self._world.begun[pair, member] = steps
        texters.note_reply(self._world, thread.id, opener, now)
        self._run(thread, steps, None, opener)

    # -- time --------------------------------------------------------------------------------------------------

    def fire(self, thread_id: str) -> None:
        """A thread's wait is over."""
        if (live := self._live.get(thread_id)) is not None:
            self._feed(live, WaitOver())

    def _key(self, live: _Live) -> Key:
        return self._world.account_id, THREAD_TIMER, live.id

    def _stay(self, live: _Live) -> None:
        """Let time follow real time while the handler may be at work on what this thread waits for."""
        live.answered.set()
        expecting = live.texter.expecting
        if expecting is None:
            return
        usual = QUIET_PATIENCE if isinstance(expecting, ExpectNoReply) else REPLY_PATIENCE
        live.answered = asyncio.Event()
        self._pacer.track(_bounded(live.answered, usual if live.patience is None else live.patience), WAITING)

    # -- steps -------------------------------------------------------------------------------------------------

    def _feed(self, live: _Live, event: ThreadEvent) -> None:
        waiting = deque([event])
        while waiting:
            for effect in live.texter.handle(waiting.popleft(), self._pacer.clock.now()):
                waiting.extend(self._perform(live, effect))
        self._stay(live)
        self._pacer.arm()

    def _perform(self, live: _Live, effect: ThreadEffect) -> list[ThreadEvent]:
        """Do as the engine says; returns what came of it."""
        now = self._pacer.clock.now()
        match effect:
            case NoteTextStep(place, verb):
                texters.note_step(self._world, live.id, place, verb, now)
            case SendNow(step):
                return self._send(live, step)
            case ReactNow(message_id, reaction):
                return self._react(live, message_id, reaction)
            case StartWait(delay):
                self._pacer.start_timer(self._key(live), delay)
            case StopWait():
                self._pacer.timers.stop(self._key(live))
            case ThreadFailed(place, expected, heard):
                texters.fail(self._world, live.id, place, expected, heard, now)
                self._end(live)
            case ThreadFinished():
                texters.finish(self._world, live.id, now)
                self._end(live)
        return []

    def _send(self, live: _Live, step: SendText) -> list[ThreadEvent]:
        now = self._pacer.clock.now()
        try:
            sent, automatic = texters.send(self._world, live.id, step, now)
        except ApiError as refused:
            return [TextRefused(str(refused))]
        for message in sent:
            self._runner.notify(notices.for_message_received(self._world, message, now))
        answers = [] if automatic is None else [ReplyArrived("", automatic.body)]
        return [TextSent(), *answers]

    def _react(self, live: _Live, message_id: str, reaction: str) -> list[ThreadEvent]:
        now = self._pacer.clock.now()
        try:
            message, made = texters.react(self._world, live.id, message_id, reaction, now)
        except ApiError as refused:
            return [TextRefused(str(refused))]
        self._runner.notify(notices.for_reaction(self._world, message, made, now))
        return [TextSent()]

    def _end(self, live: _Live) -> None:
        del self._live[live.id]
        live.ended.set()

    # -- life --------------------------------------------------------------------------------------------------

    async def wait_for(self, thread_id: str, real_timeout: float, gone: Gone | None = None) -> TextThread:
        """Wait until the script has ended, at most `real_timeout` seconds of real time; returns the thread either way.

        Raises Conflict when the account is reset meanwhile. Waiting moves a manual clock, as it does for a call.
        """
        runner, live = self._runner, self._live.get(thread_id)
        if live is not None and runner.clock.mode is ClockMode.MANUAL:
            moving = self._pacer.run_until(live.ended.is_set, timedelta(seconds=real_timeout))
            await runner.bounded(moving, real_timeout, gone)
        elif live is not None:
            await runner.bounded(runner.pause(live.ended, real_timeout), real_timeout, gone)
        thread = texters.get(self._world, thread_id)
        if live is not None and live.ended.is_set() and thread.status is ThreadStatus.RUNNING:
            raise Conflict(f"the account was reset while {thread_id} was under way: start it again")
        return thread

    def image(self) -> tuple[ThreadImage, ...]:
        """Every script under way as it is now."""
        return tuple(ThreadImage(live.id, live.texter.copy(), live.patience) for live in self._live.values())

    def revive(self, images: Iterable[ThreadImage]) -> None:
        """Go on with scripts from where their images were made; their timers are somebody else's.

        Time does not stay for handlers once more: what they were waited for was before the image was made.
        """
        for image in images:
            self._live[image.id] = _Live(image.id, image.texter.copy(), image.patience)

    def abandon(self) -> None:
        """Forget every script without ceremony; who waits for one is told."""
        for live in self._live.values():
            self._pacer.timers.stop(self._key(live))
            live.answered.set()
            live.ended.set()
        self._live.clear()


async def _bounded(event: asyncio.Event, real_seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), real_seconds)
    except TimeoutError:
        return
