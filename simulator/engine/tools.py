"""Custom tools: whether arguments are as the tool's parameters say, and what request a use of it is.

Parameters are a JSON schema, of which the usual part is understood: type, enum, const, properties, required,
additionalProperties, items, and the bounds of numbers, texts and arrays. Other words are not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from simulator.domain.agents import CustomTool
from simulator.engine.variables import fill

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}
_PLACE: Final = re.compile(r"\{([A-Za-z0-9_-]+)\}")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
MAX_DEPTH: Final = 32  # of parameters; deeper ones are not looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """The HTTP request that a use of a tool is."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def misfits(value: Any, schema: Any, place: str = "arguments", depth: int = 0) -> Iterator[str]:
    """Yield what is wrong with a JSON value, in words; nothing when it is as the schema says."""
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    known = [name for name in names if isinstance(name, str) and name in _TYPES]
    if known and not any(_is(value, name) for name in known):
        yield f"{place} must be {' or '.join(known)}, not {_name_of(value)}"
        return
    options = schema.get("enum")
    if isinstance(options, list) and value not in options:
        yield f"{place} must be one of {json.dumps(options, ensure_ascii=False)[:200]}"
    if "const" in schema and value != schema["const"]:
        yield f"{place} must be {json.dumps(schema['const'], ensure_ascii=False)[:200]}"
    yield from _out_of_bounds(value, schema, place)
    if isinstance(value, dict):
        yield from _object_misfits(value, schema, place, depth)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from misfits(item, schema.get("items"), f"{place}[{index}]", depth + 1)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _name_of(value: Any) -> str:
    return next((name for name in _TYPES if _is(value, name)), type(value).__name__)


def _object_misfits(value: dict[str, Any], schema: Mapping[str, Any], place: str, depth: int) -> Iterator[str]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else []:
        if isinstance(name, str) and name not in value:
            yield f"{place}.{name} is missing"
    for name, item in value.items():
        if name in properties:
            yield from misfits(item, properties[name], f"{place}.{name}", depth + 1)
        elif schema.get("additionalProperties") is False:
            yield f"{place}.{name} is not a parameter"
        else:
            yield from misfits(item, schema.get("additionalProperties"), f"{place}.{name}", depth + 1)


def _out_of_bounds(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, str):
        size, least, most = len(value), "minLength", "maxLength"
    elif isinstance(value, list | tuple):
        size, least, most = len(value), "minItems", "maxItems"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        size, least, most = value, "minimum", "maximum"  # type: ignore[assignment]
    else:
        return
    low, high = schema.get(least), schema.get(most)
    if isinstance(low, int | float) and size < low:
        yield f"{place} is below its {least} {low}"
    if isinstance(high, int | float) and size > high:
        yield f"{place} is above its {most} {high}"


def request_for(
    tool: CustomTool,
    arguments: Mapping[str, Any],
    values: Mapping[str, str],
    unknown: Callable[[str], object] | None = None,
) -> ToolRequest:
    """Make the request: a GET carries the arguments in its query, a POST as a JSON object.

    `{name}` in the path of the URL is the argument of that name, which is then not sent a second time. `{{name}}` in
    the URL and in header values is a variable. Raises ValueError for a header that cannot be sent.
    """
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    url = fill(tool.url, quoted, unknown=unknown)
    address, mark, query = url.partition("?")
    placed: set[str] = set()

    def argument(match: re.Match[str]) -> str:
        if match[1] not in arguments:
            return match[0]
        placed.add(match[1])
        return quote(_text(arguments[match[1]]), safe="")

    address = _PLACE.sub(argument, address)
    left = {name: value for name, value in arguments.items() if name not in placed}
    headers = {name: fill(value, values, unknown=unknown) for name, value in (tool.headers or {}).items()}
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or any(c != "\t" and not c.isprintable() for c in value):
            raise ValueError(f"header {name!r} cannot be sent: it has characters that no header may have")
    if tool.method == "GET":
        pairs = [(name, _text(item)) for name, value in left.items() for item in _items(value)]
        joined = "&".join(part for part in (query, urlencode(pairs)) if part)
        return ToolRequest(method="GET", url=f"{address}?{joined}" if joined else address, headers=headers, body=b"")
    body = json.dumps(left, ensure_ascii=False).encode("utf-8", "replace")
    if not any(name.lower() == "content-type" for name in headers):
        headers = {"Content-Type": "application/json", **headers}
    return ToolRequest(method=tool.method, url=f"{address}{mark}{query}", headers=headers, body=body)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()
