"""What goes wrong in a scenario, as it is written in the file; the words are those of `POST /_sim/faults`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field

from simulator.app import nowhere
from simulator.domain.fault_rules import FaultSpec, fragments, mistakes
from simulator.errors import UsageError
from simulator.scenarios.base import Duration, Strict
from simulator.scenarios.sim_steps import in_seconds
from simulator.scenarios.source import Loc
from simulator.wire.faults import FaultMatchWords, FaultWords


class FaultMatch(Strict, FaultMatchWords):
    """What must be so; which of these go with a fault depends on what it is on. Absent: anything."""


class FaultPart(Strict, FaultWords):
    """Something that goes wrong. The rules are looked at in order, and the first one that fires is the only one."""

    model_config = ConfigDict(json_schema_extra={"anyOf": fragments()})  # type: ignore[dict-item]

    match: FaultMatch | None = None
    expires_in: Duration | None = Field(default=None, description="How long after the scenario's start it is over.")


def check_faults(parts: list[FaultPart]) -> Iterator[tuple[Loc, str]]:
    """Find the rules that can never be; yields where, and what is wrong."""
    for index, part in enumerate(parts):
        given = in_seconds(part)
        found = list(mistakes(given))
        for loc, message in found:
            yield ("faults", index, *loc), message
        for message in () if found else _impossible(given):
            yield ("faults", index, "match"), message


def _impossible(given: Mapping[str, Any]) -> Iterator[str]:
    try:
        spec = FaultSpec.of(given)
    except UsageError as error:
        yield str(error)
        return
    lost = nowhere(spec.match)
    if lost is not None:
        yield lost
