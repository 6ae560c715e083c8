"""What one object of a reply means: JSON in, a chunk and its problems out.

Nothing a handler sends raises: what it did badly comes out as a `Problem`. How objects are found in the bytes of a
reply is `replies.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.domain.findings import FindingKind
from simulator.engine.markup import strip_markup
from simulator.engine.script import KEYS

# As much of the bytes as helps to find the mistake. Findings are kept for the life of the account.
MAX_SAMPLE: Final = 1024

# Replies are two or three levels deep. Counted here, because Python's own limit depends on who called whom.
MAX_DEPTH: Final = 100

# What a JSON value is called in a message. Numbers are all int here, see `parse_json`.
TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}

_ACTIONS: Final = ("transfer", "hangup")
_DIGITS: Final = ("digits", "press_digit", "dtmf")  # the first one given wins
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # legal in JSON escapes, impossible in UTF-8
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)  # possessive, so linear


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a handler did badly, with the bytes that show it (at most `MAX_SAMPLE`)."""

    kind: FindingKind
    message: str
    sample: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One object of a reply, understood. Its parts happen in this order: text, digits, transfer, hang-up."""

    raw: bytes
    text: str = ""
    interim: bool = False
    digits: str = ""
    transfer: bool = False
    hangup: bool = False
    problems: tuple[Problem, ...] = ()


def understand(fields: Mapping[str, Any], raw: bytes) -> Chunk:
    """Read the fields of one object. A null field counts as absent: typed handlers write every field they know."""
    reading = _Reading(fields, raw)
    text = reading.text()
    interim = reading.field("interim", bool)
    hangup = reading.field("hangup", bool)
    action = reading.action()
    digits = reading.digits()
    if not (text is not None or hangup or action or digits or reading.problems):
        reading.nothing_to_say()
    return Chunk(
        raw=raw,
        text=text or "",
        interim=bool(interim),
        digits=digits,
        transfer=action == "transfer",
        hangup=bool(hangup) or action == "hangup",
        problems=tuple(reading.problems),
    )


class _Reading:
    """One object being read, and what turned out to be wrong with it."""

    def __init__(self, fields: Mapping[str, Any], raw: bytes) -> None:
        self._fields = fields
        self._raw = raw
        self.problems: list[Problem] = []

    def field(self, name: str, wanted: type) -> Any:
        """Give the field's value, or None when it is absent, null, or of another type (which is a problem)."""
        value = self._fields.get(name)
        if value is None or type(value) is wanted:
            return value
        about = f"`{name}` is {TYPE_NAMES[type(value)]} and was ignored: it must be {TYPE_NAMES[wanted]}"
        self._problem(FindingKind.FIELD_WRONG_TYPE, about)
        return None

    def text(self) -> str | None:
        """Give the words to speak, without markup; "" is a way to say nothing, None is no `text` at all."""
        value = self.field("text", str)
        if value is None:
            return None
        original = _LONE_SURROGATE.sub("\ufffd", value)
        spoken = strip_markup(original)
        if spoken != original:
            about = "tool-call markup was taken out of `text` before it was spoken: keep it out of the reply"
            self._problem(FindingKind.MARKUP_STRIPPED, about, original.encode()[:MAX_SAMPLE])
        return spoken.strip()

    def action(self) -> str | None:
        """Give the action when it is one of those that exist."""
        value: str | None = self.field("action", str)
        if value is None or value in _ACTIONS:
            return value
        about = f"`action` {_shown(value)} does not exist and was ignored: it can be {' or '.join(_ACTIONS)}"
        self._problem(FindingKind.ACTION_UNKNOWN, about)
        return None

    def digits(self) -> str:
        """Give the keys to press; "" for none. An empty field counts as absent."""
        given: dict[str, str] = {name: value for name in _DIGITS if (value := self.field(name, str))}
        if not given:
            return ""
        name, value = next(iter(given.items()))
        if len(set(given.values())) > 1:
            told = ", ".join(f"`{other}` {_shown(digits)}" for other, digits in given.items())
            about = f"{told} say different things, and `{name}` was used: give one of them"
            self._problem(FindingKind.DIGITS_CONFLICT, about)
        if KEYS.fullmatch(value):
            return value
        about = f"`{name}` {_shown(value)} cannot be pressed and was ignored: it can hold 0-9, * and #"
        self._problem(FindingKind.DIGITS_INVALID, about)
        return ""

    def nothing_to_say(self) -> None:
        """Report an object that does nothing, with the names it has instead."""
        names = ", ".join(_shown(name) for name in list(self._fields)[:5]) or "nothing"
        about = f"a chunk does nothing, it has {names}: give text, digits, action or hangup"
        self._problem(FindingKind.NOTHING_TO_SAY, about)

    def _problem(self, kind: FindingKind, about: str, sample: bytes | None = None) -> None:
        self.problems.append(Problem(kind, about, self._raw[:MAX_SAMPLE] if sample is None else sample))


def _shown(value: str) -> str:
    """Quote a handler's string for a message: ASCII, and not too long."""
    return ascii(value if len(value) <= 40 else value[:39] + "…")


def parse_json(data: bytes) -> Any:
    """Parse JSON strictly, or raise ValueError. Numbers come out as 0: no field of a reply is a number.

    So a number may be as long as it likes. Of doubled keys the last wins, as in most parsers.
    """
    text = data.decode()
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    return _DECODER.decode(text)


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest


def _no_number(_digits: str) -> int:
    return 0


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


_DECODER: Final = json.JSONDecoder(parse_int=_no_number, parse_float=_no_number, parse_constant=_no_constant)
