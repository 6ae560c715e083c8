"""What accounts, snapshots and differences look like under `/_sim`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from simulator.control.limits_models import LimitsIn, LimitsOut
from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn

NOW: Final = "now"  # in place of a snapshot's name: the account as it is
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
ApiKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Printable ASCII without spaces; absent: one is made.",
    ),
]
SnapshotName = Annotated[str, Field(pattern=NAME)]


class AccountIn(ControlIn):
    """How the new account is run. What is left out is as the server was started, but for the seed."""

    api_key: ApiKey | None = None
    seed: int | None = Field(
        default=None,
        ge=-(2**53),
        le=2**53,
        description="Ids, secrets and numbers follow from it alone, not from the key. Absent: 1, then 2, and so on.",
    )
    clock: str | None = Field(default=None, pattern="^(system|manual|auto)$", description="Who moves time.")
    scale: float | None = Field(default=None, gt=0, le=1_000_000, description="Simulated seconds per real one.")
    handler_grace: float | None = Field(
        default=None, ge=0, le=600, description="Real seconds for which an auto clock stands still for handlers."
    )
    contract: str | None = Field(default=None, max_length=100, description="Which generation of the documentation.")
    policies: dict[str, str] | None = Field(default=None, description="Single switches of the contract, overridden.")
    limits: LimitsIn | None = Field(default=None, description="Limits to switch on; null is off.")
    webhook_secret: str | None = Field(default=None, min_length=1, max_length=500, description="Of every webhook.")
    start: str | None = Field(
        default=None, max_length=40, description="The instant its time begins at, ISO 8601 with a time zone."
    )


class AccountOut(ControlOut):
    """An account and everything it is run with."""

    api_key: str
    account_id: str
    seed: int
    clock: str
    scale: float
    handler_grace: float
    contract: str
    policies: dict[str, str] = Field(description="Every switch with its value.")
    limits: LimitsOut
    webhook_secret: str | None
    start: str | None = Field(description="Null: wall time when the account was opened.")
    now: str


class ForkIn(ControlIn):
    """What to copy, and the copy's key."""

    api_key: ApiKey | None = None
    snapshot: SnapshotName | None = Field(default=None, description="Absent: the account as it is.")
    patience: float | None = Field(
        default=None, ge=0, le=600, description="Real seconds that requests in flight may take to settle before."
    )


class Closed(ControlOut):
    """The account is gone."""

    status: str


class SnapshotIn(ControlIn):
    """A name for the account as it is. A snapshot of the same name is replaced."""

    name: SnapshotName
    patience: float | None = Field(
        default=None, ge=0, le=600, description="Real seconds that requests in flight may take to settle before."
    )


class SnapshotOut(ControlOut):
    """A snapshot."""

    name: str
    now: str = Field(description="The simulated instant it holds.")
    records: int
    live_calls: int
    timers: int
    next: int = Field(description="The last `seq` of its journal.")


class SnapshotsOut(ControlOut):
    """All of the account's snapshots, oldest first."""

    snapshots: list[SnapshotOut]


class ExportQuery(BaseModel):
    """How patient to be with handlers."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    patience: float | None = Field(
        default=None, ge=0, le=600, description="Real seconds that requests in flight may take to settle before."
    )


class DiffQuery(BaseModel):
    """What to compare: names of snapshots, or `now`."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    from_: str = Field(alias="from", pattern=NAME)
    to: str = Field(default=NOW, pattern=NAME)


class ChangeOut(ControlOut):
    """A field that differs."""

    field: str
    before: Any
    after: Any


class ChangedOut(ControlOut):
    """A record that differs."""

    id: str
    fields: list[ChangeOut]


class KindOut(ControlOut):
    """The records of one kind that differ."""

    added: list[str]
    removed: list[str]
    changed: list[ChangedOut]


class DiffOut(ControlOut):
    """What differs. Kinds without a difference are left out."""

    from_: str = Field(serialization_alias="from")
    to: str
    seconds: float = Field(description="How much simulated time lies between them.")
    kinds: dict[str, KindOut] = Field(description="`agents`, `messages`, … and `account` for what has no records.")
    sub_accounts: dict[str, dict[str, KindOut]] = Field(description="The same by sub-account; equal ones are left out.")
    text: str = Field(description="The same for people.")
