"""Answers that need not be made again."""

from __future__ import annotations

from typing import Generic, TypeVar

R = TypeVar("R")
P = TypeVar("P")
V = TypeVar("V")


class Memo(Generic[R, P, V]):
    """What was made of an immutable record (and of parts that belong to it).

    Keyed by the record's identity. The entry holds the record, so its identity cannot pass on to another one; a changed
    record is another object and misses. Nothing is shared between worlds, because records are not.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._made: dict[int, tuple[R, P, V]] = {}

    def get(self, record: R, parts: P) -> V | None:
        """What was made of exactly these, or None."""
        entry = self._made.get(id(record))
        return entry[2] if entry is not None and entry[1] == parts else None

    def put(self, record: R, parts: P, value: V) -> V:
        """Keep `value`; a full memo starts afresh."""
        if len(self._made) >= self._limit:
            self._made.clear()
        self._made[id(record)] = (record, parts, value)
        return value
