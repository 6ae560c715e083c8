"""Phone numbers: bought, released, and what went through them."""

from __future__ import annotations

from simulator.api.lists import page
from simulator.domain.numbers import PhoneNumber
from simulator.serving.operation import Context, Operation
from simulator.wire.calls import CallListOut, CallOut
from simulator.wire.messages import NumberMessageListOut, NumberMessageOut
from simulator.wire.numbers import (
    NumberIn,
    NumberListOut,
    NumberOut,
    NumberPatch,
    NumberReleasedOut,
    VoiceRoutingIn,
)
from simulator.wire.pages import MessagesQuery, PageQuery, window
from simulator.world import calls, limits, numbers, registration, threads


def show(ctx: Context, number: PhoneNumber) -> NumberOut:
    """Show a number with what may be sent from it now."""
    return NumberOut.of(
        number,
        outbound_sms=registration.outbound_sms(ctx.world, number),
        new_contacts=limits.new_contacts(ctx.world, number, ctx.now),
    )


def buy(ctx: Context, _query: None, body: NumberIn | None) -> NumberOut:
    """Buy a number; without a body, any US one."""
    wanted = body or NumberIn()
    number = numbers.buy(ctx.world, **wanted.fields(), now=ctx.now)
    ctx.runner.chores.await_expiry(number)
    return show(ctx, number)


def update(ctx: Context, _query: None, body: NumberPatch) -> NumberOut:
    """Change a number's external id, or when it is released by itself."""
    number = numbers.update(ctx.world, ctx.path["number_id"], body.changes(), ctx.now)
    ctx.runner.chores.await_expiry(number)
    return show(ctx, number)


def listing(ctx: Context, query: PageQuery, _body: None) -> NumberListOut:
    """Show the numbers that were not released."""
    return page(NumberListOut, numbers.listing(ctx.world), query, lambda number: show(ctx, number))


def get(ctx: Context, _query: None, _body: None) -> NumberOut:
    """Show one number, released or not."""
    return show(ctx, numbers.get(ctx.world, ctx.path["number_id"]))


def route_voice(ctx: Context, _query: None, body: VoiceRoutingIn) -> NumberOut:
    """Say who takes a number's calls."""
    return show(ctx, numbers.route_voice(ctx.world, ctx.path["number_id"], body.method))


def release(ctx: Context, _query: None, _body: None) -> NumberReleasedOut:
    """Give a number back to the carrier."""
    number = numbers.release(ctx.world, ctx.path["number_id"], ctx.now)
    return NumberReleasedOut(
        id=number.id,
        phone_number=number.phone_number,
        status=number.status.value,
        message="Number released",
    )


def texts(ctx: Context, query: MessagesQuery, _body: None) -> NumberMessageListOut:
    """Show a number's texts, newest first. `total` counts those between `after` and `before`."""
    found = threads.for_number(ctx.world, ctx.path["number_id"], before=query.before, after=query.after)
    shown, has_more, total = window(found, query.limit, 0)
    return NumberMessageListOut(data=[NumberMessageOut.of(m) for m in shown], has_more=has_more, total=total)


def calls_of(ctx: Context, query: PageQuery, _body: None) -> CallListOut:
    """Show a number's calls."""
    found = calls.listing(ctx.world, number_id=ctx.path["number_id"])
    return page(CallListOut, found, query, lambda call: CallOut.of(call, ctx.base_url))


_ONE = "/v1/numbers/{number_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listNumbers",
        method="GET",
        path="/v1/numbers",
        tag="numbers",
        summary="List the account's numbers, newest first",
        handler=listing,
        query=PageQuery,
        response=NumberListOut,
    ),
    Operation(
        id="createNumber",
        method="POST",
        path="/v1/numbers",
        tag="numbers",
        summary="Buy a number",
        handler=buy,
        body=NumberIn,
        body_required=False,
        response=NumberOut,
        creates=True,
        errors=(400, 402, 404, 409, 503),
    ),
    Operation(
        id="getNumber",
        method="GET",
        path=_ONE,
        tag="numbers",
        summary="Get a number, released or not",
        handler=get,
        response=NumberOut,
        errors=(404,),
    ),
    Operation(
        id="updateNumber",
        method="PATCH",
        path=_ONE,
        tag="numbers",
        summary="Change a number's external id or expiry",
        handler=update,
        body=NumberPatch,
        response=NumberOut,
        errors=(400, 404),
    ),
    Operation(
        id="updateVoiceRouting",
        method="PATCH",
        path=f"{_ONE}/voice-routing",
        tag="numbers",
        summary="Let the number's agent take its calls",
        handler=route_voice,
        body=VoiceRoutingIn,
        response=NumberOut,
        errors=(400, 404),
    ),
    Operation(
        id="deleteNumber",
        method="DELETE",
        path=_ONE,
        tag="numbers",
        summary="Release a number for good; its history stays",
        handler=release,
        response=NumberReleasedOut,
        errors=(400, 404),
    ),
    Operation(
        id="getMessages",
        method="GET",
        path=f"{_ONE}/messages",
        tag="numbers",
        summary="List a number's texts, newest first",
        handler=texts,
        query=MessagesQuery,
        response=NumberMessageListOut,
        errors=(404,),
    ),
    Operation(
        id="listCallsForNumber",
        method="GET",
        path=f"{_ONE}/calls",
        tag="calls",
        summary="List a number's calls, newest first",
        handler=calls_of,
        query=PageQuery,
        response=CallListOut,
        errors=(404,),
    ),
)
