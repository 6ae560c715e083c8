"""The window that every list operation shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from simulator.wire.pages import PageOut, PageQuery, window

R = TypeVar("R")
P = TypeVar("P", bound=PageOut)


def page(kind: type[P], records: Sequence[R], query: PageQuery, show: Callable[[R], object]) -> P:
    """Cut `records` to what the query asks for and render that part only."""
    shown, has_more, total = window(records, query.limit, query.offset)
    return kind(data=[show(record) for record in shown], has_more=has_more, total=total)
