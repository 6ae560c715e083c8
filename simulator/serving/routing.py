"""From a method and a path to an operation, in as many steps as the path has segments.

The table is compiled into a deterministic tree. Every node stands for all templates that fit the path so far, best
first (a literal segment beats a parameter), so matching never goes back: `/v1/numbers/available` and
`/v1/numbers/{number_id}/messages` can live side by side whatever follows the second slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote

from simulator.serving.operation import Operation

_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, its template cut into segments, and where its parameters stand."""

    operation: Operation
    segments: tuple[str, ...]
    parameters: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    other: _Node | None = None  # any segment that no literal names
    ends: dict[str, Route] = field(default_factory=dict)  # by method; empty: the path goes on or is unknown


class Match(NamedTuple):
    """What a path leads to. `route` is None when the path is served, but not with this method."""

    route: Route | None
    path: Mapping[str, str]
    allowed: tuple[str, ...] = ()


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


def _route(operation: Operation) -> Route:
    segments = tuple(operation.path.removeprefix("/").split("/"))
    parameters = tuple((s[1:-1], at) for at, s in enumerate(segments) if _is_parameter(s))
    return Route(operation, segments, parameters)


class Router:
    """The compiled table. Raises ValueError for two operations on the same method and path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        routes = [_route(operation) for operation in operations]
        seen: dict[tuple[str, tuple[str, ...]], Route] = {}
        for route in routes:
            shape = tuple("{}" if _is_parameter(s) else s for s in route.segments)
            twin = seen.setdefault((route.operation.method, shape), route)
            if twin is not route:
                raise ValueError(f"{route.operation.id} and {twin.operation.id} share {route.operation.path}")
        self._root = _compile(routes, 0)

    def match(self, method: str, path: str) -> Match | None:
        """Find the route of `path` (still percent-encoded), or None when nobody serves it.

        The path is cut before it is decoded, so an encoded slash stays inside its segment.
        """
        segments = path.split("/")
        if "%" in path:
            segments = [unquote(s, errors="replace") for s in segments]
        node: _Node | None = self._root
        for segment in segments[1:]:
            if node is None or not segment:
                return None
            node = node.literals.get(segment, node.other)
        if node is None or not node.ends or segments[0]:
            return None
        route = node.ends.get(method)
        if route is None:
            # The methods of the best template alone: `DELETE /v1/agents/voices` is served, as that of an agent whose
            # id is `voices`, but that is nothing to advertise.
            best = min(map(_literals_first, node.ends.values()))
            return Match(None, _NOTHING, tuple(sorted(m for m, r in node.ends.items() if _literals_first(r) == best)))
        if not route.parameters:
            return Match(route, _NOTHING)
        return Match(route, {name: segments[at + 1] for name, at in route.parameters})


def _compile(routes: list[Route], depth: int) -> _Node:
    """Build the node for `routes`, which agree with the path up to `depth` and are in no particular order."""
    node = _Node()
    going_on = [r for r in routes if len(r.segments) > depth]
    for route in sorted((r for r in routes if len(r.segments) == depth), key=_literals_first):
        node.ends.setdefault(route.operation.method, route)
    parametric = [r for r in going_on if _is_parameter(r.segments[depth])]
    for literal in dict.fromkeys(r.segments[depth] for r in going_on if not _is_parameter(r.segments[depth])):
        exact = [r for r in going_on if r.segments[depth] == literal]
        node.literals[literal] = _compile(exact + parametric, depth + 1)
    if parametric:
        node.other = _compile(parametric, depth + 1)
    return node


def _literals_first(route: Route) -> tuple[bool, ...]:
    return tuple(_is_parameter(s) for s in route.segments)
