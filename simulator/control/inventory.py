"""Which places have run out of numbers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.serving.operation import Context, Operation
from simulator.world import inventory


class InventoryIn(ControlIn):
    """What is sold out from now on, and nothing else; an empty list fills every shelf."""

    sold_out: list[str] = Field(max_length=1000, description='Countries ("US") and US or CA area codes ("415").')


class InventoryOut(ControlOut):
    """What is sold out."""

    sold_out: list[str]


def _get(ctx: Context, _query: Any, _body: Any) -> InventoryOut:
    return InventoryOut(sold_out=list(ctx.world.sold_out))


def _put(ctx: Context, _query: Any, body: InventoryIn) -> InventoryOut:
    inventory.sell_out(ctx.world, body.sold_out)
    return InventoryOut(sold_out=list(ctx.world.sold_out))


OPERATIONS = (
    Operation(
        id="simGetInventory", method="GET", path="/_sim/inventory", tag="simulator",
        summary="Which countries and area codes are sold out?",
        handler=_get, response=InventoryOut,
    ),
    Operation(
        id="simPutInventory", method="PUT", path="/_sim/inventory", tag="simulator",
        summary="Say which countries and area codes are sold out.",
        handler=_put, body=InventoryIn, response=InventoryOut, errors=(400,),
    ),
)  # fmt: skip
