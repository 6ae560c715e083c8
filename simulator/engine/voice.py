"""What the agent says and does on the line: chunks in, one thing after another out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from simulator.domain.calls import Party
from simulator.engine.board import Board
from simulator.engine.call_states import PlaybackInput, PlaybackState, Timer
from simulator.engine.chunks import Chunk
from simulator.engine.effects import AppendTranscript, Play, PlayDigits, StopPlayback
from simulator.engine.speech import heard, hearing, speech_duration, tones_duration


class Act(Enum):
    """Something the agent does to the call itself, once what it said before has been heard."""

    TRANSFER = "transfer"
    HANG_UP = "hang up"
    LEAVE_MESSAGE = "leave a message"


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
    """The agent's playback: a queue, of which one item at a time is heard.

    What is heard between two times that the remote party has the floor is one answer. `since` is when it began to be
    heard, None while nothing of it is.
    """

    __slots__ = ("_answer", "_board", "_count", "_playing", "_queue", "_speed", "since")

    def __init__(self, board: Board, speed: float) -> None:
        self.since: datetime | None = None
        self._answer = ""  # what was heard of the answer, without what is playing
        self._board = board
        self._speed = speed
        self._queue: deque[_Words | _Tones | Act] = deque()
        self._count = 0
        self._playing: _Playing  # meaningful while the playback is PLAYING

    @property
    def sound(self) -> int | None:
        """The number of what is playing, None while nothing is."""
        return self._count if self._board.states.playback is PlaybackState.PLAYING else None

    @property
    def turn_id(self) -> str | None:
        """The turn whose reply is playing; None for a greeting, and while nothing is."""
        return self._playing.what.turn_id if self.sound is not None else None

    @property
    def answer(self) -> str:
        """What has been heard of the answer by now, in whole words."""
        if (words := self._words) is None:
            return self._answer
        elapsed = self._board.since(self._playing.since)
        return _joined(self._answer, heard(words.text, elapsed, self._playing.duration))

    def coming(self) -> Iterator[tuple[datetime, str]]:
        """Yield at which instant what of the answer will have been heard, as far as what is playing goes."""
        if (words := self._words) is not None:
            for elapsed, text in hearing(words.text, self._playing.duration):
                yield self._playing.since + elapsed, _joined(self._answer, text)

    @property
    def _words(self) -> _Words | None:
        """The words that are playing."""
        return self._playing.what if self.sound is not None and isinstance(self._playing.what, _Words) else None

    def fall_silent(self) -> None:
        """Take note that the remote party has the floor: the answer is over."""
        self.since = None
        self._answer = ""

    def greet(self, text: str) -> None:
        """Queue words that belong to no turn."""
        self._queue.append(_Words(text, None))

    def leave(self, message: str) -> None:
        """Queue what an answering machine is told, and that this was all."""
        self._queue += (_Words(message, None), Act.LEAVE_MESSAGE)

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

    def interrupt(self) -> None:
        """Stop what plays and forget the rest, while the call goes on."""
        self.cut()
        if self._board.states.playback is PlaybackState.PLAYING:
            self._board.stop(Timer.PLAYBACK)
            self._board.states.move(PlaybackInput.CUT)

    def _play(self, item: _Words | _Tones) -> None:
        self._board.states.move(PlaybackInput.PLAYED)
        if isinstance(item, _Words):
            duration = speech_duration(item.text, self._speed)
            self._board.emit(Play(item.text, duration, item.turn_id))
        else:
            duration = tones_duration(item.digits)
            self._board.emit(PlayDigits(item.digits, duration, item.turn_id))
        self._playing = _Playing(item, self._board.now, duration)
        self._count += 1
        self.since = self.since or self._board.now
        self._board.start(Timer.PLAYBACK, duration)

    def _remember(self, *, whole: bool) -> None:
        words, duration = self._playing.what, self._playing.duration
        if isinstance(words, _Tones):
            return
        ago = self._board.since(self._playing.since)
        text = words.text if whole else heard(words.text, ago, duration)
        if text:
            self._answer = _joined(self._answer, text)
            spoken = duration if whole else min(ago, duration)
            self._board.emit(AppendTranscript(Party.AGENT, text, spoken, ago, turn_id=words.turn_id))


def _joined(before: str, text: str) -> str:
    return f"{before} {text}" if before and text else before or text
