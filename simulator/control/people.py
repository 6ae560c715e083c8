"""Who answers when the account dials or texts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulator.control.models import PersonIn, PersonOut, TextsOut
from simulator.control.steps import steps_of
from simulator.control.thread_steps import thread_steps_of
from simulator.domain.messages import MessageStatus, TextOutcome
from simulator.serving.operation import Context, Operation
from simulator.world import people


def _put(ctx: Context, _query: Any, body: PersonIn) -> PersonOut:
    texts = TextOutcome(
        status=MessageStatus(body.texts.status),
        failure_reason=body.texts.failure_reason,
        code=body.texts.code,
        delay=_span(body.texts.delay_seconds),
    )
    person = people.put(
        ctx.world,
        ctx.path["number"],
        steps=steps_of(body.script),
        answer=body.answer,
        ring=timedelta(seconds=body.ring_seconds),
        patience=_span(body.patience_seconds),
        greeting=body.greeting,
        texts=texts,
        text_steps=None if body.text_script is None else thread_steps_of(body.text_script, "text_script"),
    )
    return PersonOut(
        number=person.number,
        answer=person.answer,
        ring_seconds=person.ring.total_seconds(),
        patience_seconds=_seconds(person.patience),
        greeting=person.greeting,
        steps=None if person.steps is None else len(person.steps),
        texts=TextsOut(
            status=texts.status.value,
            failure_reason=texts.failure_reason,
            code=texts.code,
            delay_seconds=_seconds(texts.delay),
        ),
        text_steps=None if person.text_steps is None else len(person.text_steps),
    )


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


OPERATIONS = (
    Operation(
        id="simPutPerson", method="PUT", path="/_sim/people/{number}", tag="simulator",
        summary="Say who answers calls to a number, what they do, and what becomes of texts to it.",
        handler=_put, body=PersonIn, response=PersonOut, errors=(400,),
    ),
)  # fmt: skip
