"""People who text by a script, over days if need be."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.control.thread_steps import ThreadScript, thread_steps_of
from simulator.domain.text_threads import TextThread
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso, iso_or_none
from simulator.world import texters
from simulator.world.world import World


class ThreadIn(ControlIn):
    """Someone texts one of the account's numbers by a script."""

    from_: str = Field(alias="from", description="A phone number, a short code, or an e-mail address (iMessage).")
    to: str = Field(description="One of the account's numbers.")
    participants: list[str] | None = Field(
        default=None, min_length=1, max_length=33, description="The other members of a group; iMessage numbers only."
    )
    script: ThreadScript = Field(
        min_length=1,
        examples=[
            [{"text": "Where is my order?"}, {"expect_reply": {"within": 10}}, {"after": 172_800}, {"text": "Hi"}]
        ],
    )
    wait: bool = Field(default=False, description="Answer when the script has ended.")
    timeout: float = Field(default=300, gt=0, le=3600, description="Real seconds that `wait` waits at most.")
    patience: float | None = Field(
        default=None,
        ge=0,
        le=600,
        description="Real seconds that time stays with a handler which may still answer, before it jumps on. "
        "Absent: 10 where a reply is expected, 1 where none is.",
    )


class StepTakenOut(ControlOut):
    """A step of the script, and when it began."""

    step: list[int] = Field(description="Its index; then round and index in a repeat, case and index in a when.")
    verb: str
    at: str


class ThreadTextOut(ControlOut):
    """One text as the person sees it."""

    by: str = Field(description="person, agent, or carrier for an automatic answer.")
    at: str = Field(description="When it was sent; of a reply, when it arrived.")
    body: str
    media_urls: list[str]
    channel: str
    message_id: str | None = Field(description="Null: no message of the account.")
    status: str | None = Field(description="Of the account's message, as it stands now.")
    delay_seconds: float | None = Field(description="Of a reply: simulated seconds since the person's latest text.")


class ThreadFailureOut(ControlOut):
    """The step that did not come true."""

    step: list[int]
    at: str
    expected: str
    heard: str


class ThreadOut(ControlOut):
    """A thread as far as it has come."""

    thread_id: str
    status: str = Field(description="running, done or failed.")
    from_: str = Field(serialization_alias="from")
    to: str
    participants: list[str] | None = Field(description="Of a group, everybody but the account's number.")
    conversation_id: str | None
    started_at: str
    ended_at: str | None
    steps: list[StepTakenOut]
    texts: list[ThreadTextOut]
    failure: ThreadFailureOut | None


async def _start(ctx: Context, _query: Any, body: ThreadIn) -> ThreadOut:
    thread = ctx.runner.threads.start(
        from_number=body.from_,
        to_number=body.to,
        participants=body.participants,
        steps=thread_steps_of(body.script),
        patience=body.patience,
    )
    if body.wait:
        thread = await ctx.runner.threads.wait_for(thread.id, body.timeout, ctx.gone)
    return shown(ctx.world, thread)


def _read(ctx: Context, _query: Any, _body: Any) -> ThreadOut:
    return shown(ctx.world, texters.get(ctx.world, ctx.path["thread_id"]))


def shown(world: World, thread: TextThread) -> ThreadOut:
    """The thread in the words of `/_sim`."""
    failure = thread.failure
    return ThreadOut(
        thread_id=thread.id,
        status=thread.status.value,
        from_=thread.from_number,
        to=thread.to_number,
        participants=sorted(thread.members) if thread.in_group else None,
        conversation_id=thread.conversation_id,
        started_at=iso(thread.started_at),
        ended_at=iso_or_none(thread.ended_at),
        steps=[StepTakenOut(step=list(step.place), verb=step.verb, at=iso(step.at)) for step in thread.steps],
        texts=[
            ThreadTextOut(
                by=text.by.value,
                at=iso(text.at),
                body=text.body,
                media_urls=list(text.media_urls),
                channel=text.channel.value,
                message_id=text.message_id,
                status=None if text.message_id is None else world.messages[text.message_id].status.value,
                delay_seconds=None if text.delay is None else text.delay.total_seconds(),
            )
            for text in thread.texts
        ],
        failure=None
        if failure is None
        else ThreadFailureOut(
            step=list(failure.place), at=iso(failure.at), expected=failure.expected, heard=failure.heard
        ),
    )


OPERATIONS = (
    Operation(
        id="simStartThread", method="POST", path="/_sim/threads", tag="simulator",
        summary="Let somebody text one of the account's numbers by a script, over days if need be.",
        handler=_start, body=ThreadIn, response=ThreadOut, errors=(400, 404, 409),
    ),
    Operation(
        id="simGetThread", method="GET", path="/_sim/threads/{thread_id}", tag="simulator",
        summary="How far a scripted thread is: its steps, its texts, and where it failed.",
        handler=_read, response=ThreadOut, errors=(404,),
    ),
)  # fmt: skip
