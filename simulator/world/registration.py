"""10DLC registration of an account: applied for, reviewed stage by stage, and what it lets the account's numbers do.

A registration belongs to the world whose numbers it lets text. One that opens a sub-account belongs to that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.domain.numbers import PhoneNumber
from simulator.domain.phone import normalise
from simulator.domain.registration import STAGES, CampaignStatus, Registration, RegistrationType, Stage
from simulator.errors import BadRequest, Conflict, Forbidden
from simulator.world.world import World

# Countries whose ordinary numbers are ten-digit long codes, which the US carriers want registered.
LONG_CODE_COUNTRIES: Final = ("US", "CA")
_EVERYBODY: Final = (
    *("first_name", "last_name", "email", "street_address", "city", "state", "zip_code", "country"),
    *("description", "consent_flow"),
)
# What every source asks of the type; the published reference and the clients do not agree on the rest.
_REQUIRED: Final[Mapping[RegistrationType, tuple[str, ...]]] = {
    RegistrationType.SOLE_PROPRIETOR: (),
    RegistrationType.STANDARD_BRAND: (
        *("business_name", "organization_type", "ein"),
        *("privacy_policy_url", "terms_of_service_url"),
    ),
    RegistrationType.HIGH_VOLUME: ("ein",),
}
_REQUIRED_STRICTLY: Final[Mapping[RegistrationType, tuple[str, ...]]] = {
    RegistrationType.SOLE_PROPRIETOR: (),
    RegistrationType.STANDARD_BRAND: (*_REQUIRED[RegistrationType.STANDARD_BRAND], "contact_title"),
    RegistrationType.HIGH_VOLUME: (*_REQUIRED[RegistrationType.STANDARD_BRAND], "contact_title"),
}


def current(world: World) -> Registration | None:
    """Return the account's latest registration, or None when it has never applied."""
    return next(reversed(world.registrations.values()), None)


def check(world: World, registration_type: str, application: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the application as it would be filed, its number in E.164. Raises BadRequest naming what is wrong."""
    kind = RegistrationType(registration_type)
    strict = world.policies["registration_fields"] == "strict"
    required = (*_EVERYBODY, *(_REQUIRED_STRICTLY if strict else _REQUIRED)[kind])
    missing = [name for name in required if not str(application.get(name) or "").strip()]
    if missing:
        raise BadRequest(f"a {kind.value} registration needs {', '.join(missing)}")
    if "@" not in application["email"].strip("@"):
        raise BadRequest(f"email {application['email']!r} is not an e-mail address")
    _check_image(application["opt_in_image_url"])
    if strict:
        _check_strictly(kind, application)
    return {**application, "phone_number": normalise(application["phone_number"])}


def submit(world: World, registration_type: str, application: Mapping[str, Any], now: datetime) -> Registration:
    """File a registration; its first stage begins.

    Raises BadRequest for an incomplete one, Conflict while another is pending or approved.
    """
    filed = check(world, registration_type, application)
    before = current(world)
    if before is not None and before.status is not CampaignStatus.REJECTED:
        raise Conflict(
            f"registration {before.id!r} is {before.status.value} already: "
            "change it with PATCH /v1/register while it is pending, or register a sub-account (create_sub_account)"
        )
    kind = RegistrationType(registration_type)
    registration = Registration(
        id=world.entropy.new_id("registration"),
        registration_type=kind,
        application=filed,
        submitted_at=now,
        stage=STAGES[kind][0][0],
    )
    return _store(world, registration, "submitted", now)


def update(world: World, changes: Mapping[str, Any]) -> Registration:
    """Change fields of a pending registration; the review goes on where it is. Raises BadRequest otherwise."""
    registration = _pending(world, "changed")
    application = check(world, registration.registration_type.value, {**registration.application, **changes})
    return _put(world, replace(registration, application=application))


def advance(world: World, now: datetime) -> Registration:
    """End the current stage well: the next one begins, or the registration is approved."""
    registration = _pending(world, "advanced")
    stages = [stage for stage, _ in STAGES[registration.registration_type]]
    following = stages[stages.index(_stage(registration)) + 1 :]
    if not following:
        return decide(world, approved=True, now=now)
    return _store(world, replace(registration, stage=following[0]), "advanced", now)


def decide(world: World, *, approved: bool, reason: str | None = None, now: datetime) -> Registration:
    """End the whole review at once. Raises BadRequest unless a registration is pending."""
    registration = _pending(world, "approved" if approved else "rejected")
    status = CampaignStatus.APPROVED if approved else CampaignStatus.REJECTED
    decided = replace(
        registration,
        status=status,
        stage=None,
        decided_at=now,
        rejection_reason=None if approved else reason or "the carriers gave no reason",
    )
    return _store(world, decided, status.value, now)


def stage_length(registration: Registration) -> timedelta | None:
    """How long the current stage takes, or None when the registration is decided."""
    if registration.stage is None:
        return None
    return dict(STAGES[registration.registration_type])[registration.stage]


def outbound_sms(world: World, number: PhoneNumber) -> str:
    """Whether the number may text: `enabled`, `activating` or `registration_required`.

    Only ordinary numbers of the US and Canada need a registration, and only under the policy `registration_gate`.
    """
    if not world.policies.on("registration_gate") or number.imessage:
        return "enabled"
    if number.country not in LONG_CODE_COUNTRIES:
        return "enabled"
    registration = current(world)
    if registration is None:
        return "registration_required"
    if registration.status is CampaignStatus.APPROVED:
        return "enabled"
    return "activating" if registration.stage is Stage.NUMBER_ACTIVATION else "registration_required"


def check_outbound_sms(world: World, number: PhoneNumber) -> None:
    """Refuse an SMS or MMS from a number that no approved registration covers. Raises Forbidden."""
    state = outbound_sms(world, number)
    if state == "enabled":
        return
    registration = current(world)
    if state == "activating":
        why = f"{number.phone_number} is being activated with the carriers (outboundSms: activating): try again later"
    elif registration is None:
        why = f"{number.phone_number} is not registered for 10DLC: register at POST /v1/register"
    else:
        why = (
            f"the 10DLC registration of {number.phone_number} is {registration.status.value}: see GET /v1/register, "
            "and register at POST /v1/register once it is rejected"
        )
    raise Forbidden(f"no SMS can be sent: {why}", code="REGISTRATION_REQUIRED")


def _check_image(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise BadRequest(f"opt_in_image_url {url[:200]!r} is not public: it should start with https://")


def _check_strictly(kind: RegistrationType, application: Mapping[str, Any]) -> None:
    """What one source asks for and the others do not."""
    if application.get("contact_title") == "other" and not (application.get("contact_title_other") or "").strip():
        raise BadRequest("contact_title 'other' needs contact_title_other")
    if kind is RegistrationType.SOLE_PROPRIETOR and application["planned_numbers"] > 1:
        raise BadRequest(
            f"a sole_proprietor registration covers 1 number, not {application['planned_numbers']}: "
            "register a standard_brand"
        )
    brand = (application.get("brand_name") or application.get("business_name") or "").strip()
    for sample in application["message_samples"]:
        if brand.lower() not in sample.lower():
            raise BadRequest(f"every message sample should name the brand {brand!r}: {sample[:60]!r} does not")


def _stage(registration: Registration) -> Stage:
    assert registration.stage is not None  # a pending registration always waits for something
    return registration.stage


def _pending(world: World, verb: str) -> Registration:
    registration = current(world)
    if registration is None:
        raise BadRequest(f"no registration can be {verb}: there is none; register at POST /v1/register")
    if registration.status is not CampaignStatus.PENDING:
        raise BadRequest(
            f"registration {registration.id!r} cannot be {verb}: it is {registration.status.value}, not pending"
        )
    return registration


def _put(world: World, registration: Registration) -> Registration:
    world.registrations[registration.id] = registration
    return registration


def _store(world: World, registration: Registration, happened: str, now: datetime) -> Registration:
    """Write a new state down and tell the journal what happened."""
    world.journal.append(
        f"registration.{happened}",
        now,
        registration_id=registration.id,
        registration_type=registration.registration_type.value,
        stage=registration.stage and registration.stage.value,
        reason=registration.rejection_reason,
    )
    return _put(world, registration)
