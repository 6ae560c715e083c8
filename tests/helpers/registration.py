"""A 10DLC application that every rule takes."""

from __future__ import annotations

from typing import Any, Final

APPLICATION: Final[dict[str, Any]] = {
    "registration_type": "sole_proprietor",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "phone_number": "+14155550150",
    "street_address": "1 Market Street",
    "city": "San Francisco",
    "state": "CA",
    "zip_code": "94105",
    "description": "Reminders for people who booked a table at our restaurant.",
    "use_cases": ["customer_care"],
    "message_samples": [
        "Analytical Engines: your table is booked for 7 pm.",
        "Analytical Engines: please confirm your table for tonight.",
    ],
    "consent_flow": "Guests tick a box on our booking page that they want reminders.",
    "opt_in_image_url": "https://example.com/opt-in.png",
}
BRAND: Final[dict[str, Any]] = {
    "registration_type": "standard_brand",
    "business_name": "Analytical Engines",
    "organization_type": "llc",
    "contact_title": "ceo",
    "ein": "12-3456789",
    "privacy_policy_url": "https://example.com/privacy",
    "terms_of_service_url": "https://example.com/terms",
}


def application(**fields: Any) -> dict[str, Any]:
    """A body for `POST /v1/register`."""
    return {**APPLICATION, **fields}


def brand(**fields: Any) -> dict[str, Any]:
    """The same, of a company."""
    return {**APPLICATION, **BRAND, **fields}
