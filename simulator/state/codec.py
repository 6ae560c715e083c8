"""Records to JSON values and back, by their declared types. What does not fit is refused with the place it is at.

Small on purpose: it knows the types that records are made of, and no others. A new kind of type in a record fails in
the first test that writes it, not in the first file that a user cannot read back.

    dataclass, NamedTuple   an object of its fields; what has its default may be left out when it is read
    several dataclasses     the same with "type", the name of the class
    instant, date           ISO 8601, instants in UTC
    length of time          seconds
    bytes                   base64
    tuple, set              an array
    Any                     JSON as it is
"""

from __future__ import annotations

import base64
import binascii
import enum
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from simulator.engine.script import Step
from simulator.engine.thread_script import ThreadStep
from simulator.errors import UsageError

TAG: Final = "type"  # the class of an object where there are several
LONGEST_SHOWN: Final = 60
# Names that records' modules import for type checkers only.
NAMES: Final[Mapping[str, Any]] = {"Step": Step, "ThreadStep": ThreadStep}

Encode = Callable[[Any], Any]
Decode = Callable[[Any], Any]


class Unreadable(UsageError):
    """A value that is not what its place asks for."""

    def __init__(self, why: str, place: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'.'.join(place)}: {why}" if place else why)
        self.why = why
        self.place = place

    def inside(self, name: str) -> Unreadable:
        """The same, seen from outside of `name`."""
        return Unreadable(self.why, (name, *self.place))


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are written and read."""

    encode: Encode
    decode: Decode


def encode(kind: Any, value: Any) -> Any:
    """Write a value of the type `kind` as JSON."""
    return codec(kind).encode(value)


def decode(kind: Any, value: Any) -> Any:
    """Read a value of the type `kind`. Raises Unreadable."""
    return codec(kind).decode(value)


@cache
def codec(kind: Any) -> Codec:
    """Give the codec of a type. Raises TypeError for one that records are not made of."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind))
    if origin is Literal:
        return _literal(get_args(kind))
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is frozenset:
        return _many(get_args(kind)[0], frozenset, sort=True)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return Codec(lambda value: value.value, lambda value: _enum(kind, value))
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _record(kind)
    raise TypeError(f"records are not made of {kind!r}: teach state.codec how it is written and read")


def wrong(wanted: str, value: Any) -> Unreadable:
    """Say that something else was wanted."""
    shown = repr(value)
    return Unreadable(f"should be {wanted}, not {shown[:LONGEST_SHOWN]}{'…' if len(shown) > LONGEST_SHOWN else ''}")


# -- scalars -----------------------------------------------------------------------------------------------------


def _exactly(kind: type, wanted: str) -> Decode:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise wrong(wanted, value)
        return value

    return read


def _float(value: Any) -> float:
    if type(value) not in (int, float) or value != value or value in (float("inf"), float("-inf")):
        raise wrong("a number", value)
    try:
        return float(value)
    except OverflowError:
        raise wrong("a smaller number", value) from None


def _instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong("an instant such as 2026-01-05T15:00:00+00:00", value) from None
    if at.tzinfo is None:
        raise wrong("an instant with a time zone", value)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise wrong("an instant that a calendar has", value) from None


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong("a date such as 2026-01-05", value) from None


def _length(value: Any) -> timedelta:
    try:
        return timedelta(seconds=_float(value))
    except OverflowError:
        raise wrong("a shorter time", value) from None


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise wrong("base64", value) from None


def _enum(kind: type[enum.Enum], value: Any) -> enum.Enum:
    try:
        return kind(value)
    except ValueError:
        raise wrong(f"one of {', '.join(str(item.value) for item in kind)}", value) from None


def _json(value: Any) -> Any:
    """Any JSON value; tuples become arrays."""
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"a record holds JSON values, not {type(value).__name__}: {value!r}")


def _same(value: Any) -> Any:
    return value


_SCALARS: Final[Mapping[Any, Codec]] = {
    str: Codec(_same, _exactly(str, "a text")),
    int: Codec(_same, _exactly(int, "a whole number")),
    bool: Codec(_same, _exactly(bool, "true or false")),
    float: Codec(_same, _float),
    type(None): Codec(_same, _exactly(type(None), "null")),
    datetime: Codec(lambda value: value.astimezone(UTC).isoformat(), _instant),
    date: Codec(lambda value: value.isoformat(), _date),
    timedelta: Codec(lambda value: value.total_seconds(), _length),
    bytes: Codec(lambda value: base64.b64encode(value).decode(), _bytes),
    Any: Codec(_json, _json),
}


# -- what is made of others --------------------------------------------------------------------------------------


def _array(value: Any) -> list[Any]:
    if type(value) is not list:
        raise wrong("an array", value)
    return value


def _many(kind: Any, make: Callable[[Any], Any], *, sort: bool = False) -> Codec:
    item = codec(kind)

    def write(value: Any) -> list[Any]:
        return [item.encode(each) for each in (sorted(value) if sort else value)]

    def read(value: Any) -> Any:
        found = []
        for place, each in enumerate(_array(value)):
            try:
                found.append(item.decode(each))
            except Unreadable as error:
                raise error.inside(f"[{place}]") from None
        return make(found)

    return Codec(write, read)


def _tuple(kinds: tuple[Any, ...]) -> Codec:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return _many(kinds[0], tuple)
    items = tuple(map(codec, kinds))

    def write(value: Any) -> list[Any]:
        return [item.encode(each) for item, each in zip(items, value, strict=True)]

    def read(value: Any) -> tuple[Any, ...]:
        if len(_array(value)) != len(items):
            raise wrong(f"an array of {len(items)}", value)
        return tuple(item.decode(each) for item, each in zip(items, value, strict=True))

    return Codec(write, read)


def _mapping(key: Any, kind: Any) -> Codec:
    if key is not str:
        raise TypeError(f"a mapping in a record has texts as keys, not {key!r}")
    item = codec(kind)

    def write(value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: item.encode(each) for name, each in value.items()}

    def read(value: Any) -> dict[str, Any]:
        found = {}
        for name, each in _object(value).items():
            try:
                found[name] = item.decode(each)
            except Unreadable as error:
                raise error.inside(name) from None
        return found

    return Codec(write, read)


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise wrong("an object", value)
    return value


def _literal(values: tuple[Any, ...]) -> Codec:
    def read(value: Any) -> Any:
        if not any(value == known and type(value) is type(known) for known in values):
            raise wrong(f"one of {', '.join(map(repr, values))}", value)
        return value

    return Codec(_same, read)


def _union(kinds: tuple[Any, ...]) -> Codec:
    if Any in kinds:
        return _SCALARS[Any]
    records = [kind for kind in kinds if is_dataclass(kind)]
    others = [kind for kind in kinds if not is_dataclass(kind)]
    if len(records) > 1 and not others:
        return _tagged({kind.__name__: kind for kind in kinds})
    # What is left tells itself apart by its JSON: null, true, a text, a number, one kind of object or array.
    choices = [codec(kind) for kind in kinds if kind is not type(None)]
    nullable = type(None) in kinds
    if len(choices) == 1:
        (only,) = choices

        def write_one(value: Any) -> Any:
            return None if value is None else only.encode(value)

        def read_one(value: Any) -> Any:
            return None if value is None else only.decode(value)

        return Codec(write_one, read_one)
    if not all(kind in (str, int, bool, type(None)) or get_origin(kind) is Literal for kind in kinds):
        raise TypeError(f"values of {kinds!r} cannot be told apart")

    def read(value: Any) -> Any:
        if value is None and nullable:
            return None
        for choice in choices:
            try:
                return choice.decode(value)
            except Unreadable as error:
                last = error
        raise last

    return Codec(_same, read)


def _tagged(kinds: Mapping[str, Any]) -> Codec:
    # Kinds may hold each other, so each is looked up when it is first needed.
    def write(value: Any) -> dict[str, Any]:
        kind: Any = type(value)
        return {TAG: kind.__name__, **codec(kind).encode(value)}

    def read(value: Any) -> Any:
        rest = dict(_object(value))
        name = rest.pop(TAG, None)
        kind = kinds.get(name) if isinstance(name, str) else None
        if kind is None:
            raise wrong(f"an object whose {TAG!r} is one of {', '.join(kinds)}", value)
        return codec(kind).decode(rest)

    return Codec(write, read)


def _record(kind: Any) -> Codec:
    hints = get_type_hints(kind, localns=dict(NAMES))
    names: list[str]
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
        optional = {f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING}
    else:
        names = list(kind._fields)
        optional = set(kind._field_defaults)
    parts: dict[str, Codec] = {}

    def of(name: str) -> Codec:
        found = parts.get(name)
        if found is None:
            found = parts[name] = codec(hints[name])
        return found

    def write(value: Any) -> dict[str, Any]:
        return {name: of(name).encode(getattr(value, name)) for name in names}

    def read(value: Any) -> Any:
        given = {}
        for name, item in _object(value).items():
            if name not in hints or name not in names:
                raise Unreadable(f"{name!r} is not a field of {kind.__name__}")
            try:
                given[name] = of(name).decode(item)
            except Unreadable as error:
                raise error.inside(name) from None
        missing = [name for name in names if name not in given and name not in optional]
        if missing:
            raise Unreadable(f"{', '.join(missing)} is missing in {kind.__name__}")
        try:
            return kind(**given)
        except (UsageError, ValueError, TypeError) as error:
            raise Unreadable(str(error)) from None

    return Codec(write, read)
