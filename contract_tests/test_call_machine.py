"""Any interleaving of a party, a handler, timers and the API: what a call never does, and what it always comes to."""

from __future__ import annotations

import itertools
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
    NoteBargeIn,
    NoteDigits,
    NoteScriptDone,
    NoteScriptFailed,
    NoteStep,
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
from simulator.engine.script import (
    Answer,
    Backchannel,
    BargeIn,
    Branch,
    Case,
    HangUp,
    Hear,
    Match,
    Press,
    Repeat,
    Say,
    Step,
    Wait,
)
from simulator.engine.speech import stop_delay
from simulator.engine.timeline import Listener
from tests.helpers.engine import JSON, NDJSON, Line, seconds

WORDS = st.sampled_from(["Hi", "Where is my order?", "word " * 30, "您好", "…"])
KEYS = st.text("0123456789*#", min_size=1, max_size=4)
AFTER = st.sampled_from([timedelta(), seconds(0.3), seconds(3)])
MATCHES = st.sampled_from([Match(contains="shipped"), Match(matches="^hello"), Match(one_of=("moment", "never"))])


def plain(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.builds(Repeat, st.integers(1, 3), several) | st.builds(
        Branch, st.builds(Case, MATCHES, several).map(lambda case: (case,)), several
    )


STEPS: st.SearchStrategy[Step] = st.recursive(
    st.one_of(
        st.builds(Say, WORDS),
        st.builds(Press, KEYS),
        st.builds(Wait, st.sampled_from([timedelta(), seconds(1), seconds(25)])),
        st.builds(BargeIn, WORDS, AFTER),
        st.builds(BargeIn, WORDS, AFTER),
        st.builds(Backchannel, st.just("uh-huh"), AFTER),
        st.builds(Hear, MATCHES, st.none() | st.just(seconds(4))),
        st.builds(HangUp, st.none() | AFTER),
    ),
    plain,
    max_leaves=5,
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
        "overlapping_turns": st.just("overlap"),
        "voicemail_without_message": st.just("hang_up"),
    },
)
SETUPS = st.fixed_dictionaries(
    {
        "policies": POLICIES,
        "greeting": st.sampled_from([None, "", "Hello, this is Acme."]),
        "steps": st.none() | st.lists(STEPS, max_size=4).map(tuple),
        "answer": st.sampled_from(
            [Answer.ANSWERED] * 12 + [Answer.VOICEMAIL] * 2 + [Answer.SCREENED] * 2 + [Answer.SCREENED_OUT, Answer.BUSY]
        ),
        "interruption_sensitivity": st.sampled_from([0.8, 0.8, 1.0, 0.0]),
        "backchannel": st.booleans(),
        "voicemail_message": st.sampled_from([None, "Please call Acme back."]),
        "screening_identity": st.sampled_from([None, "Acme"]),
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
TALK = [
    b'{"text": "Your order has shipped, and it will be there tomorrow.", "interim": true}\n',
    b'{"text": "Your order has shipped.", "interim": true}\n{"text": "Goodbye", "hangup": true}\n',
    b'{"text": "One moment please", "interim": true}\n{"text": "It has shipped.", "digits": "12"}\n',
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

    def __init__(self, line: Line, *, sensitivity: float, overlap: bool) -> None:
        self.line = line
        self.stop_delay = stop_delay(sensitivity)
        self.overlap = overlap
        self.connected = False
        self.ended = False
        self.script_done = False
        self.script_failed = False
        self.place: tuple[int, ...] = ()  # of the latest step of the script
        self.open: str | None = None  # the open turn
        self.request: str | None = None  # the turn whose request is in flight
        self.former: str | None = None  # the interrupted turn whose request is left running
        self.turns: list[str] = []
        self.closed: list[str] = []
        self.interrupted: list[str] = []
        self.resent: list[str] = []
        self.playing: Play | PlayDigits | None = None
        self.stopped: Play | PlayDigits | None = None  # heard or cut, but perhaps not remembered yet
        self.said = ""  # what the remote party has begun to say, and is not remembered yet
        self.pressed = False  # that was keys
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
            case OpenTurn() | ResendTurn() | CancelTurn() | CloseTurn():
                self._check_turn(effect)
            case Play() | PlayDigits() | StopPlayback() | AppendTranscript():
                self._check_heard(effect)
            case StartSpeech() | NoteDigits() | NoteBargeIn():
                self._check_party(effect)
            case NoteStep() | NoteScriptFailed() | NoteScriptDone():
                self._check_script(effect)
            case ReportFinding():
                assert effect.message and len(effect.sample) <= 1024
                assert effect.turn_id is None or effect.turn_id in self.turns
            case StartTimer():
                assert effect.name in list(Timer) and timedelta() <= effect.delay <= seconds(600)
            case EndCall():
                assert self.open is None and self.request is None and self.playing is None and self.former is None
                assert sorted(self.closed) == sorted(self.turns), "every turn was closed, once"
                self.ended = True
            case _:
                pass

    def _check_turn(self, effect: OpenTurn | ResendTurn | CancelTurn | CloseTurn) -> None:
        match effect:
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
                assert effect.turn_id in (self.request, self.former)
                if effect.turn_id == self.request:
                    self.request = None
            case CloseTurn():
                assert effect.how in list(TurnEnd) and effect.turn_id not in self.closed
                assert effect.turn_id in (self.open, self.former)
                if effect.turn_id == self.former:
                    assert effect.how == TurnEnd.INTERRUPTED
                    self.former = None
                else:
                    self.open = None
                self.closed.append(effect.turn_id)

    def _check_heard(self, effect: Play | PlayDigits | StopPlayback | AppendTranscript) -> None:
        match effect:
            case Play() | PlayDigits():
                assert self.connected and self.playing is None
                assert effect.duration > timedelta()
                assert effect.turn_id in (self.turns[-1] if self.turns else None, None)
                assert effect.turn_id not in self.interrupted, "what was interrupted is not gone on with"
                self.playing = effect
            case StopPlayback():
                assert self.playing is not None
                self.playing, self.stopped = None, self.playing
            case AppendTranscript():
                self._check_transcript(effect)

    def _check_party(self, effect: StartSpeech | NoteDigits | NoteBargeIn) -> None:
        agent_has_floor = self.open is not None or self.playing is not None
        match effect:
            case StartSpeech():
                assert self.connected and effect.over == agent_has_floor
                if not effect.backchannel:
                    self.said = effect.text if self.pressed else f"{self.said} {effect.text}".lstrip()
                    self.pressed = False
            case NoteDigits():
                assert self.connected and not agent_has_floor
                self.said, self.pressed = effect.digits, True
            case NoteBargeIn():
                assert self.stop_delay is not None and timedelta() <= effect.overrun <= self.stop_delay
                if self.open is not None:
                    assert self.overlap and self.request == self.open
                    self.former, self.open, self.request = self.open, None, None
                if effect.turn_id is not None:
                    self.interrupted.append(effect.turn_id)

    def _check_script(self, effect: NoteStep | NoteScriptFailed | NoteScriptDone) -> None:
        match effect:
            case NoteStep():
                assert effect.step > self.place and not self.script_failed
                self.place = effect.step
            case NoteScriptFailed():
                assert effect.step > self.place and effect.expected and not self.script_failed
                self.script_failed = True
            case NoteScriptDone():
                assert not self.script_done
                self.script_done = True

    def _check_transcript(self, effect: AppendTranscript) -> None:
        assert effect.text
        assert timedelta() <= effect.duration <= effect.ago
        if effect.party is Party.AGENT:
            assert isinstance(self.stopped, Play)
            assert self.stopped.text.startswith(effect.text)
            assert (self.stopped.turn_id, self.stopped.duration >= effect.duration) == (effect.turn_id, True)
            self.stopped = None
        else:
            assert self.said.startswith(effect.text)
            self.said = ""

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
        assert (Timer.FORMER in line.timers) == (self.former is not None)
        assert (Timer.SILENCE in line.timers) == engine.listening
        if Timer.INTERRUPTION in line.timers:
            assert Timer.SPEECH in line.timers and (self.open is not None or self.playing is not None)
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
        self.promises = Promises(
            self.line,
            sensitivity=changes["interruption_sensitivity"],
            overlap=changes["policies"].get("overlapping_turns") == "overlap",
        )
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

    def pass_time(self, until: datetime) -> None:
        while self.line.timers and min(self.line.timers.values()) <= until:
            self.fire_next()
        self.line.now = max(self.line.now, until)

    # --- time ---

    @precondition(lambda self: self.line.timers)
    @rule()
    def the_next_timer_fires(self) -> None:
        self.fire_next()

    @precondition(lambda self: self.line.timers)
    @rule(delay=st.sampled_from([0.001, 0.3, 0.7, 1.0, 4.0]))
    def time_passes(self, delay: float) -> None:
        self.pass_time(self.line.now + seconds(delay))

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

    @precondition(lambda self: self.promises.connected and not self.promises.ended)
    @rule(text=st.sampled_from(["Stop", "uh-huh", "Wait, I have another question"]))
    def party_speaks_whoever_has_the_floor(self, text: str) -> None:
        self.feed(RemoteSaid(text, over=True))

    @precondition(lambda self: self.promises.playing)
    @rule(delay=st.floats(0, 1), text=st.sampled_from(["Stop", "Wait, I have another question"]))
    def party_barges_in_and_is_heard(self, delay: float, text: str) -> None:
        self.pass_time(self.line.now + (self.line.timers[Timer.PLAYBACK] - self.line.now) * delay)
        self.feed(RemoteSaid(text, over=True))
        while Timer.INTERRUPTION in self.line.timers:
            self.fire_next()

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
        running = (self.promises.request, self.promises.former)
        past = [turn for turn in self.promises.turns if turn not in running]
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

    @precondition(lambda self: self.promises.open is None and not self.promises.ended)
    @rule(chunk=st.sampled_from(TALK), ends=st.booleans(), delay=st.floats(0, 1), barges_in=st.booleans())
    def a_turn_is_played(self, chunk: bytes, ends: bool, delay: float, barges_in: bool) -> None:
        self.party_speaks_until_a_turn_opens("Where is my order?")
        if self.promises.request and not self.answered:
            self.handler_replies([chunk], NDJSON, 200, ends)
        if barges_in and self.promises.playing:
            self.party_barges_in_and_is_heard(delay, "Wait, I have another question")

    @precondition(lambda self: self.promises.playing)
    @rule(delay=st.floats(0, 1), api=st.booleans())
    def somebody_ends_the_call_in_mid_sentence(self, delay: float, api: bool) -> None:
        self.line.now += (self.line.timers[Timer.PLAYBACK] - self.line.now) * delay
        self.feed(EndRequested() if api else RemoteHungUp())

    @precondition(lambda self: self.promises.former)
    @rule(piece=PIECES, answers=st.booleans(), how=st.sampled_from(["goes on", "goes on", "ends", "breaks"]))
    def former_request_goes_on(self, piece: bytes | int, answers: bool, how: str) -> None:
        former = str(self.promises.former)
        if answers:
            self.feed(ReplyStarted(former, 200, NDJSON))
        self.feed(ReplyBytes(former, b"x" * piece if isinstance(piece, int) else piece))
        if how != "goes on":
            self.feed(ReplyEnded(former) if how == "ends" else ReplyFailed(former, "reset"))
            assert self.promises.former is None

    # --- always ---

    @invariant()
    def timers_are_few(self) -> None:
        if hasattr(self, "line"):
            assert len(self.line.timers) <= 7

    def teardown(self) -> None:
        if hasattr(self, "line"):
            while self.line.timers:
                self.fire_next()
            assert self.promises.ended, "a call that is left alone comes to an end"
            assert self.line.end
            self.check_ear()

    def check_ear(self) -> None:
        """What was measured is what can have been heard: in order, within the call, and no silence of no length."""
        listener = Listener()
        for at, effect in self.line.log:
            listener.effect(effect, at)
        heard = listener.timeline()
        assert [turn.turn_id for turn in heard.turns] == self.promises.turns
        assert all(turn.asked_at <= turn.opened_at and turn.how for turn in heard.turns)
        assert all(timedelta() <= wait for wait in heard.first_words)
        assert all(gap.begin < gap.end <= self.line.now for gap in heard.gaps)
        assert all(sound.span.begin <= sound.span.end <= self.line.now for sound in heard.sounds)
        agent = [sound.span for sound in heard.sounds if sound.party is Party.AGENT]
        assert all(before.end <= after.begin for before, after in itertools.pairwise(agent)), "one thing at a time"


TestCallMachine: Final = CallMachine.TestCase
TestCallMachine.settings = settings(max_examples=90, stateful_step_count=50, deadline=None)
