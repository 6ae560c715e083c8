"""Calls, what was said in them, and why they ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final


class Direction(StrEnum):
    """Seen from the platform. Texts use inbound and outbound only."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    WEB = "web"


class CallStatus(StrEnum):
    """The wire's words for a call's state."""

    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


LIVE_STATUSES = frozenset({CallStatus.RINGING, CallStatus.IN_PROGRESS})


class DisconnectionReason(StrEnum):
    """Why a call ended. `user` is the remote party."""

    USER_HANGUP = "user_hangup"
    AGENT_HANGUP = "agent_hangup"
    API_HANGUP = "api_hangup"
    CALL_TRANSFER = "call_transfer"
    INACTIVITY = "inactivity"
    MAX_DURATION_REACHED = "max_duration_reached"
    VOICEMAIL_REACHED = "voicemail_reached"
    DIAL_BUSY = "dial_busy"
    DIAL_NO_ANSWER = "dial_no_answer"
    DIAL_FAILED = "dial_failed"
    ERROR_NO_WEBHOOK = "error_no_webhook"
    ERROR_UNKNOWN = "error_unknown"  # the simulator was stopped meanwhile
    REGISTERED_CALL_TIMEOUT = "registered_call_timeout"  # a web call that nobody joined in time

    @property
    def status(self) -> CallStatus:
        """The final status that goes with this reason."""
        return _STATUS.get(self, CallStatus.COMPLETED)


_STATUS: Mapping[DisconnectionReason, CallStatus] = {
    DisconnectionReason.DIAL_BUSY: CallStatus.BUSY,
    DisconnectionReason.DIAL_NO_ANSWER: CallStatus.NO_ANSWER,
    DisconnectionReason.DIAL_FAILED: CallStatus.FAILED,
    DisconnectionReason.ERROR_NO_WEBHOOK: CallStatus.FAILED,
    DisconnectionReason.ERROR_UNKNOWN: CallStatus.FAILED,
    DisconnectionReason.REGISTERED_CALL_TIMEOUT: CallStatus.FAILED,
}


class Party(StrEnum):
    """The two ends of a call. The wire calls the remote party `user`."""

    REMOTE = "user"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One unbroken stretch of speech, as it was heard."""

    id: str
    party: Party
    text: str
    at: datetime
    duration: timedelta = timedelta()
    confidence: float | None = None
    turn_id: str | None = None  # None: a greeting


@dataclass(frozen=True, slots=True, kw_only=True)
class Tones:
    """Keys pressed in one go, and how long their tones take. A call that ends meanwhile cuts them off."""

    party: Party
    digits: str
    at: datetime
    duration: timedelta


NO_NUMBER: Final = ""  # either end of a web call: clients want a text there
WEB_TOKEN_LIFE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The record a customer sees. `utterances` are in the order they were heard.

    A web call has no number on either end: its ids are None and both numbers are `NO_NUMBER`.
    """

    id: str
    agent_id: str | None
    agent_name: str | None
    number_id: str | None
    phone_number: str | None
    from_number: str
    to_number: str
    direction: Direction
    status: CallStatus
    started_at: datetime
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    disconnection_reason: DisconnectionReason | None = None
    transferred_to: str | None = None
    utterances: tuple[Utterance, ...] = ()
    tones: tuple[Tones, ...] = ()
    hosted: bool = False
    voice: str | None = None
    initial_greeting: str | None = None
    system_prompt: str | None = None
    model_tier: str | None = None
    variables: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] | None = None
    access_token: str | None = None  # lets one browser join a web call, once
    disable_recording: bool = False
    recorded: bool = False  # settled when the call connects
    call_screening_identity: str | None = None
    call_screening_purpose: str | None = None

    @property
    def live(self) -> bool:
        """Whether the call has not ended."""
        return self.ended_at is None

    @property
    def remote_number(self) -> str:
        """The human end's number, whichever way the call went."""
        return self.to_number if self.direction is Direction.OUTBOUND else self.from_number

    @property
    def recording_available(self) -> bool:
        """Whether there is a recording to fetch: the call was recorded, and is over."""
        return self.recorded and not self.live

    @property
    def duration(self) -> timedelta | None:
        """Time connected, or None while live; zero for a call that was never answered."""
        if self.ended_at is None:
            return None
        return self.ended_at - self.connected_at if self.connected_at else timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One row of the documented transcript: what the remote party said and what it was answered.

    The greeting is a row of its own, with its words in `transcript` and no response.
    """

    id: str
    transcript: str
    response: str | None
    confidence: float
    at: datetime


GREETING_CONFIDENCE = 1.0


def exchanges(call: Call) -> tuple[Exchange, ...]:
    """Fold a call's utterances into the documented one-row-per-exchange form."""
    rows: list[Exchange] = []
    for spoken in call.utterances:
        last = rows[-1] if rows else None
        if spoken.party is Party.AGENT and spoken.turn_id is not None and last is not None:
            joined = spoken.text if last.response is None else f"{last.response} {spoken.text}"
            rows[-1] = Exchange(
                id=last.id,
                transcript=last.transcript,
                response=joined,
                confidence=last.confidence,
                at=last.at,
            )
        elif spoken.party is Party.AGENT:
            answered = spoken.turn_id is not None
            rows.append(
                Exchange(
                    id=spoken.id,
                    transcript="" if answered else spoken.text,
                    response=spoken.text if answered else None,
                    confidence=GREETING_CONFIDENCE,
                    at=spoken.at,
                )
            )
        else:
            rows.append(
                Exchange(
                    id=spoken.id,
                    transcript=spoken.text,
                    response=None,
                    confidence=spoken.confidence if spoken.confidence is not None else GREETING_CONFIDENCE,
                    at=spoken.at,
                )
            )
    return tuple(rows)
