"""Outputs of the call engine: imperatives. The runtime carries them out in order and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from simulator.domain.calls import DisconnectionReason, Party
from simulator.domain.findings import FindingKind


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start or restart the call's timer `name`; `TimerFired(name)` comes back after `delay`."""

    name: str
    delay: timedelta


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Forget the call's timer `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class ConnectCall:
    """The leg is connected: mark the call, send `call.started` where the policy says so."""


@dataclass(frozen=True, slots=True)
class StartSpeech:
    """The remote party began to speak; journal only.

    `over`: the agent has the floor, and is spoken over. `backchannel`: it is a sound of listening, which takes no turn.
    """

    text: str
    duration: timedelta
    over: bool = False
    backchannel: bool = False


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """POST a voice turn to the webhook endpoint. `turn_id` is unique within the call ("1", "2" …).

    `transcript` is what the remote party said ("" on the empty turn at connect). The utterance has already been
    appended to the transcript by an `AppendTranscript` that came before.
    """

    turn_id: str
    transcript: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ResendTurn:
    """POST the same turn again: same id, same body (policy `voice_turn_retry`)."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """Close the turn's request; nothing more of its reply is wanted."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class CloseTurn:
    """The turn is over. `how` is one of `call_states.TurnEnd`; the delivery record is settled from it."""

    turn_id: str
    how: str


@dataclass(frozen=True, slots=True)
class NoteChunk:
    """A chunk of a reply was understood; journal only."""

    turn_id: str
    text: str
    interim: bool
    raw: bytes


@dataclass(frozen=True, slots=True)
class Play:
    """The agent's speech begins to be heard."""

    text: str
    duration: timedelta
    turn_id: str | None  # None: the greeting


@dataclass(frozen=True, slots=True)
class PlayDigits:
    """The agent's keypad tones are heard by the remote party."""

    digits: str
    duration: timedelta
    turn_id: str


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """What was playing stops; nothing more of it is heard."""


@dataclass(frozen=True, slots=True)
class NoteDigits:
    """The remote party pressed keys; journal only."""

    digits: str


@dataclass(frozen=True, slots=True)
class NoteBeep:
    """An answering machine's tone is heard; journal only."""

    duration: timedelta


@dataclass(frozen=True, slots=True)
class NoteBargeIn:
    """The remote party took the floor from the agent; journal only.

    `turn_id` is the turn whose reply was cut, None for a greeting. `overrun` is how long the agent was heard while the
    remote party spoke already; zero when the agent had not begun to speak.
    """

    turn_id: str | None
    overrun: timedelta


@dataclass(frozen=True, slots=True)
class AppendTranscript:
    """Something was heard to its end (or up to where it was cut): add it to the call's transcript.

    `ago` says how long before now it began.
    """

    party: Party
    text: str
    duration: timedelta
    ago: timedelta
    turn_id: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ReportFinding:
    """The handler did something badly."""

    kind: FindingKind
    message: str
    turn_id: str | None = None
    sample: bytes = b""


@dataclass(frozen=True, slots=True)
class NoteStep:
    """The remote party takes a step of its script; journal only. What the step does follows.

    `step` is its place: its index; inside a `Repeat` followed by the round and the index there, inside a `Branch` by
    the case (the last one is `otherwise`) and the index there.
    """

    step: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoteScriptFailed:
    """The remote party waited for words that did not come; journal only. It hangs up, or the call had ended.

    `step` as in `NoteStep`; `expected` says in words what was waited for, `heard` is what was heard instead.
    """

    step: tuple[int, ...]
    expected: str
    heard: str


@dataclass(frozen=True, slots=True)
class NoteScriptDone:
    """The remote party's script has been played to its end; journal only."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """The call is over, exactly once. All timers are forgotten, the end events are sent."""

    reason: DisconnectionReason
    transferred_to: str | None = None


Effect = (
    StartTimer
    | StopTimer
    | ConnectCall
    | StartSpeech
    | OpenTurn
    | ResendTurn
    | CancelTurn
    | CloseTurn
    | NoteChunk
    | Play
    | PlayDigits
    | StopPlayback
    | NoteDigits
    | NoteBeep
    | NoteBargeIn
    | AppendTranscript
    | ReportFinding
    | NoteStep
    | NoteScriptFailed
    | NoteScriptDone
    | EndCall
)
