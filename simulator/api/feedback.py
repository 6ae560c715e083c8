"""Feedback about the platform. Here it stays in the account, where a test can read it."""

from __future__ import annotations

from simulator.serving.operation import Context, Operation
from simulator.wire.feedback import FeedbackIn, FeedbackOut
from simulator.world import feedback


def submit(ctx: Context, _query: None, body: FeedbackIn) -> FeedbackOut:
    """Keep a note."""
    kept = feedback.submit(
        ctx.world,
        body.category,
        body.note,
        request_id=body.request_id,
        url=body.url,
        tags=body.tags or (),
        now=ctx.now,
    )
    return FeedbackOut(id=kept.id)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="submitFeedback",
        method="POST",
        path="/v1/feedback",
        tag="feedback",
        summary="Say something about the platform",
        handler=submit,
        body=FeedbackIn,
        response=FeedbackOut,
        errors=(400,),
    ),
)
