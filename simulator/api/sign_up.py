"""Signing up: the only operations that make an account. They take no key, and are about no account yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.errors import NotSimulated
from simulator.serving.operation import Context, Operation
from simulator.wire.sign_up import AccountOut, AgentVerifyIn, SignUpIn, SignUpOut
from simulator.world import sign_up

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner


def start(ctx: Context, _query: None, body: SignUpIn) -> SignUpOut:
    """Mail a code."""
    desk = _desk(ctx)
    return SignUpOut.of(sign_up.start(desk.world, body.human_email, body.agent_name, desk.now()))


def verify(ctx: Context, _query: None, body: AgentVerifyIn) -> AccountOut:
    """Open the account that the code was for. Its time begins at the instant of the first account's clock."""
    desk, platform = _desk(ctx), ctx.runner.platform
    now = desk.now()
    asked = sign_up.check(desk.world, body.verification_id, body.otp_code, now)
    if platform is None:
        raise NotSimulated("agentVerify needs a whole simulator: this account runs by itself")
    platform.check_room()
    key = sign_up.new_key(desk.world, lambda key: platform.runner_for(key) is not None)
    account = platform.open_account(key, start=now)
    agent, number = sign_up.furnish(account.world, asked.agent_name, now)
    sign_up.complete(desk.world, asked, account.world.account_id, body.source, now)
    return AccountOut.of(account.world.account_id, key, agent, number)


def _desk(ctx: Context) -> Runner:
    """The first account, which keeps the sign-ups whoever's key came along."""
    if ctx.runner.platform is None:
        return ctx.runner
    return ctx.runner.platform.runner_for(ctx.runner.settings.api_keys[0]) or ctx.runner


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="agentSignUp",
        method="POST",
        path="/v0/agent/sign-up",
        tag="sign-up",
        summary="Ask for an account; a code goes to the e-mail address",
        handler=start,
        body=SignUpIn,
        response=SignUpOut,
        errors=(409,),
        public=True,
    ),
    Operation(
        id="agentVerify",
        method="POST",
        path="/v0/agent/verify",
        tag="sign-up",
        summary="Open the account with the code that was mailed",
        handler=verify,
        body=AgentVerifyIn,
        response=AccountOut,
        errors=(400, 404, 409),
        public=True,
    ),
)
