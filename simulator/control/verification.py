"""One-time codes in clear: what a person would read off their telephone or mailbox."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simulator.control.models import ControlOut
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.world import sign_up, verification


class CodeOut(ControlOut):
    """A code and what has become of it."""

    verification_id: str
    kind: str = Field(description="`phone`, or `sign_up` (listed by the first account only).")
    to: str = Field(description="The telephone number or the e-mail address it went to.")
    code: str
    status: str = Field(description="pending, verified, expired or exhausted.")
    attempts_remaining: int | None = Field(description="null: as many as you like.")
    created_at: str
    expires_at: str


class CodesOut(ControlOut):
    """Every code, newest first; telephone numbers before sign-ups."""

    verifications: list[CodeOut]


def _listing(ctx: Context, _query: Any, _body: Any) -> CodesOut:
    phones = [
        CodeOut(
            verification_id=v.id,
            kind="phone",
            to=v.phone_number,
            code=v.code,
            status=verification.state(v, ctx.now),
            attempts_remaining=v.attempts_remaining,
            created_at=iso(v.created_at),
            expires_at=iso(v.expires_at),
        )
        for v in verification.listing(ctx.world)
    ]
    mailboxes = [
        CodeOut(
            verification_id=s.id,
            kind="sign_up",
            to=s.human_email,
            code=s.code,
            status=sign_up.state(s, ctx.now),
            attempts_remaining=None,
            created_at=iso(s.created_at),
            expires_at=iso(s.expires_at),
        )
        for s in sign_up.listing(ctx.world)
    ]
    return CodesOut(verifications=[*phones, *mailboxes])


OPERATIONS = (
    Operation(
        id="simVerifications", method="GET", path="/_sim/verifications", tag="simulator",
        summary="The one-time codes that were sent, in clear.", handler=_listing, response=CodesOut,
    ),
)  # fmt: skip
