"""Which event an API request of the handler is about, and whether something was done twice. Pure functions."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final
from urllib.parse import unquote

from simulator.conformance.events import Event
from simulator.conformance.platform import ApiCall

Names = frozenset[str]

FIELDS: Final = ("messageId", "conversationId", "callId", "from", "to", "fromNumber", "senderIdentifier")
SHORTEST: Final = 6  # characters; what is shorter could stand anywhere by chance

NUMBER: Final = re.compile(r"\d{7,15}")


def names_of(event: Event, ours: Collection[str] = ()) -> Names:
    """What a request mentions that is about this event: its ids, and the other party's address.

    `ours` are the platform's own numbers, which any request may mention. Numbers are compared without their plus.
    """
    data = event.data
    contact = data.get("contact")
    found = [data.get(field) for field in FIELDS]
    found += [contact.get("id")] if isinstance(contact, Mapping) else []
    own = {number.removeprefix("+") for number in ours}
    named = {value.removeprefix("+") for value in found if isinstance(value, str)}
    return frozenset(name for name in named - own if len(name) >= SHORTEST)


def is_about(call: ApiCall, names: Names) -> bool:
    """Whether a request mentions one of these names, in its path or anywhere in its body."""
    text = _text(call)
    return any(name in text for name in names)


def is_of_another(call: ApiCall, names: Names, callers: range) -> bool:
    """Whether a request mentions one of our callers, and none of these names."""
    return bool(callers_in(call, callers)) and not is_about(call, names)


def callers_in(call: ApiCall, callers: range) -> set[int]:
    """Those of our callers whom a request mentions; `callers` are the digits of all their numbers."""
    return {number for number in map(int, NUMBER.findall(_text(call))) if number in callers}


def _text(call: ApiCall) -> str:
    return f"{unquote(call.path)}\n{json.dumps(call.body, ensure_ascii=False)}"


def kinds(calls: Iterable[ApiCall]) -> Counter[str]:
    """How often each operation was asked for."""
    return Counter(call.operation for call in calls)


def done_twice(usual: Counter[str], seen: Counter[str]) -> bool:
    """Whether everything that one event usually leads to was asked for at least twice as often.

    Deliberately generous: a second typing indicator before one single answer is not an event that was acted on twice.
    """
    return bool(usual) and all(seen[operation] >= 2 * count for operation, count in usual.items())


def without(calls: Iterable[ApiCall], surplus: Counter[str]) -> list[ApiCall]:
    """These calls, less so many of each operation."""
    left, kept = Counter(surplus), []
    for call in calls:
        if left[call.operation] > 0:
            left[call.operation] -= 1
        else:
            kept.append(call)
    return kept


def told(calls: Iterable[ApiCall]) -> str:
    """The calls, in words for a report."""
    return ", ".join(map(str, calls)) or "nothing"
