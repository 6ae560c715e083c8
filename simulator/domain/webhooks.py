"""Webhook endpoints, the payloads owed to them, and every attempt at paying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from simulator.domain.calls import Call
from simulator.domain.contacts import Contact
from simulator.domain.messages import Channel, Conversation, HistoryEntry, Message, Reaction


class EventType(StrEnum):
    """Every event the documentation names in any generation."""

    AGENT_MESSAGE = "agent.message"
    AGENT_CALL_ENDED = "agent.call_ended"
    AGENT_REACTION = "agent.reaction"
    CALL_STARTED = "call.started"
    CALL_ENDED = "call.ended"
    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"


class DeliveryStatus(StrEnum):
    """`pending` while attempts remain; nothing else is left behind."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


class OutcomeKind(StrEnum):
    """How one attempt ended."""

    ACCEPTED = "accepted"  # an answer the policy counts as success
    REJECTED = "rejected"  # any other HTTP answer
    TIMED_OUT = "timed_out"  # no answer within the webhook endpoint's timeout
    UNREACHABLE = "unreachable"  # no connection, or it broke
    INTERRUPTED = "interrupted"  # a voice turn that we closed unanswered, because the remote party spoke
    REFUSED = "refused"  # we did not send: the host is not allowed, or the endpoint is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt came to. `duration` is in simulated time."""

    kind: OutcomeKind
    http_status: int | None = None
    error: str | None = None
    response_body: str | None = None
    duration: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One HTTP try of a delivery."""

    number: int  # 1 to 6
    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A registered URL and its key; of the account, or of one agent."""

    id: str
    url: str
    secret: str = field(repr=False)
    created_at: datetime
    agent_id: str | None = None  # None: the account's own
    status: str = "active"
    context_limit: int = 10
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One payload owed to one webhook endpoint. `body` is serialised once; those bytes are signed and sent."""

    id: str
    endpoint_id: str
    endpoint_agent_id: str | None  # whose endpoint: an agent's, or None for the account's
    agent_id: str | None  # the agent the event is about
    event_type: EventType
    channel: Channel | None
    body: bytes
    created_at: datetime
    sequence: int
    message_id: str | None = None
    call_id: str | None = None
    turn_id: str | None = None
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: datetime | None = None
    retryable: bool = True  # voice turns and tests have one attempt
    test: bool = False

    @property
    def last(self) -> Attempt | None:
        """The latest attempt, or None before the first has ended."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something happened that a webhook endpoint may be owed a payload for.

    Made by the world, turned into bytes by `wire.payloads`, paid by the runtime. `history` is oldest first and already
    cut to the endpoint's `context_limit`.
    """

    event_type: EventType
    at: datetime
    agent_id: str | None
    channel: Channel | None
    call: Call | None = None
    message: Message | None = None
    parent: Message | None = None  # what the message answers
    reaction: Reaction | None = None  # to the message
    conversation: Conversation | None = None
    contact: Contact | None = None  # whose number the other party's is
    names: Mapping[str, str] = field(default_factory=dict)  # of the group's members who are contacts
    history: tuple[HistoryEntry, ...] = ()
    transcript: str | None = None  # a voice turn: what the remote party just said
    confidence: float | None = None
    turn_id: str | None = None
    test: bool = False
    state: Mapping[str, Any] | None = None  # conversationState
