"""What is known about numbers of others: those for sale, and those that are looked up."""

from __future__ import annotations

from pydantic import Field

from simulator.domain.devices import Device
from simulator.domain.numbers import AvailableNumber
from simulator.wire.base import Out, Query


class AvailableQuery(Query):
    """Where a number should be at home. Blank filters count as none; the sources give no bounds for `limit`."""

    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    area_code: str | None = Field(default=None, pattern=r"^([0-9]{3})?$")
    city: str | None = Field(default=None, max_length=100)
    state: str | None = Field(default=None, max_length=100)
    zip: str | None = Field(default=None, max_length=20)
    limit: int = Field(default=20, ge=1, le=100)

    def filters(self) -> dict[str, str]:
        """The filters that say something, in the domain's names."""
        named = {"area_code": self.area_code, "city": self.city, "state": self.state, "zip": self.zip}
        return {name: text for name, text in named.items() if text is not None and text.strip()}


class AvailableNumberOut(Out):
    """A number for sale. The rate center is never known here; the rest is null where the public data is silent."""

    phone_number: str
    city: str | None
    state: str | None
    rate_center: str | None = None
    area_code: str | None

    @classmethod
    def of(cls, number: AvailableNumber) -> AvailableNumberOut:
        """Show a number for sale."""
        return cls(phone_number=number.phone_number, city=number.city, state=number.state, area_code=number.area_code)


class AvailableNumberListOut(Out):
    """Numbers for sale; the first one is the next one sold in its place."""

    data: list[AvailableNumberOut]


class LookupQuery(Query):
    """Which numbers to look up."""

    phone_numbers: str = Field(description="1 to 25 E.164 numbers, separated by commas.")

    def wanted(self) -> list[str]:
        """The numbers. A space at the very start can only be a "+" that was not escaped, and then all of them are."""
        parts = [part for part in self.phone_numbers.split(",") if part.strip()]
        unescaped = self.phone_numbers.startswith(" ")
        return [f"+{part[1:]}" if unescaped and part[:1] == " " else part.strip() for part in parts]


class LookupEntryOut(Out):
    """What a number is. A null line type: it is not in service."""

    phone_number: str
    line_type: str | None
    country: str | None
    rcs_enabled: bool | None

    @classmethod
    def of(cls, device: Device) -> LookupEntryOut:
        """Show what is known."""
        return cls(
            phone_number=device.number, line_type=device.line_type, country=device.country, rcs_enabled=device.rcs
        )


class LookupOut(Out):
    """What was found, in the order of the question."""

    data: list[LookupEntryOut]
