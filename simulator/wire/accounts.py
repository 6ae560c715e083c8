"""Sub-accounts. The sources leave the answer's body open; id and name are what every client can show."""

from __future__ import annotations

from pydantic import Field

from simulator.domain.accounts import SubAccount
from simulator.wire.base import In, Out, Query, iso
from simulator.wire.pages import PageOut


class SubAccountIn(In):
    """A name for a sub-account, new or changed."""

    name: str = Field(min_length=1, max_length=255)


class SubAccountsQuery(Query):
    """The window into the sub-accounts. No `limit` shows 20, as with every list."""

    limit: int | None = Field(default=None, ge=1, le=100)
    offset: int = Field(default=0, ge=0)


class SubAccountOut(Out):
    """One sub-account; its id goes into the header `X-Sub-Account-Id`."""

    id: str
    name: str
    created_at: str

    @classmethod
    def of(cls, account: SubAccount) -> SubAccountOut:
        """Show a sub-account."""
        return cls(id=account.id, name=account.name, created_at=iso(account.created_at))


class SubAccountListOut(PageOut):
    """Sub-accounts, newest first."""

    data: list[SubAccountOut]
