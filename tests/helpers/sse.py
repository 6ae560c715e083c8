"""Server-sent events, read strictly: what a careless client relies on is checked on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Event = tuple[str, Any]


def events(pieces: Iterable[bytes]) -> list[Event]:
    """The events of a stream, by name and data; a comment is an event without a name."""
    return [_event(block) for block in b"".join(pieces).decode("ascii").split("\n\n")[:-1]]


def _event(block: str) -> Event:
    if block.startswith(":"):
        return "", block.removeprefix(":").strip()
    name, data = block.split("\n")
    assert name.startswith("event: ")
    assert data.startswith("data: ")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def words(read: Iterable[Event]) -> list[tuple[str, str]]:
    """Who said what, as the stream told it."""
    return [(data["role"], data["content"]) for name, data in read if name == "turn"]
