"""The envelope around what is written down: what it is, which version, who made it, and whether it is whole.

    {"format": "agentphone-simulator world", "version": 1, "made_by": …, "checksum": "sha256:…", "world": …}

The checksum is over the meaning, not the bytes: another program may read a file and write it again with its own spaces
and order of names, as long as it changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn

from simulator import __version__
from simulator.state.codec import Unreadable

VERSION: Final = 1
MADE_BY: Final = f"agentphone-simulator {__version__}"


class Format(NamedTuple):
    """A kind of document: its name, where its content stands, and what to do with one that was taken for another."""

    name: str
    content: str
    use: str
    depth: int  # how many levels of objects get a line for each of their parts


WORLD: Final = Format("agentphone-simulator world", "world", "POST it to /_sim/import", 4)
STATE: Final = Format("agentphone-simulator state", "accounts", "start `serve --state` with it", 5)
FORMATS: Final[Mapping[str, Format]] = {kind.name: kind for kind in (WORLD, STATE)}


def write(kind: Format, content: Any) -> str:
    """Put the content into its envelope: JSON with a record on each line, so that two files can be compared."""
    document = {
        "format": kind.name,
        "version": VERSION,
        "made_by": MADE_BY,
        "checksum": checksum(content),
        kind.content: content,
    }
    return _lines(document, kind.depth) + "\n"


def read(kind: Format, text: str | bytes) -> Any:
    """Take the content out of its envelope. Raises Unreadable for what is damaged, foreign or from a newer version."""
    try:
        document = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise Unreadable("it is nested deeper than anything this program has written") from None
    except ValueError as error:
        raise Unreadable(f"it is not JSON, or not all of it: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("format"), str):
        raise Unreadable(f"it is no {kind.name}: it does not say so in a field `format`")
    _check_format(kind, document["format"][:80])
    _check_version(document)
    if not isinstance(document.get("checksum"), str) or kind.content not in document:
        raise Unreadable(f"it is not whole: checksum or {kind.content} is missing")
    if checksum(document[kind.content]) != document["checksum"]:
        raise Unreadable("it was changed or damaged after it was written: its checksum is another")
    _check_text(document[kind.content])
    return document[kind.content]


def checksum(content: Any) -> str:
    """Give what tells whether the content is still the same."""
    try:
        exact = json.dumps(_canonical(content), sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise Unreadable("it is nested deeper than anything this program has written") from None
    return f"sha256:{hashlib.sha256(exact.encode()).hexdigest()}"


def _check_format(kind: Format, found: str) -> None:
    if found == kind.name:
        return
    other = FORMATS.get(found)
    if other is not None:
        raise Unreadable(f"it is a {found}, not a {kind.name}: {other.use}")
    raise Unreadable(f"its format is {found!r}, not {kind.name!r}")


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise Unreadable("its version should be a whole number from 1")
    if version > VERSION:
        maker = document.get("made_by")
        by = f" by {maker[:80]}" if isinstance(maker, str) else ""
        raise Unreadable(f"it was written{by} in version {version}, and {MADE_BY} reads up to {VERSION}: update it")


def _check_text(content: Any) -> None:
    """Raise Unreadable for half a character, which JSON can escape and no answer could be written with."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise Unreadable(f"it holds {half!r}, half a character, which is no text") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _canonical(value: Any) -> Any:
    """The same value whoever wrote it: to JSON, 1.0 and 1 are one number."""
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _lines(value: Any, depth: int) -> str:
    if depth and isinstance(value, dict) and value:
        parts = (f"{json.dumps(name)}: {_lines(item, depth - 1)}" for name, item in value.items())
        return "{\n" + ",\n".join(parts) + "\n}"
    if depth and isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)
