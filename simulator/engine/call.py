"""The call engine: one event and the instant in, a list of effects out. It decides everything and does nothing.

Webhook mode. The remote party and the agent speak in turns: the party acts when the floor is free, its utterance opens
a turn, the reply is played, and the floor is free again. Barge-in, hosted agents and voicemail aren't here yet.

What the runtime may rely on:

- Effects are in the order they happen. `EndCall` comes exactly once and is the last effect of its list; after it every
  event is answered with an empty list, because late I/O is normal. Only dialling again is misuse, and raises.
- No `StopTimer` is owed after `EndCall`. Timers that were started are stopped, restarted or fired, never two of a name.
- An event that the state does not allow raises `IllegalTransition`: it means that somebody lost track of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from simulator.domain.calls import Direction, DisconnectionReason, Party
from simulator.domain.findings import FindingKind
from simulator.domain.policy import Policies
from simulator.engine.board import Board
from simulator.engine.call_states import (
    LegInput,
    LegState,
    PlaybackState,
    SpeechInput,
    SpeechState,
    Timer,
    TurnInput,
    TurnState,
)
from simulator.engine.chunks import Problem
from simulator.engine.effects import (
    AppendTranscript,
    ConnectCall,
    Effect,
    EndCall,
    NoteDigits,
    NoteScriptDone,
    ReportFinding,
    StartSpeech,
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
    TimerFired,
)
from simulator.engine.script import Answer, HangUp, Press, Say, ScriptedParty, Step
from simulator.engine.speech import ENDPOINTING_DELAY, heard, speech_duration, tones_duration
from simulator.engine.turns import Turns
from simulator.engine.voice import Act, AgentVoice

# Keys are not recognised but read, and on an empty turn there is nothing to be unsure of.
CERTAIN: Final = 1.0

_DECLINED: Final[Mapping[Answer, DisconnectionReason]] = {
    Answer.BUSY: DisconnectionReason.DIAL_BUSY,
    Answer.NO_ANSWER: DisconnectionReason.DIAL_NO_ANSWER,
    Answer.FAILED: DisconnectionReason.DIAL_FAILED,
    Answer.NOT_JOINED: DisconnectionReason.REGISTERED_CALL_TIMEOUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSetup:
    """What is settled when a call is placed."""

    direction: Direction
    greeting: str | None  # None: there is none; "": the agent stays silent until spoken to
    voice_speed: float
    max_silence: timedelta
    max_duration: timedelta
    transfer_number: str | None
    policies: Policies
    steps: tuple[Step, ...] | None  # None: the party is driven live, or just listens
    answer: Answer
    ring: timedelta
    patience: timedelta | None = None  # how long after picking up the party hangs up, whoever is speaking


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What the remote party is saying, or has just said."""

    text: str
    confidence: float
    since: datetime
    duration: timedelta


class CallEngine:
    """The rules of one call.

    `turn_timeout` is how long a webhook endpoint has for the first byte of a reply, None when there is no endpoint. The
    runtime sets it before each `handle`; an open turn keeps the timeout it was opened with.
    """

    __slots__ = ("_board", "_party", "_script_done", "_setup", "_spoken", "_turns", "_voice", "turn_timeout")

    def __init__(self, setup: CallSetup) -> None:
        self.turn_timeout: timedelta | None = None
        self._setup = setup
        self._board = Board()
        self._party = ScriptedParty(setup.steps)
        self._voice = AgentVoice(self._board, setup.voice_speed)
        self._turns = Turns(self._board, self._voice, setup.policies)
        self._script_done = False
        self._spoken: _Spoken  # meaningful while the remote party isn't QUIET

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._board.states.leg is LegState.ENDED

    @property
    def listening(self) -> bool:
        """Whether the floor is free: connected, no turn open, nobody heard."""
        return self._board.states.floor_free

    @property
    def script_done(self) -> bool:
        """Whether there was a script and it has been played to its end."""
        return self._script_done

    @property
    def queued(self) -> int:
        """How many things the remote party was asked to do that still wait for the floor."""
        return self._party.queued

    def handle(self, event: CallEvent, now: datetime) -> list[Effect]:
        """Say what follows from `event`, which happened at `now` (aware, never before the previous event's)."""
        if self.ended and not isinstance(event, Dialled):
            return []
        self._board.reach(now)
        self._take(event)
        self._settle()
        return self._board.take_effects()

    def _take(self, event: CallEvent) -> None:
        match event:
            case Dialled():
                self._board.states.move(LegInput.DIALLED)
                self._board.start(Timer.RING, self._setup.ring)
            case Answered():
                self._connect()
            case Declined():
                self._decline(event.reason)
            case RemoteSaid():
                self._party.ask(Say(event.text, event.confidence))
            case RemotePressed():
                self._party.ask(Press(event.digits))
            case RemoteHungUp():
                self._end(DisconnectionReason.USER_HANGUP)
            case EndRequested():
                self._end(event.reason)
            case TimerFired():
                self._timer_fired(self._board.fired(event.name))
            case _:
                self._turns.handle(event)

    def _timer_fired(self, timer: Timer) -> None:
        match timer:
            case Timer.RING if self._setup.answer is Answer.ANSWERED:
                self._connect()
            case Timer.RING:
                self._decline(_DECLINED[self._setup.answer])
            case Timer.SPEECH if self._board.states.speech is SpeechState.PRESSING:
                self._released()
            case Timer.SPEECH:
                self._board.states.move(SpeechInput.SPOKEN)
                self._board.start(Timer.ENDPOINTING, ENDPOINTING_DELAY)
            case Timer.ENDPOINTING:
                self._endpointed()
            case Timer.PLAYBACK:
                self._voice.finish()
            case Timer.SILENCE:
                self._end(DisconnectionReason.INACTIVITY)
            case Timer.MAX_DURATION:
                self._end(DisconnectionReason.MAX_DURATION_REACHED)
            case Timer.PATIENCE:
                self._end(DisconnectionReason.USER_HANGUP)
            case Timer.REPLY:
                self._turns.late()
            case _:  # Timer.PARTY
                self._act(self._party.take())

    # --- the leg ---

    def _connect(self) -> None:
        self._board.states.move(LegInput.ANSWERED)
        self._board.stop(Timer.RING)
        self._board.emit(ConnectCall())
        self._board.start(Timer.MAX_DURATION, self._setup.max_duration)
        if self._setup.patience is not None:
            self._board.start(Timer.PATIENCE, self._setup.patience)
        policies, greeting = self._setup.policies, self._setup.greeting
        if self.turn_timeout is None and policies["no_webhook_call"] == "fail":
            self._report_no_webhook()
            self._end(DisconnectionReason.ERROR_NO_WEBHOOK)
        elif greeting is None and policies.on("empty_transcript_on_connect"):
            self._open_turn("", CERTAIN)
        elif greeting and greeting.strip():
            self._voice.greet(greeting.strip())

    def _decline(self, reason: DisconnectionReason) -> None:
        self._board.states.move(LegInput.DECLINED)
        self._board.emit(EndCall(reason))

    def _end(self, reason: DisconnectionReason, transferred_to: str | None = None) -> None:
        """End the call. What was heard by now is remembered, what is under way is cut off."""
        self._voice.cut()
        self._turns.cancel()
        match self._board.states.speech:
            case SpeechState.QUIET if self._board.states.leg is LegState.CONNECTED:
                self._note_script_done()
            case SpeechState.SPEAKING | SpeechState.ENDPOINTING:
                self._remember_cut_speech()
        self._board.states.move(LegInput.ENDED)
        self._board.emit(EndCall(reason, transferred_to))

    # --- the floor ---

    def _settle(self) -> None:
        """Let happen what can happen now, until something has to take its time."""
        while (act := self._voice.advance()) is not None:
            self._carry_out(act)
        states = self._board.states
        if states.turn is TurnState.DRAINING and states.playback is PlaybackState.SILENT:
            states.move(TurnInput.DRAINED)
        self._listen()

    def _carry_out(self, act: Act) -> None:
        if act is Act.HANG_UP:
            self._end(DisconnectionReason.AGENT_HANGUP)
        elif self._setup.transfer_number:
            self._end(DisconnectionReason.CALL_TRANSFER, self._setup.transfer_number)
        else:
            about = "the reply asks for a transfer, but the agent has no transfer number: give it one"
            self._turns.report(Problem(FindingKind.TRANSFER_WITHOUT_NUMBER, about))

    def _listen(self) -> None:
        """Give the floor to the remote party while it is free. The silence timer runs on through the party's waits.

        It is started before the party's own timer: where both are due at once, the silence has been too long.
        """
        while self._board.states.floor_free:
            self._note_script_done()
            delay = self._party.delay()
            if delay is None or delay:
                self._board.start_once(Timer.SILENCE, self._setup.max_silence)
                if delay is not None:
                    self._board.start_once(Timer.PARTY, delay)
                return
            self._act(self._party.take())

    def _note_script_done(self) -> None:
        if self._party.script_played and not self._script_done:
            self._script_done = True
            self._board.emit(NoteScriptDone())

    # --- the remote party ---

    def _act(self, step: Step) -> None:
        match step:
            case Say():
                self._board.states.move(SpeechInput.SPOKE)
                duration = speech_duration(step.text)
                self._board.emit(StartSpeech(step.text, duration))
                self._take_floor(step.text, step.confidence, duration)
            case Press():
                self._board.states.move(SpeechInput.PRESSED)
                self._board.emit(NoteDigits(step.digits))
                self._take_floor(step.digits, CERTAIN, tones_duration(step.digits))
            case HangUp():
                self._end(DisconnectionReason.USER_HANGUP)
            case _:
                pass  # a Wait: its delay is what has just passed

    def _take_floor(self, text: str, confidence: float, duration: timedelta) -> None:
        self._board.stop(Timer.SILENCE, Timer.PARTY)
        self._spoken = _Spoken(text, confidence, self._board.now, duration)
        self._board.start(Timer.SPEECH, duration)

    def _endpointed(self) -> None:
        self._board.states.move(SpeechInput.ENDPOINTED)
        self._take_turn()

    def _released(self) -> None:
        self._board.states.move(SpeechInput.RELEASED)
        if self._setup.policies["caller_dtmf"] == "turn":
            self._take_turn()

    def _take_turn(self) -> None:
        """Hand what the remote party said to the handler, as a turn."""
        turn_id = None if self.turn_timeout is None else self._turns.next_id
        self._remember_speech(self._spoken.text, self._spoken.duration, turn_id)
        self._open_turn(self._spoken.text, self._spoken.confidence)

    def _open_turn(self, transcript: str, confidence: float) -> None:
        if self.turn_timeout is None:
            self._report_no_webhook()
        else:
            self._turns.open(transcript, confidence, self.turn_timeout)

    def _report_no_webhook(self) -> None:
        about = "nobody can answer: neither the agent nor the account has a webhook endpoint, set one of them"
        self._board.emit(ReportFinding(FindingKind.NO_WEBHOOK, about))

    def _remember_cut_speech(self) -> None:
        spoken = self._spoken
        elapsed = min(self._board.since(spoken.since), spoken.duration)
        if text := heard(spoken.text, elapsed, spoken.duration):
            self._remember_speech(text, elapsed, None)

    def _remember_speech(self, text: str, duration: timedelta, turn_id: str | None) -> None:
        ago = self._board.since(self._spoken.since)
        self._board.emit(AppendTranscript(Party.REMOTE, text, duration, ago, turn_id, self._spoken.confidence))
