"""10DLC registration on the wire: snake_case, like texts. The fields of the detail are inferred (trust `inf`)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from simulator.domain import registration as domain
from simulator.domain.registration import CampaignStatus, Registration, RegistrationType, Stage
from simulator.wire.base import In, OneOf, Out, iso, iso_or_none
from simulator.wire.urls import HttpUrl

Kind = Annotated[str, OneOf(tuple(RegistrationType))]
OrganizationType = Annotated[str, OneOf(domain.ORGANIZATION_TYPES)]
ContactTitle = Annotated[str, OneOf(domain.CONTACT_TITLES)]
UseCase = Annotated[str, OneOf(domain.USE_CASES)]
Volume = Annotated[str, OneOf(domain.VOLUMES)]
Include = Annotated[str, OneOf(domain.INCLUDES)]
Long = Annotated[str, Field(min_length=40)]
UseCases = Annotated[list[UseCase], Field(min_length=1, max_length=5)]
Sample = Annotated[str, Field(min_length=20, max_length=1024)]
Samples = Annotated[list[Sample], Field(min_length=2, max_length=5)]
EXAMPLES: Final = ["Ada's: your table is booked for 7 pm.", "Ada's: please confirm your table for tonight."]
MAX_PLANNED: Final = 100_000  # numbers; an account cannot hold more

_WAITS_FOR: Final = {
    Stage.BRAND_REVIEW: "the brand is being checked against public registers",
    Stage.BRAND_VETTING: "an outside agency is vetting the brand",
    Stage.CAMPAIGN_REVIEW: "the carriers are reviewing the campaign",
    Stage.NUMBER_ACTIVATION: "the campaign is accepted, and the numbers are being activated",
}


class RegistrationIn(In):
    """An application. What else a type needs is a rule, not a shape: see the 400 it answers."""

    model_config = ConfigDict(alias_generator=None)

    registration_type: Kind
    first_name: str = Field(examples=["Ada"])
    last_name: str = Field(examples=["Lovelace"])
    email: str
    phone_number: str
    business_name: str | None = None
    brand_name: str | None = None
    organization_type: OrganizationType | None = None
    contact_title: ContactTitle | None = None
    contact_title_other: str | None = None
    ein: str | None = None
    website_url: str | None = None
    industry: str | None = None
    business_regions: list[str] = Field(default_factory=lambda: ["usa_and_canada"])
    street_address: str = Field(examples=["1 Market Street"])
    street_address_2: str | None = None
    city: str = Field(examples=["San Francisco"])
    state: str = Field(examples=["CA"])
    zip_code: str = Field(examples=["94105"])
    country: str = "US"
    planned_numbers: int = Field(default=1, ge=1, le=MAX_PLANNED)
    description: Long = Field(examples=["Reminders for people who booked a table at our restaurant."])
    use_cases: UseCases
    volume: Volume = "low"
    message_samples: Samples = Field(examples=[EXAMPLES])
    consent_flow: Long = Field(examples=["Guests tick a box on our booking page that they want reminders."])
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    opt_in_image_url: HttpUrl = Field(examples=["https://example.com/opt-in.png"])
    includes: list[Include] = Field(default_factory=list)
    link_sample: str | None = None
    create_sub_account: bool = True

    def application(self) -> dict[str, Any]:
        """What is filed, in the domain's names."""
        return {name: getattr(self, name) for name in (*domain.BRAND_FIELDS, *domain.CAMPAIGN_FIELDS)}

    @property
    def asks_for_sub_account(self) -> bool:
        """Whether the field was sent, and true."""
        return "create_sub_account" in self.model_fields_set and self.create_sub_account

    @property
    def account_name(self) -> str:
        """What a sub-account for this registration is called."""
        return self.brand_name or self.business_name or f"{self.first_name} {self.last_name}"


class RegistrationPatch(In):
    """Changes to a pending registration. Absent or null leaves a field as it is."""

    model_config = ConfigDict(alias_generator=None)

    business_name: str | None = None
    brand_name: str | None = None
    website_url: str | None = None
    description: Long | None = None
    use_cases: UseCases | None = None
    volume: Volume | None = None
    message_samples: Samples | None = None
    consent_flow: Long | None = None
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    opt_in_image_url: HttpUrl | None = None
    includes: list[Include] | None = None
    link_sample: str | None = None


class RegistrationOut(Out):
    """An application was taken."""

    model_config = ConfigDict(alias_generator=None)

    ok: bool = True
    message: str
    campaign_status: str
    sub_account_id: str | None
    fee_cents: int

    @classmethod
    def of(cls, registration: Registration, sub_account_id: str | None) -> RegistrationOut:
        """Show what was filed, and the sub-account that was opened for it."""
        where = f" of sub-account {sub_account_id}; follow it with X-Sub-Account-Id" if sub_account_id else ""
        return cls(
            message=f"The registration was submitted{where}",
            campaign_status=registration.status.value,
            sub_account_id=sub_account_id,
            fee_cents=registration.fee_cents,
        )


class CampaignStatusOut(Out):
    """How far the registration has come."""

    model_config = ConfigDict(alias_generator=None)

    campaign_status: str
    message: str
    stage: str | None

    @classmethod
    def of(cls, registration: Registration | None) -> CampaignStatusOut:
        """Show the status of a registration, or of having none."""
        return cls(**_status(registration))


class RegistrationDetailOut(Out):
    """Everything about the registration; `brand` and `campaign` are empty when there is none."""

    model_config = ConfigDict(alias_generator=None)

    id: str | None = None
    registration_type: str | None = None
    campaign_status: str
    message: str
    stage: str | None
    fee_cents: int | None = None
    submitted_at: str | None = None
    decided_at: str | None = None
    rejection_reason: str | None = None
    brand: dict[str, Any] = Field(default_factory=dict)
    campaign: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, registration: Registration | None) -> RegistrationDetailOut:
        """Show a registration, or that there is none."""
        if registration is None:
            return cls(**_status(None))
        application = registration.application
        return cls(
            **_status(registration),
            id=registration.id,
            registration_type=registration.registration_type.value,
            fee_cents=registration.fee_cents,
            submitted_at=iso(registration.submitted_at),
            decided_at=iso_or_none(registration.decided_at),
            rejection_reason=registration.rejection_reason,
            brand={name: application[name] for name in domain.BRAND_FIELDS},
            campaign={name: application[name] for name in domain.CAMPAIGN_FIELDS},
        )


def _status(registration: Registration | None) -> dict[str, Any]:
    if registration is None:
        return {
            "campaign_status": CampaignStatus.NONE.value,
            "message": "No registration has been submitted: POST /v1/register",
            "stage": None,
        }
    if registration.stage is not None:
        message = f"Pending: {_WAITS_FOR[registration.stage]}"
    elif registration.status is CampaignStatus.APPROVED:
        message = "Approved: the account's numbers may text"
    else:
        message = f"Rejected: {registration.rejection_reason}. Register again with POST /v1/register"
    return {
        "campaign_status": registration.status.value,
        "message": message,
        "stage": registration.stage and registration.stage.value,
    }
