"""What fault rules look like under `/_sim`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.domain.fault_rules import fragments, mistakes
from simulator.domain.faults import LONGEST, MATCHES
from simulator.domain.words import did_you_mean
from simulator.wire.faults import FaultMatchWords, FaultWords
from simulator.wire.rules import any_of

EXAMPLE: Final[dict[str, Any]] = {
    "on": "delivery",
    "fault": "duplicate",
    "match": {"event": "agent.message"},
    "times": 1,
}


def _known(data: Any, known: Iterable[str], what: str) -> Any:
    """Refuse unknown names with the nearest known one: a misspelt match would otherwise match everything."""
    if isinstance(data, Mapping):
        names = list(known)
        lost = [f"there is no {what} {name!r}: {did_you_mean(str(name), names)}" for name in data if name not in names]
        if lost:
            raise ValueError("; ".join(lost))
    return data


class FaultMatchIn(ControlIn, FaultMatchWords):
    """What must be so; which of these go with a fault depends on what it is on. Absent: anything."""

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        return _known(data, MATCHES, "match")


class FaultIn(ControlIn, FaultWords):
    """A rule. A parameter that its fault does not have is refused, and so is what it cannot match."""

    model_config = ConfigDict(json_schema_extra={**any_of(*fragments()), "examples": [EXAMPLE]})

    match: FaultMatchIn | None = None
    expires_in: Annotated[float, Field(gt=0, le=LONGEST)] | None = Field(
        default=None, description="Simulated seconds after which it is over."
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        return _known(data, list(cls.model_fields), "field")

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        wrong = [message for _, message in mistakes(self.model_dump(by_alias=True, exclude_none=True))]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class FaultOut(ControlOut):
    """A rule, what has become of it, and its fault's parameters beside."""

    model_config = ConfigDict(extra="allow")

    id: str
    on: str
    fault: str
    match: dict[str, Any]
    times: int | None = Field(description="Null: for ever.")
    skip: int
    probability: float
    expires_at: str | None
    seen: int = Field(description="How many matched, and were left to it by the rules before it.")
    fired: int
    state: str = Field(description="`active`, `spent` or `expired`.")


class FaultsOut(ControlOut):
    """Rules, in the order in which they are looked at."""

    faults: list[FaultOut]
