"""Exceptions into answers, and pydantic's findings into FastAPI's list. Routes never build error JSON themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import to_json

from simulator.domain.masking import masked
from simulator.errors import ApiError, RequestInvalid
from simulator.wire.errors import error_body

_POSITION: Final = re.compile(r" at line (\d+) column (\d+)$")
_CHECKED: Final = re.compile(r"function-[a-z]+\[[^]]*, ([^],]+)\]")
INTERNAL: Final = "the simulator failed on this request: this is a bug of ours, its traceback is in the log"


def shape_error(loc: Iterable[str | int], msg: str, kind: str) -> RequestInvalid:
    """One shape error as a refusal."""
    return RequestInvalid([{"loc": list(loc), "msg": msg, "type": kind}])


def invalid(where: str, error: ValidationError) -> RequestInvalid:
    """Turn what pydantic found in the `body` or the `query` into FastAPI's list.

    The offending input is left out: it may be large, and it may be a secret.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestInvalid([{"loc": [where, *map(_plain, e["loc"])], "msg": e["msg"], "type": e["type"]} for e in found])


def _plain(part: str | int) -> str | int:
    """An alternative of a union by the name of its model, without the functions that check it."""
    inner = _CHECKED.fullmatch(part) if isinstance(part, str) else None
    return part if inner is None else inner[1]


def not_json(body: bytes, error: ValueError) -> RequestInvalid:
    """A body that does not parse; the location ends with the offset in bytes, as FastAPI's does."""
    message = str(error)
    at = _POSITION.search(message)
    offset = 0
    if at:
        line, column = int(at[1]), int(at[2])
        offset = sum(len(s) + 1 for s in body.split(b"\n")[: line - 1]) + max(column - 1, 0)
    return shape_error(("body", offset), f"JSON decode error: {message}", "json_invalid")


def render(error: ApiError) -> tuple[int, Mapping[str, str], bytes]:
    """The status, the extra headers and the body of a refusal, which repeats no credential that was sent by mistake."""
    return error.status, error.headers, masked(dump(error_body(error)).decode()).encode()


def dump(value: Any) -> bytes:
    """Compact JSON that is always valid: lone surrogates (from hostile paths) become replacement characters."""
    try:
        return to_json(value)
    except ValueError:
        return to_json(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value
