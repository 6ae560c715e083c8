"""Every exception the simulator raises.

    SimulatorError                     anything of ours
    ├── UsageError                     the embedding program or the command line used us wrongly
    │   ├── UnknownPolicy              a policy, value or contract that does not exist
    │   └── ScenarioInvalid            a scenario file with mistakes in it
    ├── Refused                        the simulator refused what a test asked of it over HTTP
    ├── IllegalTransition              a call was fed an event that its state does not allow: a bug of whoever fed it
    ├── StuckHandler                   real time ran out while waiting for a handler to finish
    └── ApiError                       a refusal with an HTTP status; `/v1` and `/_sim` render it the same way
        ├── BadRequest                 400  a rule refuses a well-formed request
        │   └── InvalidPhoneNumber     400  text that is no telephone number
        ├── Unauthorized               401
        ├── PaymentRequired            402
        ├── Forbidden                  403
        ├── NotFound                   404  an id, or somebody else's id
        │   └── RouteNotFound          404  a path nobody serves
        ├── MethodNotAllowed           405
        ├── Conflict                   409  the state does not allow it now
        ├── BodyTooLarge               413
        ├── RequestInvalid             422  shape errors, one per field
        ├── RateLimited                429
        ├── NotSimulated               501  a real operation that this simulator does not have yet
        ├── CarrierFailed              502  the carrier does not take it
        └── Unavailable                503

Messages give the value, the state and the way out: "call_7 cannot be pressed: it ended (user_hangup)".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class SimulatorError(Exception):
    """The root of every error the simulator raises on purpose."""


class UsageError(SimulatorError):
    """The caller of our Python API or command line asked for something impossible."""


class UnknownPolicy(UsageError):
    """A policy name, policy value or contract name that is not in `domain/policy.py`."""


class ScenarioInvalid(UsageError):
    """A scenario file cannot be used. `problems` has one entry per mistake, in the order of the file."""

    def __init__(self, problems: Sequence[Any]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Refused(SimulatorError):
    """The simulator answered a test's request with an error status; `body` is the answer's JSON, or its text."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        detail = body.get("detail", body) if isinstance(body, Mapping) else body
        super().__init__(f"{method} {path}: {status} {_in_words(detail)}")
        self.status = status
        self.body = body


def _in_words(detail: Any) -> str:
    """An answer's `detail` on one line: its text, or what FastAPI's list says of each place."""
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return "; ".join(
            f"{'.'.join(map(str, row.get('loc', ())))}: {row.get('msg')}" if isinstance(row, Mapping) else str(row)
            for row in detail
        )
    return str(detail)


class IllegalTransition(SimulatorError):
    """A call was fed an event that its state does not allow. Never the handler's or the remote party's fault."""


class StuckHandler(SimulatorError):
    """A handler held a request open for longer than the real-time guard allows."""


class ApiError(SimulatorError):
    """A refusal that becomes an HTTP answer.

    `code` and `type` are set for domain errors only (limits, balance, webhook URL, carrier); such answers carry an
    `error` object next to `detail`, so that clients of both documentation generations find their own.
    """

    status: ClassVar[int] = 400

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        type: str = "invalid_request_error",  # noqa: A002 - the wire's own word
        details: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.type = type
        self.details = details
        self.headers = dict(headers or {})


class BadRequest(ApiError):
    """A well-formed request that a rule refuses."""

    status = 400


class InvalidPhoneNumber(BadRequest):
    """Text that is not a telephone number in any country we can tell."""


class Unauthorized(ApiError):
    """No key, or a key this simulator does not know."""

    status = 401


class PaymentRequired(ApiError):
    """The balance or the plan does not cover the request."""

    status = 402


class Forbidden(ApiError):
    """A destination or action that is never allowed."""

    status = 403


class NotFound(ApiError):
    """No such record in this account (another account's record looks the same)."""

    status = 404


class RouteNotFound(NotFound):
    """A path that nobody serves; the detail names the method and the path."""


class MethodNotAllowed(ApiError):
    """A served path, asked with the wrong method."""

    status = 405


class Conflict(ApiError):
    """The state of a record forbids the request now."""

    status = 409


class BodyTooLarge(ApiError):
    """A request body over the limit."""

    status = 413


class RateLimited(ApiError):
    """Too many requests in the window."""

    status = 429


class NotSimulated(ApiError):
    """A documented operation that the simulator does not have; never a made-up answer."""

    status = 501


class CarrierFailed(ApiError):
    """The carrier behind the platform did not take what it was handed."""

    status = 502


class Unavailable(ApiError):
    """The platform has nothing to offer right now (no inventory at all, too many live calls)."""

    status = 503


class RequestInvalid(ApiError):
    """A request of the wrong shape: `errors` is FastAPI's list of `{loc, msg, type}`."""

    status = 422

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("; ".join(str(e.get("msg", "")) for e in errors))
        self.errors = [dict(e) for e in errors]
