"""Sub-accounts: who they are. What is in them is a world of their own, kept by the runtime."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from simulator.domain.accounts import SubAccount
from simulator.errors import BadRequest, NotFound
from simulator.world.world import World


def create(world: World, name: str, now: datetime) -> SubAccount:
    """Open a sub-account. Raises BadRequest for a blank name."""
    _check_name(name)
    account = SubAccount(id=world.entropy.new_id("sub_account"), name=name, created_at=now)
    world.sub_accounts[account.id] = account
    world.journal.append("sub_account.opened", now, sub_account_id=account.id, name=account.name)
    return account


def get(world: World, sub_account_id: str) -> SubAccount:
    """Return the sub-account. Raises NotFound naming the id."""
    account = world.sub_accounts.get(sub_account_id)
    if account is None:
        raise NotFound(f"sub-account {sub_account_id!r} does not exist in this account")
    return account


def listing(world: World) -> list[SubAccount]:
    """Return the sub-accounts, newest first."""
    return list(reversed(world.sub_accounts.values()))


def rename(world: World, sub_account_id: str, name: str) -> SubAccount:
    """Give a sub-account another name. Raises NotFound, or BadRequest for a blank name."""
    before = get(world, sub_account_id)
    _check_name(name)
    account = replace(before, name=name)
    world.sub_accounts[account.id] = account
    return account


def delete(world: World, sub_account_id: str, now: datetime) -> SubAccount:
    """Close a sub-account; its world goes with it. Raises NotFound."""
    account = get(world, sub_account_id)
    del world.sub_accounts[account.id]
    world.journal.append("sub_account.closed", now, sub_account_id=account.id)
    return account


def _check_name(name: str) -> None:
    if not name.strip():
        raise BadRequest(f"a sub-account cannot be called {name!r}: give it a name")
