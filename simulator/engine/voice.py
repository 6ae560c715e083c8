"""What the agent says and does on the line: chunks in, one thing after another out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from simulator.domain.calls import Party
from simulator.engine.board import Board
from simulator.engine.call_states import PlaybackInput, PlaybackState, Timer
from simulator.engine.chunks import Chunk
from simulator.engine.effects import AppendTranscript, Play, PlayDigits, StopPlayback
from simulator.engine.speech import heard, speech_duration, tones_duration


class Act(Enum):
    """Something the agent does to the call itself, once what it said before has been heard."""

    TRANSFER = "transfer"
    HANG_UP = "hang up"


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    turn_id: str | None


@dataclass(frozen=True, slots=True)
class _Tones:
    digits: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class _Playing:
    what: _Words | _Tones
    since: datetime
    duration: timedelta


class AgentVoice:
    """The agent's playback: a queue, of which one item at a time is heard."""

    __slots__ = ("_board", "_playing", "_queue", "_speed")

    def __init__(self, board: Board, speed: float) -> None:
        self._board = board
        self._speed = speed
        self._queue: deque[_Words | _Tones | Act] = deque()
        self._playing: _Playing  # meaningful while the playback is PLAYING

    def greet(self, text: str) -> None:
        """Queue the greeting."""
        self._queue.append(_Words(text, None))

    def follow(self, chunk: Chunk, turn_id: str) -> None:
        """Queue what a chunk asks for: its text, its digits, its transfer, its hang-up, in this order."""
        if chunk.text:
            self._queue.append(_Words(chunk.text, turn_id))
        if chunk.digits:
            self._queue.append(_Tones(chunk.digits, turn_id))
        if chunk.transfer:
            self._queue.append(Act.TRANSFER)
        if chunk.hangup:
            self._queue.append(Act.HANG_UP)

    def advance(self) -> Act | None:
        """Begin to play what is next, if nothing plays. An act that is next is handed back, for the call to do."""
        while self._queue and self._board.states.playback is PlaybackState.SILENT:
            item = self._queue.popleft()
            if isinstance(item, Act):
                return item
            self._play(item)
        return None

    def finish(self) -> None:
        """Take note that what plays has been heard to its end."""
        self._board.states.move(PlaybackInput.HEARD)
        self._remember(whole=True)

    def cut(self) -> None:
        """Stop what plays, if anything does, and forget the rest. Only whole words that were heard are remembered."""
        self._queue.clear()
        if self._board.states.playback is PlaybackState.PLAYING:
            self._board.emit(StopPlayback())
            self._remember(whole=False)

    def _play(self, item: _Words | _Tones) -> None:
        self._board.states.move(PlaybackInput.PLAYED)
        if isinstance(item, _Words):
            duration = speech_duration(item.text, self._speed)
            self._board.emit(Play(item.text, duration, item.turn_id))
        else:
            duration = tones_duration(item.digits)
            self._board.emit(PlayDigits(item.digits, duration, item.turn_id))
        self._playing = _Playing(item, self._board.now, duration)
        self._board.start(Timer.PLAYBACK, duration)

    def _remember(self, *, whole: bool) -> None:
        words, duration = self._playing.what, self._playing.duration
        if isinstance(words, _Tones):
            return
        ago = self._board.since(self._playing.since)
        text = words.text if whole else heard(words.text, ago, duration)
        if text:
            spoken = duration if whole else min(ago, duration)
            self._board.emit(AppendTranscript(Party.AGENT, text, spoken, ago, turn_id=words.turn_id))
