"""Feedback: taken, and kept for tests to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from simulator.domain.feedback import Feedback
from simulator.errors import BadRequest
from simulator.world.world import World


def submit(
    world: World,
    category: str,
    note: str,
    *,
    request_id: str | None = None,
    url: str | None = None,
    tags: Sequence[str] = (),
    now: datetime,
) -> Feedback:
    """Keep a note. Raises BadRequest for a blank category or note."""
    for field, text in (("category", category), ("note", note)):
        if not text.strip():
            raise BadRequest(f"feedback without a {field} says nothing: give a {field}")
    feedback = Feedback(
        id=world.entropy.new_id("feedback"),
        category=category,
        note=note,
        request_id=request_id,
        url=url,
        tags=tuple(tags),
        at=now,
    )
    world.feedback[feedback.id] = feedback
    world.journal.append("feedback.submitted", now, feedback_id=feedback.id, category=category)
    return feedback


def listing(world: World) -> Sequence[Feedback]:
    """Return what was said, oldest first."""
    return list(world.feedback.values())
