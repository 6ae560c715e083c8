"""Did it happen? Waits for it in simulated time, and says what came nearest when it did not."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from simulator.control.clock import LAST_INSTANT
from simulator.control.models import LONGEST_ADVANCE, ControlOut
from simulator.control.steps import ControlIn
from simulator.engine.asking import Bounds, Difference, question_of
from simulator.errors import BadRequest, UsageError
from simulator.runtime.asking import expect
from simulator.serving.operation import Context, Operation
from simulator.wire.base import JsonObject, iso
from simulator.wire.rules import any_of, has

MOST: Final = 2**53


class CountIn(ControlIn):
    """How many; at least one of the two bounds."""

    model_config = ConfigDict(json_schema_extra=any_of(has("at_least", type="integer"), has("at_most", type="integer")))

    at_least: int | None = Field(default=None, ge=0, le=MOST)
    at_most: int | None = Field(default=None, ge=0, le=MOST)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("one of at_least, at_most is needed")
        return self


class ExpectIn(ControlIn):
    """What should happen, or should not."""

    kind: str = Field(
        min_length=1,
        max_length=400,
        examples=["message.sent"],
        description="A kind of journal entry or its first part; several by comma.",
    )
    where: JsonObject = Field(
        default_factory=dict,
        examples=[{"to": "+14155550150", "body": {"contains": "shipped"}}],
        description="Fields by dotted names or in nested objects; a plain value, or `contains`, `matches`, `one_of`, "
        "`not`, `gt`, `lt`, `exists`.",
    )
    within: float = Field(
        default=0, ge=0, le=LONGEST_ADVANCE, description="Simulated seconds to wait for it; 0 looks only."
    )
    count: Annotated[int, Field(ge=0, le=MOST)] | CountIn | None = Field(
        default=None,
        description="Exactly so many, or bounds; an upper bound waits until the time is over. Absent: at least one.",
    )
    after: int = Field(default=0, ge=0, le=MOST, description="Entries with a higher `seq` only.")
    patience: float | None = Field(
        default=None,
        ge=0,
        le=600,
        description="Real seconds of quiet to wait for what nobody can see, such as a handler at work after its 200. "
        "Absent: 1, or 0.25 where nothing is awaited, or 0 with `within` 0.",
    )
    timeout: float = Field(default=300, gt=0, le=3600, description="Real seconds that all of it takes at most.")

    @property
    def bounds(self) -> Bounds:
        """How many entries there should be."""
        match self.count:
            case None:
                return Bounds()
            case int(exact):
                return Bounds(exact, exact)
            case CountIn(at_least=least, at_most=most):
                return Bounds(least or 0, most)


class DifferenceOut(ControlOut):
    """A condition that does not hold."""

    field: str
    expected: Any
    observed: Any = Field(description="Null: there is no such field.")

    @classmethod
    def of(cls, difference: Difference) -> DifferenceOut:
        """Show one difference."""
        return cls(field=difference.field, expected=difference.expected, observed=difference.observed)


class MissOut(ControlOut):
    """An entry of the right kind that is not what was asked for."""

    entry: dict[str, Any]
    differences: list[DifferenceOut]


class ExpectOut(ControlOut):
    """Whether it happened."""

    found: bool = Field(description="Whether there are as many entries as expected.")
    entries: list[dict[str, Any]] = Field(description="Those that fit, oldest first, at most a thousand.")
    count: int = Field(description="How many fit.")
    now: str
    explanation: str | None = Field(description="What an assertion prints; null when found.")
    closest: list[MissOut] = Field(description="When not found: the nearest misses, nearest first.")


async def _expect(ctx: Context, _query: Any, body: ExpectIn) -> ExpectOut:
    bounds = body.bounds
    if bounds.at_most is not None and bounds.at_least > bounds.at_most:
        raise BadRequest(f"count: at_least {bounds.at_least} and at_most {bounds.at_most} leave nothing between them")
    if (LAST_INSTANT - ctx.now).total_seconds() < body.within:
        raise BadRequest(f"time cannot move past {iso(LAST_INSTANT)}: POST /_sim/reset starts it over")
    try:
        question = question_of(body.kind, body.where, bounds, within=body.within, after=body.after)
    except UsageError as error:
        raise BadRequest(str(error)) from error
    known = await expect(ctx.runner, question, patience=body.patience, real_timeout=body.timeout, gone=ctx.gone)
    found = known.explanation is None
    return ExpectOut(
        found=found,
        entries=[dict(row) for row in known.search.found],
        count=known.search.count,
        now=iso(known.now),
        explanation=known.explanation,
        closest=[]
        if found
        else [
            MissOut(entry=dict(miss.entry), differences=[DifferenceOut.of(d) for d in miss.differences])
            for miss in known.search.closest()
        ],
    )


OPERATIONS = (
    Operation(
        id="simExpect", method="POST", path="/_sim/expect", tag="simulator",
        summary="Wait, in simulated time, until something has happened; if it did not, what came nearest and why.",
        handler=_expect, body=ExpectIn, response=ExpectOut, errors=(400, 409),
    ),
)  # fmt: skip
