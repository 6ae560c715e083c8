"""One-time codes on the wire, snake_case."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from simulator.domain.verification import CheckResult, Verification
from simulator.wire.base import In, Out


class SendVerificationIn(In):
    """Whom to text a code."""

    model_config = ConfigDict(alias_generator=None)

    phone_number: str


class VerificationSentOut(Out):
    """A code is on its way."""

    model_config = ConfigDict(alias_generator=None)

    verification_id: str
    status: str = "pending"

    @classmethod
    def of(cls, verification: Verification) -> VerificationSentOut:
        """Show what was sent, without the code."""
        return cls(verification_id=verification.id)


class CheckVerificationIn(In):
    """A code that somebody typed."""

    model_config = ConfigDict(alias_generator=None)

    verification_id: str = Field(examples=["ver_1"])
    code: str = Field(examples=["123456"])


class VerificationCheckedOut(Out):
    """What the code was worth, and how many tries are left."""

    model_config = ConfigDict(alias_generator=None)

    result: str
    attempts_remaining: int

    @classmethod
    def of(cls, result: CheckResult, verification: Verification) -> VerificationCheckedOut:
        """Show the outcome of a check."""
        return cls(result=result.value, attempts_remaining=verification.attempts_remaining)
