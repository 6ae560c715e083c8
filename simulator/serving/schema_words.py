"""JSON schema in a few words, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = Mapping[str, Any]

MOST_WORDS: Final = 12  # of an enumeration; more would fill the page
_BOUNDS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "minItems": "{} items or more",
    "maxItems": "{} items at most",
    "pattern": "like {}",
}


def words(schema: Json) -> str:
    """What kind of value it is: `string or null`, `list of AgentOut`, `"sms" or "mms"`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        listed = " or ".join(map(_literal, schema["enum"][:MOST_WORDS]))
        rest = len(schema["enum"]) - MOST_WORDS
        return f"{listed} or {rest} more" if rest > 0 else listed
    choices = _choices(schema)
    if choices and "type" not in schema:
        return " or ".join(dict.fromkeys(words(choice) for choice in choices))
    kind = schema.get("type")
    if kind == "array":
        return f"list of {words(schema.get('items', {}))}"
    if kind == "string" and "format" in schema:
        return str(schema["format"])
    return str(kind or "anything")


def bounds(schema: Json) -> str:
    """What limits the value, and what it is when it is left out."""
    parts: list[str] = []
    for branch in (schema, *_choices(schema)):
        if branch.get("minLength") == 1:
            parts.append("not empty")
        parts += [
            text.format(branch[name])
            for name, text in _BOUNDS.items()
            if name in branch and (name, branch[name]) != ("minLength", 1)
        ]
    if schema.get("default") is not None:
        parts.append(f"default {_literal(schema['default'])}")
    return ", ".join(dict.fromkeys(parts))


def members(schema: Json, definitions: Json) -> Iterator[Json]:
    """Every object with fields that the schema may be: itself, its alternatives, or what its list holds."""
    if "$ref" in schema:
        schema = definitions[str(schema["$ref"]).rpartition("/")[2]]
    if "properties" in schema:
        yield schema
        return
    for choice in _choices(schema):
        yield from members(choice, definitions)
    if "items" in schema:
        yield from members(schema["items"], definitions)


def _choices(schema: Json) -> tuple[Json, ...]:
    return tuple(schema.get("anyOf", schema.get("oneOf", ())))


def _literal(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
