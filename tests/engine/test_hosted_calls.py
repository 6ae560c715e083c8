"""The double and the call engine together, in any order of what the caller, time, tools and models do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulator.domain.agents import CustomTool
from simulator.domain.calls import Party
from simulator.domain.findings import FindingKind
from simulator.domain.hosted import HostedAnswer, ToolUse
from simulator.engine.effects import CancelTurn, CloseTurn, Effect, EndCall, OpenTurn, Play
from simulator.engine.events import EndRequested, RemoteHungUp, RemotePressed, RemoteSaid
from simulator.engine.hosted import REPLY_TIMEOUT, HostedDouble, State
from simulator.engine.hosted_events import (
    Answered,
    AskFunction,
    AskingFailed,
    AskModel,
    DoubleEvent,
    Reply,
    Role,
    Said,
    StopWork,
    ToolAnswered,
    ToolFailed,
    TurnCancelled,
    TurnOpened,
    UseTool,
    Wait,
    Waited,
)
from simulator.engine.hosted_events import (
    Line as Scripted,
)
from simulator.engine.script import Match
from tests.helpers.engine import Line

USE: Final = ToolUse(name="book")
BOOK: Final = CustomTool(
    name="book", description="", url="http://127.0.0.1/", execution_message="One moment while I look"
)
LINES: Final = (
    Scripted(answer=HostedAnswer(say="Here it is {{result}}", tool=USE), when=Match(contains="book")),
    Scripted(answer=HostedAnswer(say="Goodbye then", action="hangup"), when=Match(contains="bye")),
    Scripted(answer=HostedAnswer(say="I put you through", action="transfer"), when=Match(contains="human")),
    Scripted(answer=HostedAnswer(say="A first line that takes a while to say", digits="12#")),
)
WORDS: Final = st.sampled_from(["book it", "bye", "a human please", "hello there my friend", "uh-huh", "wait, stop it"])
ANSWERS: Final = st.sampled_from([None, HostedAnswer(say="From the model"), HostedAnswer(tool=USE), HostedAnswer()])
HANDLER_MISTAKES: Final = [kind for kind in FindingKind if kind.value.startswith(("reply_", "chunk_", "missing_"))]


class HostedLine(Line):
    """A call whose turns the double answers. Work that it asks for is kept, and is done when a test says so."""

    def __init__(self, role: Role, **changes: Any) -> None:
        super().__init__(turn_timeout=REPLY_TIMEOUT, greeting="Hello, this is Ann", **changes)
        self.double = HostedDouble(role)
        self.due: datetime | None = None  # of the double's timer
        self.work: AskModel | UseTool | None = None

    def feed(self, *events: Any) -> list[Effect]:
        effects = super().feed(*events)
        for effect in effects:
            if isinstance(effect, OpenTurn):
                self.tell(TurnOpened(effect.turn_id, effect.transcript))
            elif isinstance(effect, CancelTurn | EndCall):
                self.tell(TurnCancelled())
        return effects

    def tell(self, event: DoubleEvent) -> None:
        for effect in self.double.handle(event):
            match effect:
                case Wait(delay=delay):
                    self.due = self.now + delay
                case StopWork():
                    self.due = self.work = None
                case AskModel() | UseTool():
                    self.work = effect
                case Reply(event=reply):
                    self.feed(reply)
                case AskFunction():
                    raise AssertionError("the role has no function")

    def wait(self) -> None:
        """Let the next timer fire, the call's or the double's."""
        if self.due is not None and self.due <= min(self.timers.values(), default=self.due):
            self.now, self.due = max(self.now, self.due), None
            self.tell(Waited())
        elif self.timers:
            self.fire_next()


class HostedCalls(RuleBasedStateMachine):
    """One hosted call."""

    def __init__(self) -> None:
        super().__init__()
        role = Role(
            call_id="call_1", agent_name="Ann", prompt="", variables={}, tools=(BOOK,), lines=LINES, has_model=True
        )
        self.line = HostedLine(role, transfer_number="+14155550177", max_silence=timedelta(seconds=20))
        self.line.connect()
        self.old: list[int] = []  # tickets of work that was done or dropped

    def live(self) -> bool:
        return not self.line.engine.ended

    @precondition(live)
    @rule(text=WORDS, over=st.booleans())
    def say(self, text: str, over: bool) -> None:
        self.line.feed(RemoteSaid(text, over=over))

    @precondition(live)
    @rule(digits=st.sampled_from(["1", "#*"]))
    def press(self, digits: str) -> None:
        self.line.feed(RemotePressed(digits))

    @rule(times=st.integers(1, 6))
    def let_time_pass(self, times: int) -> None:
        for _ in range(times):
            self.line.wait()

    @precondition(lambda self: self.line.work is not None)
    @rule(data=st.data())
    def finish_work(self, data: st.DataObject) -> None:
        work = self.line.work
        assert work is not None
        self.old.append(work.ticket)
        if isinstance(work, UseTool):
            status = data.draw(st.sampled_from([200, 404]))
            event: DoubleEvent = ToolAnswered(work.ticket, status, "done")
        elif data.draw(st.booleans()):
            self.line.tell(Said(work.ticket, "Well, let me think."))
            event = Answered(work.ticket, data.draw(ANSWERS))
        else:
            event = AskingFailed(work.ticket, "busy")
        self.line.tell(event)

    @rule(data=st.data())
    def answer_late(self, data: st.DataObject) -> None:
        for ticket in self.old:
            kind = data.draw(st.sampled_from([ToolFailed, AskingFailed, Said]))
            before = len(self.line.log)
            self.line.tell(kind(ticket, "late"))
            assert len(self.line.log) == before

    @precondition(live)
    @rule(event=st.sampled_from([RemoteHungUp(), EndRequested()]), really=st.integers(0, 4))
    def end(self, event: Any, really: int) -> None:
        if really == 0:
            self.line.feed(event)

    @invariant()
    def the_double_answers_the_open_turn_and_no_other(self) -> None:
        open_turns = {turn.turn_id for turn in self.line.all(OpenTurn)}
        closed = [close.turn_id for close in self.line.all(CloseTurn)]
        assert len(closed) == len(set(closed))
        assert len(open_turns) - len(closed) == (0 if self.line.double.state is State.IDLE else 1)

    @invariant()
    def an_ended_call_leaves_nothing_behind(self) -> None:
        assert len(self.line.all(EndCall)) == (0 if self.live() else 1)
        if not self.live():
            assert (self.line.due, self.line.work, self.line.double.state) == (None, None, State.IDLE)

    @invariant()
    def the_double_makes_no_mistake_that_a_handler_makes(self) -> None:
        assert [kind for kind in self.line.findings if kind in HANDLER_MISTAKES] == []

    @invariant()
    def what_is_in_the_transcript_was_said(self) -> None:
        begun = self.line.all(Play)
        assert all(any(play.text.startswith(text) for play in begun) for text in self.line.said(Party.AGENT))

    def teardown(self) -> None:
        """Whatever happened, silence ends the call; a tool that never answers is given up."""
        for _ in range(200):
            if not self.live():
                return
            self.line.wait()
        raise AssertionError("the call has no end")


TestHostedCalls = HostedCalls.TestCase
TestHostedCalls.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
