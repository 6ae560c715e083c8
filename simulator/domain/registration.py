"""10DLC registration: who texts from ordinary US numbers, and what for. Carriers review both first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final


class RegistrationType(StrEnum):
    """What is registered: a person, a brand, or a brand vetted for the highest carrier limits."""

    SOLE_PROPRIETOR = "sole_proprietor"
    STANDARD_BRAND = "standard_brand"
    HIGH_VOLUME = "high_volume"


class CampaignStatus(StrEnum):
    """What became of a registration. `none` is what an account without one says of itself."""

    NONE = "none"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Stage(StrEnum):
    """What a pending registration waits for. The names are ours: the sources only say that there are stages."""

    BRAND_REVIEW = "brand_review"
    BRAND_VETTING = "brand_vetting"
    CAMPAIGN_REVIEW = "campaign_review"
    NUMBER_ACTIVATION = "number_activation"


FEES: Final[Mapping[RegistrationType, int]] = {  # US cents
    RegistrationType.SOLE_PROPRIETOR: 2500,
    RegistrationType.STANDARD_BRAND: 2500,
    RegistrationType.HIGH_VOLUME: 7000,
}
BRAND_REVIEW: Final = timedelta(hours=1)  # a look-up in public registers: minutes when they agree, hours when not
BRAND_VETTING: Final = timedelta(days=3)  # people at an outside agency look at the company
CAMPAIGN_REVIEW: Final = timedelta(days=5)  # people at the carriers read the samples: about a working week
NUMBER_ACTIVATION: Final = timedelta(hours=2)  # the numbers are entered with every carrier, in batches

_USUAL: Final = (
    (Stage.BRAND_REVIEW, BRAND_REVIEW),
    (Stage.CAMPAIGN_REVIEW, CAMPAIGN_REVIEW),
    (Stage.NUMBER_ACTIVATION, NUMBER_ACTIVATION),
)
STAGES: Final[Mapping[RegistrationType, tuple[tuple[Stage, timedelta], ...]]] = {
    RegistrationType.SOLE_PROPRIETOR: _USUAL,
    RegistrationType.STANDARD_BRAND: _USUAL,
    RegistrationType.HIGH_VOLUME: (_USUAL[0], (Stage.BRAND_VETTING, BRAND_VETTING), *_USUAL[1:]),
}

# Fields of the documentation and the clients, by what they describe.
BRAND_FIELDS: Final = (
    *("first_name", "last_name", "email", "phone_number", "business_name", "brand_name", "organization_type"),
    *("contact_title", "contact_title_other", "ein", "website_url", "industry", "business_regions"),
    *("street_address", "street_address_2", "city", "state", "zip_code", "country"),
)
CAMPAIGN_FIELDS: Final = (
    *("planned_numbers", "description", "use_cases", "volume", "message_samples", "consent_flow"),
    *("privacy_policy_url", "terms_of_service_url", "opt_in_image_url", "includes", "link_sample"),
)
ORGANIZATION_TYPES: Final = (
    *("sole_proprietor", "private_corporation", "public_corporation", "llc"),
    *("partnership", "non_profit", "co_op", "government"),
)
CONTACT_TITLES: Final = ("ceo", "cfo", "cto", "coo", "vp", "gm", "director", "other")
USE_CASES: Final = (
    *("account_notification", "customer_care", "delivery_notification", "fraud_alert", "higher_education"),
    *("marketing", "polling_voting", "public_service_announcement", "security_alert", "two_factor_authentication"),
)
VOLUMES: Final = ("low", "high")
INCLUDES: Final = ("links", "phone_numbers", "age_gated", "direct_lending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One application. `application` holds `BRAND_FIELDS` and `CAMPAIGN_FIELDS` as they were given."""

    id: str
    registration_type: RegistrationType
    application: Mapping[str, Any]
    submitted_at: datetime
    status: CampaignStatus = CampaignStatus.PENDING
    stage: Stage | None = None  # pending ones only
    decided_at: datetime | None = None
    rejection_reason: str | None = None

    @property
    def fee_cents(self) -> int:
        """What registering costs, in US cents."""
        return FEES[self.registration_type]
