"""Inputs of the call engine: facts, in the past tense. `now` travels beside them, never inside."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.domain.calls import DisconnectionReason


@dataclass(frozen=True, slots=True)
class Dialled:
    """The call was placed and the callee's phone rings."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The callee picked up."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The callee was busy, did not answer, or the carrier failed."""

    reason: DisconnectionReason


@dataclass(frozen=True, slots=True)
class RemoteSaid:
    """The remote party wants to say something; it waits until the floor is free.

    `over`: it does not wait. Said while the agent speaks or thinks, the words barge in, unless they are a mere sound of
    listening ("uh-huh") and the agent knows these; said in the pause after other words, they go on with them.
    """

    text: str
    confidence: float = 0.95
    over: bool = False


@dataclass(frozen=True, slots=True)
class RemotePressed:
    """The remote party wants to press keys; it waits until the floor is free."""

    digits: str


@dataclass(frozen=True, slots=True)
class RemoteHungUp:
    """The remote party puts the phone down now, whatever is going on."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer started by an effect is due. `name` is one of `call_states.Timer`."""

    name: str


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The handler's status line and headers arrived; not yet a byte of the reply."""

    turn_id: str
    http_status: int
    content_type: str


@dataclass(frozen=True, slots=True)
class ReplyBytes:
    """Some bytes of the handler's reply; cut anywhere."""

    turn_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The handler's reply is complete."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The turn request broke: refused host, no connection, reset in mid-reply."""

    turn_id: str
    error: str


@dataclass(frozen=True, slots=True)
class EndRequested:
    """Somebody ended the call through the API."""

    reason: DisconnectionReason = DisconnectionReason.API_HANGUP


CallEvent = (
    Dialled
    | Answered
    | Declined
    | RemoteSaid
    | RemotePressed
    | RemoteHungUp
    | TimerFired
    | ReplyStarted
    | ReplyBytes
    | ReplyEnded
    | ReplyFailed
    | EndRequested
)
