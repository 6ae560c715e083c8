"""Any interleaving of a party, a handler, timers and the API: what a call never does, and what it always comes to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulator.domain.calls import DisconnectionReason, Party
from simulator.engine.call_states import Timer, TurnEnd
from simulator.engine.effects import (
    AppendTranscript,
    CancelTurn,
    CloseTurn,
    ConnectCall,
    Effect,
    EndCall,
    NoteScriptDone,
    OpenTurn,
    Play,
    PlayDigits,
    ReportFinding,
    ResendTurn,
    StartSpeech,
    StartTimer,
    StopPlayback,
)
from simulator.engine.events import (
    Answered,
    CallEvent,
    Declined,
    Dialled,
    EndRequested,
    RemoteHungUp,
    RemotePressed,
    RemoteSaid,
    ReplyBytes,
    ReplyEnded,
    ReplyFailed,
    ReplyStarted,
    TimerFired,
)
from simulator.engine.script import Answer, HangUp, Press, Say, Wait
from tests.helpers.engine import JSON, NDJSON, Line, seconds

WORDS = st.sampled_from(["Hi", "Where is my order?", "word " * 30, "您好", "…"])
KEYS = st.text("0123456789*#", min_size=1, max_size=4)
STEPS = st.one_of(
    st.builds(Say, WORDS),
    st.builds(Press, KEYS),
    st.builds(Wait, st.sampled_from([timedelta(), seconds(1), seconds(25)])),
    st.just(HangUp()),
)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "voice_turn_retry": st.just("once"),
        "missing_final": st.just("wait_timeout"),
        "malformed_line": st.just("end_turn"),
        "caller_dtmf": st.just("turn"),
        "no_webhook_call": st.just("silence"),
        "empty_transcript_on_connect": st.just("on"),
    },
)
SETUPS = st.fixed_dictionaries(
    {
        "policies": POLICIES,
        "greeting": st.sampled_from([None, "", "Hello, this is Acme."]),
        "steps": st.none() | st.lists(STEPS, max_size=4).map(tuple),
        "answer": st.sampled_from([Answer.ANSWERED] * 19 + [Answer.BUSY]),
        "transfer_number": st.sampled_from([None, "+14155550199"]),
        "max_silence": st.just(seconds(20)),
        "max_duration": st.sampled_from([seconds(600), seconds(600), seconds(60)]),
        "turn_timeout": st.sampled_from([seconds(5)] * 19 + [None]),
        "voice_speed": st.sampled_from([0.5, 1.0, 2.0]),
    }
)
WHOLE = [
    b'{"text": "Your order has shipped."}\n',
    b'{"text": "One moment please", "interim": true}\n{"text": "It has shipped."}\n',
    b'{"text": "Let me press it", "digits": "123#"}\n',
    b'{"text": ""}\n',
    b'{"text": "Your order has shipped."}\n{"text": "And more"}',
]
FRAGMENTS = [
    *WHOLE,
    b'{"text": "One moment please", "interim": true}\n',
    b'{"text": "One \xf0\x9f\x98\x80", ',
    b'"interim": true}\n',
    b'"digits": "1#", "interim": true}\n',
    b'{"text": "Bye", "hangup": true}\n',
    b'{"action": "transfer", "text": "One moment", "interim": true}\n',
    b'{"dtmf": "12", "text": "Press"}',
    b'{"text": "<tool_call>{}</tool_call>"}\n',
    b'{"text": 1, "action": 2, "interim": "x"}\n',
    b"[" * 500,
    b"oops\n",
    b"[1]\n",
    b"\r\n",
    b"\xff\n",
    b"",
]
TOO_LONG: Final = 70_000  # drawn as a number, because the bytes would make a failure hard to read
PIECES = st.sampled_from(FRAGMENTS) | st.just(TOO_LONG) | st.binary(max_size=6)
TYPES = st.sampled_from([NDJSON, NDJSON, JSON, "", "text/plain"])
STATUSES = st.sampled_from([200] * 12 + [204, 301, 404, 500])


class Promises:
    """Looks at every effect as the runtime would, and objects."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.connected = False
        self.ended = False
        self.script_done = False
        self.open: str | None = None  # the open turn
        self.request: str | None = None  # the turn whose request is in flight
        self.turns: list[str] = []
        self.closed: list[str] = []
        self.resent: list[str] = []
        self.playing: Play | PlayDigits | None = None
        self.stopped: Play | PlayDigits | None = None  # heard or cut, but perhaps not remembered yet
        self.free_since: datetime | None = None

    def check(self, event: CallEvent, effects: list[Effect]) -> None:
        assert not (self.ended and effects), "an ended call does nothing"
        if isinstance(event, TimerFired) and event.name == Timer.PLAYBACK:
            self.playing, self.stopped = None, self.playing
            if isinstance(self.stopped, Play):
                assert isinstance(effects[0], AppendTranscript) and effects[0].text == self.stopped.text
        for effect in effects:
            assert not self.ended, "the end is the last effect"
            self._check(effect)
        self._check_rest()

    def _check(self, effect: Effect) -> None:
        match effect:
            case ConnectCall():
                assert not self.connected
                self.connected = True
            case OpenTurn():
                assert self.connected and self.open is None and self.request is None and self.playing is None
                assert effect.turn_id not in self.turns
                self.turns.append(effect.turn_id)
                self.open = self.request = effect.turn_id
            case ResendTurn():
                assert effect.turn_id == self.open and self.request is None
                assert effect.turn_id not in self.resent
                self.resent.append(effect.turn_id)
                self.request = effect.turn_id
            case CancelTurn():
                assert effect.turn_id == self.request
                self.request = None
            case CloseTurn():
                assert effect.turn_id == self.open
                assert effect.how in list(TurnEnd)
                self.open = None
                self.closed.append(effect.turn_id)
            case Play() | PlayDigits():
                assert self.connected and self.playing is None
                assert effect.duration > timedelta()
                assert effect.turn_id in (self.turns[-1] if self.turns else None, None)
                self.playing = effect
            case StopPlayback():
                assert self.playing is not None
                self.playing, self.stopped = None, self.playing
            case AppendTranscript():
                self._check_transcript(effect)
            case StartSpeech():
                assert self.connected and self.open is None and self.playing is None
            case ReportFinding():
                assert effect.message and len(effect.sample) <= 1024
                assert effect.turn_id is None or effect.turn_id in self.turns
            case StartTimer():
                assert effect.name in list(Timer) and timedelta() <= effect.delay <= seconds(600)
            case NoteScriptDone():
                assert not self.script_done
                self.script_done = True
            case EndCall():
                assert self.open is None and self.request is None and self.playing is None
                assert self.closed == self.turns, "every turn was closed, once"
                self.ended = True
            case _:
                pass

    def _check_transcript(self, effect: AppendTranscript) -> None:
        assert effect.text
        assert timedelta() <= effect.duration <= effect.ago
        if effect.party is Party.AGENT:
            assert isinstance(self.stopped, Play)
            assert self.stopped.text.startswith(effect.text)
            assert (self.stopped.turn_id, self.stopped.duration >= effect.duration) == (effect.turn_id, True)
            self.stopped = None

    def _check_rest(self) -> None:
        """What must be true whenever the engine waits: somebody always has a timer, so no call can hang."""
        line, engine = self.line, self.line.engine
        assert engine.ended == self.ended
        assert engine.script_done == self.script_done
        if self.ended:
            assert not engine.listening
            return
        assert (Timer.MAX_DURATION in line.timers) == self.connected
        assert (Timer.PLAYBACK in line.timers) == (self.playing is not None)
        assert (Timer.REPLY in line.timers) == (self.open is not None)
        assert (Timer.SILENCE in line.timers) == engine.listening
        if not engine.listening:
            self.free_since = None
            return
        assert self.open is None and self.playing is None
        self.free_since = self.free_since or line.now
        assert line.now - self.free_since <= seconds(20)
        assert line.timers[Timer.SILENCE] == self.free_since + seconds(20)


class CallMachine(RuleBasedStateMachine):
    """One call. Every rule is something that can happen to it at any time, in any order."""

    @initialize(changes=SETUPS)
    def a_call_is_dialled(self, changes: dict[str, Any]) -> None:
        self.dial(changes)

    def dial(self, changes: dict[str, Any]) -> None:
        self.line = Line(**changes)
        self.promises = Promises(self.line)
        self.answered = False  # headers have come for the request in flight
        self.feed(Dialled())

    @precondition(lambda self: self.promises.ended)
    @rule(changes=SETUPS)
    def another_call_is_dialled(self, changes: dict[str, Any]) -> None:
        self.dial(changes)

    def feed(self, event: CallEvent) -> list[Effect]:
        effects = self.line.feed(event)
        self.promises.check(event, effects)
        if any(isinstance(effect, OpenTurn | ResendTurn) for effect in effects):
            self.answered = False
        return effects

    def fire_next(self) -> None:
        name = min(self.line.timers, key=self.line.timers.__getitem__)
        self.line.now = max(self.line.now, self.line.timers.pop(name))
        self.feed(TimerFired(name))

    # --- time ---

    @precondition(lambda self: self.line.timers)
    @rule()
    def the_next_timer_fires(self) -> None:
        self.fire_next()

    @precondition(lambda self: self.line.timers)
    @rule(delay=st.sampled_from([0.001, 0.3, 0.7, 1.0, 4.0]))
    def time_passes(self, delay: float) -> None:
        until = self.line.now + seconds(delay)
        while self.line.timers and min(self.line.timers.values()) <= until:
            self.fire_next()
        self.line.now = until

    # --- the remote party and the API ---

    @precondition(lambda self: self.promises.open is None and not self.promises.ended)
    @rule(text=WORDS)
    def party_speaks_until_a_turn_opens(self, text: str) -> None:
        self.feed(RemoteSaid(text))
        for _ in range(12):
            if self.promises.open is None and self.line.timers:
                self.fire_next()

    @precondition(lambda self: not self.promises.ended)
    @rule(text=WORDS, often=st.integers(0, 4))
    def party_wants_to_speak(self, text: str, often: int) -> None:
        if often == 0:
            self.feed(RemoteSaid(text))

    @precondition(lambda self: self.line.engine.listening)
    @rule(digits=KEYS)
    def party_presses(self, digits: str) -> None:
        self.feed(RemotePressed(digits))

    @precondition(lambda self: Timer.RING in self.line.timers)
    @rule(answered=st.booleans())
    def phone_is_answered_or_declined(self, answered: bool) -> None:
        self.feed(Answered() if answered else Declined(DisconnectionReason.DIAL_BUSY))

    @precondition(lambda self: not self.promises.ended)
    @rule(often=st.integers(0, 7), api=st.booleans())
    def somebody_ends_the_call(self, often: int, api: bool) -> None:
        if often == 0:
            self.feed(EndRequested() if api else RemoteHungUp())

    @precondition(lambda self: not self.promises.ended)
    @rule(there=st.integers(0, 4))
    def webhook_endpoint_comes_or_goes(self, there: int) -> None:
        self.line.engine.turn_timeout = seconds(5) if there else None

    # --- the handler ---

    @precondition(lambda self: self.promises.request and not self.answered)
    @rule(content_type=TYPES, status=STATUSES)
    def handler_answers(self, content_type: str, status: int) -> None:
        self.answered = True
        self.feed(ReplyStarted(str(self.promises.request), status, content_type))

    @precondition(lambda self: self.promises.request and self.answered)
    @rule(piece=PIECES)
    def handler_sends(self, piece: bytes | int) -> None:
        data = b"x" * piece if isinstance(piece, int) else piece
        self.feed(ReplyBytes(str(self.promises.request), data))

    @precondition(lambda self: self.promises.request and self.answered)
    @rule()
    def handler_finishes(self) -> None:
        request = str(self.promises.request)
        self.promises.request = None
        self.feed(ReplyEnded(request))

    @precondition(lambda self: self.promises.request)
    @rule()
    def handler_breaks(self) -> None:
        request = str(self.promises.request)
        self.promises.request = None
        self.feed(ReplyFailed(request, "reset"))

    @precondition(lambda self: self.promises.turns)
    @rule(data=st.data())
    def something_comes_too_late(self, data: st.DataObject) -> None:
        past = [turn for turn in self.promises.turns if turn != self.promises.request]
        if past:
            turn = data.draw(st.sampled_from(past))
            late: list[CallEvent] = [
                ReplyStarted(turn, 200, NDJSON),
                ReplyBytes(turn, b"x"),
                ReplyEnded(turn),
                ReplyFailed(turn, "x"),
            ]
            assert self.feed(data.draw(st.sampled_from(late))) == []

    @precondition(lambda self: self.promises.request and not self.answered)
    @rule(pieces=st.lists(PIECES, min_size=1, max_size=6), content_type=TYPES, status=STATUSES, ends=st.booleans())
    def handler_replies(self, pieces: list[bytes | int], content_type: str, status: int, ends: bool) -> None:
        self.handler_answers(content_type, status)
        for piece in pieces:
            if self.promises.request and self.answered:
                self.handler_sends(piece)
        if ends and self.promises.request and self.answered:
            self.handler_finishes()

    @precondition(lambda self: self.promises.request and not self.answered)
    @rule(chunk=st.sampled_from(WHOLE), content_type=st.sampled_from([NDJSON, JSON]), ends=st.booleans())
    def handler_replies_well(self, chunk: bytes, content_type: str, ends: bool) -> None:
        self.handler_replies([chunk], content_type, 200, ends)

    @precondition(lambda self: self.promises.playing)
    @rule(delay=st.floats(0, 1), api=st.booleans())
    def somebody_ends_the_call_in_mid_sentence(self, delay: float, api: bool) -> None:
        self.line.now += (self.line.timers[Timer.PLAYBACK] - self.line.now) * delay
        self.feed(EndRequested() if api else RemoteHungUp())

    # --- always ---

    @invariant()
    def timers_are_few(self) -> None:
        if hasattr(self, "line"):
            assert len(self.line.timers) <= 4

    def teardown(self) -> None:
        if hasattr(self, "line"):
            while self.line.timers:
                self.fire_next()
            assert self.promises.ended, "a call that is left alone comes to an end"
            assert self.line.end


TestCallMachine: Final = CallMachine.TestCase
TestCallMachine.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
