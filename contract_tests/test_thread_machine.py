"""Any interleaving of replies, timers and refusals: what a scripted thread never does, and when exactly it fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulator.engine.script import Match
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
from simulator.engine.thread_script import (
    After,
    ExpectNoReply,
    ExpectReply,
    React,
    RepeatTexts,
    SendText,
    TextBranch,
    TextCase,
    ThreadStep,
)

START: Final = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
DELAYS: Final = st.sampled_from([timedelta(seconds=10), timedelta(days=2), timedelta()])
WORDS: Final = st.sampled_from(["yes", "no", "oh yes", ""])
MATCHES: Final = st.sampled_from([Match(contains="yes"), Match(matches="^no$"), Match(one_of=("no", "yes"))])


def nested(inner: st.SearchStrategy[ThreadStep]) -> st.SearchStrategy[ThreadStep]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.builds(RepeatTexts, st.integers(1, 3), several) | st.builds(
        TextBranch, st.builds(TextCase, MATCHES, several).map(lambda case: (case,)), several
    )


# What waits for replies comes up more often: there is most to go wrong.
LEAVES: Final = (
    st.builds(ExpectReply, DELAYS)
    | st.builds(ExpectReply, DELAYS, MATCHES)
    | st.builds(ExpectReply, st.just(timedelta(seconds=10)), MATCHES)
    | st.builds(ExpectNoReply, DELAYS)
    | st.builds(SendText, st.sampled_from(["hi", "STOP"]))
    | st.builds(After, DELAYS)
    | st.builds(React, st.just("love"))
)
SCRIPTS: Final = st.lists(LEAVES | nested(LEAVES) | nested(LEAVES | nested(LEAVES)), min_size=1, max_size=8).map(tuple)


def step_at(steps: tuple[ThreadStep, ...], place: tuple[int, ...]) -> ThreadStep:
    """The step that a place names."""
    step, rest = steps[place[0]], place[1:]
    if not rest:
        return step
    if isinstance(step, RepeatTexts):
        assert 0 <= rest[0] < step.times
        return step_at(step.steps, rest[1:])
    assert isinstance(step, TextBranch)
    return step_at(step.cases[rest[0]].steps if rest[0] < len(step.cases) else step.otherwise, rest[1:])


class Thread(RuleBasedStateMachine):
    """Keeps the one timer and the unread replies for the script, and believes nothing that it says."""

    @initialize(steps=SCRIPTS, opener=st.none() | WORDS)
    def begin(self, steps: tuple[ThreadStep, ...], opener: str | None) -> None:
        self.steps = steps
        self.texter = Texter(steps)
        self.now = START
        self.due: datetime | None = None
        self.asked = False  # it waits to hear what became of a text
        self.places: list[tuple[int, ...]] = []
        self.began = START  # the latest step
        self.unread: list[str] = []
        self.ends: list[ThreadEffect] = []
        self.tell(ThreadBegun(None if opener is None else ReplyArrived("msg_0", opener)))

    def tell(self, event: ThreadEvent) -> list[ThreadEffect]:
        effects = self.texter.handle(event, self.now)
        for effect in effects:
            self.carry_out(effect)
        return effects

    def carry_out(self, effect: ThreadEffect) -> None:
        assert not self.ends, f"{effect} after the end"
        match effect:
            case NoteTextStep(place, _):
                self.settle_last_step()
                self.places.append(place)
                self.began = self.now
            case StartWait(delay):
                assert self.due is None
                self.due = self.now + delay
            case StopWait():
                assert self.due is not None
                self.due = None
            case SendNow() | ReactNow():
                assert not self.asked
                self.asked = True
            case ThreadFailed() | ThreadFinished():
                if isinstance(effect, ThreadFinished):
                    self.settle_last_step()
                self.ends.append(effect)

    def settle_last_step(self) -> None:
        """The step before was left behind: if it expected a reply, one was there, and in time."""
        step = step_at(self.steps, self.places[-1]) if self.places else None
        if isinstance(step, ExpectReply):
            fits = [at for at, text in enumerate(self.unread) if step.match is None or step.match.found_in(text)]
            assert fits
            assert self.now <= self.began + step.within
            del self.unread[: fits[0] + 1]
        elif isinstance(step, After | ExpectNoReply):
            length = step.delay if isinstance(step, After) else step.length
            assert self.now >= self.began + length

    @property
    def current(self) -> ThreadStep | None:
        return step_at(self.steps, self.places[-1]) if self.places and not self.ends else None

    @precondition(lambda self: self.asked and not self.ends)
    @rule()
    def sent(self) -> None:
        self.asked = False
        self.tell(TextSent())

    @precondition(lambda self: self.asked and not self.ends)
    @rule(why=st.just("no"))
    def refused(self, why: str) -> None:
        self.asked = False
        self.tell(TextRefused(why))
        assert isinstance(self.ends[-1], ThreadFailed)

    @rule(text=WORDS, seconds=st.sampled_from([0.5, 4, 11]))
    def reply(self, text: str, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        due, step = self.due, self.current
        if not self.ends:
            late = due is not None and self.now > due
            if not (late and isinstance(step, ExpectReply)):
                self.unread.append(text)
        self.tell(ReplyArrived("msg_1", text))
        if isinstance(step, ExpectNoReply) and due is not None and self.now <= due:
            assert isinstance(self.ends[-1], ThreadFailed)
        if isinstance(step, ExpectReply) and due is not None and self.now > due:
            assert isinstance(self.ends[-1], ThreadFailed)

    @precondition(lambda self: self.due is not None)
    @rule(late=st.sampled_from([0, 0.002]))
    def time_is_up(self, late: float) -> None:
        assert self.due is not None
        self.now = max(self.now, self.due + timedelta(seconds=late))
        self.due, step = None, self.current
        self.tell(WaitOver())
        if isinstance(step, ExpectReply):  # it waited for the whole time, so nothing that came was what it wanted
            assert isinstance(self.ends[-1], ThreadFailed)
            assert not any(step.match is None or step.match.found_in(text) for text in self.unread)

    @invariant()
    def each_step_is_taken_once_and_in_order(self) -> None:
        places: list[Any] = getattr(self, "places", [])
        assert places == sorted(set(places))

    @invariant()
    def it_waits_for_one_thing_at_a_time(self) -> None:
        if hasattr(self, "ends"):
            waits = [self.due is not None, self.asked, bool(self.ends)]
            assert waits.count(True) == 1
            assert self.texter.ended == bool(self.ends)

    def teardown(self) -> None:
        """Whatever is left to do, the script comes to its end, and leaves no timer."""
        while hasattr(self, "ends") and not self.ends:
            if self.asked:
                self.sent()
            else:
                self.time_is_up(0)
        assert len(getattr(self, "ends", [None])) == 1
        assert getattr(self, "due", None) is None


TestThread = Thread.TestCase
TestThread.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
