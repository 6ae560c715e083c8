"""Every state of a call, and every step from one to the next.

leg       NEW ──dialled──► RINGING ──answered──► CONNECTED ──ended──► ENDED      (any live state can end)
turn      CLOSED ──opened──► AWAITING ──headers──► STARTED ──bytes──► STREAMING ──body ended──► READ
          any open state ──completed──► DRAINING ──drained──► CLOSED
speech    QUIET ──spoke──► SPEAKING ──spoken──► ENDPOINTING ──endpointed──► QUIET        (the remote party's)
                              ◄──spoke──
          QUIET ──spoke over──► OVERLAPPING ──took floor──► SPEAKING         (barge-in, or the agent had finished)
                                OVERLAPPING ──spoken──► HELD ──took floor──► ENDPOINTING    (the agent talked on)
                                            ◄──spoke over──
          QUIET ──pressed──► PRESSING ──released──► QUIET
          QUIET ──sounded──► SOUNDING ──faded──► QUIET                       (a backchannel, a machine's beep)
playback  SILENT ──played──► PLAYING ──heard──► SILENT                                   (the agent's)
"""

# Every transition a call can make is in this file.
#
# Rule 1: if it changes the state of a leg, turn, speech or playback, it is a row below, not an `if` elsewhere.
# Rule 2: nothing here knows direction. Inbound and outbound differ in who rings, not in what is legal.
# Rule 3: a cell that is not here is illegal and raises; so a late or doubled input can never half-work.
#
# Four small machines run side by side. Two joint tables couple them: NEEDS (what the other machines must be doing for
# an input to be legal) and ENDED_BY (what an ended leg does to the others).

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Any, Final, TypeVar

from simulator.errors import IllegalTransition


class Timer(StrEnum):
    """The names of a call's timers. At most one of each runs at a time."""

    RING = "ring"  # until the phone is picked up, or is not
    SPEECH = "speech"  # until the remote party has said their words or pressed their keys
    ENDPOINTING = "endpointing"  # until the pause after the words counts as the end of the utterance
    INTERRUPTION = "interruption"  # until speech over the agent has lasted long enough to stop it
    PLAYBACK = "playback"  # until what the agent says is heard to its end
    SILENCE = "silence"  # until the floor has been free for too long
    MAX_DURATION = "max_duration"
    PATIENCE = "patience"  # until the remote party has had enough, whoever is speaking
    REPLY = "reply"  # until the handler is too late with its first byte, or with its next
    FORMER = "former"  # until the request of an interrupted turn, left running by policy, is given up
    PARTY = "party"  # until the scripted party takes its next step


class TurnEnd(StrEnum):
    """How a turn ended. The delivery record is settled from it."""

    FINAL = "final"  # a legal reply, closed by its final chunk
    TIMED_OUT = "timed_out"  # no byte in time
    STALLED = "stalled"  # bytes, then none for too long
    FAILED = "failed"  # unreachable, broken off, or a status outside 2xx
    EMPTY = "empty"  # a 2xx reply that cannot be used: empty, not JSON, no object, a refused line, over a limit
    MISSING_FINAL = "missing_final"  # interim chunks only
    INTERRUPTED = "interrupted"  # the remote party took the floor before the reply was complete
    CANCELLED = "cancelled"  # the call ended first


class LegState(Enum):
    """The remote party's connection to the call."""

    NEW = "new"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"


class LegInput(Enum):
    """What happens to a leg."""

    DIALLED = "dialled"
    ANSWERED = "answered"
    DECLINED = "declined"
    ENDED = "ended"


class TurnState(Enum):
    """The handler's part of a turn: what has come of its reply."""

    CLOSED = "closed"
    AWAITING = "awaiting"  # nothing has come
    STARTED = "started"  # status and headers, but not yet a byte of the reply
    STREAMING = "streaming"
    READ = "read"  # the body is complete; without a final chunk the turn may be held open here
    DRAINING = "draining"  # complete for words, but not all of them are heard


class TurnInput(Enum):
    """What happens to a turn."""

    OPENED = "opened"
    HEADERS = "headers"
    BYTES = "bytes"
    BODY_ENDED = "body ended"
    RESENT = "resent"  # the request is made once more (policy `voice_turn_retry`)
    COMPLETED = "completed"  # no more words will come, for whatever reason
    DRAINED = "drained"
    CANCELLED = "cancelled"


class SpeechState(Enum):
    """What the remote party does."""

    QUIET = "quiet"
    SPEAKING = "speaking"
    ENDPOINTING = "endpointing"
    OVERLAPPING = "overlapping"  # it speaks while the agent has the floor
    HELD = "held"  # it has spoken without stopping the agent: its words wait until the agent has finished
    PRESSING = "pressing"
    SOUNDING = "sounding"  # a sound that takes no floor


class SpeechInput(Enum):
    """What happens to the remote party's speech."""

    SPOKE = "spoke"
    SPOKE_OVER = "spoke over"
    SPOKEN = "spoken"
    TOOK_FLOOR = "took floor"
    ENDPOINTED = "endpointed"
    PRESSED = "pressed"
    RELEASED = "released"
    SOUNDED = "sounded"
    FADED = "faded"
    CUT = "cut"


class PlaybackState(Enum):
    """What is heard of the agent: words or keypad tones, or nothing."""

    SILENT = "silent"
    PLAYING = "playing"


class PlaybackInput(Enum):
    """What happens to the agent's playback."""

    PLAYED = "played"
    HEARD = "heard"
    CUT = "cut"


State = LegState | TurnState | SpeechState | PlaybackState
Input = LegInput | TurnInput | SpeechInput | PlaybackInput

LEG: Final[Mapping[LegState, Mapping[LegInput, LegState]]] = {
    LegState.NEW: {
        LegInput.DIALLED: LegState.RINGING,
        LegInput.ENDED: LegState.ENDED,
    },
    LegState.RINGING: {
        LegInput.ANSWERED: LegState.CONNECTED,
        LegInput.DECLINED: LegState.ENDED,
        LegInput.ENDED: LegState.ENDED,
    },
    LegState.CONNECTED: {
        LegInput.ENDED: LegState.ENDED,
    },
    LegState.ENDED: {},
}

TURN: Final[Mapping[TurnState, Mapping[TurnInput, TurnState]]] = {
    TurnState.CLOSED: {
        TurnInput.OPENED: TurnState.AWAITING,
    },
    TurnState.AWAITING: {
        TurnInput.HEADERS: TurnState.STARTED,
        TurnInput.RESENT: TurnState.AWAITING,
        TurnInput.COMPLETED: TurnState.DRAINING,
        TurnInput.CANCELLED: TurnState.CLOSED,
    },
    TurnState.STARTED: {
        TurnInput.BYTES: TurnState.STREAMING,
        TurnInput.BODY_ENDED: TurnState.READ,
        TurnInput.RESENT: TurnState.AWAITING,
        TurnInput.COMPLETED: TurnState.DRAINING,
        TurnInput.CANCELLED: TurnState.CLOSED,
    },
    TurnState.STREAMING: {
        TurnInput.BYTES: TurnState.STREAMING,
        TurnInput.BODY_ENDED: TurnState.READ,
        TurnInput.RESENT: TurnState.AWAITING,
        TurnInput.COMPLETED: TurnState.DRAINING,
        TurnInput.CANCELLED: TurnState.CLOSED,
    },
    TurnState.READ: {
        TurnInput.RESENT: TurnState.AWAITING,
        TurnInput.COMPLETED: TurnState.DRAINING,
        TurnInput.CANCELLED: TurnState.CLOSED,
    },
    TurnState.DRAINING: {
        TurnInput.DRAINED: TurnState.CLOSED,
        TurnInput.CANCELLED: TurnState.CLOSED,
    },
}

SPEECH: Final[Mapping[SpeechState, Mapping[SpeechInput, SpeechState]]] = {
    SpeechState.QUIET: {
        SpeechInput.SPOKE: SpeechState.SPEAKING,
        SpeechInput.SPOKE_OVER: SpeechState.OVERLAPPING,
        SpeechInput.PRESSED: SpeechState.PRESSING,
        SpeechInput.SOUNDED: SpeechState.SOUNDING,
    },
    SpeechState.SPEAKING: {
        SpeechInput.SPOKEN: SpeechState.ENDPOINTING,
        SpeechInput.CUT: SpeechState.QUIET,
    },
    SpeechState.ENDPOINTING: {
        SpeechInput.SPOKE: SpeechState.SPEAKING,  # the pause was too short: it is the same utterance
        SpeechInput.ENDPOINTED: SpeechState.QUIET,
        SpeechInput.CUT: SpeechState.QUIET,
    },
    SpeechState.OVERLAPPING: {
        SpeechInput.TOOK_FLOOR: SpeechState.SPEAKING,
        SpeechInput.SPOKEN: SpeechState.HELD,
        SpeechInput.CUT: SpeechState.QUIET,
    },
    SpeechState.HELD: {
        SpeechInput.SPOKE_OVER: SpeechState.OVERLAPPING,
        SpeechInput.TOOK_FLOOR: SpeechState.ENDPOINTING,
        SpeechInput.CUT: SpeechState.QUIET,
    },
    SpeechState.PRESSING: {
        SpeechInput.RELEASED: SpeechState.QUIET,
        SpeechInput.CUT: SpeechState.QUIET,
    },
    SpeechState.SOUNDING: {
        SpeechInput.FADED: SpeechState.QUIET,
        SpeechInput.CUT: SpeechState.QUIET,
    },
}

PLAYBACK: Final[Mapping[PlaybackState, Mapping[PlaybackInput, PlaybackState]]] = {
    PlaybackState.SILENT: {
        PlaybackInput.PLAYED: PlaybackState.PLAYING,
    },
    PlaybackState.PLAYING: {
        PlaybackInput.HEARD: PlaybackState.SILENT,
        PlaybackInput.CUT: PlaybackState.SILENT,
    },
}

# The states in which the agent may begin to play something: the remote party doesn't have the floor.
_NOT_LISTENING: Final[frozenset[State]] = frozenset(
    {SpeechState.QUIET, SpeechState.OVERLAPPING, SpeechState.HELD, SpeechState.SOUNDING}
)

# What the other machines must be doing for an input to be legal: of each machine that is named, one of these states.
# An interruption is told in this order: the playback is cut, the turn is cancelled, and then the floor is taken.
NEEDS: Final[Mapping[Input, frozenset[State]]] = {
    TurnInput.OPENED: frozenset({LegState.CONNECTED, SpeechState.QUIET, PlaybackState.SILENT}),
    TurnInput.DRAINED: frozenset({LegState.CONNECTED, PlaybackState.SILENT}),
    SpeechInput.SPOKE: frozenset({LegState.CONNECTED, TurnState.CLOSED, PlaybackState.SILENT}),
    SpeechInput.SPOKE_OVER: frozenset({LegState.CONNECTED}),
    SpeechInput.TOOK_FLOOR: frozenset({LegState.CONNECTED, TurnState.CLOSED, PlaybackState.SILENT}),
    SpeechInput.PRESSED: frozenset({LegState.CONNECTED, TurnState.CLOSED, PlaybackState.SILENT}),
    SpeechInput.SOUNDED: frozenset({LegState.CONNECTED}),
    PlaybackInput.PLAYED: frozenset({LegState.CONNECTED}) | _NOT_LISTENING,
}

# What an ended leg does to the other machines, where they are not at rest already.
ENDED_BY: Final[tuple[Input, ...]] = (TurnInput.CANCELLED, SpeechInput.CUT, PlaybackInput.CUT)

_TABLES: Final[Mapping[type, Mapping[Any, Mapping[Any, Any]]]] = {
    LegState: LEG,
    TurnState: TURN,
    SpeechState: SPEECH,
    PlaybackState: PLAYBACK,
}

_S = TypeVar("_S", LegState, TurnState, SpeechState, PlaybackState)


def transition(state: _S, input: Input) -> _S:  # noqa: A002 - the word of the trade
    """Say which state follows, or raise `IllegalTransition` for an empty cell (and for another machine's input)."""
    after: _S | None = _TABLES[type(state)][state].get(input)
    if after is None:
        raise IllegalTransition(f"{_name(state)} cannot take {input.value!r} while it is {state.value!r}")
    return after


class CallStates:
    """The four machines of one call, kept in step by the joint tables."""

    __slots__ = ("leg", "playback", "speech", "turn")

    def __init__(self) -> None:
        self.leg = LegState.NEW
        self.turn = TurnState.CLOSED
        self.speech = SpeechState.QUIET
        self.playback = PlaybackState.SILENT

    @property
    def now(self) -> frozenset[State]:
        """The four states at this moment."""
        return frozenset((self.leg, self.turn, self.speech, self.playback))

    @property
    def floor_free(self) -> bool:
        """Whether somebody may begin to speak: connected, no turn open, nobody heard."""
        return (
            self.leg is LegState.CONNECTED
            and self.turn is TurnState.CLOSED
            and self.speech is SpeechState.QUIET
            and self.playback is PlaybackState.SILENT
        )

    def move(self, input: Input) -> None:  # noqa: A002 - the word of the trade
        """Take one step, and what it entails. An illegal step raises `IllegalTransition` and changes nothing."""
        if unmet := self._unmet(NEEDS.get(input, frozenset())):
            raise IllegalTransition(f"{input.value!r} is only legal with {unmet}")
        match input:
            case LegInput():
                self.leg = transition(self.leg, input)
                if self.leg is LegState.ENDED:
                    self._come_to_rest()
            case TurnInput():
                self.turn = transition(self.turn, input)
            case SpeechInput():
                self.speech = transition(self.speech, input)
            case _:  # PlaybackInput
                self.playback = transition(self.playback, input)

    def _unmet(self, needed: frozenset[State]) -> str:
        """Name the states that are needed of machines that are in none of them; "" when all needs are met."""
        if needed <= (now := self.now):
            return ""
        met = {type(state) for state in needed & now}
        lacking = {type(state): "" for state in needed if type(state) not in met}
        for state in sorted(needed, key=lambda state: state.value):
            if type(state) in lacking:
                said = lacking[type(state)]
                lacking[type(state)] = f"{said} or {state.value}" if said else f"{_name(state)} {state.value}"
        return ", ".join(sorted(lacking.values()))

    def _come_to_rest(self) -> None:
        for entailed in ENDED_BY:
            if any(entailed in _TABLES[type(state)][state] for state in self.now):
                self.move(entailed)


def _name(state: State) -> str:
    return type(state).__name__.removesuffix("State").lower()
