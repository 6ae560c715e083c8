"""Feedback on the wire: a body that is snake_case, and an answer that the sources leave open."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from simulator.wire.base import In, Out


class FeedbackIn(In):
    """A note about the platform."""

    model_config = ConfigDict(alias_generator=None)

    category: str = Field(min_length=1)
    note: str = Field(min_length=1)
    request_id: str | None = None
    url: str | None = None
    tags: list[str] | None = None


class FeedbackOut(Out):
    """It was taken."""

    success: bool = True
    id: str
