"""Somebody who texts by a script: which step comes when, what a reply leads to, and where it all fails.

    events in    ThreadBegun, TextSent or TextRefused, ReplyArrived, WaitOver, with the instant each happened
    effects out  NoteTextStep, SendNow, ReactNow, StartWait, StopWait, ThreadFailed, ThreadFinished

A text is sent one at a time: after `SendNow` or `ReactNow` the script stands still until it has heard what became of
it. There is at most one wait, and it never outlives the script.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from simulator.engine.thread_script import (
    After,
    ExpectNoReply,
    ExpectReply,
    React,
    RepeatTexts,
    SendText,
    TextBranch,
    ThreadStep,
    check_thread_size,
    verb_of,
)
from simulator.errors import IllegalTransition

# A step's index; inside a repeat followed by the round and the index there, inside a branch by the case and the index.
Place = tuple[int, ...]

MAX_UNREAD: Final = 1_000  # replies that wait to be expected; the oldest are then forgotten
MAX_TOLD: Final = 5  # replies that a failure tells, the latest of them


# -- what happens to it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ThreadBegun:
    """The script begins. `opener` is the text that it answers, where the other side wrote first."""

    opener: ReplyArrived | None = None


@dataclass(frozen=True, slots=True)
class ReplyArrived:
    """A text has come from the other side."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TextSent:
    """What was to be sent has been sent."""


@dataclass(frozen=True, slots=True)
class TextRefused:
    """What was to be sent cannot be sent."""

    why: str


@dataclass(frozen=True, slots=True)
class WaitOver:
    """The wait that was started is over."""


ThreadEvent = ThreadBegun | ReplyArrived | TextSent | TextRefused | WaitOver


# -- what it wants done ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoteTextStep:
    """Write down that a step begins."""

    place: Place
    verb: str


@dataclass(frozen=True, slots=True)
class SendNow:
    """Send this, and say what became of it."""

    step: SendText


@dataclass(frozen=True, slots=True)
class ReactNow:
    """React to that text, and say what became of it."""

    message_id: str
    reaction: str


@dataclass(frozen=True, slots=True)
class StartWait:
    """Say `WaitOver` after this delay, unless it is stopped."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class StopWait:
    """Forget the wait."""


@dataclass(frozen=True, slots=True)
class ThreadFailed:
    """The script ends at a step that did not come true."""

    place: Place
    expected: str
    heard: str


@dataclass(frozen=True, slots=True)
class ThreadFinished:
    """The script ends behind its last step."""


ThreadEffect = NoteTextStep | SendNow | ReactNow | StartWait | StopWait | ThreadFailed | ThreadFinished


# -- the machine -------------------------------------------------------------------------------------------------


class TexterState(StrEnum):
    """What the script is doing."""

    NEW = "new"
    SENDING = "sending"  # until it has heard what became of it
    PAUSING = "pausing"
    EXPECTING = "expecting"  # a reply, or none
    DONE = "done"
    FAILED = "failed"


ENDED: Final = frozenset({TexterState.DONE, TexterState.FAILED})
# Where an event may happen. A reply may come at any time.
LEGAL: Final = {
    ThreadBegun: frozenset({TexterState.NEW}),
    TextSent: frozenset({TexterState.SENDING}),
    TextRefused: frozenset({TexterState.SENDING}),
    WaitOver: frozenset({TexterState.PAUSING, TexterState.EXPECTING}),
    ReplyArrived: frozenset(TexterState),
}


@dataclass(slots=True)
class _Frame:
    """Steps being taken; those of a loop know in which round they are."""

    steps: tuple[ThreadStep, ...]
    prefix: Place = ()
    rounds: int | None = None
    round: int = 0
    next: int = 0

    @property
    def here(self) -> Place:
        """Where the next step is."""
        return (*self.prefix, self.next) if self.rounds is None else (*self.prefix, self.round, self.next)


class Texter:
    """One script on its way. Raises UsageError for a script that is too long."""

    def __init__(self, steps: tuple[ThreadStep, ...]) -> None:
        check_thread_size(steps)
        self.state = TexterState.NEW
        self.now = datetime.min.replace(tzinfo=UTC)
        self._frames = [_Frame(steps)]
        self._place: Place = ()
        self._step: ThreadStep | None = None  # the one being taken
        self._deadline: datetime | None = None  # of the wait that runs
        self._unread: deque[ReplyArrived] = deque(maxlen=MAX_UNREAD)
        self._latest: ReplyArrived | None = None
        self._effects: list[ThreadEffect] = []

    def copy(self) -> Texter:
        """The same script at the same point; the two go on independently of each other."""
        settled = (*(frame.steps for frame in self._frames), self._step)
        return copy.deepcopy(self, {id(thing): thing for thing in settled})

    @property
    def ended(self) -> bool:
        """Whether nothing more will be done."""
        return self.state in ENDED

    @property
    def expecting(self) -> ExpectReply | ExpectNoReply | None:
        """What the script waits for from the other side, if it does."""
        return self._step if isinstance(self._step, ExpectReply | ExpectNoReply) else None

    def handle(self, event: ThreadEvent, now: datetime) -> list[ThreadEffect]:
        """Take note of an event and say what it leads to, in order.

        Raises IllegalTransition for an event that cannot happen in this state, ValueError for time that runs back.
        """
        if now.tzinfo is None or now < self.now:
            raise ValueError(f"an event at {now.isoformat()} came after one at {self.now.isoformat()}")
        if self.state not in LEGAL[type(event)]:
            raise IllegalTransition(f"{type(event).__name__} cannot happen to a thread that is {self.state.value}")
        self.now = now
        match event:
            case ThreadBegun(opener):
                self._latest = opener
                self._go_on()
            case ReplyArrived():
                self._hear(event)
            case TextSent():
                self._go_on()
            case TextRefused(why):
                self._fail(_attempt(self._step), why)
            case WaitOver():
                self._deadline = None
                self._wait_over()
        effects, self._effects = self._effects, []
        return effects

    def _hear(self, reply: ReplyArrived) -> None:
        overdue = self._deadline is not None and self.now > self._deadline  # the clock wakes us late
        if overdue and self.expecting is not None:
            self._wait_over()
            if self.ended:
                return
        self._latest = reply
        self._unread.append(reply)
        if isinstance(self._step, ExpectNoReply):
            self._fail(str(self._step), repr(reply.text))
        elif isinstance(self._step, ExpectReply) and self._answers(self._step):
            self._go_on()

    def _wait_over(self) -> None:
        if isinstance(self._step, ExpectReply):
            self._fail(str(self._step), self._told())
        else:
            self._go_on()

    def _answers(self, step: ExpectReply) -> bool:
        """Whether one of the unread replies is the expected one; it and those before it are then read."""
        for at, reply in enumerate(self._unread):
            if step.match is None or step.match.found_in(reply.text):
                for _ in range(at + 1):
                    self._unread.popleft()
                return True
        return False

    def _told(self) -> str:
        texts = [repr(reply.text) for reply in self._unread]
        earlier = len(texts) - MAX_TOLD
        told = ", ".join(texts[-MAX_TOLD:]) or "nothing"
        return f"{earlier} more, then {told}" if earlier > 0 else told

    def _go_on(self) -> None:
        """Take steps until one of them needs something from outside."""
        self._stop_wait()
        while (step := self._next()) is not None:
            self._step = step
            self._emit(NoteTextStep(self._place, verb_of(step)))
            match step:
                case SendText():
                    self.state = TexterState.SENDING
                    self._emit(SendNow(step))
                    return
                case React(reaction):
                    if self._latest is None:
                        self._fail(_attempt(step), "nothing")
                        return
                    self.state = TexterState.SENDING
                    self._emit(ReactNow(self._latest.message_id, reaction))
                    return
                case After(delay):
                    self._wait(TexterState.PAUSING, delay)
                    return
                case ExpectNoReply(length):
                    self._wait(TexterState.EXPECTING, length)
                    return
                case ExpectReply(within):
                    if not self._answers(step):
                        self._wait(TexterState.EXPECTING, within)
                        return
                case TextBranch():
                    self._enter(step)
        self._end(TexterState.DONE, ThreadFinished())

    def _enter(self, branch: TextBranch) -> None:
        chosen = branch.choose("" if self._latest is None else self._latest.text)
        steps = branch.cases[chosen].steps if chosen < len(branch.cases) else branch.otherwise
        self._frames.append(_Frame(steps, (*self._place, chosen)))

    def _next(self) -> ThreadStep | None:
        """The step that comes next, None after the last. Enters loops and leaves what is finished on the way."""
        while self._frames:
            frame = self._frames[-1]
            if frame.next < len(frame.steps):
                step, place = frame.steps[frame.next], frame.here
                frame.next += 1
                if not isinstance(step, RepeatTexts):
                    self._place = place
                    return step
                self._frames.append(_Frame(step.steps, place, rounds=step.times))
            elif frame.rounds is not None and frame.round + 1 < frame.rounds:
                frame.round += 1
                frame.next = 0
            else:
                self._frames.pop()
        return None

    def _wait(self, state: TexterState, delay: timedelta) -> None:
        self.state = state
        self._deadline = self.now + delay
        self._emit(StartWait(delay))

    def _stop_wait(self) -> None:
        if self._deadline is not None:
            self._deadline = None
            self._emit(StopWait())

    def _fail(self, expected: str, heard: str) -> None:
        self._end(TexterState.FAILED, ThreadFailed(self._place, expected, heard))

    def _end(self, state: TexterState, effect: ThreadEffect) -> None:
        self._stop_wait()
        self.state = state
        self._step = None
        self._unread.clear()
        self._emit(effect)

    def _emit(self, effect: ThreadEffect) -> None:
        self._effects.append(effect)


def _attempt(step: ThreadStep | None) -> str:
    return "a reply to react to" if isinstance(step, React) else "the text to be sent"
