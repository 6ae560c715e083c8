"""The ASGI application behind every operation: match, admit, parse, handle, render, journal.

It speaks ASGI directly. A framework's request object, middleware and routing would cost several times what an
operation does, and `GET /v1/agents/{id}` with the full table has to stay close to a bare one-route application.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from http import HTTPStatus
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from pydantic import BaseModel

from simulator.domain.masking import masked
from simulator.errors import (
    ApiError,
    BadRequest,
    MethodNotAllowed,
    RouteNotFound,
    Unauthorized,
    Unavailable,
    UsageError,
)
from simulator.serving import bodies
from simulator.serving.errors import INTERNAL, dump, render
from simulator.serving.gate import Gate, bearer, unknown_key
from simulator.serving.limited import Limited
from simulator.serving.operation import Context, Operation
from simulator.serving.parsing import parse_body, parse_query
from simulator.serving.routing import Match
from simulator.serving.table import Table
from simulator.settings import DEFAULT_HOST, DEFAULT_PORT
from simulator.world import limits

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner
    from simulator.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]

OPENAPI_PATH: Final = "/openapi.json"
DOCS_PATH: Final = "/docs"
CONTROL_PREFIX: Final = "/_sim/"  # what a test does to the simulator is no request of the account's
SPARED: Final = "simulator.spared"  # in a scope: a request of the simulator's own, which no fault meets
LONGEST_PATH_SHOWN: Final = 300
JSON: Final = (b"content-type", b"application/json")
_log = logging.getLogger("simulator.serving")


class Response(Protocol):
    """What handlers may return besides models: a `Reply`, or any starlette Response."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone away, or when it has been answered."""
    while (await receive())["type"] != "http.disconnect":
        pass  # what is left of a body that nobody asked for


class Reply:
    """An answer that is ready to send."""

    __slots__ = ("body", "headers", "status_code")

    def __init__(self, status_code: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.status_code = status_code
        self.body = body
        self.headers = [JSON, (b"content-length", b"%d" % len(body)), *headers]

    @classmethod
    def of(cls, model: BaseModel, status_code: int = 200) -> Reply:
        """The JSON of a wire model."""
        return cls(status_code, model.model_dump_json(by_alias=True).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; without the body when the client asked for the head alone."""
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.headers})
        await send({"type": "http.response.body", "body": body})


class _NoContent:
    """204: done, and nothing to say. Such an answer has neither a body nor a type."""

    status_code = HTTPStatus.NO_CONTENT.value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head alone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": []})
        await send({"type": "http.response.body", "body": b""})


NO_CONTENT: Final = _NoContent()


class Dispatcher:
    """Serves the operations of a table.

    `runner_for` finds the account of an API key, or None. Mount it as the default application: it answers `http`
    scopes, and leaves every other kind alone.
    """

    def __init__(self, table: Table, *, runner_for: Callable[[str], Runner | None], settings: Settings) -> None:
        self.table = table
        self._runner_for = runner_for
        self._settings = settings
        own = (settings.public_url,) if settings.public_url else ()
        self._gate = Gate((*settings.allow_origins, *own))
        self._open = 0  # requests that have no answer yet, or not all of it
        self._openapi: Reply | None = None
        self._docs: Response | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Nothing a client sends may end in an exception here."""
        if scope["type"] != "http":
            return
        self._open += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._open -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check_room()
            response = await self._respond(scope, receive)
        except ApiError as error:
            response = refusal(error)
        except bodies.ClientGone:
            return
        except Exception:
            _log.exception("%s %s failed", scope["method"], masked(_raw_path(scope)))
            response = Reply(500, dump({"detail": INTERNAL}))
        await response(scope, receive, send)

    def _check_room(self) -> None:
        if self._open > (limit := self._settings.max_open_requests):
            raise Unavailable(
                f"{limit} requests are open already, long polls and streams among them (Settings.max_open_requests): "
                "let some of them end, then ask again"
            )

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        """Everything up to the answer. What is refused before the account is known is in nobody's journal."""
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):
            _refuse_twins(scope["headers"])
        self._check_names(headers)
        method, path = scope["method"], _raw_path(scope)
        match = self.table.match(method, path)
        if match is None or match.route is None:
            if path == OPENAPI_PATH and method == "GET":
                return self._describe()
            if path == DOCS_PATH and method == "GET":
                return self._explain()
            raise _lost(method, path, match)
        operation = match.route.operation
        runner = self._admit(operation, headers.get(b"authorization"))
        raw, disturbed = b"", None
        try:
            sub_account = headers.get(b"x-sub-account-id")
            if sub_account and not operation.public:
                runner = _scoped(operation, runner, sub_account)
            allowance = None
            if runner.world.limits.rate_limits is not None and not path.startswith(CONTROL_PREFIX):
                allowance = limits.take(runner.world, operation.id, runner.now())
            if operation.body is not None:
                limit = operation.raw_limit or self._settings.max_body
                raw = await bodies.read(receive, headers.get(b"content-length"), limit)
                _check_open(runner)
            if runner.restless(test=path.startswith(CONTROL_PREFIX)):
                await runner.admit()
                _check_open(runner)
            if runner.world.faults and not path.startswith(CONTROL_PREFIX) and SPARED not in scope:
                from simulator.serving.faulty import disturb

                disturbed = disturb(runner, match.route, method, path)
                if disturbed is not None and (instead := await disturbed.before()) is not None:
                    return instead  # it never got as far as the platform
            response, at = await self._run(operation, runner, match.path, scope, headers, raw, receive)
            if allowance is not None:
                response = Limited(response, allowance)
        except ApiError as error:
            response, at = refusal(error), runner.now()
        except bodies.ClientGone:
            raise
        except Exception:
            _log.exception("%s %s failed", method, masked(path))
            response, at = Reply(500, dump({"detail": INTERNAL})), runner.now()
        if not operation.public and not path.startswith(CONTROL_PREFIX):
            # Written before the answer leaves, so that whoever has the answer finds the entry.
            runner.world.journal.append(
                "api.request",
                at,
                method=method,
                path=masked(path),
                operation_id=operation.id,
                status=response.status_code,
                **bodies.shown(raw),
            )
        return response if disturbed is None else await disturbed.after(response)

    def _check_names(self, headers: Headers) -> None:
        """Refuse what was not meant for us (see `gate`). HTTP/1.0 has no `Host`, and most clients send no `Origin`."""
        host, origin = headers.get(b"host"), headers.get(b"origin")
        if host is not None:
            self._gate.check("Host", host)
        if origin is not None:
            self._gate.check("Origin", origin)

    def _admit(self, operation: Operation, authorization: bytes | None) -> Runner:
        """The account that asks. Public operations need no key; without a known one they see the first account."""
        if not operation.public:
            key = bearer(authorization)
            runner = self._runner_for(key)
            if runner is None:
                raise unknown_key(key)
            return runner
        runner = None
        with suppress(Unauthorized):
            runner = self._runner_for(bearer(authorization))
        runner = runner or self._runner_for(self._settings.api_keys[0])
        if runner is None:
            raise UsageError(f"runner_for does not know the first key of settings.api_keys; {operation.id} needs it")
        return runner

    async def _run(
        self,
        operation: Operation,
        runner: Runner,
        path: Mapping[str, str],
        scope: Scope,
        headers: Headers,
        raw: bytes,
        receive: Receive,
    ) -> tuple[Response, datetime]:
        """The answer to the body `raw`, and the simulated instant it was ready at."""
        query: Any = None
        body: Any = None
        if operation.query is not None:
            query = parse_query(operation.query, scope["query_string"])
        if operation.raw_limit is not None:
            body = raw
        elif operation.body is not None:
            body = parse_body(operation.body, raw, required=operation.body_required)
        # The instant is taken once the body is here: uploading may have taken a while.
        now = runner.now()
        base_url = self._base_url(scope, headers.get(b"host"))
        context = Context(
            runner=runner,
            now=now,
            path=path,
            base_url=base_url,
            gone=partial(disconnected, receive),
            operations=self.table.operations,
        )
        result = operation.handler(context, query, body)
        if not isinstance(result, Reply | BaseModel) and isawaitable(result):
            result = await result
            now = runner.now()
        elif operation.method != "GET":
            now = runner.now()  # what was started may have been journalled a little later than it was asked for
        if isinstance(result, BaseModel):
            return Reply.of(result, _success(operation, runner)), now
        if operation.status == HTTPStatus.NO_CONTENT:
            return NO_CONTENT, now
        if result is None:
            return Reply(_success(operation, runner), b"null"), now
        if operation.many:
            return Reply(operation.status, dump([row.model_dump(mode="json", by_alias=True) for row in result])), now
        response: Response = result
        return response, now

    def _describe(self) -> Reply:
        """The OpenAPI document, built when first asked for: start-up should not pay for it."""
        if self._openapi is None:
            from simulator.serving.openapi import document

            self._openapi = Reply(200, dump(document(self.table.operations())))
        return self._openapi

    def _explain(self) -> Response:
        """The page for people, built when first asked for."""
        if self._docs is None:
            from simulator.serving.docs import Page
            from simulator.serving.openapi import document

            self._docs = Page(document(self.table.operations()))
        return self._docs

    def _base_url(self, scope: Scope, host: bytes | None) -> str:
        if host:
            return f"{scope.get('scheme', 'http')}://{host.decode('latin-1')}"
        return self._settings.public_url or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


def _refuse_twins(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse a second `Host`, `Origin` or key: what we check must be what anybody else on the way has looked at."""
    names = [name for name, _ in headers]
    for single in (b"host", b"origin", b"authorization"):
        if (count := names.count(single)) > 1:
            raise BadRequest(f"the request has {count} {single.decode().title()} headers: send one")


def _raw_path(scope: Scope) -> str:
    raw = scope.get("raw_path")
    return raw.decode("latin-1") if raw else quote(scope["path"])


def _lost(method: str, path: str, match: Match | None) -> ApiError:
    shown = path if len(path) <= LONGEST_PATH_SHOWN else f"{path[:LONGEST_PATH_SHOWN]}…"
    if match is None:
        hint = " (routes have no trailing slash)" if path.endswith("/") else ""
        return RouteNotFound(f"No route: {method} {shown}{hint}")
    allowed = ", ".join(match.allowed)
    return MethodNotAllowed(f"{method} is not served on {shown}: use {allowed}", headers={"Allow": allowed})


def _scoped(operation: Operation, runner: Runner, header: bytes) -> Runner:
    """The sub-account that a request is for, or the account itself when the header is blank."""
    sub_account_id = header.decode("latin-1").strip()
    if not sub_account_id:
        return runner
    if not operation.scoped:
        raise BadRequest(
            f"{operation.id} is about the whole account, not about sub-account {sub_account_id[:80]!r}: "
            "leave the header X-Sub-Account-Id out"
        )
    return runner.scoped(sub_account_id)


def _check_open(runner: Runner) -> None:
    """Refuse a request whose account was closed while its body arrived."""
    if runner.closed:
        raise unknown_key(runner.api_key)


def _success(operation: Operation, runner: Runner) -> int:
    return int(runner.policies["create_status"]) if operation.creates else operation.status


def refusal(error: ApiError) -> Reply:
    """The answer that says what was refused, and why."""
    status, headers, body = render(error)
    return Reply(status, body, [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()])
