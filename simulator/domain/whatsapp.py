"""WhatsApp Business: connected accounts, and message templates. The words are Meta's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final


class TemplateStatus(StrEnum):
    """What Meta's review made of a template."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


CATEGORIES: Final = ("MARKETING", "UTILITY", "AUTHENTICATION")
PARAMETER_FORMATS: Final = ("POSITIONAL", "NAMED")
TEMPLATE_REVIEW: Final = timedelta(minutes=5)  # machines decide most within minutes; a day is the most Meta promises


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppConnection:
    """A WhatsApp Business account (WABA) that the account may act for."""

    id: str
    waba_id: str
    connected_at: datetime
    business_id: str | None = None
    phone_number_id: str | None = None  # as the sign-up dialogue gave it; a number of ours only if it names one
    agent_id: str | None = None  # gets the numbers that are connected without naming an agent
    number_ids: tuple[str, ...] = ()  # ours, in the order they were connected


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A message that may open a conversation, once it is approved."""

    id: str
    connection_id: str
    name: str
    language: str
    category: str
    created_at: datetime
    status: TemplateStatus = TemplateStatus.PENDING
    rejected_reason: str | None = None
    parameter_format: str = PARAMETER_FORMATS[0]
    components: tuple[Any, ...] = ()
    library_template_name: str | None = None
    library_template_button_inputs: tuple[Any, ...] | None = None
    library_template_body_inputs: Any = None
