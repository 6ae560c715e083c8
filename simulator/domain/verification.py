"""One-time codes: texted to a telephone number, or mailed to whoever signs up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CODE_DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=10)
TRIES: Final = 3
SHORT_CODE: Final = "28762"  # the platform's own sender; no number of any account


class CheckResult(StrEnum):
    """What a code was worth. None of these is an HTTP error."""

    OK = "ok"
    INCORRECT = "incorrect"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    ALREADY_VERIFIED = "already_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A code on its way to proving who has a telephone."""

    id: str
    phone_number: str
    code: str
    created_at: datetime
    attempts_remaining: int = TRIES
    verified_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """From this instant on the code is worth nothing."""
        return self.created_at + LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """Somebody who wants an account: a code went to their mailbox. `account_id` is set once they have it."""

    id: str
    human_email: str
    agent_name: str | None
    code: str
    created_at: datetime
    account_id: str | None = None

    @property
    def expires_at(self) -> datetime:
        """From this instant on the code is worth nothing."""
        return self.created_at + LIFETIME
