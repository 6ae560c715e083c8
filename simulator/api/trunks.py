"""SIP trunks."""

from __future__ import annotations

from typing import Final

from simulator.serving.operation import Context, Operation
from simulator.wire.pages import SuccessOut
from simulator.wire.trunks import SipTrunkListOut, SipTrunkOut, SipTrunkPatch
from simulator.world import trunks

_ALL: Final = "/v1/sip-trunks"
_ONE: Final = "/v1/sip-trunks/{trunk_id}"


def listing(ctx: Context, _query: None, _body: None) -> SipTrunkListOut:
    """Show every trunk."""
    return SipTrunkListOut(data=[SipTrunkOut.of(trunk) for trunk in trunks.listing(ctx.world)])


def create(ctx: Context, _query: None, _body: None) -> SipTrunkOut:
    """Make a trunk; its password is shown this once."""
    return SipTrunkOut.of(trunks.create(ctx.world, ctx.now), reveal=True)


def get(ctx: Context, _query: None, _body: None) -> SipTrunkOut:
    """Show one trunk."""
    return SipTrunkOut.of(trunks.get(ctx.world, ctx.path["trunk_id"]))


def update(ctx: Context, _query: None, body: SipTrunkPatch | None) -> SipTrunkOut:
    """Change a trunk; without any field, rotate its credentials and show the new password once."""
    changes = body.changes() if body is not None else {}
    if changes:
        return SipTrunkOut.of(trunks.update(ctx.world, ctx.path["trunk_id"], changes))
    return SipTrunkOut.of(trunks.rotate(ctx.world, ctx.path["trunk_id"], ctx.now), reveal=True)


def delete(ctx: Context, _query: None, _body: None) -> SuccessOut:
    """Remove a trunk."""
    trunks.delete(ctx.world, ctx.path["trunk_id"], ctx.now)
    return SuccessOut()


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listSipTrunks",
        method="GET",
        path=_ALL,
        tag="sip-trunks",
        summary="List SIP trunks, newest first",
        handler=listing,
        response=SipTrunkListOut,
    ),
    Operation(
        id="createSipTrunk",
        method="POST",
        path=_ALL,
        tag="sip-trunks",
        summary="Make a SIP trunk; its password is shown once",
        handler=create,
        response=SipTrunkOut,
        creates=True,
        errors=(400,),
    ),
    Operation(
        id="getSipTrunk",
        method="GET",
        path=_ONE,
        tag="sip-trunks",
        summary="Get a SIP trunk",
        handler=get,
        response=SipTrunkOut,
        errors=(404,),
    ),
    Operation(
        id="updateSipTrunk",
        method="PATCH",
        path=_ONE,
        tag="sip-trunks",
        summary="Change a SIP trunk; without fields, rotate its credentials",
        handler=update,
        body=SipTrunkPatch,
        body_required=False,
        response=SipTrunkOut,
        errors=(400, 404),
    ),
    Operation(
        id="deleteSipTrunk",
        method="DELETE",
        path=_ONE,
        tag="sip-trunks",
        summary="Delete a SIP trunk",
        handler=delete,
        response=SuccessOut,
        errors=(404,),
    ),
)
