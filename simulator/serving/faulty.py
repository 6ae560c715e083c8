"""API requests that a fault has struck: refused, late, cut off, or answered by a broken connection.

A fault happens before the operation has taken effect, or afterwards (`effect: done`), when the client loses nothing but
the answer. What the operation did is in the journal either way; what became of its answer is in `fault.fired`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulator.domain.faults import API, DONE
from simulator.errors import ApiError, RequestInvalid
from simulator.serving.breaking import Half, Severed
from simulator.serving.dispatch import Response, refusal
from simulator.serving.gate import CHALLENGE
from simulator.world.faults import Path, Struck, segments_of, strike

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner
    from simulator.serving.routing import Route

# What the platform's own errors say and carry, by status: a code, its type, and words.
_LOOKS: Final[Mapping[int, tuple[str | None, str, str]]] = {
    400: ("VALIDATION_ERROR", "validation_error", "The request is not valid"),
    401: (None, "authentication_error", "Invalid API key"),
    402: ("INSUFFICIENT_BALANCE", "billing_error", "Insufficient balance: add funds"),
    403: ("FORBIDDEN", "permission_error", "Not allowed"),
    404: (None, "not_found_error", "Not found"),
    409: ("CONFLICT", "conflict_error", "The state does not allow it now"),
    429: ("RATE_LIMIT_EXCEEDED", "rate_limit_error", "Rate limit exceeded. Limit: 1 requests per 60s"),
    500: ("INTERNAL_ERROR", "api_error", "Internal server error"),
    502: ("CARRIER_ERROR", "carrier_error", "The carrier reported an error: try again later"),
    503: ("SERVICE_UNAVAILABLE", "api_error", "Service unavailable: try again later"),
    504: ("GATEWAY_TIMEOUT", "api_error", "The request took too long: try again later"),
}
_RATE: Final = {"Retry-After": "1", "X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0"}


class Disturbance:
    """What a fault does to one request."""

    def __init__(self, struck: Struck, runner: Runner) -> None:
        self._struck = struck
        self._runner = runner
        self._done = struck.fault == "truncate" or struck["effect"] == DONE

    async def before(self) -> Response | None:
        """What happens before the operation: nothing, time, or an answer that stands in for it. Raises ApiError."""
        return None if self._done else await self._happen(None)

    async def after(self, response: Response) -> Response:
        """What happens to the operation's answer."""
        if not self._done:
            return response
        try:
            return await self._happen(response) or response
        except ApiError as error:
            return refusal(error)

    async def _happen(self, response: Response | None) -> Response | None:
        struck = self._struck
        if struck.span:
            await self._runner.pacer.sleep(struck.span)
        match struck.fault:
            case "status":
                raise staged(struck)
            case "reset":
                return Severed(None)
            case "truncate" if response is not None:
                return Severed(Half(response))
        return response


def disturb(runner: Runner, route: Route, method: str, path: str) -> Disturbance | None:
    """The fault that a request meets, or None. Only what a client asks is looked at, never `/_sim`."""
    subject = {"route": Path(method, segments_of(path), route.segments), "operation": route.operation.id}
    hit = {"method": method, "path": path, "operation_id": route.operation.id}
    struck = strike(runner.world, API, subject, runner.now(), **hit)
    return None if struck is None else Disturbance(struck, runner)


def staged(struck: Struck) -> ApiError:
    """An error that looks as the platform's own with that status does, unless the rule says what it looks like."""
    status = int(struck["status"])
    code, kind, words = _LOOKS.get(status) or _LOOKS[500 if status >= 500 else 400]
    message = struck["message"] or words
    headers = dict(CHALLENGE) if status == 401 else dict(_RATE) if status == 429 else {}
    if struck["retry_after"] is not None:
        headers["Retry-After"] = str(struck["retry_after"])
    if status == RequestInvalid.status and struck["code"] is None:
        return RequestInvalid([{"loc": ["body"], "msg": message, "type": "value_error"}])
    error: type[ApiError] = type("Staged", (ApiError,), {"status": status})
    return error(message, code=struck["code"] or code, type=kind, headers=headers)
