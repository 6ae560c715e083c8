"""What limits and money look like under `/_sim`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.domain.limits import LARGEST

Number = Annotated[int, Field(ge=0, le=LARGEST)]
Documented = Literal["documented"]


class LimitsIn(ControlIn):
    """Limits to change: a whole number, "documented" for the platform's own figure, null for off. Absent ones stay."""

    numbers: Number | Documented | None = Field(default=None, description="Numbers the account may have.")
    balance_cents: Number | Documented | None = Field(
        default=None, description="The balance from now on; what costs money is charged, too little answers 402."
    )
    rate_limits: Number | Documented | None = Field(
        default=None, description="Requests per limited route and window; counting starts anew."
    )
    concurrent_calls: Number | None = Field(default=None, description="Calls that may be live at once.")
    daily_new_contacts: Number | Documented | None = Field(
        default=None, description="People whom an iMessage number may text first, per UTC day."
    )


class LimitsOut(ControlOut):
    """The limits as they were set; null is off."""

    numbers: int | str | None
    balance_cents: int | str | None
    rate_limits: int | str | None
    concurrent_calls: int | str | None
    daily_new_contacts: int | str | None


class BalanceQuery(BaseModel):
    """Which part of the ledger."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    limit: int = Field(default=1000, ge=1, le=10_000, description="The newest so many entries.")


class EntryOut(ControlOut):
    """One line of the ledger, in cents. `item` is null when somebody set the balance."""

    id: str
    at: str
    item: str | None
    quantity: int = Field(description="Units of the item; seconds of a call.")
    amount_cents: float = Field(description="Below zero: charged.")
    balance_cents: float = Field(description="Afterwards.")
    about: str | None = Field(description="The id of what was paid for.")


class PriceOut(ControlOut):
    """One line of the price list."""

    item: str
    cents: float
    unit: str


class BalanceOut(ControlOut):
    """The account's money. A null balance: nothing costs anything."""

    balance_cents: float | None
    entries: list[EntryOut] = Field(description="Oldest first.")
    total: int
    prices: list[PriceOut]
