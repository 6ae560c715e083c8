"""Webhook endpoints, and the deliveries owed to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from types import EllipsisType
from typing import Final, NamedTuple

from simulator.domain.masking import masked
from simulator.domain.messages import Channel
from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, EventType, Notice, WebhookEndpoint
from simulator.errors import NotFound
from simulator.world.world import World

DEFAULT_CONTEXT_LIMIT: Final = 10
DEFAULT_TIMEOUT: Final = timedelta(seconds=30)
LONGEST_WINDOW: Final = 24 * 366 * 100  # hours: more than any simulation lasts, and a span that datetime can hold


class HourTally(NamedTuple):
    """The deliveries made in one hour (UTC)."""

    start: datetime
    total: int
    success: int
    failed: int


class AllTimeStats(NamedTuple):
    """Every delivery, counted; the pending ones are in `total` only."""

    total: int
    success: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """A window of deliveries, counted.

    `by_event_type` has the four counts under the name of each event; `by_hour` has the hours with deliveries only,
    oldest first.
    """

    total: int
    success: int
    failed: int
    pending: int
    by_event_type: Mapping[str, Mapping[str, int]]
    by_hour: tuple[HourTally, ...]


def set_endpoint(
    world: World,
    agent_id: str | None,
    *,
    url: str,
    context_limit: int = DEFAULT_CONTEXT_LIMIT,
    timeout: timedelta = DEFAULT_TIMEOUT,
    now: datetime,
) -> WebhookEndpoint:
    """Register the account's endpoint (None) or an agent's own. Each time makes a new secret; the id stays.

    A world with a `webhook_secret` has that one for all.

    `url` is taken as it is: what an address may look like is the wire's business.
    """
    if agent_id is not None:
        world.require_agent(agent_id)
    before = world.endpoints.get(agent_id)
    endpoint = WebhookEndpoint(
        id=before.id if before else world.entropy.new_id("webhook"),
        url=url,
        secret=world.webhook_secret or world.entropy.secret(),
        created_at=before.created_at if before else now,
        agent_id=agent_id,
        context_limit=context_limit,
        timeout=timeout,
    )
    world.endpoints[agent_id] = endpoint
    return endpoint


def get_endpoint(world: World, agent_id: str | None) -> WebhookEndpoint | None:
    """Return the account's endpoint (None) or the agent's own; None when it is not set."""
    if agent_id is not None:
        world.require_agent(agent_id)
    return world.endpoints.get(agent_id)


def remove_endpoint(world: World, agent_id: str | None) -> bool:
    """Remove the account's endpoint (None) or the agent's own; says whether there was one."""
    if agent_id is not None:
        world.require_agent(agent_id)
    return world.endpoints.pop(agent_id, None) is not None


def endpoint_for(world: World, agent_id: str | None) -> WebhookEndpoint | None:
    """Return the one endpoint that gets an agent's events: its own, else the account's."""
    return world.endpoints.get(agent_id) or world.endpoints.get(None)


def add_delivery(
    world: World, notice: Notice, endpoint: WebhookEndpoint, body: bytes, *, retryable: bool, now: datetime
) -> Delivery:
    """Owe `body` to `endpoint`."""
    delivery = Delivery(
        id=_delivery_id(world, notice),
        endpoint_id=endpoint.id,
        endpoint_agent_id=endpoint.agent_id,
        agent_id=notice.agent_id,
        event_type=notice.event_type,
        channel=notice.channel,
        body=body,
        created_at=now,
        sequence=world.next_sequence(),
        message_id=notice.message.id if notice.message else None,
        call_id=notice.call.id if notice.call else None,
        turn_id=notice.turn_id,
        retryable=retryable,
        test=notice.test,
    )
    world.store_delivery(delivery)
    world.journal.append("delivery.created", now, **_about(delivery, endpoint))
    return delivery


def put_off(world: World, delivery_id: str, until: datetime) -> Delivery:
    """Let a pending delivery's next attempt wait until `until`."""
    return world.store_delivery(replace(world.deliveries[delivery_id], next_attempt_at=until))


def _about(delivery: Delivery, endpoint: WebhookEndpoint | None) -> dict[str, str]:
    """What every journal entry of a delivery says: so that any of them can be found by its call, message or event."""
    about = {
        "delivery_id": delivery.id,
        "event": delivery.event_type.value,
        "url": masked(endpoint.url) if endpoint else None,  # it may be deleted before the delivery is settled
        "call_id": delivery.call_id,
        "message_id": delivery.message_id,
    }
    return {name: value for name, value in about.items() if value is not None}


def record_attempt(
    world: World, delivery_id: str, attempt: Attempt, status: DeliveryStatus, next_attempt_at: datetime | None
) -> Delivery:
    """Write one finished attempt down; `status` says what the delivery came to with it.

    Raises NotFound for an unknown delivery and ValueError for one that is settled: nothing is sent after that.
    """
    delivery = world.deliveries.get(delivery_id)
    if delivery is None:
        raise NotFound(f"delivery {delivery_id!r} does not exist in this account")
    if delivery.status is not DeliveryStatus.PENDING:
        raise ValueError(f"{delivery_id} cannot have another attempt: it is settled ({delivery.status.value})")
    settled = status is not DeliveryStatus.PENDING
    delivery = world.store_delivery(
        replace(
            delivery,
            attempts=(*delivery.attempts, attempt),
            status=status,
            next_attempt_at=None if settled else next_attempt_at,
        )
    )
    outcome = attempt.outcome
    ended = attempt.at + outcome.duration
    about = _about(delivery, world.endpoints.get(delivery.endpoint_agent_id))
    world.journal.append(
        "delivery.attempt",
        ended,
        **about,
        attempt=attempt.number,
        outcome=outcome.kind.value,
        http_status=outcome.http_status,
        error=outcome.error,
    )
    if settled:
        made = len(delivery.attempts)
        world.journal.append("delivery.settled", ended, **about, status=status.value, attempts=made)
    return delivery


def listing(
    world: World, *, hours: int | None = None, agent_id: str | EllipsisType | None = ..., now: datetime
) -> list[Delivery]:
    """Return deliveries, newest first, of the last `hours` when given.

    `agent_id` says whose endpoint: an agent's own, the account's (None), or any (left out).
    """
    if isinstance(agent_id, str):
        world.require_agent(agent_id)
    found: Iterator[Delivery] = reversed(world.deliveries.values())
    if hours is not None:
        oldest = now - timedelta(hours=min(hours, LONGEST_WINDOW))
        found = takewhile(lambda delivery: delivery.created_at >= oldest, found)  # they were made in this order
    return [delivery for delivery in found if agent_id is ... or delivery.endpoint_agent_id == agent_id]


def stats(
    world: World, *, hours: int | None = None, now: datetime, agent_id: str | EllipsisType | None = ...
) -> DeliveryStats:
    """Count the deliveries that `listing` returns for the same arguments."""
    found = listing(world, hours=hours, agent_id=agent_id, now=now)
    by_event: dict[EventType, list[Delivery]] = {}
    by_hour: dict[datetime, list[Delivery]] = {}
    for delivery in reversed(found):
        by_event.setdefault(delivery.event_type, []).append(delivery)
        hour = delivery.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        by_hour.setdefault(hour, []).append(delivery)
    return DeliveryStats(
        **_count(found),
        by_event_type={event.value: _count(some) for event, some in by_event.items()},
        by_hour=tuple(_hour(start, _count(some)) for start, some in by_hour.items()),
    )


def all_time(world: World) -> AllTimeStats:
    """Count every delivery there ever was."""
    outcomes = world.tally.outcomes
    return AllTimeStats(
        total=len(world.deliveries),
        success=outcomes[DeliveryStatus.SUCCESS],
        failed=outcomes[DeliveryStatus.FAILED],
    )


def _hour(start: datetime, counts: Mapping[str, int]) -> HourTally:
    return HourTally(start, counts["total"], counts["success"], counts["failed"])


def _count(deliveries: Iterable[Delivery]) -> dict[str, int]:
    counts = Counter(delivery.status for delivery in deliveries)
    return {"total": counts.total(), **{status.value: counts[status] for status in DeliveryStatus}}


def _delivery_id(world: World, notice: Notice) -> str:
    """Make an id that names its message, as users see it, and that no other delivery has."""
    if notice.message is None:
        voice_turn = notice.event_type is EventType.AGENT_MESSAGE and notice.channel is Channel.VOICE
        return world.entropy.new_id("voice_delivery" if voice_turn else "delivery")
    base = f"del_{notice.message.id}_{notice.message.number_id}"
    if notice.event_type is not EventType.AGENT_MESSAGE:
        base = f"{base}_{notice.event_type.value.replace('.', '_')}"
    unique, copies = base, 1
    while unique in world.deliveries:
        copies += 1
        unique = f"{base}_{copies}"
    return unique
