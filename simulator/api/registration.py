"""10DLC registration, of the account or of a sub-account that is opened for it."""

from __future__ import annotations

from typing import Final

from simulator.domain.money import Item
from simulator.domain.registration import RegistrationType
from simulator.errors import BadRequest
from simulator.serving.operation import Context, Operation
from simulator.wire.registration import (
    CampaignStatusOut,
    RegistrationDetailOut,
    RegistrationIn,
    RegistrationOut,
    RegistrationPatch,
)
from simulator.world import accounts, money, registration

_ONE: Final = "/v1/register"
HIGH_VOLUME: Final = RegistrationType.HIGH_VOLUME


def register(ctx: Context, _query: None, body: RegistrationIn) -> RegistrationOut:
    """File a registration.

    `create_sub_account` is true unless sent, and then the new sub-account owns it. A request for a sub-account (by
    header) is about that one, which cannot open another.
    """
    inside = ctx.runner.sub_account_id
    if inside is not None and body.asks_for_sub_account:
        raise BadRequest(f"sub-account {inside!r} cannot open another: send create_sub_account false")
    item = Item.REGISTRATION_HIGH_VOLUME if body.registration_type == HIGH_VOLUME else Item.REGISTRATION
    money.require(ctx.world, item)  # the account that asks pays, also for a sub-account that it opens
    runner, opened = ctx.runner, None
    if inside is None and body.create_sub_account:
        registration.check(ctx.world, body.registration_type, body.application())
        opened = accounts.create(ctx.world, body.account_name, ctx.now).id
        runner = ctx.runner.scoped(opened)
    filed = registration.submit(runner.world, body.registration_type, body.application(), ctx.now)
    money.charge(ctx.world, item, ctx.now, about=filed.id)
    runner.chores.await_registration(filed)
    return RegistrationOut.of(filed, opened)


def get(ctx: Context, _query: None, _body: None) -> RegistrationDetailOut:
    """Show the registration in full."""
    return RegistrationDetailOut.of(registration.current(ctx.world))


def status(ctx: Context, _query: None, _body: None) -> CampaignStatusOut:
    """Show how far the registration has come."""
    return CampaignStatusOut.of(registration.current(ctx.world))


def update(ctx: Context, _query: None, body: RegistrationPatch) -> RegistrationDetailOut:
    """Change fields of a pending registration."""
    return RegistrationDetailOut.of(registration.update(ctx.world, body.given()))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getRegistrationStatus",
        method="GET",
        path=f"{_ONE}/status",
        tag="registration",
        summary="How far the 10DLC registration has come",
        handler=status,
        response=CampaignStatusOut,
    ),
    Operation(
        id="getRegistration",
        method="GET",
        path=_ONE,
        tag="registration",
        summary="Get the 10DLC registration in full",
        handler=get,
        response=RegistrationDetailOut,
    ),
    Operation(
        id="registerA2P",
        method="POST",
        path=_ONE,
        tag="registration",
        summary="Register for 10DLC, by default in a new sub-account",
        handler=register,
        body=RegistrationIn,
        response=RegistrationOut,
        errors=(400, 402, 404, 409),
    ),
    Operation(
        id="updateRegistration",
        method="PATCH",
        path=_ONE,
        tag="registration",
        summary="Change a pending registration",
        handler=update,
        body=RegistrationPatch,
        response=RegistrationDetailOut,
        errors=(400,),
    ),
)
