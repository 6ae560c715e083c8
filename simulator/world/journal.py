"""The append-only record of what happened; the inspector, long polls and assertions read it.

A bounded ring: entry `sequence` lives at slot `(sequence - 1 - start) % limit`, so reading on from a sequence number
costs what is read and never a scan of the whole journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Hook = Callable[["Entry"], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `data` holds JSON values only."""

    seq: int
    at: datetime
    kind: str
    data: Mapping[str, Any]


class Journal:
    """Entries numbered from 1; past `limit` the oldest are dropped, and counted."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a journal keeps at least one entry, got a limit of {limit}")
        self.limit = limit
        self.last_seq = 0
        self._ring: list[Entry] = []
        self._start = 0  # entries that came before the ring's first one
        self._hooks: tuple[Hook, ...] = ()

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def dropped(self) -> int:
        """How many of the oldest entries are gone."""
        return self.last_seq - len(self._ring)

    def copy(self) -> Journal:
        """The same entries, on their own; nobody listens to it yet."""
        made = Journal(self.limit)
        made.last_seq, made._ring, made._start = self.last_seq, self._ring.copy(), self._start
        return made

    def go_on(self, last_seq: int) -> None:
        """Number on from `last_seq` with nothing of what came before: all of it counts as dropped."""
        self.last_seq, self._ring, self._start = last_seq, [], last_seq

    def append(self, kind: str, at: datetime, /, **data: Any) -> Entry:
        """Write one entry down and tell the hooks. Bytes are kept as text, instants as ISO 8601, spans as seconds."""
        entry = Entry(self.last_seq + 1, at, kind, {name: _plain(value) for name, value in data.items()})
        if len(self._ring) < self.limit:
            self._ring.append(entry)
        else:
            self._ring[self._slot(entry.seq)] = entry
        self.last_seq = entry.seq
        for hook in self._hooks:
            hook(entry)
        return entry

    def since(self, after: int = 0, kind: str | None = None, limit: int | None = None) -> list[Entry]:
        """Return the entries after sequence number `after`, oldest first, at most `limit` of them.

        `kind` is an exact kind or the first words of one: "turn" and "turn." find "turn.opened". Several are
        separated by commas.
        """
        wanted = _matcher(kind)
        found: list[Entry] = []
        for sequence in range(max(after, self.dropped) + 1, self.last_seq + 1):
            if limit is not None and len(found) >= limit:
                break
            entry = self._ring[self._slot(sequence)]
            if wanted(entry.kind):
                found.append(entry)
        return found

    def newest(self, kind: str, /, **data: Any) -> Entry | None:
        """Return the latest entry of exactly this kind that has all of `data`, or None; recent ones cost little."""
        for sequence in range(self.last_seq, self.dropped, -1):
            entry = self._ring[self._slot(sequence)]
            if entry.kind == kind and data.items() <= entry.data.items():
                return entry
        return None

    def _slot(self, sequence: int) -> int:
        return (sequence - 1 - self._start) % self.limit

    def on_append(self, hook: Hook) -> Callable[[], None]:
        """Call `hook` with every entry to come; returns the function that takes it off again."""
        self._hooks = (*self._hooks, hook)

        def remove() -> None:
            self._hooks = tuple(h for h in self._hooks if h is not hook)

        return remove


def _matcher(kind: str | None) -> Callable[[str], bool]:
    words = {word.strip().rstrip(".") for word in (kind or "").split(",")} - {""}
    if not words:
        return lambda _: True
    prefixes = tuple(f"{word}." for word in words)
    return lambda name: name in words or name.startswith(prefixes)


def _plain(value: Any) -> Any:
    match value:
        case None | str() | bool() | int() | float():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"the journal keeps JSON values, not {type(value).__name__}: {value!r}")
