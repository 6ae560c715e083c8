"""Reads YAML into plain values and remembers where each of them stood.

The YAML is that of version 1.2's core schema, as editors read it: `yes`, `no`, `on` and `12:30` are text, only `true`
and `false` are booleans. Keys are text and stand once. Aliases work; what they unfold to is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from simulator.errors import ScenarioInvalid

MAX_BYTES: Final = 1_048_576  # a scenario is written by hand; a megabyte is a mistake
MAX_NODES: Final = 100_000  # after aliases are unfolded: nine lines of aliases can mean a billion
LONGEST_MESSAGE: Final = 1_000  # characters; a value that is a megabyte long is not repeated whole
MAX_DEPTH: Final = 50  # repeats in branches in repeats; deeper nesting would exhaust the parser's stack

Loc = tuple[str | int, ...]


def _text(written: str) -> str:
    """Join what JSON writes as two escapes ("\\ud83d\\ude00") into the one character that it is."""
    return written.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


_TAG: Final = "tag:yaml.org,2002:"
# What a plain scalar means, by its look; anything else is text. Numbers too long to be meant as numbers are text, too.
_RESOLVERS: Final[Mapping[str, tuple[str, Sequence[str], Callable[[str], Any]]]] = {
    f"{_TAG}null": (r"^(?:~|null|Null|NULL|)$", ("~", "n", "N", ""), lambda text: None),
    f"{_TAG}bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF", lambda text: text.lower() == "true"),
    f"{_TAG}int": (r"^[-+]?[0-9]{1,18}$", "-+0123456789", int),
    f"{_TAG}float": (
        r"^[-+]?(?:[0-9]{1,18}\.[0-9]*|\.[0-9]+|[0-9]{1,18}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?$",
        "-+.0123456789",
        float,
    ),
    f"{_TAG}str": (r"(?!)", "", _text),
}


_LINE_ENDS: Final = re.compile("[\r\x85\u2028\u2029\ufeff]")


class Dumper(yaml.SafeDumper):
    """Writes what `read` reads back as it was: text that looks like a number is quoted."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the parent's way; filled below, then never changed

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value out each time it occurs."""
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        """Write text; in double quotes, escaped, when it has line ends that YAML would turn into others."""
        unusual = _LINE_ENDS.search(data) is not None
        return self.represent_scalar(f"{_TAG}str", data, style='"' if unusual else None)


Dumper.add_representer(str, Dumper.text)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - the parent's way; filled below, then never changed


for _tag, (_look, _first, _) in _RESOLVERS.items():
    for _class in (Dumper, _Loader):
        _class.add_implicit_resolver(_tag, re.compile(_look), _first)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: `path` is the way to it inside the file ("calls[0].script[2].say")."""

    file: str
    at: Position
    message: str
    path: str = ""

    def __str__(self) -> str:
        where, said = f"{self.path}: " if self.path else "", self.message
        if len(said) > LONGEST_MESSAGE:
            said = f"{said[: LONGEST_MESSAGE // 2]} … {said[-LONGEST_MESSAGE // 2 :]}"
        return f"{self.file}:{self.at.line}:{self.at.column}: {where}{said}"


@dataclass(frozen=True, slots=True)
class Source:
    """A file's value and the position of everything in it. A key's own position is kept apart from its value's."""

    file: str
    value: Any
    values: Mapping[Loc, Position] = field(repr=False)
    keys: Mapping[Loc, Position] = field(repr=False)

    def position(self, loc: Loc) -> Position:
        """Where the value at `loc` stands, or the nearest thing around it that exists."""
        while loc not in self.values:
            loc = loc[:-1]
        return self.values[loc]

    def key(self, loc: Loc) -> Position:
        """Where the key at the end of `loc` stands, or its value."""
        return self.keys.get(loc) or self.position(loc)


def read(data: bytes, file: str) -> Source:
    """Read one YAML document. Raises ScenarioInvalid with the line and column of the first mistake."""
    text = _decode(data, file)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        reader = _Reader(file)
        value = {} if node is None else reader.value(node, (), 0)
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character)
        reason = f"the character U+{code:04X} cannot stand in YAML: write it as an escape, in double quotes"
        raise _invalid(file, _place(text, error.position), reason) from error
    except yaml.MarkedYAMLError as error:
        raise _invalid(file, _mark(error.problem_mark or error.context_mark), _reason(error)) from error
    except RecursionError as error:
        raise _invalid(file, Position(1, 1), f"nested too deeply: {MAX_DEPTH} levels at most") from error
    return Source(file, value, reader.values or {(): Position(1, 1)}, reader.keys)


class _Reader:
    """Turns nodes into values; an alias is unfolded each time, under its own path."""

    def __init__(self, file: str) -> None:
        self.values: dict[Loc, Position] = {}
        self.keys: dict[Loc, Position] = {}
        self._file = file
        self._left = MAX_NODES

    def value(self, node: yaml.Node, loc: Loc, depth: int) -> Any:
        """Make the value of `node`, which stands at `loc`."""
        at = _mark(node.start_mark)
        self._left -= 1
        if self._left < 0:
            raise _invalid(self._file, at, f"too much: {MAX_NODES:,} values at most, aliases unfolded")
        if depth >= MAX_DEPTH:
            raise _invalid(self._file, at, f"nested too deeply: {MAX_DEPTH} levels at most")
        self.values[loc] = at
        if node.tag not in _RESOLVERS and node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            raise _invalid(self._file, at, f"the tag {node.tag!r} means nothing here: leave it out")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*loc, index), depth + 1) for index, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _mapping(self, node: yaml.MappingNode, loc: Loc, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            at = _mark(key_node.start_mark)
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
                raise _invalid(self._file, at, "a key must be text: put it in quotes")
            if key in found:
                first = self.keys[(*loc, key)]
                raise _invalid(self._file, at, f"{key!r} stands twice: the first is on line {first.line}")
            self.keys[(*loc, key)] = at
            found[key] = self.value(value_node, (*loc, key), depth + 1)
        return found

    def _scalar(self, node: yaml.Node, at: Position) -> Any:
        try:
            return _RESOLVERS[node.tag][2](node.value)
        except (ValueError, KeyError) as error:
            raise _invalid(self._file, at, f"{node.value!r} is no {node.tag.rpartition(':')[2]}") from error


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise _invalid(file, Position(1, 1), f"the file is too large: {MAX_BYTES:,} bytes at most")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        at = Position(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise _invalid(file, at, f"the byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8") from error


def _reason(error: yaml.MarkedYAMLError) -> str:
    if error.context == "expected a single document in the stream":
        return "a second document begins here: one scenario per file"
    said = error.problem or error.context or "this is not YAML"
    context = f" ({error.context})" if error.context and error.problem else ""
    hint = ": indent with spaces" if "'\\t'" in said else ""
    hint = ": put text that holds ? : , [ ] { } in quotes" if said.startswith("expected") else hint
    return f"{said}{context}{hint}"


def _mark(mark: Any) -> Position:
    return Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)


def _place(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _invalid(file: str, at: Position, message: str) -> ScenarioInvalid:
    return ScenarioInvalid([Problem(file, at, message)])
