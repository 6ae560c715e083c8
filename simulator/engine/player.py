"""Plays the remote party's part: wakes it when its time has come, and carries its steps out."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from simulator.engine.board import Board
from simulator.engine.call_states import SpeechState, Timer
from simulator.engine.effects import NoteScriptDone, NoteScriptFailed, NoteStep
from simulator.engine.events import RemotePressed, RemoteSaid
from simulator.engine.party import Due, Scene, ScriptedParty
from simulator.engine.remote import CERTAIN, RemoteVoice
from simulator.engine.script import Backchannel, BargeIn, Beep, HangUp, Hear, PickUp, Press, Say
from simulator.engine.setup import CallSetup
from simulator.engine.speech import is_backchannel, stop_delay
from simulator.engine.voice import AgentVoice


class Deed(Enum):
    """What the remote party has done."""

    ACTED = "acted"
    PICKED_UP = "picked up"  # a call that its phone had screened
    HUNG_UP = "hung up"


class Player:
    """The remote party of one call: what it means to do, and what is heard of it (`remote`)."""

    __slots__ = (
        "_board",
        "_failed",
        "_free_since",
        "_knows_backchannels",
        "_party",
        "_voice",
        "_wakes_at",
        "remote",
        "script_done",
    )

    def __init__(self, board: Board, voice: AgentVoice, setup: CallSetup) -> None:
        self.remote = RemoteVoice(board, stop_delay(setup.interruption_sensitivity))
        self.script_done = False  # whether there was a script and it has been played to its end
        self._board = board
        self._voice = voice
        self._party = ScriptedParty(setup.steps, setup.prelude)
        self._knows_backchannels = setup.backchannel
        self._free_since: datetime | None = None  # None: somebody has the floor
        self._wakes_at: datetime | None = None  # what the timer `party` was started for
        self._failed = False  # it has waited in vain for words

    @property
    def queued(self) -> int:
        """How many things the party was asked to do that still wait for their moment."""
        return self._party.queued

    def ask(self, event: RemoteSaid | RemotePressed) -> None:
        """Ask the party to say something or to press keys."""
        if isinstance(event, RemotePressed):
            self._party.ask(Press(event.digits))
        else:
            self._party.ask(Say(event.text, event.confidence), over=event.over)

    def ready(self) -> None:
        """Take note that the party has done with its latest step, or that the call has just been connected."""
        self._party.ready(self._board.now)

    def see_floor(self, *, free: bool) -> None:
        """Take note whether the floor is free. The silence that the party leaves is counted from when it became so."""
        self._free_since = (self._free_since or self._board.now) if free else None
        if free:
            self.note_script_done()

    def act(self) -> Deed | None:
        """Let the party do what its time has come for; None when it will wait, woken by the timer `party`."""
        scene = self._scene()
        at = self._party.when(scene)
        if at == scene.now:
            return self._do(scene)
        if at is None:
            self._board.stop(Timer.PARTY)
        elif at != self._wakes_at:
            self._board.start(Timer.PARTY, at - scene.now)
        self._wakes_at = at
        return None

    def conclude(self) -> None:
        """The call ends: write down which words the party has heard just now, and which ones it waited for in vain."""
        for due in self._party.conclude(self._scene()):
            self._note(due)

    def note_script_done(self) -> None:
        """Write down, once, that the script has been played to its end."""
        if self._party.script_played and not self.script_done:
            self.script_done = True
            self._board.emit(NoteScriptDone())

    def _scene(self) -> Scene:
        return Scene(
            now=self._board.now,
            silent=self.remote.silent,
            at_rest=self._board.states.speech is SpeechState.QUIET,
            free_since=self._free_since,
            ear=self._voice,
        )

    def _do(self, scene: Scene) -> Deed:
        said = self._party.interjection()
        if said is None:
            return self._take(self._party.take(scene))
        if scene.at_rest and scene.free_since is None and is_backchannel(said.text):
            self._murmur(said.text, said.confidence)
        else:
            self._say(said.text, said.confidence)
        return Deed.ACTED

    def _take(self, due: Due) -> Deed:
        self._note(due)
        match due.step:
            case Say(text, confidence) | BargeIn(text, confidence=confidence):
                self._say(text, confidence)
            case Backchannel(text):
                self._murmur(text, CERTAIN)
            case Press(digits):
                self._voice.fall_silent()
                self.remote.press(digits)
            case Beep():
                self.remote.beep()
            case PickUp():
                return Deed.PICKED_UP
            case HangUp():
                return Deed.HUNG_UP
            case Hear() if due.overdue:
                return Deed.HUNG_UP
            case _:
                pass  # a Wait, whose delay is what has just passed; a Hear that heard; a Branch that was chosen
        return Deed.ACTED

    def _say(self, text: str, confidence: float) -> None:
        self.remote.say(text, confidence)
        if self._board.states.speech is SpeechState.SPEAKING:
            self._voice.fall_silent()

    def _murmur(self, text: str, confidence: float) -> None:
        if self._knows_backchannels:
            self.remote.murmur(text)
        else:
            self._say(text, confidence)

    def _note(self, due: Due) -> None:
        if due.place is None:
            return
        if not due.overdue:
            self._board.emit(NoteStep(due.place))
        elif isinstance(due.step, Hear) and not self._failed:
            self._failed = True
            self._board.emit(NoteScriptFailed(due.place, str(due.step.match), self._voice.answer))
