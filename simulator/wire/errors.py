"""What a refusal looks like, for both generations of clients: `detail` always, `error` for errors with a code."""

from __future__ import annotations

from typing import Any

from simulator.errors import ApiError, RequestInvalid
from simulator.wire.base import Out


class ErrorInfoOut(Out):
    """The newer envelope of a domain error."""

    message: str
    code: str
    type: str
    details: list[dict[str, Any]] | None = None


class ErrorOut(Out):
    """A refusal. `error` and `code` are there for domain errors only."""

    detail: str
    code: str | None = None
    error: ErrorInfoOut | None = None


class ShapeErrorOut(Out):
    """One thing wrong with the shape of a request."""

    loc: list[str | int]
    msg: str
    type: str


class ShapeErrorsOut(Out):
    """Everything wrong with the shape of a request."""

    detail: list[ShapeErrorOut]


def error_body(error: ApiError) -> dict[str, Any]:
    """The JSON of a refusal."""
    if isinstance(error, RequestInvalid):
        return {"detail": error.errors}
    if error.code is None:
        return {"detail": error.detail}
    details = None if error.details is None else [dict(d) for d in error.details]
    info = {"message": error.detail, "code": error.code, "type": error.type, "details": details}
    return {"detail": error.detail, "code": error.code, "error": info}
