"""Telephone numbers in E.164, by way of the `phonenumbers` library."""

from __future__ import annotations

import re
from typing import Final

from simulator.errors import InvalidPhoneNumber

E164: Final = re.compile(r"\+[1-9]\d{1,14}")
# Emergency, service and crisis numbers: calls to them are refused with 403.
RESTRICTED: Final = frozenset({"+1911", "+1988", "+1211", "+1311", "+1411", "+1511", "+1611", "+1711", "+1811"})


def normalise(text: str, *, default_region: str = "US") -> str:
    """Return `text` as E.164 ("+14155550150").

    A number without a country code is taken as US. Numbers need only be possible, not assigned: fictional ones
    (555-01xx) are what tests are made of. Raises `InvalidPhoneNumber` (400) naming the value.
    """
    if E164.fullmatch(text) and len(text) == 12 and text.startswith("+1"):
        return text
    import phonenumbers

    try:
        parsed = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhoneNumber(f"{text!r} is not a phone number: use E.164, for example +14155550150") from error
    if not phonenumbers.is_possible_number(parsed) or parsed.extension:
        raise InvalidPhoneNumber(f"{text!r} is not a possible phone number: use E.164, for example +14155550150")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def is_e164(text: str) -> bool:
    """Whether `text` is written as E.164 already."""
    return E164.fullmatch(text) is not None


def service_number(text: str) -> str | None:
    """The emergency or N11 number `text` names ("911"), or None."""
    digits = re.sub(r"\D", "", text)
    short = digits[1:] if len(digits) == 4 and digits.startswith("1") else digits
    return short if f"+1{short}" in RESTRICTED else None


def country_of(area_code: str) -> str | None:
    """The ISO country a North American area code belongs to ("US", "CA", …), or None when it is not assigned."""
    import phonenumbers

    sample = phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{area_code}2345678"))
    return phonenumbers.region_code_for_number(sample)


def is_subscriber_area(area_code: str) -> bool:
    """Whether numbers of this North American area code are ordinary lines (not toll-free, premium or personal)."""
    import phonenumbers

    sample = phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{area_code}2345678"))
    return bool(phonenumbers.number_type(sample) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


def region_of(e164: str) -> str | None:
    """The ISO country of a number, or None when its numbering plan does not have it."""
    import phonenumbers

    return phonenumbers.region_code_for_number(phonenumbers.parse(e164))


def line_type_of(e164: str) -> str | None:
    """What kind of line a number is by its numbering plan ("mobile", "toll_free", …), or None when it is not in it.

    Where landlines and mobiles share their ranges (North America) it is taken for a mobile.
    """
    import phonenumbers

    kinds = phonenumbers.PhoneNumberType
    return {
        kinds.FIXED_LINE: "landline",
        kinds.MOBILE: "mobile",
        kinds.FIXED_LINE_OR_MOBILE: "mobile",
        kinds.VOIP: "voip",
        kinds.TOLL_FREE: "toll_free",
        kinds.PREMIUM_RATE: "premium",
        kinds.SHARED_COST: "shared_cost",
        kinds.PERSONAL_NUMBER: "personal",
        kinds.PAGER: "pager",
        kinds.UAN: "uan",
        kinds.VOICEMAIL: "voicemail",
    }.get(phonenumbers.number_type(phonenumbers.parse(e164)))
