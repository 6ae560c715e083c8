"""The price list and the ledger, in micro-dollars: a look-up costs less than a cent, and sums stay exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

CENT: Final = 10_000  # micro-dollars
DOLLAR: Final = 100 * CENT


class Item(StrEnum):
    """What money is charged for."""

    NUMBER = "number"
    VOICE_WEBHOOK = "voice_webhook"
    VOICE_HOSTED = "voice_hosted"
    DENOISING = "denoising"
    SMS_SEGMENT = "sms_segment"
    LOOKUP = "lookup"
    VERIFICATION = "verification"
    REGISTRATION = "registration"
    REGISTRATION_HIGH_VOLUME = "registration_high_volume"
    RECORDING = "recording"


class Price(NamedTuple):
    """What one unit of an item costs."""

    amount: int  # micro-dollars
    unit: str


PRICES: Final = {
    Item.NUMBER: Price(3 * DOLLAR, "number, for thirty days"),
    Item.VOICE_WEBHOOK: Price(13 * CENT, "minute of a call answered by a webhook, by the second, a cent at least"),
    Item.VOICE_HOSTED: Price(22 * CENT, "minute of a hosted call, by the second, a cent at least"),
    Item.DENOISING: Price(CENT // 2, "minute of a call with the strong denoising, on top"),
    Item.SMS_SEGMENT: Price(2 * CENT, "segment of an SMS or MMS, in or out"),
    Item.LOOKUP: Price(9 * CENT // 10, "number looked up"),
    Item.VERIFICATION: Price(5 * CENT, "verification that succeeds"),
    Item.REGISTRATION: Price(25 * DOLLAR, "10DLC registration"),
    Item.REGISTRATION_HIGH_VOLUME: Price(70 * DOLLAR, "10DLC registration for high volume"),
    Item.RECORDING: Price(5 * DOLLAR, "recording add-on, for a month"),
}
SHORTEST_CALL: Final = CENT  # what the shortest call that was answered costs
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger. `item` is None when somebody set the balance."""

    id: str
    at: datetime
    item: Item | None
    quantity: int  # units, seconds for voice
    amount: int  # micro-dollars; what was charged is below zero
    balance: int  # afterwards
    about: str | None = None  # the id of what was paid for


def price_of_call(connected: timedelta, *, hosted: bool, strong_denoising: bool) -> int:
    """Say what a call costs that was connected for this long: begun seconds count; what nobody answered is free."""
    seconds = seconds_begun(connected)
    if not seconds:
        return 0
    per_minute = PRICES[Item.VOICE_HOSTED if hosted else Item.VOICE_WEBHOOK].amount
    if strong_denoising:
        per_minute += PRICES[Item.DENOISING].amount
    return max(SHORTEST_CALL, -(-seconds * per_minute // 60))


def seconds_begun(connected: timedelta) -> int:
    """Count seconds, the last one whole."""
    return -(-connected // _SECOND)
