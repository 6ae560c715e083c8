"""What an entry of the journal must be like: fields with values or tests, read from JSON and held against JSON.

A field is named as it is or with dots ("body.text"), or is part of a nested object. Objects are matched as subsets, and
null counts as absent. A value is plain, or an object of operators, all of which must hold:

    contains, matches, one_of   words to find, as scenario files mean them; in lists, in a member; else equal values
    not                         a plain value or operators that must not hold
    gt, lt                      numbers, or texts in their order (instants written alike)
    exists                      whether there is a value at all
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from simulator.engine.script import Match
from simulator.errors import UsageError

OPERATORS: Final = ("contains", "matches", "one_of", "not", "gt", "lt", "exists")
IS: Final = "is"  # of a plain value

MAX_CONDITIONS: Final = 100  # far more than an entry has fields
MAX_NAME: Final = 300  # characters of a field's name
COMPARED: Final = 200  # characters of a text that are searched for a near miss
NEAREST: Final = 0.99  # what does not hold is never as good as what does


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be true of one field."""

    field: str
    operator: str
    wanted: Any  # JSON
    match: Match | None = dataclasses.field(default=None, compare=False)  # of texts, where the operator is about words
    inner: tuple[Condition, ...] = dataclasses.field(default=(), compare=False)  # of `not`

    @property
    def expected(self) -> Any:
        """The condition as it was written: a plain value, or an object with its operator."""
        return self.wanted if self.operator == IS else {self.operator: self.wanted}

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Say whether it is true of an entry."""
        return self.met_by(look_up(entry, self.field))

    def met_by(self, seen: Any) -> bool:
        """Say whether it is true of the field's value; None: there is none."""
        match self.operator:
            case "contains" | "matches" | "one_of":
                return self._found_in(seen)
            case "not":
                return not all(condition.met_by(seen) for condition in self.inner)
            case "gt" | "lt":
                return _ordered(self.wanted, seen) and (
                    seen > self.wanted if self.operator == "gt" else seen < self.wanted
                )
            case "exists":
                return (seen is not None) is self.wanted
            case _:
                return same(self.wanted, seen)

    def _found_in(self, seen: Any) -> bool:
        if isinstance(seen, str):
            return self.match is not None and self.match.found_in(seen)
        if isinstance(seen, list | tuple):
            return any(self._found_in(item) or self._member(item) for item in seen)
        return self.operator == "one_of" and any(same(value, seen) for value in self.wanted)

    def _member(self, item: Any) -> bool:
        return self.operator == "contains" and not isinstance(item, str) and same(self.wanted, item)

    def nearness(self, seen: Any) -> float:
        """How near a value that does not fit comes, from 0 to under 1; texts by their likeness, numbers by distance."""
        values = self.wanted if self.operator == "one_of" else [self.wanted]
        if self.operator not in (IS, "contains", "one_of"):
            return 0.0
        part = self.operator != IS
        return min(NEAREST, max((_likeness(value, seen, part) for value in values), default=0.0))

    def __str__(self) -> str:
        return f"{self.field} {'is ' if self.operator == IS else ''}{self.said}"

    @property
    def said(self) -> str:
        """What is expected of the field, in words."""
        match self.operator:
            case "one_of":
                return f"one of {', '.join(map(shown, self.wanted))}"
            case "not":
                return f"not {' and '.join(condition.said for condition in self.inner)}"
            case "gt" | "lt":
                return f"{'over' if self.operator == 'gt' else 'under'} {shown(self.wanted)}"
            case "exists":
                return "there" if self.wanted else "absent"
            case "is":
                return shown(self.wanted)
            case _:
                return f"{self.operator} {shown(self.wanted)}"


def look_up(value: Any, name: str) -> Any:
    """The value under a dotted name; None when there is none. A key that has dots itself goes before steps."""
    first, dot, rest = name.partition(".")
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        return look_up(value.get(first), rest) if dot else None
    if isinstance(value, list | tuple) and re.fullmatch("[0-9]{1,6}", first) and int(first) < len(value):
        return look_up(value[int(first)], rest) if dot else value[int(first)]
    return None


def same(wanted: Any, seen: Any) -> bool:
    """Say whether two JSON values are the same; an object, whether all that is wanted is in it. True is not 1."""
    if isinstance(wanted, bool) or isinstance(seen, bool):
        return wanted is seen
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        return all(same(value, seen.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list | tuple) and isinstance(seen, list | tuple):
        return len(wanted) == len(seen) and all(map(same, wanted, seen))
    return bool(wanted == seen)


def shown(value: Any) -> str:
    """A JSON value in a message: on one line, not too much of it."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= COMPARED else f"{text[: COMPARED - 1]}…"


# -- reading -----------------------------------------------------------------------------------------------------


def conditions_of(where: Mapping[str, Any], objects: frozenset[str]) -> tuple[Condition, ...]:
    """Read what a user wants of entries. `objects` are the fields in which objects with any keys may stand.

    Raises UsageError with the place for an operator that does not exist, or that is given something it cannot use.
    """
    found = [condition for name, value in where.items() for condition in _read(name, value, objects)]
    if len(found) > MAX_CONDITIONS:
        raise UsageError(f"where has {len(found)} conditions: {MAX_CONDITIONS} at most")
    return tuple(found)


def _read(name: str, value: Any, objects: frozenset[str]) -> Iterator[Condition]:
    if not name or len(name) > MAX_NAME:
        raise UsageError(f"where: a field's name has 1 to {MAX_NAME} characters, got {len(name)}")
    if not isinstance(value, Mapping) or not value:
        yield Condition(name, IS, value)
        return
    strange = [word for word in value if word not in OPERATORS]
    if not strange:
        yield from (_operator(name, word, wanted, objects) for word, wanted in value.items())
    elif len(strange) < len(value) or name.partition(".")[0] not in objects:
        raise UsageError(_unknown(name, strange[0], objects))
    else:
        for word, inside in value.items():
            yield from _read(f"{name}.{word}", inside, objects)


def _unknown(name: str, word: str, objects: frozenset[str]) -> str:
    nearest = difflib.get_close_matches(word, OPERATORS, 1)
    hint = f": did you mean {nearest[0]!r}?" if nearest else f": there are {', '.join(OPERATORS)}"
    inside = f" Objects are matched in {', '.join(sorted(objects))}." if objects else ""
    return f"where.{name}: unknown operator {word[:MAX_NAME]!r}{hint}{inside}"


def _operator(name: str, word: str, wanted: Any, objects: frozenset[str]) -> Condition:
    place = f"where.{name}.{word}"
    match: Match | None = None
    inner: tuple[Condition, ...] = ()
    match word:
        case "contains" if isinstance(wanted, str):
            match = _words(place, contains=wanted)
        case "matches":
            if not isinstance(wanted, str):
                raise UsageError(f"{place}: {shown(wanted)} is no regular expression: write one in a text")
            match = _words(place, matches=wanted)
        case "one_of":
            if not isinstance(wanted, list) or not wanted:
                raise UsageError(f'{place}: {shown(wanted)} is no list of alternatives: write ["a", "b"]')
            texts = tuple(value for value in wanted if isinstance(value, str))
            match = _words(place, one_of=texts) if texts else None
        case "not":
            part_of_object = name.partition(".")[0] in objects and not _operators(wanted)
            inner = (Condition(name, IS, wanted),) if part_of_object else tuple(_read(name, wanted, frozenset()))
        case "gt" | "lt":
            if isinstance(wanted, bool) or not isinstance(wanted, int | float | str):
                raise UsageError(f"{place}: {shown(wanted)} has no order: compare with a number or a text")
        case "exists":
            if not isinstance(wanted, bool):
                raise UsageError(f"{place}: {shown(wanted)} should be true or false")
    return Condition(name, word, wanted, match, inner)


def _operators(value: Any) -> bool:
    return isinstance(value, Mapping) and any(key in OPERATORS for key in value)


def _words(place: str, **given: Any) -> Match:
    try:
        return Match(**given)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error


# -- comparing ---------------------------------------------------------------------------------------------------


def _ordered(wanted: Any, seen: Any) -> bool:
    """Say whether two values can be compared: two numbers, or two texts."""
    if isinstance(wanted, bool) or isinstance(seen, bool):
        return False
    return (isinstance(wanted, int | float) and isinstance(seen, int | float)) or (
        isinstance(wanted, str) and isinstance(seen, str)
    )


def _likeness(wanted: Any, seen: Any, part: bool) -> float:
    if isinstance(wanted, str) and isinstance(seen, str):
        return _text_likeness(wanted, seen, part)
    if _ordered(wanted, seen) and wanted != seen:
        with suppress(OverflowError):  # a whole number beyond what floats reach
            return max(0.0, 1 - float(abs(wanted - seen) / (abs(wanted) + abs(seen))))
    if isinstance(seen, list | tuple):
        return max((_likeness(wanted, item, part) for item in seen[:10]), default=0.0)
    return 0.0


def _text_likeness(wanted: str, seen: str, part: bool) -> float:
    """Compare with the whole text, or with each run of as many words as are looked for."""
    target = wanted[:COMPARED].casefold().split()
    words = re.sub(r"[.,;:!?]+(?=\s|$)", "", seen[:COMPARED]).casefold().split()
    runs: Sequence[str] = [" ".join(words)]
    if part and len(words) > len(target):
        runs = [" ".join(words[start : start + len(target)]) for start in range(len(words) - len(target) + 1)]
    judge = difflib.SequenceMatcher(b=" ".join(target), autojunk=False)
    best = 0.0
    for run in runs:
        judge.set_seq1(run)
        if judge.real_quick_ratio() > best and judge.quick_ratio() > best:
            best = max(best, judge.ratio())
    return best
