"""Accounts opened and closed while the server runs: a fresh world for every test, in any language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from simulator.clock import ClockMode
from simulator.control.limits_models import LimitsOut
from simulator.control.worlds_models import AccountIn, AccountOut, Closed
from simulator.domain.policy import Policies
from simulator.errors import BadRequest, Conflict, NotFound, UsageError
from simulator.runtime.runner import Runner
from simulator.runtime.simulator import Simulator
from simulator.serving.operation import Context, Operation
from simulator.settings import Settings
from simulator.wire.base import iso, iso_or_none

# What is scheduled, and what is counted back from, still fits into a calendar.
FIRST_INSTANT: Final = datetime(1971, 1, 1, tzinfo=UTC)
LAST_INSTANT: Final = datetime(8000, 1, 1, tzinfo=UTC)


def shown(runner: Runner) -> AccountOut:
    """An account with everything it is run with."""
    settings = runner.settings
    return AccountOut(
        api_key=runner.api_key,
        account_id=runner.world.account_id,
        seed=settings.seed,
        clock=runner.clock.mode.value,
        scale=runner.clock.scale,
        handler_grace=runner.pacer.order.grace.total_seconds(),
        contract=settings.policies.contract,
        policies=dict(settings.policies.items()),
        limits=LimitsOut.model_validate(runner.world.limits, from_attributes=True),
        webhook_secret=runner.world.webhook_secret,
        start=iso_or_none(settings.start),
        now=iso(runner.now()),
    )


def platform_of(ctx: Context) -> Simulator:
    """The simulator that the account is one of. Raises Conflict for an account that runs by itself."""
    platform = ctx.runner.platform
    if platform is None:
        raise Conflict("this account runs by itself, without a simulator that could open others")
    return platform


def _open(ctx: Context, _query: Any, body: AccountIn | None) -> AccountOut:
    platform = platform_of(ctx)
    platform.check_new(body.api_key if body else None)  # before a seed is used up
    settings = _settings(platform, body or AccountIn())
    return shown(platform.open(settings, body.api_key if body else None))


def _settings(platform: Simulator, body: AccountIn) -> Settings:
    given: dict[str, Any] = {}
    if body.clock is not None:
        given["clock"] = ClockMode(body.clock)
    if body.scale is not None:
        given["scale"] = body.scale
    if body.handler_grace is not None:
        given["handler_grace"] = timedelta(seconds=body.handler_grace)
    if body.webhook_secret is not None:
        given["webhook_secret"] = body.webhook_secret
    if body.start is not None:
        given["start"] = _instant(body.start)
    ours = platform.settings
    try:
        if body.contract is not None:
            given["policies"] = Policies(body.contract, body.policies)
        elif body.policies:
            given["policies"] = Policies(ours.policies.contract, {**dict(ours.policies.items()), **body.policies})
        if body.limits is not None:
            given["limits"] = replace(ours.limits, **body.limits.model_dump(exclude_unset=True))
    except UsageError as error:
        raise BadRequest(str(error)) from error
    return replace(ours, seed=platform.next_seed() if body.seed is None else body.seed, **given)


def _instant(text: str) -> datetime:
    """Read the start of an account's time. What no schema can say of it is refused with 400."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f'start {text!r} is no instant: write one like "2026-01-05T15:00:00Z"') from None
    if at.tzinfo is None:
        raise BadRequest(f"start {text!r} needs its time zone: put Z behind it for UTC")
    if not FIRST_INSTANT <= at <= LAST_INSTANT:
        raise BadRequest(f"start {text!r} cannot be: time begins from {FIRST_INSTANT.year} to {LAST_INSTANT.year}")
    return at


async def _close(ctx: Context, _query: Any, _body: Any) -> Closed:
    platform, key = platform_of(ctx), ctx.path["api_key"]
    if platform.runner_for(key) is None:
        raise NotFound("no account has this API key: it may be closed already")
    await platform.close_account(key)
    return Closed(status="closed")


OPERATIONS = (
    Operation(
        id="simOpenAccount", method="POST", path="/_sim/accounts", tag="simulator", scoped=False,
        summary="Open an empty account with a key, a seed and settings of its own; any known key may ask.",
        handler=_open, body=AccountIn, body_required=False, response=AccountOut, errors=(400, 409),
    ),
    Operation(
        id="simCloseAccount", method="DELETE", path="/_sim/accounts/{api_key}", tag="simulator", scoped=False,
        summary="Close an account: its calls end, its requests are cancelled, its key is unknown from now on.",
        handler=_close, response=Closed, errors=(404, 409),
    ),
)  # fmt: skip
