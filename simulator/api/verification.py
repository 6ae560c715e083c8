"""One-time codes for telephone numbers. A wrong code is a result, not an error."""

from __future__ import annotations

from simulator.serving.operation import Context, Operation
from simulator.wire.verification import (
    CheckVerificationIn,
    SendVerificationIn,
    VerificationCheckedOut,
    VerificationSentOut,
)
from simulator.world import notices, verification


def send(ctx: Context, _query: None, body: SendVerificationIn) -> VerificationSentOut:
    """Text a code; to a number of the account's own, it comes in like any other text."""
    sent = verification.send(ctx.world, body.phone_number, ctx.now)
    message = verification.arrive(ctx.world, sent, ctx.now)
    if message is not None:
        ctx.runner.notify(notices.for_message_received(ctx.world, message, ctx.now))
    return VerificationSentOut.of(sent)


def check(ctx: Context, _query: None, body: CheckVerificationIn) -> VerificationCheckedOut:
    """Compare a code."""
    result, checked = verification.check(ctx.world, body.verification_id, body.code, ctx.now)
    return VerificationCheckedOut.of(result, checked)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="sendVerification",
        method="POST",
        path="/v1/verify/send",
        tag="verification",
        summary="Text a one-time code to a number",
        handler=send,
        body=SendVerificationIn,
        response=VerificationSentOut,
        errors=(400, 402, 403),
    ),
    Operation(
        id="checkVerification",
        method="POST",
        path="/v1/verify/check",
        tag="verification",
        summary="Check a one-time code: three tries in ten minutes",
        handler=check,
        body=CheckVerificationIn,
        response=VerificationCheckedOut,
        errors=(400, 404),
    ),
)
