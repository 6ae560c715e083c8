"""Whether the route or the operation that a fault rule matches is one that is served at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from simulator.domain.words import nearest
from simulator.serving.operation import Operation
from simulator.world.faults import could_be_on_route

CONTROL: Final = "/_sim/"


def nowhere(match: Mapping[str, Any], operations: Callable[[], Iterable[Operation]]) -> str | None:
    """Say why nothing can ever match, or None. A misspelt route would otherwise be a fault that never happens."""
    route, operation_id = match.get("route"), match.get("operation")
    if route is None and operation_id is None:
        return None
    served = [operation for operation in operations() if not operation.path.startswith(CONTROL)]
    ids = [operation.id for operation in served]
    if operation_id is not None and operation_id not in ids:
        return f"there is no operation {operation_id!r}: {_hint(operation_id, ids)}"
    if route is not None and not any(could_be_on_route(route, o.method, o.path) for o in served):
        known = [f"{operation.method} {operation.path}" for operation in served]
        return f"no operation is on the route {route!r}: {_hint(route, known)}"
    return None


def _hint(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    return "the command `routes` lists them all" if near is None else f"did you mean {near!r}?"
