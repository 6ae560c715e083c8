"""Deliveries as a report sees them: attempts by how they ended, ends by what was lost, and all of them counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Any, Final

from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, OutcomeKind
from simulator.engine.timeline import percentile

ASKED_AGAIN: Final = frozenset({408, 429})  # answers below 500 that ask for patience


class How(StrEnum):
    """How one attempt ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # no connection, or it broke
    TIMED_OUT = "timed_out"
    ERROR = "error"  # an answer after which it is tried again: 5xx, 408, 429
    FINAL = "final"  # any other answer
    NOT_SENT = "not_sent"  # the host is not allowed, or the webhook is gone
    INTERRUPTED = "interrupted"  # a voice turn that the caller spoke over


class End(StrEnum):
    """What became of a delivery."""

    FIRST_TRY = "first_try"
    LATE = "late"
    LOST = "lost"
    PENDING = "pending"


SAID: Final[Mapping[How, str]] = {
    How.DELIVERED: "delivered",
    How.REFUSED: "connection refused",
    How.TIMED_OUT: "timed out",
    How.ERROR: "answered 5xx",
    How.FINAL: "answered 4xx, final",
    How.NOT_SENT: "not sent",
    How.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt."""

    at: datetime
    how: How
    http_status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One delivery, as far as it has come."""

    id: str
    event: str
    created: datetime
    status: str
    tries: tuple[Try, ...] = ()
    retryable: bool = True
    next_at: datetime | None = None

    @property
    def end(self) -> End:
        """What became of it."""
        if self.status == DeliveryStatus.PENDING:
            return End.PENDING
        if self.status == DeliveryStatus.FAILED:
            return End.LOST
        return End.FIRST_TRY if len(self.tries) == 1 else End.LATE

    @property
    def arrived(self) -> datetime | None:
        """When it was accepted."""
        return self.tries[-1].at if self.tries and self.end in (End.FIRST_TRY, End.LATE) else None

    @property
    def reason(self) -> str | None:
        """Why it was lost."""
        if self.end is not End.LOST or not self.tries:
            return None
        last = self.tries[-1]
        said = last.error or SAID[last.how]
        if last.how is How.NOT_SENT:
            return said
        if not self.retryable:
            return f"it is sent only once: {said}"
        return f"{said}, which is final" if last.how is How.FINAL else f"all {len(self.tries)} attempts failed: {said}"


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which the handler took nothing: from `begin` on, and at `end` it is back."""

    begin: datetime
    end: datetime
    label: str = "handler down"

    @property
    def length(self) -> timedelta:
        """How long it was."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The deliveries, counted. Delays are those of what came late; the gap is the longest time without an arrival."""

    sent: int
    first_try: int
    late: int
    lost: int
    pending: int
    attempts: int
    delay_p50: timedelta | None
    delay_p90: timedelta | None
    delay_max: timedelta | None
    longest_gap: timedelta | None


# -- reading -----------------------------------------------------------------------------------------------------


def owed_of(delivery: Delivery) -> Owed:
    """A delivery's record, as far as it matters here."""
    attempts = delivery.attempts
    return Owed(
        id=delivery.id,
        event=delivery.event_type.value,
        created=delivery.created_at,
        status=delivery.status.value,
        tries=tuple(_try(attempt, again=index + 1 < len(attempts)) for index, attempt in enumerate(attempts)),
        retryable=delivery.retryable,
        next_at=delivery.next_attempt_at,
    )


def _try(attempt: Attempt, *, again: bool) -> Try:
    outcome, status = attempt.outcome, attempt.outcome.http_status
    match outcome.kind:
        case OutcomeKind.ACCEPTED:
            how = How.DELIVERED
        case OutcomeKind.TIMED_OUT:
            how = How.TIMED_OUT
        case OutcomeKind.UNREACHABLE:
            how = How.REFUSED
        case OutcomeKind.REFUSED:
            how = How.NOT_SENT
        case OutcomeKind.INTERRUPTED:
            how = How.INTERRUPTED
        case _:
            patient = again or status is None or status >= 500 or status in ASKED_AGAIN
            how = How.ERROR if patient else How.FINAL
    return Try(attempt.at, how, status, outcome.error)


def as_json(owed: Owed) -> dict[str, Any]:
    """A delivery as JSON; `from_json` reads it."""
    delay = None if owed.arrived is None else owed.arrived - owed.created
    return {
        "id": owed.id,
        "event": owed.event,
        "created_at": owed.created.isoformat(),
        "status": owed.status,
        "end": owed.end.value,
        "reason": owed.reason,
        "delay_seconds": in_seconds(delay),
        "retryable": owed.retryable,
        "next_attempt_at": owed.next_at and owed.next_at.isoformat(),
        "attempts": [
            {"at": t.at.isoformat(), "how": t.how.value, "http_status": t.http_status, "error": t.error}
            for t in owed.tries
        ],
    }


def from_json(row: Mapping[str, Any]) -> Owed:
    """The delivery that `as_json` wrote."""
    return Owed(
        id=row["id"],
        event=row["event"],
        created=datetime.fromisoformat(row["created_at"]),
        status=row["status"],
        tries=tuple(
            Try(datetime.fromisoformat(t["at"]), How(t["how"]), t["http_status"], t["error"]) for t in row["attempts"]
        ),
        retryable=row["retryable"],
        next_at=datetime.fromisoformat(row["next_attempt_at"]) if row["next_attempt_at"] else None,
    )


def in_seconds(length: timedelta | None) -> float | None:
    """A length as JSON."""
    return None if length is None else length.total_seconds()


# -- counting ----------------------------------------------------------------------------------------------------


def figures_of(owed: Sequence[Owed]) -> Figures:
    """Count deliveries."""
    ends = [delivery.end for delivery in owed]
    delays = [d.arrived - d.created for d in owed if d.end is End.LATE and d.arrived is not None]
    return Figures(
        sent=len(owed),
        first_try=ends.count(End.FIRST_TRY),
        late=ends.count(End.LATE),
        lost=ends.count(End.LOST),
        pending=ends.count(End.PENDING),
        attempts=sum(len(delivery.tries) for delivery in owed),
        delay_p50=percentile(delays, 50),
        delay_p90=percentile(delays, 90),
        delay_max=max(delays, default=None),
        longest_gap=_longest_gap(owed),
    )


def _longest_gap(owed: Sequence[Owed]) -> timedelta | None:
    """The longest time in which nothing arrived, from the first event to the last attempt."""
    if not owed:
        return None
    first = min(delivery.created for delivery in owed)
    last = max((t.at for delivery in owed for t in delivery.tries), default=first)
    moments = sorted({first, last, *(delivery.arrived for delivery in owed if delivery.arrived is not None)})
    return max((after - before for before, after in pairwise(moments)), default=timedelta())


def observed_outages(owed: Iterable[Owed]) -> tuple[Outage, ...]:
    """Where attempts failed and none arrived, over more than one instant: what records show of somebody's absence."""
    tries = sorted((t for delivery in owed for t in delivery.tries), key=lambda t: t.at)
    found = []
    for away, run in groupby(tries, key=lambda t: t.how in (How.REFUSED, How.TIMED_OUT, How.ERROR)):
        moments = [t.at for t in run]
        if away and moments[0] < moments[-1]:
            found.append(Outage(moments[0], moments[-1], "no attempt arrived"))
    return tuple(found)


def order_of_arrival(owed: Iterable[Owed]) -> list[Owed]:
    """What arrived, as it did; at one instant in the order of sending."""
    came = [
        (delivery.arrived, number, delivery) for number, delivery in enumerate(owed) if delivery.arrived is not None
    ]
    return [delivery for _, _, delivery in sorted(came, key=lambda item: item[:2])]
