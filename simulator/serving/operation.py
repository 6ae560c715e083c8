"""An HTTP operation as data: one table row gives the route, the parsing and the OpenAPI entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from simulator.runtime.runner import Runner
    from simulator.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a handler may use: the account's runner and world, the instant of the request, the path's parameters.

    A public operation asked without a key sees the first account.
    """

    runner: Runner
    now: datetime
    path: Mapping[str, str]
    base_url: str  # "http://127.0.0.1:8787", as the client sees us
    gone: Callable[[], Awaitable[None]]  # returns when the client has gone away; for answers that take long
    operations: Callable[[], tuple[Operation, ...]]  # everything that is served

    @property
    def world(self) -> World:
        """The world of the key that asked."""
        return self.runner.world


# (context, parsed query or None, parsed body or None) -> a model, a list of models for `many`, None for JSON null (or
# for no content, with status 204), a starlette Response as it is, or an awaitable of one of these.
Handler = Callable[[Context, Any, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path.

    `query`, `body` and `response` are pydantic models; they are used for parsing and for `/openapi.json` alike, so
    what is described is what is served.
    """

    id: str  # operationId, as in the platform's own OpenAPI
    method: str
    path: str  # "/v1/agents/{agent_id}"
    tag: str
    summary: str
    handler: Handler
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_required: bool = True
    raw_limit: int | None = None  # the handler gets the body as bytes, this many at most, and reads it itself
    response: type[BaseModel] | None = None
    many: bool = False  # the answer is a bare JSON array of `response`
    nullable: bool = False  # the answer may be JSON null
    media: str | None = None  # the answer is of this media type, not JSON; the handler makes a Response
    also: tuple[str, ...] = ()  # media types that the query may ask for instead of JSON; the handler makes a Response
    creates: bool = False  # the policy `create_status` decides between 200 and 201
    status: int = 200
    errors: tuple[int, ...] = ()  # documented refusals besides 401 and 422
    public: bool = False  # served without a key
    scoped: bool = True  # X-Sub-Account-Id chooses the world; False: it is about the whole account, and refuses that
