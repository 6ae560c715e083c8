from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.domain.registration import FEES, STAGES, CampaignStatus, Registration, RegistrationType, Stage
from simulator.errors import ApiError, BadRequest, Conflict, Forbidden
from simulator.wire.registration import RegistrationIn
from simulator.world import registration
from simulator.world.world import World
from tests.helpers.registration import application, brand
from tests.helpers.world import NOW, after, make_world, new_number, snapshot


def filed(world: World, body: dict[str, Any] | None = None) -> Registration:
    sent = RegistrationIn.model_validate(body or application())
    return registration.submit(world, sent.registration_type, sent.application(), NOW)


def test_an_account_that_never_applied_has_no_registration() -> None:
    assert registration.current(make_world()) is None


@pytest.mark.parametrize(
    ("kind", "fee", "stages"),
    [
        ("sole_proprietor", 2500, ["brand_review", "campaign_review", "number_activation"]),
        ("standard_brand", 2500, ["brand_review", "campaign_review", "number_activation"]),
        ("high_volume", 7000, ["brand_review", "brand_vetting", "campaign_review", "number_activation"]),
    ],
)
def test_a_registration_goes_through_its_stages_and_is_approved(kind: str, fee: int, stages: list[str]) -> None:
    world = make_world()
    current, seen = filed(world, brand(registration_type=kind)), []
    assert current.fee_cents == fee
    while current.stage is not None:
        assert current.status is CampaignStatus.PENDING
        assert registration.stage_length(current)
        seen.append(current.stage.value)
        current = registration.advance(world, after(days=len(seen)))
    assert seen == stages
    assert (current.status, current.decided_at) == (CampaignStatus.APPROVED, after(days=len(stages)))
    assert registration.stage_length(current) is None


def test_every_type_has_a_fee_and_stages_that_take_time() -> None:
    assert set(FEES) == set(STAGES) == set(RegistrationType)
    assert all(length > timedelta() for stages in STAGES.values() for _, length in stages)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"first_name": " "}, "first_name"),
        ({"city": "", "state": ""}, "city, state"),
        ({"email": "nobody"}, "email"),
        ({"email": "@"}, "email"),
        ({"phone_number": "12"}, "phone number"),
        ({"opt_in_image_url": "http://example.com/a.png"}, "https"),
        ({"registration_type": "standard_brand"}, "business_name, organization_type, ein, privacy_policy_url"),
        ({"registration_type": "high_volume"}, "ein"),
    ],
)
def test_an_incomplete_application_is_refused_by_name_and_changes_nothing(wrong: dict[str, Any], words: str) -> None:
    world = make_world()
    before = snapshot(world)
    with pytest.raises(BadRequest, match=words):
        filed(world, application(**wrong))
    assert snapshot(world) == before


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"contact_title": None}, "contact_title"),
        ({"registration_type": "high_volume", "organization_type": None}, "organization_type"),
        ({"contact_title": "other"}, "contact_title_other"),
        ({"registration_type": "sole_proprietor", "planned_numbers": 2}, "1 number"),
        ({"brand_name": "Difference Engines"}, "should name the brand"),
    ],
)
def test_what_one_source_alone_asks_for_is_needed_under_the_strict_policy_only(
    wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        filed(make_world(registration_fields="strict"), brand(**wrong))
    assert filed(make_world(), brand(**wrong)).status is CampaignStatus.PENDING


def test_a_complete_application_passes_the_strict_policy() -> None:
    assert filed(make_world(registration_fields="strict"), brand(contact_title="other", contact_title_other="Chef"))


def test_a_second_application_waits_until_the_first_is_rejected() -> None:
    world = make_world()
    first = filed(world)
    with pytest.raises(Conflict, match=first.id):
        filed(world)
    registration.decide(world, approved=False, reason="blurred picture", now=NOW)
    second = filed(world)
    assert registration.current(world) == second
    assert second.id != first.id
    registration.decide(world, approved=True, now=NOW)
    with pytest.raises(Conflict, match="approved"):
        filed(world)


def test_a_rejection_keeps_its_reason_and_an_approval_has_none() -> None:
    world = make_world()
    filed(world)
    assert registration.decide(world, approved=False, reason="blurred", now=NOW).rejection_reason == "blurred"
    filed(world)
    assert registration.decide(world, approved=False, now=NOW).rejection_reason == "the carriers gave no reason"
    filed(world)
    assert registration.decide(world, approved=True, reason="blurred", now=NOW).rejection_reason is None


def test_a_pending_registration_is_changed_and_stays_in_its_stage() -> None:
    world = make_world()
    filed(world)
    registration.advance(world, NOW)
    changed = registration.update(world, {"brand_name": "Engines"})
    assert (changed.application["brand_name"], changed.application["city"]) == ("Engines", "San Francisco")
    assert changed.stage is Stage.CAMPAIGN_REVIEW
    assert registration.current(world) == changed


@pytest.mark.parametrize("approved", [None, True, False])
def test_only_a_pending_registration_can_be_changed_advanced_or_decided(approved: bool | None) -> None:
    world = make_world()
    if approved is not None:
        filed(world)
        registration.decide(world, approved=approved, now=NOW)
    before = snapshot(world)
    for command in (
        lambda: registration.update(world, {"brand_name": "X"}),
        lambda: registration.advance(world, NOW),
        lambda: registration.decide(world, approved=True, now=NOW),
    ):
        with pytest.raises(BadRequest):
            command()
    assert snapshot(world) == before


def test_a_change_that_breaks_a_rule_changes_nothing() -> None:
    world = make_world()
    filed(world, brand())
    before = snapshot(world)
    with pytest.raises(BadRequest, match="business_name"):
        registration.update(world, {"business_name": " "})
    assert snapshot(world) == before


# -- the gate on outbound SMS -------------------------------------------------------------------------------------


def may_text(world: World, **number: Any) -> tuple[str, bool]:
    line = new_number(world, **number)
    try:
        registration.check_outbound_sms(world, line)
    except Forbidden as refused:
        assert line.phone_number in refused.detail
        assert "/v1/register" in refused.detail or "activating" in refused.detail
        return registration.outbound_sms(world, line), False
    return registration.outbound_sms(world, line), True


def test_without_the_gate_everybody_may_text() -> None:
    assert may_text(make_world()) == ("enabled", True)


def test_the_gate_opens_when_the_registration_is_approved_and_not_before() -> None:
    world = make_world(registration_gate="on")
    seen = [may_text(world)]
    current = filed(world)
    while current.stage is not None:
        seen.append(may_text(world))
        current = registration.advance(world, NOW)
    seen.append(may_text(world))
    closed = ("registration_required", False)
    assert seen == [closed, closed, closed, ("activating", False), ("enabled", True)]


def test_the_gate_stays_closed_after_a_rejection() -> None:
    world = make_world(registration_gate="on")
    filed(world)
    registration.decide(world, approved=False, now=NOW)
    assert may_text(world) == ("registration_required", False)


@pytest.mark.parametrize(
    ("number", "allowed"),
    [({"country": "CA"}, False), ({"country": "GB"}, True), ({"type": "imessage"}, True)],
)
def test_the_gate_is_about_sms_from_north_american_numbers(number: dict[str, Any], allowed: bool) -> None:
    assert may_text(make_world(registration_gate="on"), **number)[1] is allowed


def test_every_step_is_in_the_journal() -> None:
    world = make_world()
    filed(world)
    registration.advance(world, NOW)
    registration.decide(world, approved=True, now=NOW)
    kinds = [entry.kind for entry in world.journal.since(0, "registration")]
    assert kinds == ["registration.submitted", "registration.advanced", "registration.approved"]


def test_a_refusal_at_the_gate_is_an_api_error_with_a_code() -> None:
    world = make_world(registration_gate="on")
    with pytest.raises(ApiError) as refused:
        registration.check_outbound_sms(world, new_number(world))
    assert (refused.value.status, refused.value.code) == (403, "REGISTRATION_REQUIRED")
