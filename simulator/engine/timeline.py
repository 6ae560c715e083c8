"""The caller's ear: what was heard when, measured from what happened.

`Listener` is told what happens in a call, either as the engine's effects or as the journal's entries, which say the
same; `timeline` gives the measures. What counts is what the caller hears: a reply's first word is late from the
caller's last word on, so the pause that ends an utterance is part of it.

Dead air is silence in which the agent owes words: from the caller's last word to the end of the answer, or to where
the caller spoke again. Silence that the caller leaves with the floor free is nobody's fault, and is not counted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.domain.calls import Party
from simulator.engine import effects as fx
from simulator.engine.call_states import TurnEnd
from simulator.engine.speech import tones_duration

_NO_TIME: Final = timedelta()

# The journal entries that `Listener.entry` knows.
_HEARD: Final = frozenset(
    {
        *("call.connected", "call.ended", "speech.started", "speech.stopped", "digits", "barge_in"),
        *("turn.opened", "turn.started", "turn.chunk", "turn.closed"),
    }
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Words or tones of one party, as far as they were heard. `text` is what was to be said; "" for tones."""

    party: Party
    text: str
    span: Span
    turn_id: str | None = None  # of the agent's words: the reply they belong to, None for a greeting
    over: bool = False  # spoken while the agent had the floor
    backchannel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTimeline:
    """One turn as the caller heard it. Lengths of the handler's work count from when the turn was opened."""

    turn_id: str
    transcript: str
    asked_at: datetime  # the caller's last word, or the opening of a turn that nobody's words opened
    opened_at: datetime
    answered: timedelta | None  # the status line; known from the journal only
    first_chunk: timedelta | None
    final_chunk: timedelta | None
    first_word: timedelta | None  # from `asked_at`; None: no word was heard
    gaps: tuple[Span, ...]
    spoken: timedelta  # how long the agent was heard
    overrun: timedelta | None  # how long it was heard after the caller had begun to speak; None: not interrupted
    how: TurnEnd | None  # None: the call isn't over

    @property
    def longest_gap(self) -> timedelta:
        """The longest dead air; zero when there was none."""
        return max((gap.length for gap in self.gaps), default=_NO_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimeline:
    """One call as the caller heard it. `overruns` are those of greetings, too."""

    connected_at: datetime | None
    ended_at: datetime | None
    greeting: timedelta | None  # how long after the connection the agent spoke unasked; None: it did not
    turns: tuple[TurnTimeline, ...]
    sounds: tuple[Sound, ...]
    overruns: tuple[timedelta, ...]

    @property
    def first_words(self) -> tuple[timedelta, ...]:
        """The time to the first word of every turn that had one."""
        return tuple(turn.first_word for turn in self.turns if turn.first_word is not None)

    @property
    def gaps(self) -> tuple[Span, ...]:
        """All dead air, in the order of the turns."""
        return tuple(gap for turn in self.turns for gap in turn.gaps)

    @property
    def longest_gap(self) -> timedelta:
        """The longest dead air; zero when there was none."""
        return max((gap.length for gap in self.gaps), default=_NO_TIME)

    def talk_time(self, party: Party) -> timedelta:
        """How long one party was heard; sounds of listening don't count."""
        heard = (s.span.length for s in self.sounds if s.party is party and not s.backchannel)
        return sum(heard, _NO_TIME)

    @property
    def talk_ratio(self) -> float | None:
        """The agent's share of all that was said, from 0 to 1; None when nobody said anything."""
        agent, remote = self.talk_time(Party.AGENT), self.talk_time(Party.REMOTE)
        return agent / (agent + remote) if agent + remote else None

    @property
    def measures(self) -> dict[str, Any]:
        """The call in figures, as the journal keeps them: in the order of the call."""
        return {
            "turns": len(self.turns),
            "greeting": self.greeting,
            "first_words": self.first_words,
            "gaps": tuple(gap.length for gap in self.gaps),
            "overruns": self.overruns,
            "talk_ratio": self.talk_ratio,
        }


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The values that 50, 90 and 99 of a hundred do not exceed. Each is one that was measured."""

    p50: timedelta
    p90: timedelta
    p99: timedelta


def percentile(values: Iterable[timedelta], percent: float) -> timedelta | None:
    """Give the smallest of `values` that so many `percent` (above 0, to 100) don't exceed; None when there are none."""
    if not 0 < percent <= 100:
        raise ValueError(f"a percentile is above 0 and at most 100, got {percent}")
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1] if ordered else None


def percentiles(values: Iterable[timedelta]) -> Percentiles | None:
    """Give the three percentiles that reports show; None when there are no values."""
    measured = sorted(values)
    p50, p90, p99 = (percentile(measured, percent) for percent in (50, 90, 99))
    return None if p50 is None or p90 is None or p99 is None else Percentiles(p50, p90, p99)


@dataclass(slots=True)
class _Heard:
    """A sound that may yet be cut."""

    party: Party
    text: str
    begin: datetime
    end: datetime
    turn_id: str | None = None
    over: bool = False
    backchannel: bool = False

    @property
    def sound(self) -> Sound:
        return Sound(
            party=self.party,
            text=self.text,
            span=Span(self.begin, self.end),
            turn_id=self.turn_id,
            over=self.over,
            backchannel=self.backchannel,
        )


@dataclass(slots=True)
class _Turn:
    id: str
    transcript: str
    asked_at: datetime
    opened_at: datetime
    answered_at: datetime | None = None
    chunks: list[tuple[datetime, bool]] = field(default_factory=list)  # when, and whether it was interim
    closed_at: datetime | None = None
    how: TurnEnd | None = None
    overrun: timedelta | None = None


class Listener:
    """Hears one call. Tell it everything in the order it happens; ask for the `timeline` at any time.

    A turn whose beginning it was not told of (the journal forgets) is left out.
    """

    def __init__(self) -> None:
        self._connected_at: datetime | None = None
        self._ended_at: datetime | None = None
        self._heard: list[_Heard] = []
        self._turns: dict[str, _Turn] = {}
        self._overruns: list[timedelta] = []

    def effect(self, effect: fx.Effect, at: datetime) -> None:
        """Take in an effect of the engine. Those that nobody hears are of no interest."""
        match effect:
            case fx.ConnectCall():
                self._connected_at = at
            case fx.StartSpeech(text, duration, over, backchannel):
                self._heard.append(_Heard(Party.REMOTE, text, at, at + duration, over=over, backchannel=backchannel))
            case fx.NoteDigits(digits):
                self._heard.append(_Heard(Party.REMOTE, "", at, at + tones_duration(digits)))
            case fx.Play(text, duration, turn_id):
                self._heard.append(_Heard(Party.AGENT, text, at, at + duration, turn_id))
            case fx.PlayDigits(_, duration, turn_id):
                self._heard.append(_Heard(Party.AGENT, "", at, at + duration, turn_id))
            case fx.StopPlayback():
                self._cut(at, Party.AGENT)
            case fx.OpenTurn(turn_id, transcript):
                self._open(turn_id, transcript, at)
            case fx.NoteChunk(turn_id, _, interim):
                self._chunk(turn_id, interim, at)
            case fx.CloseTurn(turn_id, how):
                self._close(turn_id, how, at)
            case fx.NoteBargeIn(turn_id, overrun):
                self._barge_in(turn_id, overrun)
            case fx.EndCall():
                self._end(at)
            case _:
                pass

    def entry(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        """Take in a journal entry of this call. Those that nobody hears are of no interest."""
        if kind not in _HEARD:  # most of them
            return
        match kind, data:
            case "call.connected", _:
                self._connected_at = at
            case "speech.started", {"party": party, "text": text, "duration": seconds}:
                end = at + timedelta(seconds=seconds)
                over, backchannel = data.get("over", False), data.get("backchannel", False)
                self._heard.append(_Heard(Party(party), text, at, end, data.get("turn_id"), over, backchannel))
            case "digits", {"party": party, "digits": digits}:
                self._heard.append(_Heard(Party(party), "", at, at + tones_duration(digits), data.get("turn_id")))
            case "speech.stopped", {"party": party}:
                self._cut(at, Party(party))
            case "turn.opened", {"turn_id": turn_id, "transcript": transcript}:
                self._open(turn_id, transcript, at)
            case "turn.started", {"turn_id": turn_id} if turn_id in self._turns:
                self._turns[turn_id].answered_at = at
            case "turn.chunk", {"turn_id": turn_id, "interim": interim}:
                self._chunk(turn_id, interim, at)
            case "turn.closed", {"turn_id": turn_id, "how": how}:
                self._close(turn_id, how, at)
            case "barge_in", {"turn_id": turn_id, "overrun": seconds}:
                self._barge_in(turn_id, timedelta(seconds=seconds))
            case "call.ended", _:
                self._end(at)
            case _:
                pass

    def timeline(self) -> CallTimeline:
        """Say what was heard so far. Sounds that are being heard count as if they were heard to their end."""
        words = [heard for heard in self._heard if not heard.backchannel]
        answers: dict[str | None, list[_Heard]] = {}
        for heard in self._heard:
            if heard.party is Party.AGENT:
                answers.setdefault(heard.turn_id, []).append(heard)
        spoken = [heard.begin for heard in words if heard.party is Party.REMOTE]
        unasked = bool(words) and words[0].party is Party.AGENT and words[0].turn_id is None
        return CallTimeline(
            connected_at=self._connected_at,
            ended_at=self._ended_at,
            greeting=words[0].begin - self._connected_at if unasked and self._connected_at else None,
            turns=tuple(_turn_timeline(turn, answers.get(turn.id, []), spoken) for turn in self._turns.values()),
            sounds=tuple(heard.sound for heard in self._heard),
            overruns=tuple(self._overruns),
        )

    # --- what happens ---

    def _cut(self, at: datetime, *parties: Party) -> None:
        for heard in self._heard:
            if heard.party in parties:
                heard.end = min(heard.end, at)

    def _open(self, turn_id: str, transcript: str, at: datetime) -> None:
        # Words that waited for the agent to finish were asked when it had finished.
        asked = [heard.end for heard in self._heard if not heard.backchannel] if transcript else []
        self._turns[turn_id] = _Turn(turn_id, transcript, max(asked, default=at), at)

    def _close(self, turn_id: str, how: str, at: datetime) -> None:
        if turn := self._turns.get(turn_id):
            turn.closed_at, turn.how = at, TurnEnd(how)

    def _chunk(self, turn_id: str, interim: bool, at: datetime) -> None:
        if turn := self._turns.get(turn_id):
            turn.chunks.append((at, interim))

    def _barge_in(self, turn_id: str | None, overrun: timedelta) -> None:
        self._overruns.append(overrun)
        if turn_id is not None and (turn := self._turns.get(turn_id)):
            turn.overrun = overrun

    def _end(self, at: datetime) -> None:
        self._ended_at = at
        self._cut(at, *Party)


def _turn_timeline(turn: _Turn, words: list[_Heard], spoken: list[datetime]) -> TurnTimeline:
    """Measure a turn. `words` are the agent's of this turn, `spoken` is when the caller began to speak, ever."""
    chunks = [at - turn.opened_at for at, _ in turn.chunks]
    final = [at - turn.opened_at for at, interim in turn.chunks if not interim]
    return TurnTimeline(
        turn_id=turn.id,
        transcript=turn.transcript,
        asked_at=turn.asked_at,
        opened_at=turn.opened_at,
        answered=turn.answered_at - turn.opened_at if turn.answered_at else None,
        first_chunk=chunks[0] if chunks else None,
        final_chunk=final[0] if final else None,
        first_word=next((h.begin - turn.asked_at for h in words if h.text), None),
        gaps=tuple(_gaps(turn, words, spoken)),
        spoken=sum((h.end - h.begin for h in words), _NO_TIME),
        overrun=turn.overrun,
        how=turn.how,
    )


def _gaps(turn: _Turn, words: list[_Heard], spoken: list[datetime]) -> Iterable[Span]:
    """Yield the silences of a turn. It lasts until its reply is complete and heard, or the caller speaks again."""
    ends = [heard.end for heard in words]
    if turn.closed_at is not None:
        ends.append(turn.closed_at)
    later = bisect_left(spoken, turn.opened_at)
    again = spoken[later] if later < len(spoken) else None
    over = max(ends, default=turn.opened_at)
    over = over if again is None else min(over, again)
    silent_since = turn.asked_at
    for heard in words:
        if silent_since < min(heard.begin, over):
            yield Span(silent_since, min(heard.begin, over))
        silent_since = heard.end
    if silent_since < over:
        yield Span(silent_since, over)
