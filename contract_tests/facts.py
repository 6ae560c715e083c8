"""Reads `fixtures/facts`: what the platform's documentation and clients say, as data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).resolve().parent.parent / "fixtures" / "facts"
_KIND: Final = re.compile(r"(\[?)(\w+)\]?(\??)")
_JSON_KINDS: Final = frozenset({"string", "integer", "number", "boolean", "object", "any"})


@dataclass(frozen=True, repr=False)
class Field:
    """One field or parameter. `kind` is a JSON type or the name of a shape; `many` says it is a list of these."""

    name: str
    kind: str
    many: bool
    nullable: bool
    spec: Mapping[str, Any]

    def __repr__(self) -> str:
        return self.name

    @property
    def required(self) -> bool:
        return bool(self.spec.get("required"))

    @property
    def shape(self) -> Shape | None:
        return None if self.kind in _JSON_KINDS else SHAPES[self.kind]

    @property
    def json_type(self) -> str:
        """The JSON type of the whole field."""
        if self.many:
            return "array"
        return self.kind if self.kind in _JSON_KINDS else "object"

    def accepts(self, value: object) -> bool:
        """Whether `value` has this field's JSON type; what is inside lists and shapes is not looked at."""
        if value is None:
            return self.nullable
        match self.json_type:
            case "array":
                return isinstance(value, list)
            case "object":
                return isinstance(value, dict)
            case "string":
                return isinstance(value, str)
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case _:
                return True


@dataclass(frozen=True, repr=False)
class Shape:
    """One JSON object of the platform. `sdk_needs` names what the official Python SDK can't do without."""

    name: str
    fields: Mapping[str, Field]
    sdk_needs: tuple[str, ...]

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, repr=False)
class Fact:
    """One operation."""

    id: str
    method: str
    path: str
    tier: str
    tag: str
    parameters: tuple[Field, ...]
    request: Shape | None
    request_required: bool
    answer: Shape | None
    answer_nullable: bool
    answer_many: bool  # a bare list of the shape
    media: tuple[str, ...]  # what the answer is instead of JSON; empty: JSON, or nothing with 204
    status: int

    def __repr__(self) -> str:
        return self.id

    def query(self) -> tuple[Field, ...]:
        return tuple(p for p in self.parameters if p.spec["in"] == "query")

    def url(self, **ids: str) -> str:
        """The path with `ids` filled in; what is not given becomes an id that nobody has."""
        return re.sub(r"\{(\w+)\}", lambda m: ids.get(m[1], "nothing_has_this_id"), self.path)


def _field(name: str, spec: Mapping[str, Any]) -> Field:
    kind = _KIND.fullmatch(spec["type"])
    assert kind is not None, f"{name} has the unreadable type {spec['type']!r}"
    return Field(name, kind[2], bool(kind[1]), bool(kind[3]), spec)


def _load(file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_FOLDER / file).read_text(encoding="utf-8"))
    return loaded


SHAPES: Final[Mapping[str, Shape]] = {
    name: Shape(name, {n: _field(n, f) for n, f in row["fields"].items()}, tuple(row.get("python_sdk_needs", ())))
    for name, row in _load("shapes.json")["shapes"].items()
}


def _fact(row: Mapping[str, Any]) -> Fact:
    request, answer = row["request"], row["answer"]
    return Fact(
        id=row["id"],
        method=row["method"],
        path=row["path"],
        tier=row["tier"],
        tag=row["tag"],
        parameters=tuple(_field(p["name"], p) for p in row["parameters"]),
        request=SHAPES[request["shape"]] if request else None,
        request_required=bool(request and request["required"]),
        answer=SHAPES[answer["shape"].strip("[]")] if "shape" in answer else None,
        answer_nullable=answer.get("nullable", False),
        answer_many=answer.get("shape", "").startswith("["),
        media=tuple(answer.get("media", ())),
        status=answer["status"],
    )


FACTS: Final[Mapping[str, Fact]] = {row["id"]: _fact(row) for row in _load("operations.json")["operations"]}

# All of them are served, and held to the facts.
PROMISED: Final = tuple(FACTS.values())


def missing_or_wrong(shape: Shape, body: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Every way in which `body` falls short of `shape`, in words; lists and nested shapes are followed."""
    for field in shape.fields.values():
        place = f"{where}.{field.name}" if where else field.name
        if field.name not in body:
            yield f"{place} is missing"
            continue
        value = body[field.name]
        if not field.accepts(value):
            yield f"{place} is {value!r}, not {field.spec['type']}"
        elif field.shape is not None and value is not None:
            for number, item in enumerate(value if field.many else [value]):
                yield from missing_or_wrong(field.shape, item, f"{place}[{number}]" if field.many else place)
        elif "enum" in field.spec and value is not None and value not in field.spec["enum"]:
            yield f"{place} is {value!r}, not one of {field.spec['enum']}"
