"""What is different between two images of a world, for people: which records came, went and changed, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Final

from simulator.domain.policy import Policies
from simulator.engine.faults import Faults
from simulator.world.world import World

# What can be looked up in other maps, or is compared below by itself: a difference there says nothing more.
FOLLOWS: Final = frozenset(
    {
        *("contact_ids", "number_ids", "active_numbers", "agent_numbers", "live_calls", "web_calls", "threads"),
        *("groups", "group_threads", "texters", "recent_conversations", "conversation_messages", "number_messages"),
        *("tally", "journal", "entropy", "account_id", "sequence"),
    }
)
LONGEST: Final = 200  # characters of a value in the text


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a record, before and after, as JSON."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class KindDiff:
    """The records of one kind, by how they are told apart. `changed` has the fields of each."""

    kind: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[Change, ...]] | None = None


def compare(before: World, after: World) -> tuple[KindDiff, ...]:
    """Give the kinds of which something differs. What is true of the whole account is the kind `account`."""
    found: list[KindDiff] = []
    settings: list[Change] = []
    for name, old in vars(before).items():
        new = getattr(after, name)
        if name in FOLLOWS or old is new:
            continue
        if isinstance(old, dict):
            found += _records(name, old, new)
        elif isinstance(old, Faults):
            found += _records("faults", old.rules, new.rules)
            found += _records("fault_counts", old.counts, new.counts)
        elif old != new:
            settings.append(Change(name, plain(old), plain(new)))
    if settings:
        found.append(KindDiff("account", changed={after.account_id: tuple(settings)}))
    return tuple(found)


def _records(kind: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[KindDiff]:
    added = tuple(_name(key) for key in after if key not in before)
    removed = tuple(_name(key) for key in before if key not in after)
    changed: dict[str, tuple[Change, ...]] = {}
    for key, old in before.items():
        new = after.get(key, old)
        if old is not new and old != new:
            changed[_name(key)] = tuple(_changes(old, new))
    if added or removed or changed:
        yield KindDiff(kind, added, removed, changed)


def _changes(old: Any, new: Any) -> Iterator[Change]:
    if type(old) is not type(new) or not is_dataclass(old):
        yield Change("value", plain(old), plain(new))
        return
    for field in fields(old):
        was, becomes = getattr(old, field.name), getattr(new, field.name)
        if was != becomes:
            yield Change(field.name, plain(was), plain(becomes))


def _name(key: Any) -> str:
    if key is None:
        return "account"  # a webhook endpoint or lines that are the account's own
    return key if isinstance(key, str) else " ".join(str(plain(part)) for part in key)


def plain(value: Any) -> Any:
    """Give any value of a record as JSON: enough to recognise it, not to read it back."""
    match value:
        case Enum():
            return value.value
        case None | str() | bool() | int() | float():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Policies():
            return {"contract": value.contract, **dict(value.items())}
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case frozenset():
            return sorted(map(plain, value))
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)


def text_of(diff: tuple[KindDiff, ...]) -> str:
    """Write a difference as lines: `+` added, `-` removed, `~` changed with its fields below."""
    lines: list[str] = []
    for kind in diff:
        lines.append(kind.kind)
        lines += [f"  + {name}" for name in kind.added]
        lines += [f"  - {name}" for name in kind.removed]
        for name, changes in (kind.changed or {}).items():
            lines.append(f"  ~ {name}")
            lines += [f"      {change.field}: {_short(change.before)} -> {_short(change.after)}" for change in changes]
    return "\n".join(lines)


def _short(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
