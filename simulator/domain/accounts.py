"""Accounts inside an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubAccount:
    """A world of its own under one API key, chosen by the header `X-Sub-Account-Id`."""

    id: str
    name: str
    created_at: datetime
