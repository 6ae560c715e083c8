"""One-time codes: sent, and checked with three tries in ten minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from simulator.domain.messages import Message
from simulator.domain.money import Item
from simulator.domain.phone import normalise, service_number
from simulator.domain.verification import CODE_DIGITS, SHORT_CODE, CheckResult, Verification
from simulator.errors import BadRequest, Forbidden, NotFound
from simulator.world import messages, money, numbers
from simulator.world.world import World

_CODES: Final = 10**CODE_DIGITS


def send(world: World, phone_number: str, now: datetime) -> Verification:
    """Text a new code to the number, from the platform's short code; earlier codes keep their own lives.

    Raises BadRequest for text that is no number, Forbidden for service numbers, PaymentRequired when a success could
    not be paid for.
    """
    service = service_number(phone_number)
    if service is not None:
        raise Forbidden(f"{phone_number!r} cannot be verified: {service} is an emergency or service number")
    receiver = normalise(phone_number)
    money.require(world, Item.VERIFICATION)  # it is charged when it succeeds
    verification = Verification(
        id=world.entropy.new_id("verification"), phone_number=receiver, code=new_code(world), created_at=now
    )
    world.verifications[verification.id] = verification
    world.journal.append(
        "verification.sent",
        now,
        **{"verification_id": verification.id, "from": SHORT_CODE, "to": receiver},
        body=_text(verification),
    )
    return verification


def arrive(world: World, verification: Verification, now: datetime) -> Message | None:
    """Let the text come in where the number is one of the account's own; None where somebody else reads it."""
    if numbers.find_active(world, verification.phone_number) is None:
        return None
    message, _ = messages.receive(
        world, from_number=SHORT_CODE, to_number=verification.phone_number, body=_text(verification), now=now
    )
    return message


def check(world: World, verification_id: str, code: str, now: datetime) -> tuple[CheckResult, Verification]:
    """Compare a code; a wrong one uses a try up. Raises NotFound naming the id, BadRequest for a blank code.

    A code that has proved itself stays proved, whatever is tried later. Of an old code without tries left, its age
    is told first.
    """
    verification = get(world, verification_id)
    if not code.strip():
        raise BadRequest(f"the code is blank: give the {CODE_DIGITS} digits that were texted")
    if verification.verified_at is not None:
        return CheckResult.ALREADY_VERIFIED, verification
    if now >= verification.expires_at:
        return CheckResult.EXPIRED, verification
    if not verification.attempts_remaining:
        return CheckResult.EXHAUSTED, verification
    if code.strip() == verification.code:
        result, verification = CheckResult.OK, replace(verification, verified_at=now)
    else:
        left = verification.attempts_remaining - 1
        result, verification = CheckResult.INCORRECT, replace(verification, attempts_remaining=left)
    world.verifications[verification.id] = verification
    if result is CheckResult.OK:
        money.charge(world, Item.VERIFICATION, now, about=verification.id)
    world.journal.append(
        "verification.checked",
        now,
        verification_id=verification.id,
        result=result.value,
        attempts_remaining=verification.attempts_remaining,
    )
    return result, verification


def get(world: World, verification_id: str) -> Verification:
    """Return the verification. Raises NotFound naming the id."""
    verification = world.verifications.get(verification_id)
    if verification is None:
        raise NotFound(f"verification {verification_id!r} does not exist in this account")
    return verification


def listing(world: World) -> list[Verification]:
    """Return every verification, newest first."""
    return list(reversed(world.verifications.values()))


def state(verification: Verification, now: datetime) -> str:
    """What has become of the code: `pending`, `verified`, `expired` or `exhausted`."""
    if verification.verified_at is not None:
        return "verified"
    if now >= verification.expires_at:
        return "expired"
    return "pending" if verification.attempts_remaining else "exhausted"


def _text(verification: Verification) -> str:
    return f"{verification.code} is your verification code. It expires in 10 minutes."


def new_code(world: World) -> str:
    """Draw six digits, leading zeros included."""
    code = world.entropy.pick("one_time_code", lambda draw: f"{draw % _CODES:0{CODE_DIGITS}d}", 1)
    assert code is not None  # every draw makes a code
    return code
