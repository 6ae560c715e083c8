"""The call engine: one event and the instant in, a list of effects out. It decides everything and does nothing.

Webhook mode. The remote party and the agent speak in turns: the party acts when the floor is free, its utterance opens
a turn, the reply is played, and the floor is free again. Whoever speaks while the agent has the floor takes it, if it
lasts long enough: what plays stops, the rest of the reply is dropped, and the utterance opens the next turn.

What the runtime may rely on:

- Effects are in the order they happen. `EndCall` comes exactly once and is the last effect of its list; after it every
  event is answered with an empty list, because late I/O is normal. Only dialling again is misuse, and raises.
- No `StopTimer` is owed after `EndCall`. Timers that were started are stopped, restarted or fired, never two of a name.
- An event that the state does not allow raises `IllegalTransition`: it means that somebody lost track of the call.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from simulator.domain.calls import DisconnectionReason
from simulator.domain.findings import FindingKind
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
from simulator.engine.effects import ConnectCall, Effect, EndCall, NoteBargeIn, ReportFinding
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
from simulator.engine.player import Deed, Player
from simulator.engine.remote import CERTAIN
from simulator.engine.script import Answer
from simulator.engine.setup import CallSetup, Stage, audible
from simulator.engine.turns import Turns
from simulator.engine.voice import Act, AgentVoice

__all__ = ["CallEngine", "CallSetup"]

_DECLINED: Final[Mapping[Answer, DisconnectionReason]] = {
    Answer.BUSY: DisconnectionReason.DIAL_BUSY,
    Answer.NO_ANSWER: DisconnectionReason.DIAL_NO_ANSWER,
    Answer.FAILED: DisconnectionReason.DIAL_FAILED,
    Answer.NOT_JOINED: DisconnectionReason.REGISTERED_CALL_TIMEOUT,
}


class CallEngine:
    """The rules of one call.

    `turn_timeout` is how long a webhook endpoint has for the first byte of a reply, None when there is no endpoint. The
    runtime sets it before each `handle`; an open turn keeps the timeout it was opened with.
    """

    __slots__ = ("_board", "_player", "_setup", "_stage", "_turns", "_voice", "turn_timeout")

    def __init__(self, setup: CallSetup) -> None:
        self.turn_timeout: timedelta | None = None
        self._setup = setup
        self._stage = setup.stage
        self._board = Board()
        self._voice = AgentVoice(self._board, setup.voice_speed)
        self._turns = Turns(self._board, self._voice, setup.policies)
        self._player = Player(self._board, self._voice, setup)

    def copy(self) -> CallEngine:
        """The same call at the same point; the two go on independently of each other."""
        settled = (self._setup, self._setup.policies)
        return copy.deepcopy(self, {id(thing): thing for thing in settled})

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._board.states.leg is LegState.ENDED

    @property
    def listening(self) -> bool:
        """Whether the floor is free: connected, no turn open, nobody heard."""
        return self._board.states.floor_free

    @property
    def speaking(self) -> bool:
        """Whether the agent is being heard."""
        return self._board.states.playback is PlaybackState.PLAYING

    @property
    def script_done(self) -> bool:
        """Whether there was a script and it has been played to its end."""
        return self._player.script_done

    @property
    def queued(self) -> int:
        """How many things the remote party was asked to do that still wait for their moment."""
        return self._player.queued

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
            case RemoteSaid() | RemotePressed():
                self._player.ask(event)
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
            case Timer.RING if self._setup.answer in _DECLINED:
                self._decline(_DECLINED[self._setup.answer])
            case Timer.RING:
                self._connect()
            case Timer.SPEECH:
                self._finish_sound()
            case Timer.ENDPOINTING:
                self._board.states.move(SpeechInput.ENDPOINTED)
                self._take_turn()
            case Timer.INTERRUPTION:
                self._interrupt()
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
            case Timer.FORMER:
                self._turns.give_up_former()
            case _:
                pass  # Timer.PARTY: `_settle` lets the remote party do what its time has come for

    # --- the leg ---

    def _connect(self) -> None:
        self._board.states.move(LegInput.ANSWERED)
        self._board.stop(Timer.RING)
        self._board.emit(ConnectCall())
        self._board.start(Timer.MAX_DURATION, self._setup.max_duration)
        if self._setup.patience is not None:
            self._board.start(Timer.PATIENCE, self._setup.patience)
        self._player.ready()
        if self.turn_timeout is None and self._setup.policies["no_webhook_call"] == "fail":
            self._report_no_webhook()
            self._end(DisconnectionReason.ERROR_NO_WEBHOOK)
        elif self._stage is Stage.PERSON:
            self._greet()

    def _greet(self) -> None:
        greeting = self._setup.greeting
        if greeting is None and self._setup.policies.on("empty_transcript_on_connect"):
            self._open_turn("", CERTAIN)
        elif text := audible(greeting):
            self._voice.greet(text)

    def _decline(self, reason: DisconnectionReason) -> None:
        self._board.states.move(LegInput.DECLINED)
        self._board.emit(EndCall(reason))

    def _end(self, reason: DisconnectionReason, transferred_to: str | None = None) -> None:
        """End the call. What was heard by now is remembered, what is under way is cut off."""
        states = self._board.states
        if states.leg is LegState.CONNECTED:
            self._player.conclude()
        self._voice.cut()
        self._turns.cancel()
        if states.leg is LegState.CONNECTED and states.speech is SpeechState.QUIET:
            self._player.note_script_done()
        self._player.remote.cut()
        states.move(LegInput.ENDED)
        self._board.emit(EndCall(reason, transferred_to))

    # --- the floor ---

    def _settle(self) -> None:
        """Let happen what can happen now, until something has to take its time."""
        acted = True
        while acted:
            while (act := self._voice.advance()) is not None:
                self._carry_out(act)
            if self._board.states.leg is not LegState.CONNECTED:
                return
            self._pass_floor()
            acted = self._let_party_act()

    def _carry_out(self, act: Act) -> None:
        if act is Act.HANG_UP:
            self._end(DisconnectionReason.AGENT_HANGUP)
        elif act is Act.LEAVE_MESSAGE:
            self._end(DisconnectionReason.VOICEMAIL_REACHED)
        elif self._setup.transfer_number:
            self._end(DisconnectionReason.CALL_TRANSFER, self._setup.transfer_number)
        else:
            about = "the reply asks for a transfer, but the agent has no transfer number: give it one"
            self._turns.report(Problem(FindingKind.TRANSFER_WITHOUT_NUMBER, about))

    def _pass_floor(self) -> None:
        """See who has the floor. Silence is counted while nobody has it, through the remote party's waits."""
        states = self._board.states
        if states.playback is PlaybackState.SILENT:
            if states.turn is TurnState.DRAINING:
                states.move(TurnInput.DRAINED)
            if states.turn is TurnState.CLOSED and states.speech in (SpeechState.OVERLAPPING, SpeechState.HELD):
                self._give_floor()
        free = states.floor_free
        self._player.see_floor(free=free)
        if free:
            # Before the party's own timer: where both are due at once, the silence has been too long.
            self._board.start_once(Timer.SILENCE, self._setup.max_silence)
        else:
            self._board.stop(Timer.SILENCE)

    def _give_floor(self) -> None:
        self._player.remote.take_floor()
        self._voice.fall_silent()

    def _interrupt(self) -> None:
        """The remote party has spoken over the agent for long enough: the floor is its own."""
        turn_id, overrun = self._turns.open_id, timedelta()
        if self._voice.sound is not None and self._voice.since is not None:
            turn_id = self._voice.turn_id
            overrun = self._board.since(max(self._player.remote.since, self._voice.since))
        self._voice.interrupt()
        self._turns.interrupt()
        self._give_floor()
        self._board.emit(NoteBargeIn(turn_id, overrun))

    # --- the remote party ---

    def _let_party_act(self) -> bool:
        """Let the remote party do what its time has come for; says whether it did anything."""
        deed = self._player.act()
        if deed is Deed.HUNG_UP:
            self._end(DisconnectionReason.USER_HANGUP)
        elif deed is Deed.PICKED_UP and self._stage is Stage.SCREENING:
            # The agent begins as if only now somebody had answered.
            self._stage = Stage.PERSON
            self._greet()
        return deed is not None

    def _finish_sound(self) -> None:
        """The remote party's words, keys or sounds are over."""
        self._player.ready()
        remote = self._player.remote
        match self._board.states.speech:
            case SpeechState.PRESSING:
                self._board.states.move(SpeechInput.RELEASED)
                if self._setup.policies["caller_dtmf"] == "turn":
                    self._take_turn()
            case SpeechState.SOUNDING:
                if remote.fade() and self._stage is Stage.MACHINE:
                    self._answer_machine()
            case _:
                remote.finish()

    def _answer_machine(self) -> None:
        """The machine records from here on."""
        if message := audible(self._setup.voicemail_message):
            self._voice.leave(message)
        else:
            self._end(DisconnectionReason.VOICEMAIL_REACHED)

    def _take_turn(self) -> None:
        """Hand what the remote party said to the handler, as a turn; a phone that asks is told who is calling."""
        remote = self._player.remote
        if self._stage is Stage.PERSON:
            remote.remember(None if self.turn_timeout is None else self._turns.next_id)
            self._open_turn(remote.text, remote.confidence)
            return
        remote.remember(None)
        if self._stage is Stage.SCREENING:
            self._voice.greet(self._setup.introduction)

    def _open_turn(self, transcript: str, confidence: float) -> None:
        if self.turn_timeout is None:
            self._report_no_webhook()
        else:
            self._turns.open(transcript, confidence, self.turn_timeout)

    def _report_no_webhook(self) -> None:
        about = "nobody can answer: neither the agent nor the account has a webhook endpoint, set one of them"
        self._board.emit(ReportFinding(FindingKind.NO_WEBHOOK, about))
