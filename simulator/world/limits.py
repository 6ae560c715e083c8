"""Limits at work: the resolved figures, and the checks that commands make before they write anything.

Everything is off until it is set, and while it is off a check is one look at an attribute.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from simulator.domain.limits import (
    DOCUMENTED,
    NEW_CONTACTS,
    NUMBERS_EVER,
    NUMBERS_HELD,
    RATES,
    Limit,
    Limits,
    Rate,
)
from simulator.domain.numbers import PhoneNumber
from simulator.errors import ApiError, BadRequest, Conflict, RateLimited
from simulator.world.world import World

NUMBER_LIMIT_CODE: Final = "VALIDATION_ERROR_NUMBER_LIMIT"
RATE_LIMIT_CODE: Final = "RATE_LIMIT_EXCEEDED"
RETRY_CALL: Final = "10"  # seconds; about as long as a short call lasts


class Window(NamedTuple):
    """Requests counted since `start`."""

    start: datetime
    taken: int


class Allowance(NamedTuple):
    """What is left of a rate limit after a request."""

    limit: int
    remaining: int


def change(world: World, now: datetime, **values: Limit) -> Limits:
    """Set the limits that are given; None switches one off. Raises UsageError. Counting starts anew for rates."""
    world.limits = replace(world.limits, **values)
    if "rate_limits" in values:
        world.windows.clear()
    world.journal.append("limits.changed", now, **values)
    return world.limits


# -- numbers -----------------------------------------------------------------------------------------------------


def most_numbers(world: World) -> int | None:
    """How many numbers the account may have, or None."""
    return _figure(world.limits.numbers, NUMBERS_EVER if _ever(world) else NUMBERS_HELD)


def counted_numbers(world: World) -> int:
    """How many numbers count against the limit: those held, or all ever bought."""
    return len(world.numbers) if _ever(world) else len(world.active_numbers)


def check_number(world: World) -> None:
    """Refuse one number more than the account may have: 409, or 400 in the older documentation."""
    if world.limits.numbers is None:
        return
    most, used = most_numbers(world), counted_numbers(world)
    if most is None or used < most:
        return
    text = f"Number limit reached. You have created {used} of {most} allowed phone numbers."
    if _ever(world):
        raise BadRequest(f"{text} Released ones count too.", code=NUMBER_LIMIT_CODE, type="validation_error")
    raise Conflict(f"{text} Release one first.", code=NUMBER_LIMIT_CODE, type="validation_error")


def _ever(world: World) -> bool:
    return world.policies["number_limit_counts"] == "ever_bought"


# -- calls -------------------------------------------------------------------------------------------------------


def check_call(world: World) -> None:
    """Refuse one live call more than the account may have: 409, or 429 by policy."""
    most = world.limits.concurrent_calls
    if most is None or len(world.live_calls) < int(most):
        return
    refused: type[ApiError] = RateLimited if world.policies["too_many_calls_status"] == "429" else Conflict
    raise refused(
        f"{len(world.live_calls)} calls are live and {most} are allowed: end one first",
        code="CONCURRENCY_LIMIT_EXCEEDED",
        type="rate_limit_error",
        headers={"Retry-After": RETRY_CALL},
    )


# -- texts -------------------------------------------------------------------------------------------------------


def most_new_contacts(world: World) -> int | None:
    """How many people an iMessage number may text first in a day, or None."""
    return _figure(world.limits.daily_new_contacts, NEW_CONTACTS)


def new_contacts(world: World, number: PhoneNumber, now: datetime) -> tuple[int, int] | None:
    """How many people the number texted first today, and how many it may; None where no limit is on."""
    most = most_new_contacts(world)
    if most is None or not number.imessage:
        return None
    return world.first_texts.get((number.id, _today(now)), 0), most


def check_new_contact(world: World, number: PhoneNumber, now: datetime, people: int = 1) -> None:
    """Refuse to text `people` whom the number has no conversation with, when that is too many for today: 429."""
    if world.limits.daily_new_contacts is None:
        return
    state = new_contacts(world, number, now)
    if state is None or state[0] + people <= state[1]:
        return
    midnight = datetime.combine(_today(now) + timedelta(days=1), datetime.min.time(), UTC)
    raise RateLimited(
        f"{number.phone_number} has texted {state[0]} of {state[1]} new contacts today: wait until "
        f"{midnight.isoformat()}, or until they text first",
        code=RATE_LIMIT_CODE,
        type="rate_limit_error",
        headers={"Retry-After": str(_seconds_until(midnight, now))},
    )


def note_new_contact(world: World, number: PhoneNumber, now: datetime, people: int = 1) -> None:
    """Count people whom the number has just texted for the first time, whether or not the limit is on."""
    if number.imessage:
        key = (number.id, _today(now))
        world.first_texts[key] = world.first_texts.get(key, 0) + people


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()


# -- requests ----------------------------------------------------------------------------------------------------


def take(world: World, operation_id: str, now: datetime) -> Allowance | None:
    """Count a request; None when its route has no limit. Raises RateLimited when there were too many.

    A window begins with the first request after the last one is over, not on the minute: a client that has waited for
    `Retry-After` has the whole allowance, and so does a test that has just begun. A refused request is not counted.
    """
    rates = rates_of(world, operation_id)
    if not rates:
        return None
    windows = [_current(world, operation_id, rate, now) for rate in rates]
    for rate, window in zip(rates, windows, strict=True):
        if window.taken >= rate.limit:
            raise _exceeded(rate, window, now)
    for rate, window in zip(rates, windows, strict=True):
        world.windows[operation_id, rate.seconds] = Window(window.start, window.taken + 1)
    left = ((rate.limit - window.taken - 1, rate.limit) for rate, window in zip(rates, windows, strict=True))
    remaining, limit = min(left)
    return Allowance(limit, remaining)


def rates_of(world: World, operation_id: str) -> tuple[Rate, ...]:
    """The rates that hold for an operation now; none while rate limits are off."""
    wanted = world.limits.rate_limits
    if wanted is None:
        return ()
    table = RATES[world.policies["rate_limit_era"]]
    rates = table.get(operation_id) or table.get("*", ())
    return rates if wanted == DOCUMENTED else tuple(Rate(int(wanted), rate.seconds) for rate in rates[:1])


def _current(world: World, operation_id: str, rate: Rate, now: datetime) -> Window:
    window = world.windows.get((operation_id, rate.seconds))
    over = window is None or now - window.start >= timedelta(seconds=rate.seconds)
    return Window(now, 0) if window is None or over else window


def _exceeded(rate: Rate, window: Window, now: datetime) -> RateLimited:
    over = window.start + timedelta(seconds=rate.seconds)
    return RateLimited(
        f"Rate limit exceeded. Limit: {rate.limit} requests per {rate.seconds}s",
        code=RATE_LIMIT_CODE,
        type="rate_limit_error",
        headers={
            "Retry-After": str(_seconds_until(over, now)),
            "X-RateLimit-Limit": str(rate.limit),
            "X-RateLimit-Remaining": "0",
        },
    )


def _seconds_until(instant: datetime, now: datetime) -> int:
    """Whole seconds, rounded up: who waits this long does not come too early."""
    return -(-(instant - now) // timedelta(seconds=1))


def _figure(limit: Limit, documented: int) -> int | None:
    return documented if limit == DOCUMENTED else limit
