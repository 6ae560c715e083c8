"""Bodies and query strings into wire models. Everything that can be wrong with them becomes a 422 here."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from simulator.errors import RequestInvalid
from simulator.serving.errors import invalid, not_json, shape_error

_KINDS: Final = {list: "an array", str: "a string", bool: "true or false", int: "a number", float: "a number"}
_NUL_ESCAPE: Final = b"\\u0000"


def parse_query(model: type[BaseModel], query: bytes) -> BaseModel:
    """Read a query string. A repeated parameter counts with its last value, unknown ones are ignored."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        raise invalid("query", error) from None


def parse_body(model: type[BaseModel], body: bytes, *, required: bool) -> BaseModel | None:
    """Read a JSON object whatever its declared content type. An empty body or `null` counts as none."""
    value = _load(body) if body and not body.isspace() else None
    if value is None:
        if required:
            raise shape_error(("body",), "Field required", "missing")
        return None
    if not isinstance(value, dict):
        message = f"Input should be a JSON object, not {_KINDS[type(value)]}"
        raise shape_error(("body",), message, "model_attributes_type")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        if not _made_whole(value, error):
            raise invalid("body", error) from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid("body", error) from None


def _made_whole(value: Any, error: ValidationError) -> bool:
    """Write `10.0` as `10` where an integer belongs: to JSON they are one number. Says whether anything changed."""
    changed = False
    for found in error.errors(include_url=False, include_context=False):
        number = found["input"]
        if found["type"] != "int_type" or not isinstance(number, float) or not number.is_integer():
            continue
        with suppress(KeyError, IndexError, TypeError):  # inside a union the location names alternatives, too
            place = value
            for step in found["loc"]:
                if place[step] is number:
                    place[step] = int(number)
                    changed = True
                    break
                place = place[step]
    return changed


def _load(body: bytes) -> Any:
    """Parse JSON. Lone surrogates, NaN, bytes that are not UTF-8 and nesting beyond 200 levels are refused."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise not_json(body, error) from None
    if _NUL_ESCAPE in body:
        _refuse_nul(value)
    return value


def _refuse_nul(value: Any) -> None:
    """Refuse U+0000 anywhere: databases and C strings behind the real platform cannot hold it."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [(("body",), value)]
    while stack:
        loc, item = stack.pop()
        if isinstance(item, str) and "\0" in item:
            raise RequestInvalid([{"loc": list(loc), "msg": "Input should not hold U+0000", "type": "string_nul"}])
        if isinstance(item, dict):
            for key, member in item.items():
                stack += (((*loc, "[key]"), key), ((*loc, key), member))
        elif isinstance(item, list):
            stack.extend(((*loc, at), member) for at, member in enumerate(item))
