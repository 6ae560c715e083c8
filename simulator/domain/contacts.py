"""People an account keeps in its address book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One entry of the address book; `phone_number` is E.164 and unique in the account."""

    id: str
    phone_number: str
    name: str
    email: str | None = None
    notes: str | None = None
    created_at: datetime
    updated_at: datetime
