"""Limits and money: off until somebody sets them here, with `serve --limit` or in `Settings.limits`."""

from __future__ import annotations

from itertools import islice
from typing import Any

from simulator.control.limits_models import BalanceOut, BalanceQuery, EntryOut, LimitsIn, LimitsOut, PriceOut
from simulator.domain.money import CENT, PRICES, Entry
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.world import limits, money


def _read(ctx: Context, _query: Any, _body: Any) -> LimitsOut:
    return LimitsOut.model_validate(ctx.world.limits, from_attributes=True)


def _change(ctx: Context, query: Any, body: LimitsIn) -> LimitsOut:
    values = {name: getattr(body, name) for name in body.model_fields_set}
    if "balance_cents" in values:
        money.fill(ctx.world, values.pop("balance_cents"), ctx.now)
    if values:
        limits.change(ctx.world, ctx.now, **values)
    return _read(ctx, query, body)


def _balance(ctx: Context, query: BalanceQuery, _body: Any) -> BalanceOut:
    ledger = ctx.world.ledger
    newest = list(islice(reversed(ledger.values()), query.limit))
    left = money.balance(ctx.world)
    return BalanceOut(
        balance_cents=None if left is None else left / CENT,
        entries=[_entry(entry) for entry in reversed(newest)],
        total=len(ledger),
        prices=[
            PriceOut(item=item.value, cents=price.amount / CENT, unit=price.unit) for item, price in PRICES.items()
        ],
    )


def _entry(entry: Entry) -> EntryOut:
    return EntryOut(
        id=entry.id,
        at=iso(entry.at),
        item=entry.item.value if entry.item else None,
        quantity=entry.quantity,
        amount_cents=entry.amount / CENT,
        balance_cents=entry.balance / CENT,
        about=entry.about,
    )


OPERATIONS = (
    Operation(
        id="simLimits", method="GET", path="/_sim/limits", tag="simulator",
        summary="The account's limits; null is off.", handler=_read, response=LimitsOut,
    ),
    Operation(
        id="simSetLimits", method="PUT", path="/_sim/limits", tag="simulator",
        summary="Change limits; those that are left out stay.", handler=_change, body=LimitsIn, response=LimitsOut,
    ),
    Operation(
        id="simBalance", method="GET", path="/_sim/balance", tag="simulator",
        summary="The account's money, what it was spent on, and the price list.",
        handler=_balance, query=BalanceQuery, response=BalanceOut,
    ),
)  # fmt: skip
