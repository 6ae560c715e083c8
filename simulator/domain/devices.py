"""What kind of line a number is, and what the phone on it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# The words of look-ups. The sources leave them open; these are the ones that fictional numbers use too.
LINE_TYPES: Final = (
    "mobile",
    "landline",
    "voip",
    "toll_free",
    "premium",
    "shared_cost",
    "personal",
    "pager",
    "uan",
    "voicemail",
)
TEXTABLE: Final = frozenset({"mobile", "voip", "toll_free"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A line and what can be sent to it. Without a line type the number is not in service."""

    number: str
    line_type: str | None
    country: str | None
    imessage: bool
    rcs: bool

    @property
    def sms(self) -> bool:
        """Whether texts can reach it at all."""
        return self.line_type in TEXTABLE
