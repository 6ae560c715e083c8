"""What a finished attempt leads to: done, another attempt at a known instant, or given up.

Every delay is counted from the START of the attempt before it, so the whole ladder takes exactly 20 h 35 min however
long each endpoint took to answer. No jitter and no `Retry-After`: neither is documented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, DeliveryStatus, Outcome, OutcomeKind
from simulator.errors import UsageError

RETRY_SCHEDULE: Final = (
    timedelta(),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""The delay before attempts 1 to 6."""

MAX_ATTEMPTS: Final = len(RETRY_SCHEDULE)

# Answers that ask for patience rather than refuse: a proxy's "you took too long to send" and "too many requests".
TIMEOUT_LIKE: Final = frozenset({408, 429})


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `at`; until then the delivery is pending."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The payload is paid."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The delivery is over and was never accepted; `why` says which rule ended it."""

    why: str


Plan = Retry | Succeeded | Failed


def accepts(http_status: int, policies: Policies) -> bool:
    """Say whether an answer with this status counts as delivered."""
    return http_status == 200 if policies["success_status"] == "only_200" else 200 <= http_status < 300


def answered(http_status: int, response_body: str | None, policies: Policies) -> Outcome:
    """Make the outcome of an attempt that got a whole HTTP answer."""
    if accepts(http_status, policies):
        return Outcome(kind=OutcomeKind.ACCEPTED, http_status=http_status, response_body=response_body)
    return Outcome(
        kind=OutcomeKind.REJECTED,
        http_status=http_status,
        error=f"the webhook answered {http_status}",
        response_body=response_body,
    )


def plan_next(delivery: Delivery, outcome: Outcome, started: datetime, policies: Policies) -> Plan:
    """Decide what the attempt that has just ended leads to.

    `delivery` is the record as it was before this attempt, `started` the instant the attempt began. Whether an answer
    counts is decided from its status, here, and not from the outcome's kind. Raises UsageError for a delivery that is
    settled already: nothing may be attempted after that.
    """
    if delivery.status is not DeliveryStatus.PENDING:
        raise UsageError(f"{delivery.id} cannot be attempted again: it is settled ({delivery.status.value})")
    if _succeeded(outcome, policies):
        return Succeeded()
    made = len(delivery.attempts) + 1
    said = _said(outcome)
    if outcome.kind is OutcomeKind.REFUSED:
        return Failed(said)
    if not delivery.retryable:
        return Failed(f"{said}; a delivery of this kind has one attempt")
    if not _transient(outcome, policies):
        return Failed(f"{said}; such an answer is final")
    if made >= MAX_ATTEMPTS:
        return Failed(f"{said}; all {MAX_ATTEMPTS} attempts are used up")
    return Retry(started + RETRY_SCHEDULE[made])


def _is_answer(outcome: Outcome) -> bool:
    return outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED)


def _succeeded(outcome: Outcome, policies: Policies) -> bool:
    if _is_answer(outcome) and outcome.http_status is not None:
        return accepts(outcome.http_status, policies)
    return outcome.kind is OutcomeKind.ACCEPTED


def _transient(outcome: Outcome, policies: Policies) -> bool:
    """Say whether trying again could help: no answer at all, a server error, or a status that asks for patience."""
    status = outcome.http_status
    if policies["retry_on"] == "any_failure" or not _is_answer(outcome):
        return True
    if status in TIMEOUT_LIKE:
        return policies["timeout_like_status"] == "retry"
    return status is not None and 500 <= status < 600


def _said(outcome: Outcome) -> str:
    if outcome.error:
        return outcome.error
    return f"the webhook answered {outcome.http_status}" if outcome.http_status else outcome.kind.value
