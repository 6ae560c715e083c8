"""Contact cards: what people see as a number's name and picture."""

from __future__ import annotations

from simulator.serving.operation import Context, Operation
from simulator.wire.cards import ContactCardIn, ContactCardOut
from simulator.world import cards


def get(ctx: Context, _query: None, _body: None) -> ContactCardOut:
    """Show a number's card."""
    return ContactCardOut.of(cards.get(ctx.world, ctx.path["number_id"]))


def put(ctx: Context, _query: None, body: ContactCardIn) -> ContactCardOut:
    """Give a number a card."""
    return ContactCardOut.of(cards.put(ctx.world, ctx.path["number_id"], body.card()))


def delete(ctx: Context, _query: None, _body: None) -> None:
    """Take a number's card away."""
    cards.delete(ctx.world, ctx.path["number_id"])


_CARD = "/v1/numbers/{number_id}/contact-card"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getContactCard",
        method="GET",
        path=_CARD,
        tag="contactCards",
        summary="Get a number's contact card",
        handler=get,
        response=ContactCardOut,
        errors=(404,),
    ),
    Operation(
        id="putContactCard",
        method="PUT",
        path=_CARD,
        tag="contactCards",
        summary="Create or replace a number's contact card",
        handler=put,
        body=ContactCardIn,
        response=ContactCardOut,
        errors=(400, 404),
    ),
    Operation(
        id="deleteContactCard",
        method="DELETE",
        path=_CARD,
        tag="contactCards",
        summary="Delete a number's contact card",
        handler=delete,
        status=204,
        errors=(400, 404),
    ),
)
