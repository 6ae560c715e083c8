"""All operations, loaded resource by resource as they are asked for.

The models of some ninety operations take a quarter of a second to import, and a test that uses agents and calls needs
but a few of them. So the table knows which modules serve a path by its first two segments, and imports those alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from urllib.parse import unquote

from simulator.serving.operation import Operation
from simulator.serving.routing import Match, Router

Resources = Mapping[str, tuple[str, ...]]  # "/v1/agents" -> names of the modules whose OPERATIONS begin so


def prefix_of(path: str) -> str:
    """The first two segments of a path: "/v1/agents" of "/v1/agents/{agent_id}/webhook"."""
    return "/".join(path.split("/", 3)[:3])


class Table:
    """Finds the operation of a request. Raises ValueError for two operations on the same method and path."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._routers: dict[str, Router] = {}
        self._loaded: tuple[Operation, ...] | None = None

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> Table:
        """A table of operations that are loaded already."""
        table = cls({})
        table._loaded = tuple(operations)
        by_prefix: dict[str, list[Operation]] = {}
        for operation in table._loaded:
            by_prefix.setdefault(prefix_of(operation.path), []).append(operation)
        table._routers = {prefix: Router(rows) for prefix, rows in by_prefix.items()}
        return table

    def operations(self) -> tuple[Operation, ...]:
        """Every operation, each once, in the order of the resources; loads what is not loaded yet."""
        if self._loaded is None:
            modules = dict.fromkeys(module for modules in self._resources.values() for module in modules)
            self._loaded = tuple(operation for module in modules for operation in _operations_in(module))
        return self._loaded

    def match(self, method: str, path: str) -> Match | None:
        """Find the route of `path` (still percent-encoded), or None when nobody serves it."""
        prefix = prefix_of(path)
        router = self._routers.get(prefix) or self._load(unquote(prefix, errors="replace"))
        return router.match(method, path) if router else None

    def _load(self, prefix: str) -> Router | None:
        if prefix not in self._routers and prefix in self._resources:
            self._routers[prefix] = Router(o for module in self._resources[prefix] for o in _operations_in(module))
        return self._routers.get(prefix)


def _operations_in(module: str) -> tuple[Operation, ...]:
    found: tuple[Operation, ...] = import_module(module).OPERATIONS
    return found
