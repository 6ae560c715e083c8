"""What is heard of the remote party: words, keypad tones, and sounds that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from simulator.domain.calls import Party
from simulator.engine.board import Board
from simulator.engine.call_states import SpeechInput, SpeechState, Timer
from simulator.engine.effects import AppendTranscript, NoteBeep, NoteDigits, StartSpeech
from simulator.engine.speech import BEEP, ENDPOINTING_DELAY, heard, speech_duration, tones_duration

# Keys are not recognised but read, and on an empty turn there is nothing to be unsure of.
CERTAIN: Final = 1.0

# While the party makes no sound: it may do the next thing, though its last words may not be over yet.
_SILENT: Final = frozenset({SpeechState.QUIET, SpeechState.ENDPOINTING, SpeechState.HELD})
_UNFINISHED: Final = frozenset(
    {SpeechState.SPEAKING, SpeechState.ENDPOINTING, SpeechState.OVERLAPPING, SpeechState.HELD}
)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """An utterance that isn't over. `before` is what was said of it before the last pause, which was too short."""

    text: str
    confidence: float
    since: datetime
    before: str
    at: datetime
    duration: timedelta

    @property
    def whole(self) -> str:
        return f"{self.before} {self.text}" if self.before else self.text

    @property
    def spoken_at(self) -> datetime:
        return self.at + self.duration


class RemoteVoice:
    """The remote party's utterance: begun, gone on with after a pause, and over when the pause is long enough.

    `stop_delay` is how long speech over the agent lasts before it stops the agent, None if it never does.
    """

    __slots__ = ("_beeping", "_board", "_spoken", "_stop_delay")

    def __init__(self, board: Board, stop_delay: timedelta | None) -> None:
        self._board = board
        self._stop_delay = stop_delay
        self._beeping = False
        self._spoken: _Spoken  # meaningful while the party speaks, has spoken, or presses keys

    @property
    def silent(self) -> bool:
        """Whether the party makes no sound."""
        return self._board.states.speech in _SILENT

    @property
    def text(self) -> str:
        """The utterance, or the keys."""
        return self._spoken.whole

    @property
    def confidence(self) -> float:
        """How sure the recogniser is of the utterance: as sure as of its worst part."""
        return self._spoken.confidence

    @property
    def since(self) -> datetime:
        """When the party began to speak without a pause."""
        return self._spoken.at

    def say(self, text: str, confidence: float) -> None:
        """Begin to speak, or go on after a pause. Somebody who speaks while the agent has the floor speaks over it."""
        states = self._board.states
        over = states.speech is SpeechState.HELD or (states.speech is SpeechState.QUIET and not states.floor_free)
        goes_on = states.speech is not SpeechState.QUIET
        states.move(SpeechInput.SPOKE_OVER if over else SpeechInput.SPOKE)
        self._board.stop(Timer.ENDPOINTING)
        duration = speech_duration(text)
        now = self._board.now
        if goes_on:
            last = self._spoken
            sure = min(last.confidence, confidence)
            self._spoken = _Spoken(text, sure, last.since, last.whole, now, duration)
        else:
            self._spoken = _Spoken(text, confidence, now, "", now, duration)
        self._board.emit(StartSpeech(text, duration, over))
        # Started first, so that speech that lasts exactly as long as it takes to stop the agent does stop it.
        if over and self._stop_delay is not None and self._stop_delay <= duration:
            self._board.start(Timer.INTERRUPTION, self._stop_delay)
        self._board.start(Timer.SPEECH, duration)

    def press(self, digits: str) -> None:
        """Begin to press keys."""
        self._board.states.move(SpeechInput.PRESSED)
        self._board.emit(NoteDigits(digits))
        now, duration = self._board.now, tones_duration(digits)
        self._spoken = _Spoken(digits, CERTAIN, now, "", now, duration)
        self._board.start(Timer.SPEECH, duration)

    def murmur(self, text: str) -> None:
        """Make a sound of listening, which takes no floor and isn't remembered."""
        over = not self._board.states.floor_free
        self._board.states.move(SpeechInput.SOUNDED)
        duration = speech_duration(text)
        self._board.emit(StartSpeech(text, duration, over, backchannel=True))
        self._board.start(Timer.SPEECH, duration)

    def beep(self) -> None:
        """Make an answering machine's tone."""
        self._board.states.move(SpeechInput.SOUNDED)
        self._beeping = True
        self._board.emit(NoteBeep(BEEP))
        self._board.start(Timer.SPEECH, BEEP)

    def fade(self) -> bool:
        """Take note that the sound is over; says whether it was a machine's tone."""
        self._board.states.move(SpeechInput.FADED)
        beeped, self._beeping = self._beeping, False
        return beeped

    def take_floor(self) -> None:
        """Go on with the floor to oneself: the agent has finished, or was interrupted."""
        self._board.stop(Timer.INTERRUPTION)
        held = self._board.states.speech is SpeechState.HELD
        self._board.states.move(SpeechInput.TOOK_FLOOR)
        if held:
            silence = self._board.since(self._spoken.spoken_at)
            self._board.start(Timer.ENDPOINTING, max(ENDPOINTING_DELAY - silence, timedelta()))

    def finish(self) -> None:
        """Take note that the words have been said. With the floor, the pause that ends the utterance begins."""
        self._board.states.move(SpeechInput.SPOKEN)
        if self._board.states.speech is SpeechState.ENDPOINTING:
            self._board.start(Timer.ENDPOINTING, ENDPOINTING_DELAY)

    def remember(self, turn_id: str | None) -> None:
        """Write the utterance down."""
        spoken = self._spoken
        self._append(spoken.whole, spoken.spoken_at - spoken.since, turn_id)

    def cut(self) -> None:
        """Write down what was said of an utterance that the end of the call cuts off: whole words only."""
        if self._board.states.speech not in _UNFINISHED:
            return
        spoken = self._spoken
        elapsed = min(self._board.since(spoken.at), spoken.duration)
        last = heard(spoken.text, elapsed, spoken.duration)
        text = f"{spoken.before} {last}" if spoken.before and last else spoken.before or last
        if text:
            self._append(text, spoken.at + elapsed - spoken.since, None)

    def _append(self, text: str, duration: timedelta, turn_id: str | None) -> None:
        ago = self._board.since(self._spoken.since)
        self._board.emit(AppendTranscript(Party.REMOTE, text, duration, ago, turn_id, self._spoken.confidence))
