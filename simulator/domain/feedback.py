"""What customers told the platform about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One note; `category` is the sender's own word."""

    id: str
    category: str
    note: str
    request_id: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    at: datetime
