"""The remote party: which step comes next, and when its time has come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from simulator.engine.script import (
    Backchannel,
    BargeIn,
    Beep,
    Branch,
    HangUp,
    Hear,
    PickUp,
    Press,
    Repeat,
    Say,
    Step,
    Wait,
)
from simulator.engine.speech import REACTION_DELAY

_AT_ONCE: Final = timedelta()

# How long a person thinks about a caller's name before taking the call: the time it takes to look and to press a key.
PICK_UP_DELAY: Final = timedelta(seconds=2)

Place = tuple[int, ...]


class Ear(Protocol):
    """What can be heard of the agent. An answer is what it says between two times that the party spoke."""

    @property
    def since(self) -> datetime | None:
        """When the answer began to be heard; None while nothing of it is."""

    @property
    def answer(self) -> str:
        """All that was heard of the answer by now."""

    @property
    def sound(self) -> int | None:
        """A number that tells one piece of playback from another; None for silence."""

    def coming(self) -> Iterable[tuple[datetime, str]]:
        """At which instants how much of the answer will have been heard, in the order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the remote party perceives."""

    now: datetime
    silent: bool  # it makes no sound itself; its last words may not be over yet
    at_rest: bool  # and it has nothing that it said waiting to be answered
    free_since: datetime | None  # None: somebody has the floor
    ear: Ear


@dataclass(slots=True)
class _Frame:
    """Steps being taken one after another, `rounds` times. `place` is None where they are not part of the script."""

    steps: tuple[Step, ...]
    place: Place | None
    rounds: int | None = None  # None: once, and the round is not part of a step's place
    next: int = 0
    round: int = 0

    @property
    def here(self) -> Place | None:
        """The place of the next step."""
        if self.place is None:
            return None
        return (*self.place, self.next) if self.rounds is None else (*self.place, self.round, self.next)


@dataclass(frozen=True, slots=True)
class Due:
    """A step whose time has come, and its place in the script; None for what is not in it.

    `overdue`: it is a `Hear` whose words were not heard in time.
    """

    step: Step
    place: Place | None
    overdue: bool = False


@dataclass(slots=True)
class _Foresight:
    """When a `Hear` will be satisfied by what is playing; worked out once for each piece of playback."""

    step: Hear | None = None
    sound: int | None = None
    at: datetime | None = None


@dataclass(slots=True)
class _Live:
    """What somebody outside asked for: to be said or pressed politely, or to be said at once."""

    polite: deque[Say | Press] = field(default_factory=deque)
    blunt: deque[Say] = field(default_factory=deque)


class ScriptedParty:
    """The remote party: a script, live requests, or both.

    A live request goes before the script and happens as soon as it may. A scripted step that needs the floor comes
    `REACTION_DELAY` after the floor became free, as people do; the step after a `Wait` comes at once, the wait was its
    pause. After its last step the party hangs up. Without a script (`steps` is None) it stays on the line. `prelude`
    is taken before all that, and belongs to no script.

    A step is taken when its time has come, not before: a `Wait` that something interrupts begins anew.
    """

    __slots__ = ("_foresight", "_frames", "_live", "_ready_at", "_scripted", "_waited")

    def __init__(self, steps: tuple[Step, ...] | None, prelude: tuple[Step, ...] = ()) -> None:
        self._scripted = steps is not None
        self._frames = [_Frame(steps or (), ()), _Frame(prelude, None)]
        self._live = _Live()
        self._ready_at: datetime | None = None
        self._waited = False
        self._foresight = _Foresight()

    @property
    def script_played(self) -> bool:
        """Whether there is a script and all of its steps have been taken."""
        return self._scripted and self._next() is None

    @property
    def queued(self) -> int:
        """How many live requests wait for their moment."""
        return len(self._live.polite) + len(self._live.blunt)

    @property
    def hearing(self) -> Due | None:
        """The `Hear` that the party is at, with its place; None when it isn't waiting for words."""
        due = self._next()
        return due if due is not None and isinstance(due.step, Hear) else None

    def ask(self, step: Say | Press, *, over: bool = False) -> None:
        """Ask the party to do something when the floor is next free; `over`: to say it without waiting for that."""
        if over and isinstance(step, Say):
            self._live.blunt.append(step)
        else:
            self._live.polite.append(step)

    def ready(self, now: datetime) -> None:
        """Take note that the party has done with its latest step: the time of the next one counts from here."""
        self._ready_at = now

    def when(self, scene: Scene) -> datetime | None:
        """Say when the party will act if nothing happens before; never before now, None for never."""
        if not scene.silent:
            return None
        if self._live.blunt:
            return scene.now
        if self._live.polite and scene.free_since is not None:
            return scene.now
        due = self._next()
        if due is None and not self._scripted:
            return None
        at = self._when(HangUp() if due is None else due.step, scene)
        return None if at is None else max(at, scene.now)

    def interjection(self) -> Say | None:
        """Take what is to be said without waiting for the floor, if there is anything."""
        return self._live.blunt.popleft() if self._live.blunt else None

    def take(self, scene: Scene) -> Due:
        """Take the step whose time has come; only legal when `when` says now, and there is no interjection.

        A `Hear` that is overdue is not taken: it stays the party's next step.
        """
        if self._live.polite and scene.free_since is not None:
            return Due(self._live.polite.popleft(), None)
        return self._take(scene) or Due(HangUp(), None)

    def conclude(self, scene: Scene) -> Iterator[Due]:
        """The call ends: take every `Hear` whose words have been heard by now; the first that has not is overdue."""
        while self.hearing is not None and (due := self._take(scene)) is not None:
            yield due
            if due.overdue:
                return

    def _take(self, scene: Scene) -> Due | None:
        due = self._next()
        if due is None:
            return None
        if isinstance(due.step, Hear) and not self._has_heard(due.step, scene):
            return replace(due, overdue=True)
        self._frames[-1].next += 1
        self._waited = isinstance(due.step, Wait)
        self._ready_at = scene.now
        if isinstance(due.step, Branch):
            self._enter(due.step, due.place, scene.ear.answer)
        return due

    def _enter(self, branch: Branch, place: Place | None, heard: str) -> None:
        chosen = branch.choose(heard)
        steps = branch.cases[chosen].steps if chosen < len(branch.cases) else branch.otherwise
        self._frames.append(_Frame(steps, None if place is None else (*place, chosen)))

    def _next(self) -> Due | None:
        """The step that comes next, None after the last. Enters loops and leaves what is finished on the way."""
        while self._frames:
            frame = self._frames[-1]
            if frame.next < len(frame.steps):
                step = frame.steps[frame.next]
                if not isinstance(step, Repeat):
                    return Due(step, frame.here)
                inner = _Frame(step.steps, frame.here, rounds=step.times)
                frame.next += 1
                self._frames.append(inner)
            elif frame.rounds is not None and frame.round + 1 < frame.rounds:
                frame.round += 1
                frame.next = 0
            else:
                self._frames.pop()
        return None

    def _when(self, step: Step, scene: Scene) -> datetime | None:
        match step:
            case Hear():
                return self._when_heard(step, scene)
            case Branch():
                return scene.free_since
            case BargeIn(after=after) | HangUp(after=timedelta() as after):
                return self._when_over(after, scene)
            case Backchannel(after=after):
                return self._when_over(after, scene) if scene.at_rest else None
            case Beep():
                return scene.now if scene.at_rest else None
            case Wait(delay=delay):
                return self._when_free(delay, scene)
            case PickUp():
                return self._when_free(PICK_UP_DELAY, scene)
            case _:  # Say, Press, HangUp
                return self._when_free(_AT_ONCE if self._waited else REACTION_DELAY, scene)

    def _when_free(self, delay: timedelta, scene: Scene) -> datetime | None:
        if scene.free_since is None:
            return None
        return max(scene.free_since, self._ready_at or scene.free_since) + delay

    def _when_over(self, after: timedelta, scene: Scene) -> datetime | None:
        if scene.ear.since is not None:
            return scene.ear.since + after
        return self._when_free(after, scene)

    def _has_heard(self, step: Hear, scene: Scene) -> bool:
        """Whether the words have been heard by now. A clock that wakes us late doesn't make them unheard."""
        seen = self._foresight
        foreseen = seen.step is step and seen.sound == scene.ear.sound and seen.at is not None and seen.at <= scene.now
        return foreseen or step.match.found_in(scene.ear.answer)

    def _when_heard(self, step: Hear, scene: Scene) -> datetime | None:
        if self._has_heard(step, scene):
            return scene.now
        seen = self._foresight
        if seen.step is not step or seen.sound != scene.ear.sound:
            coming = (at for at, heard in scene.ear.coming() if step.match.found_in(heard))
            self._foresight = seen = _Foresight(step, scene.ear.sound, next(coming, None))
        if step.within is None:
            return seen.at
        deadline = (self._ready_at or scene.now) + step.within
        return deadline if seen.at is None else min(deadline, seen.at)
