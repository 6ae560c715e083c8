"""The caller's ear on `/_sim`: what was heard of a call, and when. Lengths are seconds, instants ISO 8601."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from simulator.domain.calls import Call, Party
from simulator.engine.timeline import CallTimeline, Listener, Sound, Span, TurnTimeline, percentiles
from simulator.wire.base import iso
from simulator.world.journal import Entry, Journal


class HeardOut(BaseModel):
    """Part of what was heard."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class SpreadOut(HeardOut):
    """What 50, 90 and 99 of a hundred do not exceed; each is a value that was measured."""

    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, values: Iterable[timedelta]) -> SpreadOut | None:
        """Show how `values` are spread; None when there are none."""
        found = percentiles(values)
        if found is None:
            return None
        return cls(p50=_seconds(found.p50), p90=_seconds(found.p90), p99=_seconds(found.p99))


class GapOut(HeardOut):
    """Silence in which the agent owed words."""

    at: str
    seconds: float

    @classmethod
    def of(cls, gap: Span) -> GapOut:
        """Show one gap."""
        return cls(at=iso(gap.begin), seconds=_seconds(gap.length))


class SoundOut(HeardOut):
    """Words of one party, or tones, as far as they were heard."""

    party: str = Field(description="`agent`, or `user` for the remote party.")
    text: str = Field(description="All that was to be said; empty for tones.")
    at: str
    seconds: float = Field(description="How long it was heard.")
    turn_id: str | None = Field(description="The turn that an agent's words answer; null for a greeting.")
    over: bool = Field(description="Said while the agent had the floor.")
    backchannel: bool

    @classmethod
    def of(cls, sound: Sound) -> SoundOut:
        """Show one sound."""
        return cls(
            party=sound.party.value,
            text=sound.text,
            at=iso(sound.span.begin),
            seconds=_seconds(sound.span.length),
            turn_id=sound.turn_id,
            over=sound.over,
            backchannel=sound.backchannel,
        )


class TurnOut(HeardOut):
    """One question and its answer. The handler's times count from `opened_at`, when the request was sent."""

    turn_id: str
    transcript: str
    asked_at: str = Field(description="The caller's last word.")
    opened_at: str
    first_word_seconds: float | None = Field(description="From `asked_at`; null when no word was heard.")
    gaps: list[GapOut]
    longest_gap_seconds: float
    spoken_seconds: float = Field(description="How long the agent was heard.")
    overrun_seconds: float | None = Field(description="Heard on after the caller had begun to speak; null: nobody did.")
    status_line_seconds: float | None
    first_chunk_seconds: float | None
    final_chunk_seconds: float | None
    how: str | None = Field(description="How it ended; null while it goes on.")

    @classmethod
    def of(cls, turn: TurnTimeline) -> TurnOut:
        """Show one turn."""
        return cls(
            turn_id=turn.turn_id,
            transcript=turn.transcript,
            asked_at=iso(turn.asked_at),
            opened_at=iso(turn.opened_at),
            first_word_seconds=_maybe(turn.first_word),
            gaps=[GapOut.of(gap) for gap in turn.gaps],
            longest_gap_seconds=_seconds(turn.longest_gap),
            spoken_seconds=_seconds(turn.spoken),
            overrun_seconds=_maybe(turn.overrun),
            status_line_seconds=_maybe(turn.answered),
            first_chunk_seconds=_maybe(turn.first_chunk),
            final_chunk_seconds=_maybe(turn.final_chunk),
            how=None if turn.how is None else str(turn.how),
        )


class TimelineOut(HeardOut):
    """A call as its caller heard it, measured from the journal; of a live call, as far as it has come."""

    call_id: str
    status: str
    complete: bool = Field(description="False: the bounded journal has forgotten the beginning, which is left out.")
    connected_at: str | None
    ended_at: str | None
    greeting_seconds: float | None = Field(description="From the connection to words nobody asked for.")
    agent_seconds: float = Field(description="How long the agent was heard.")
    remote_seconds: float = Field(description="How long the remote party was heard; backchannels don't count.")
    talk_ratio: float | None = Field(description="The agent's share of all speech, 0 to 1; null when nobody spoke.")
    longest_gap_seconds: float
    first_word_seconds: SpreadOut | None = Field(description="Over the turns that had one.")
    gap_seconds: SpreadOut | None = Field(description="Over all gaps.")
    overrun_seconds: SpreadOut | None = Field(description="Over all interruptions, those of greetings among them.")
    handler_seconds: SpreadOut | None = Field(description="To the final chunk, over the turns that had one.")
    turns: list[TurnOut]
    sounds: list[SoundOut]

    @classmethod
    def of(cls, call: Call, journal: Journal) -> TimelineOut:
        """Listen to a call again, from the journal."""
        placed = journal.newest("call.placed", call_id=call.id)
        entries = journal.since(placed.seq if placed else 0)
        return cls._shown(call, heard(entries, call.id), complete=placed is not None)

    @classmethod
    def _shown(cls, call: Call, timeline: CallTimeline, *, complete: bool) -> TimelineOut:
        final = (turn.final_chunk for turn in timeline.turns)
        return cls(
            call_id=call.id,
            status=call.status.value,
            complete=complete,
            connected_at=_instant(timeline.connected_at),
            ended_at=_instant(timeline.ended_at),
            greeting_seconds=_maybe(timeline.greeting),
            agent_seconds=_seconds(timeline.talk_time(Party.AGENT)),
            remote_seconds=_seconds(timeline.talk_time(Party.REMOTE)),
            talk_ratio=timeline.talk_ratio,
            longest_gap_seconds=_seconds(timeline.longest_gap),
            first_word_seconds=SpreadOut.of(timeline.first_words),
            gap_seconds=SpreadOut.of(gap.length for gap in timeline.gaps),
            overrun_seconds=SpreadOut.of(timeline.overruns),
            handler_seconds=SpreadOut.of(value for value in final if value is not None),
            turns=[TurnOut.of(turn) for turn in timeline.turns],
            sounds=[SoundOut.of(sound) for sound in timeline.sounds],
        )


def heard(entries: Iterable[Entry], call_id: str) -> CallTimeline:
    """What the caller heard of one call, told by journal entries."""
    listener = Listener()
    for entry in entries:
        if entry.data.get("call_id") == call_id:
            listener.entry(entry.kind, entry.data, entry.at)
    return listener.timeline()


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


def _maybe(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _instant(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
