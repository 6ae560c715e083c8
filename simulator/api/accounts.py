"""Sub-accounts: worlds of their own under one key, chosen by the header `X-Sub-Account-Id`."""

from __future__ import annotations

from typing import Final

from simulator.serving.operation import Context, Operation
from simulator.wire.accounts import SubAccountIn, SubAccountListOut, SubAccountOut, SubAccountsQuery
from simulator.wire.pages import SuccessOut, window
from simulator.world import accounts

DEFAULT_LIMIT: Final = 20


def create(ctx: Context, _query: None, body: SubAccountIn) -> SubAccountOut:
    """Open a sub-account."""
    return SubAccountOut.of(accounts.create(ctx.world, body.name, ctx.now))


def listing(ctx: Context, query: SubAccountsQuery, _body: None) -> SubAccountListOut:
    """Show the sub-accounts."""
    shown, has_more, total = window(accounts.listing(ctx.world), query.limit or DEFAULT_LIMIT, query.offset)
    return SubAccountListOut(data=[SubAccountOut.of(a) for a in shown], has_more=has_more, total=total)


def rename(ctx: Context, _query: None, body: SubAccountIn) -> SubAccountOut:
    """Give a sub-account another name."""
    return SubAccountOut.of(accounts.rename(ctx.world, ctx.path["sub_account_id"], body.name))


def delete(ctx: Context, _query: None, _body: None) -> SuccessOut:
    """Close a sub-account with everything in it: its calls end, its deliveries are tried no more."""
    account = accounts.delete(ctx.world, ctx.path["sub_account_id"], ctx.now)
    ctx.runner.close_sub_account(account.id)
    return SuccessOut()


_ALL = "/v1/sub-accounts"
_ONE = "/v1/sub-accounts/{sub_account_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listSubAccounts",
        method="GET",
        path=_ALL,
        tag="sub-accounts",
        summary="List sub-accounts, newest first",
        handler=listing,
        query=SubAccountsQuery,
        response=SubAccountListOut,
        scoped=False,
    ),
    Operation(
        id="createSubAccount",
        method="POST",
        path=_ALL,
        tag="sub-accounts",
        summary="Open a sub-account: an empty world of its own",
        handler=create,
        body=SubAccountIn,
        response=SubAccountOut,
        creates=True,
        errors=(400,),
        scoped=False,
    ),
    Operation(
        id="updateSubAccount",
        method="PATCH",
        path=_ONE,
        tag="sub-accounts",
        summary="Rename a sub-account",
        handler=rename,
        body=SubAccountIn,
        response=SubAccountOut,
        errors=(400, 404),
        scoped=False,
    ),
    Operation(
        id="deleteSubAccount",
        method="DELETE",
        path=_ONE,
        tag="sub-accounts",
        summary="Close a sub-account with everything in it",
        handler=delete,
        response=SuccessOut,
        errors=(404,),
        scoped=False,
    ),
)
