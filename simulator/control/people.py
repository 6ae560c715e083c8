"""Who answers when the account dials out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulator.control.models import PersonIn, PersonOut, steps_of
from simulator.serving.operation import Context, Operation
from simulator.world import people


def _put(ctx: Context, _query: Any, body: PersonIn) -> PersonOut:
    person = people.put(
        ctx.world,
        ctx.path["number"],
        steps=steps_of(body.script),
        answer=body.answer,
        ring=timedelta(seconds=body.ring_seconds),
    )
    return PersonOut(
        number=person.number,
        answer=person.answer,
        ring_seconds=person.ring.total_seconds(),
        steps=None if person.steps is None else len(person.steps),
    )


OPERATIONS = (
    Operation(
        id="simPutPerson", method="PUT", path="/_sim/people/{number}", tag="simulator",
        summary="Say who answers outbound calls to a number, and what they do.",
        handler=_put, body=PersonIn, response=PersonOut, errors=(400,),
    ),
)  # fmt: skip
