"""What was said about the platform."""

from __future__ import annotations

from typing import Any

from simulator.control.models import ControlOut
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.world import feedback


class FeedbackEntry(ControlOut):
    """One note."""

    id: str
    category: str
    note: str
    request_id: str | None
    url: str | None
    tags: list[str]
    at: str


class FeedbackListOut(ControlOut):
    """Every note, oldest first."""

    data: list[FeedbackEntry]


def _list(ctx: Context, _query: Any, _body: Any) -> FeedbackListOut:
    entries = [
        FeedbackEntry(
            id=f.id,
            category=f.category,
            note=f.note,
            request_id=f.request_id,
            url=f.url,
            tags=list(f.tags),
            at=iso(f.at),
        )
        for f in feedback.listing(ctx.world)
    ]
    return FeedbackListOut(data=entries)


OPERATIONS = (
    Operation(
        id="simListFeedback", method="GET", path="/_sim/feedback", tag="simulator",
        summary="Read the feedback that the account has sent.", handler=_list, response=FeedbackListOut,
    ),
)  # fmt: skip
