"""Lists: how much of one to show, and what is said about the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from simulator.wire.base import Out, Query, read_instant

R = TypeVar("R")


class PageQuery(Query):
    """The window into a list."""

    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0)


class PageOut(Out):
    """A window of a list. Each kind of list says what its `data` holds.

    No generic model: pydantic builds those while they are imported, and start-up cannot afford it.
    """

    data: list[Any]
    has_more: bool
    total: int


class SuccessOut(Out):
    """It is done, and there is nothing more to say. Never an empty body: clients parse every 200 as JSON."""

    success: bool = True


def _cursor(value: Any) -> Any:
    """A date-time where it looks like one (ids never start with a digit); anything else is taken for a message id."""
    text = str(value).strip()
    if not text:
        return None
    return read_instant(text) if text[0].isdigit() else text


Cursor = Annotated[Any, BeforeValidator(_cursor), Field(json_schema_extra={"type": "string"})]


class MessagesQuery(Query):
    """The window into a number's messages. `before` and `after` are date-times, or ids of messages."""

    limit: int = Field(default=50, ge=1, le=200)
    before: Cursor = None
    after: Cursor = None


def window(records: Sequence[R], limit: int, offset: int) -> tuple[Sequence[R], bool, int]:
    """Cut `records` to the window: the part to show, whether more follow, and how many there are in all."""
    total = len(records)
    return records[offset : offset + limit], offset + limit < total, total
