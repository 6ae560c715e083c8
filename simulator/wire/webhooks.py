"""Webhook endpoints and their deliveries on the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from simulator.domain.messages import Channel
from simulator.domain.webhooks import Delivery, DeliveryStatus, OutcomeKind, WebhookEndpoint
from simulator.wire.base import In, OneOf, Out, Query, iso, iso_or_none

LONGEST_PERIOD: Final = 168  # hours: a week back, as documented
DEFAULT_CONTEXT: Final = 10  # history entries
DEFAULT_TIMEOUT: Final = 30  # seconds
TEST_CHANNELS: Final = tuple(channel for channel in Channel if channel is not Channel.VOICE)


class WebhookIn(In):
    """An address for events. `contextLimit` counts history entries, `timeout` seconds."""

    url: str
    context_limit: int | None = Field(default=None, ge=0, le=50)
    timeout: int | None = Field(default=None, ge=5, le=120)

    @property
    def entries(self) -> int:
        """How much history to send along."""
        return DEFAULT_CONTEXT if self.context_limit is None else self.context_limit

    @property
    def patience(self) -> timedelta:
        """How long to wait for an answer."""
        return timedelta(seconds=DEFAULT_TIMEOUT if self.timeout is None else self.timeout)


class WebhookOut(Out):
    """A webhook endpoint. The secret is new every time the endpoint is set."""

    id: str
    url: str
    secret: str
    status: str
    context_limit: int
    timeout: int
    created_at: str

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> WebhookOut:
        """Show one webhook endpoint."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            secret=endpoint.secret,
            status=endpoint.status,
            context_limit=endpoint.context_limit,
            timeout=round(endpoint.timeout.total_seconds()),
            created_at=iso(endpoint.created_at),
        )


class WebhookTestIn(In):
    """What the test event should look like; everything has a default."""

    from_number: str | None = Field(default=None, alias="from")
    to_number: str | None = Field(default=None, alias="to")
    message: str | None = None
    channel: Annotated[str, OneOf(TEST_CHANNELS)] | None = None


class WebhookTestQuery(Query):
    """Whose webhook to test; without an agent, the account's."""

    agent_id: str | None = None


class WebhookTestOut(Out):
    """How the test went, in the older words (`httpStatus`, `errorMessage`) and the newer ones."""

    success: bool
    status_code: int | None
    http_status: int | None
    response_ms: int | None
    error: str | None
    error_message: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> WebhookTestOut:
        """Show the one attempt of a test delivery."""
        status, error = _status(delivery), _error(delivery)
        return cls(
            success=delivery.status is DeliveryStatus.SUCCESS,
            status_code=status,
            http_status=status,
            response_ms=_milliseconds(delivery),
            error=error,
            error_message=error,
        )


class DeliveriesQuery(Query):
    """A window into the deliveries, optionally of the last `hours` only."""

    limit: int = Field(default=50, ge=1, le=100)
    offset: int = Field(default=0, ge=0)
    hours: int | None = Field(default=None, ge=1, le=LONGEST_PERIOD)


class AgentDeliveriesQuery(Query):
    """How many deliveries, optionally of the last `hours` only."""

    limit: int = Field(default=50, ge=1, le=100)
    hours: int | None = Field(default=None, ge=1, le=LONGEST_PERIOD)


class StatsQuery(Query):
    """How many hours back to count."""

    hours: int = Field(default=24, ge=1, le=LONGEST_PERIOD)


class DeliveryOut(Out):
    """A delivery with its last attempt, in the words of both generations.

    `deliveredAt` is when it was last tried, or made when it was not tried yet.
    """

    id: str
    message_id: str | None
    event_type: str
    channel: str | None
    status: str
    http_status: int | None
    error_message: str | None
    response_body: str | None
    attempt_count: int
    last_attempt_at: str | None
    next_retry_at: str | None
    created_at: str
    event: str
    status_code: int | None
    success: bool
    delivered_at: str
    response_ms: int | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        """Show one delivery as it stands."""
        last, event, status = delivery.last, delivery.event_type.value, _status(delivery)
        return cls(
            id=delivery.id,
            message_id=delivery.message_id,
            event_type=event,
            channel=None if delivery.channel is None else delivery.channel.value,
            status=delivery.status.value,
            http_status=status,
            error_message=_error(delivery),
            response_body=None if last is None else last.outcome.response_body,
            attempt_count=len(delivery.attempts),
            last_attempt_at=None if last is None else iso(last.at),
            next_retry_at=iso_or_none(delivery.next_attempt_at),
            created_at=iso(delivery.created_at),
            event=event,
            status_code=status,
            success=delivery.status is DeliveryStatus.SUCCESS,
            delivered_at=iso(delivery.created_at if last is None else last.at),
            response_ms=_milliseconds(delivery),
        )


class DeliveryPageOut(Out):
    """Deliveries, newest first, under both names of the list."""

    items: list[DeliveryOut]
    data: list[DeliveryOut]
    total: int
    offset: int
    limit: int
    has_more: bool


class DeliveryStatsOut(Out):
    """How deliveries went. `successRate` follows the policy `success_rate`: 0-100 or 0-1."""

    total: int
    success: int
    failed: int
    pending: int
    success_rate: float
    by_event_type: dict[str, dict[str, int]]
    by_hour: list[dict[str, Any]]


class AllTimeStatsOut(Out):
    """How deliveries went since the account was opened. `total` counts the pending ones too."""

    total: int
    success: int
    failed: int
    success_rate: float


def success_rate(success: int, total: int, unit: str) -> float:
    """The share of `total` that succeeded, in the unit of the policy `success_rate`; 0 when there was nothing."""
    share = success / total if total else 0.0
    return round(share * 100, 2) if unit == "percent" else round(share, 4)


def _status(delivery: Delivery) -> int | None:
    return None if delivery.last is None else delivery.last.outcome.http_status


def _error(delivery: Delivery) -> str | None:
    """Say what went wrong last; an answer that does not count as success has a message, too."""
    if delivery.last is None or delivery.last.outcome.kind is OutcomeKind.ACCEPTED:
        return None
    outcome = delivery.last.outcome
    return outcome.error or (f"HTTP {outcome.http_status}" if outcome.http_status is not None else outcome.kind.value)


def _milliseconds(delivery: Delivery) -> int | None:
    return None if delivery.last is None else round(delivery.last.outcome.duration / timedelta(milliseconds=1))
