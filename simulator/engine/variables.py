"""`{{name}}` in prompts, greetings and lines: filled in from a call's variables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"\{\{\s*([^\W\d][\w-]*(?:\.[\w-]+)*)\s*\}\}")
RESULT: Final = "result"  # `{{result}}` is what a tool answered, `{{result.order.id}}` a part of it


def fill(text: str, values: Mapping[str, str], *, unknown: Callable[[str], object] | None = None) -> str:
    """Write values in the place of `{{names}}`, once: what is inside a value is not looked at again.

    A name without a value stays as it is written, and `unknown` is told about it.
    """

    def value_of(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None and unknown is not None:
            unknown(match[1])
        return match[0] if value is None else value

    return _NAME.sub(value_of, text)


def fill_deep(value: Any, values: Mapping[str, str], *, unknown: Callable[[str], object] | None = None) -> Any:
    """Fill every text of a JSON value; keys stay as they are."""
    match value:
        case str():
            return fill(value, values, unknown=unknown)
        case list() | tuple():
            return [fill_deep(item, values, unknown=unknown) for item in value]
        case Mapping():
            return {key: fill_deep(item, values, unknown=unknown) for key, item in value.items()}
        case _:
            return value


def names_in(text: str) -> frozenset[str]:
    """Say which names `text` has."""
    return frozenset(match[1] for match in _NAME.finditer(text))


def result_values(text: str, names: frozenset[str]) -> dict[str, str]:
    """Give the values of those `names` that are `result` or a part of it, of a tool that answered `text`.

    Parts are found by key in objects and by index in arrays. What is not there has no value.
    """
    whole = parsed(text)
    found = {RESULT: spoken(text)} if RESULT in names else {}
    for name in names:
        first, *path = name.split(".")
        if first == RESULT and path and (part := _part(whole, path)) is not None:
            found[name] = part if isinstance(part, str) else json.dumps(part, ensure_ascii=False)
    return found


def spoken(text: str) -> str:
    """Give the words of a tool's answer: a JSON string is what it says, anything else is read out as it is."""
    whole = parsed(text)
    return whole if isinstance(whole, str) else text.strip()


def parsed(text: str) -> Any:
    """Parse a tool's answer; None where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _part(whole: Any, path: list[str]) -> Any:
    for key in path:
        if isinstance(whole, dict):
            whole = whole.get(key)
        elif isinstance(whole, list) and key.isascii() and key.isdecimal() and len(key) < 10 and int(key) < len(whole):
            whole = whole[int(key)]
        else:
            return None
    return whole
