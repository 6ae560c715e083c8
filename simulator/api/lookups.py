"""Numbers of others: for sale, and looked up."""

from __future__ import annotations

import asyncio

from simulator.domain import places
from simulator.domain.money import Item
from simulator.serving.operation import Context, Operation
from simulator.wire.lookups import (
    AvailableNumberListOut,
    AvailableNumberOut,
    AvailableQuery,
    LookupEntryOut,
    LookupOut,
    LookupQuery,
)
from simulator.world import devices, inventory, money


async def available(ctx: Context, query: AvailableQuery, _body: None) -> AvailableNumberListOut:
    """Show numbers for sale."""
    await asyncio.to_thread(places.load)  # the first time it takes longer than live calls should wait
    found = inventory.search(ctx.world, country=query.country, limit=query.limit, **query.filters())
    return AvailableNumberListOut(data=[AvailableNumberOut.of(number) for number in found])


def look_up(ctx: Context, query: LookupQuery, _body: None) -> LookupOut:
    """Say what numbers are."""
    wanted = query.wanted()
    money.require(ctx.world, Item.LOOKUP, len(wanted))
    found = devices.look_up(ctx.world, wanted)
    money.charge(ctx.world, Item.LOOKUP, ctx.now, len(wanted))
    return LookupOut(data=[LookupEntryOut.of(d) for d in found])


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listAvailableNumbers",
        method="GET",
        path="/v1/numbers/available",
        tag="numbers",
        summary="List numbers for sale",
        handler=available,
        query=AvailableQuery,
        response=AvailableNumberListOut,
        errors=(400,),
    ),
    Operation(
        id="lookupNumbers",
        method="GET",
        path="/v1/numbers/lookup",
        tag="numbers",
        summary="Look up line type, country and RCS of up to 25 numbers",
        handler=look_up,
        query=LookupQuery,
        response=LookupOut,
        errors=(400, 402),
    ),
)
