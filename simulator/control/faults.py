"""What goes wrong on purpose: rules made, read and deleted."""

from __future__ import annotations

from typing import Any

from simulator.control.fault_models import FaultIn, FaultOut, FaultsOut
from simulator.domain.fault_rules import FaultRule, FaultSpec
from simulator.errors import BadRequest, UsageError
from simulator.serving.operation import Context, Operation
from simulator.serving.routes import nowhere
from simulator.wire.base import iso_or_none
from simulator.world import faults
from simulator.world.faults import Count


def _add(ctx: Context, _query: Any, body: FaultIn) -> FaultOut:
    try:
        spec = FaultSpec.of(body.model_dump(by_alias=True, exclude_none=True))
    except UsageError as error:
        raise BadRequest(str(error)) from error
    lost = nowhere(spec.match, ctx.operations)
    if lost is not None:
        raise BadRequest(lost)
    return _shown(ctx, faults.add(ctx.world, spec, ctx.now), Count())


def _list(ctx: Context, _query: Any, _body: Any) -> FaultsOut:
    return FaultsOut(faults=[_shown(ctx, rule, count) for rule, count in faults.listing(ctx.world, ctx.now)])


def _delete(ctx: Context, _query: Any, _body: Any) -> FaultOut:
    return _shown(ctx, *faults.remove(ctx.world, ctx.path["fault_id"]))


def _clear(ctx: Context, query: Any, body: Any) -> FaultsOut:
    shown = _list(ctx, query, body)
    for rule in shown.faults:
        faults.remove(ctx.world, rule.id)
    return shown


def _shown(ctx: Context, rule: FaultRule, count: Count) -> FaultOut:
    spec = rule.spec
    return FaultOut(
        id=rule.id,
        on=spec.on,
        fault=spec.fault,
        match=dict(spec.match),
        times=spec.times,
        skip=spec.skip,
        probability=spec.probability,
        expires_at=iso_or_none(rule.expires_at),
        seen=count.seen,
        fired=count.fired,
        state=faults.state_of(rule, count, ctx.now),
        **spec.parameters,
    )


OPERATIONS = (
    Operation(
        id="simAddFault", method="POST", path="/_sim/faults", tag="simulator",
        summary="Make something go wrong: API requests, deliveries, voice turns, carriers, streams.",
        handler=_add, body=FaultIn, response=FaultOut, errors=(400, 409),
    ),
    Operation(
        id="simFaults", method="GET", path="/_sim/faults", tag="simulator",
        summary="Every fault rule, in the order in which they are looked at, and how often it has fired.",
        handler=_list, response=FaultsOut,
    ),
    Operation(
        id="simDeleteFaults", method="DELETE", path="/_sim/faults", tag="simulator",
        summary="Let nothing go wrong any more; answers what there was.", handler=_clear, response=FaultsOut,
    ),
    Operation(
        id="simDeleteFault", method="DELETE", path="/_sim/faults/{fault_id}", tag="simulator",
        summary="Take one rule off; answers what it came to.", handler=_delete, response=FaultOut, errors=(404,),
    ),
)  # fmt: skip
