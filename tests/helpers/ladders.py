"""Deliveries that climb the ladder without any I/O: the engine plans, and an outage answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, EventType, Outcome, OutcomeKind
from simulator.engine.delivery import Retry, Succeeded, plan_next

START: Final = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
OK: Final = Outcome(kind=OutcomeKind.ACCEPTED, http_status=200)
REFUSED: Final = Outcome(kind=OutcomeKind.UNREACHABLE, error="connection refused")


def rejected(status: int) -> Outcome:
    return Outcome(kind=OutcomeKind.REJECTED, http_status=status, error=f"the webhook answered {status}")


def owing(
    number: int, created: datetime, *, retryable: bool = True, event: EventType = EventType.AGENT_MESSAGE
) -> Delivery:
    return Delivery(
        id=f"del_{number}",
        endpoint_id="wh_1",
        endpoint_agent_id=None,
        agent_id=None,
        event_type=event,
        channel=None,
        body=b"{}",
        created_at=created,
        sequence=number,
        retryable=retryable,
    )


def climbed(delivery: Delivery, down: Iterable[tuple[datetime, datetime]], failing: Outcome = REFUSED) -> Delivery:
    """The delivery when it is settled, if the handler fails from each begin in `down` until just before the end."""
    at, stretches = delivery.created_at, list(down)
    while True:
        outcome = failing if any(begin <= at < end for begin, end in stretches) else OK
        plan = plan_next(delivery, outcome, at, Policies())
        attempt = Attempt(number=len(delivery.attempts) + 1, at=at, outcome=outcome)
        delivery = replace(delivery, attempts=(*delivery.attempts, attempt))
        if not isinstance(plan, Retry):
            status = DeliveryStatus.SUCCESS if isinstance(plan, Succeeded) else DeliveryStatus.FAILED
            return replace(delivery, status=status)
        at = plan.at
