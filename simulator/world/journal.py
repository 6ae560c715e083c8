"""The append-only record of what happened; the inspector, long polls and assertions read it.

A bounded ring: entry `sequence` lives at slot `(sequence - 1 - start) % limit`, so reading on from a sequence number
costs what is read and never a scan of the whole journal. It holds plain tuples, of which an `Entry` is made for whoever
reads it: they take half the memory, and the garbage collector has nothing to look for in them, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

Hook = Callable[["Entry"], None]
_Names = tuple[str, ...]
_Row = tuple[int, datetime, str, _Names, tuple[Any, ...]]  # an Entry, its data as names and values


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
        self._ring: list[_Row] = []
        self._start = 0  # entries that came before the ring's first one
        self._hooks: tuple[Hook, ...] = ()
        self._bells: tuple[Callable[[], object], ...] = ()
        self._names: dict[_Names, _Names] = {}  # entries of one kind share their names

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
        made._names = self._names.copy()
        return made

    def go_on(self, last_seq: int) -> None:
        """Number on from `last_seq` with nothing of what came before: all of it counts as dropped."""
        self.last_seq, self._ring, self._start = last_seq, [], last_seq

    def append(self, kind: str, at: datetime, /, **data: Any) -> int:
        """Write one entry down, tell the hooks, and return its number.

        Bytes are kept as text, instants as ISO 8601, spans as seconds.
        """
        for name, value in data.items():
            if type(value) not in _ATOMS:
                data[name] = _plain(value)
        seq = self.last_seq + 1
        names = tuple(data)
        row = seq, at, kind, self._names.setdefault(names, names), tuple(data.values())
        if len(self._ring) < self.limit:
            self._ring.append(row)
        else:
            self._ring[self._slot(seq)] = row
        self.last_seq = seq
        for ring in self._bells:
            ring()
        if self._hooks:
            entry = _entry(row)
            for hook in self._hooks:
                hook(entry)
        return seq

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
            row = self._ring[self._slot(sequence)]
            if wanted(row[2]):
                found.append(_entry(row))
        return found

    def newest(self, kind: str, /, **data: Any) -> Entry | None:
        """Return the latest entry of exactly this kind that has all of `data`, or None; recent ones cost little."""
        for sequence in range(self.last_seq, self.dropped, -1):
            row = self._ring[self._slot(sequence)]
            if row[2] == kind and data.items() <= (entry := _entry(row)).data.items():
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

    def on_growth(self, bell: Callable[[], object]) -> None:
        """Call `bell` whenever there is something new; cheaper than a hook, which is shown what it is."""
        self._bells = (*self._bells, bell)


_ATOMS: Final = frozenset({str, int, float, bool, type(None)})  # nearly every value is one of these, and stays as it is


def _entry(row: _Row) -> Entry:
    seq, at, kind, names, values = row
    return Entry(seq, at, kind, dict(zip(names, values, strict=True)))


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
