"""Reviews that do not wait for time: carriers decide about a registration, Meta about a template."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.serving.operation import Context, Operation
from simulator.world import registration, templates

Reason = Field(default=None, min_length=1, max_length=2_000, description="Why it was rejected.")


class RegistrationDecisionIn(ControlIn):
    """What the carriers do now."""

    decision: Literal["approve", "reject", "advance"] = Field(description="advance: end the current stage only.")
    reason: str | None = Reason


class RegistrationDecidedOut(ControlOut):
    """The registration as it stands."""

    registration_id: str
    campaign_status: str
    stage: str | None


class TemplateDecisionIn(ControlIn):
    """What Meta does now."""

    decision: Literal["approve", "reject"]
    reason: str | None = Reason


class TemplateDecidedOut(ControlOut):
    """The template as it stands."""

    template_id: str
    status: str
    rejected_reason: str | None


def _decide(ctx: Context, _query: Any, body: RegistrationDecisionIn) -> RegistrationDecidedOut:
    if body.decision == "advance":
        decided = registration.advance(ctx.world, ctx.now)
    else:
        approved = body.decision == "approve"
        decided = registration.decide(ctx.world, approved=approved, reason=body.reason, now=ctx.now)
    ctx.runner.chores.await_registration(decided)
    return RegistrationDecidedOut(
        registration_id=decided.id, campaign_status=decided.status.value, stage=decided.stage and decided.stage.value
    )


def _decide_template(ctx: Context, _query: Any, body: TemplateDecisionIn) -> TemplateDecidedOut:
    decided = templates.decide(
        ctx.world, ctx.path["template_id"], approved=body.decision == "approve", reason=body.reason, now=ctx.now
    )
    return TemplateDecidedOut(
        template_id=decided.id, status=decided.status.value, rejected_reason=decided.rejected_reason
    )


OPERATIONS = (
    Operation(
        id="simDecideRegistration", method="POST", path="/_sim/registration", tag="simulator",
        summary="Approve or reject the pending 10DLC registration, or end its current stage.",
        handler=_decide, body=RegistrationDecisionIn, response=RegistrationDecidedOut, errors=(400,),
    ),
    Operation(
        id="simDecideTemplate", method="POST", path="/_sim/whatsapp/templates/{template_id}", tag="simulator",
        summary="Approve or reject a pending WhatsApp template.",
        handler=_decide_template, body=TemplateDecisionIn, response=TemplateDecidedOut, errors=(400, 404),
    ),
)  # fmt: skip
