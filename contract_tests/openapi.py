"""Reads a served `/openapi.json` as far as the tests need it: operations, parameters, and what a schema allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Description:
    """One schema, with references and alternatives resolved. `branches` are the alternatives that are not null."""

    branches: tuple[Mapping[str, Any], ...]
    nullable: bool
    default: Any

    def types(self) -> set[str]:
        return {b["type"] for b in self.branches if "type" in b}

    def value(self, keyword: str) -> Any:
        """The keyword's value in whichever alternative has it."""
        return next((b[keyword] for b in self.branches if keyword in b), None)

    def choices(self) -> set[Any]:
        """The values of an enumeration, however it is spelled; empty for anything else."""
        return {v for b in self.branches for v in b.get("enum", [b["const"]] if "const" in b else ())}


class Document:
    """A served OpenAPI document."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.operations: Mapping[tuple[str, str], Mapping[str, Any]] = {
            (method.upper(), path): operation
            for path, methods in raw["paths"].items()
            for method, operation in methods.items()
            if method in METHODS
        }
        self.ids = {operation["operationId"] for operation in self.operations.values()}

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow `$ref` within the document; what stands beside it stays."""
        while "$ref" in schema:
            found: Any = self.raw
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema

    def describe(self, schema: Mapping[str, Any]) -> Description:
        """Flatten a schema into its alternatives."""
        branches = list(self._branches(schema))
        real = tuple(b for b in branches if b.get("type") != "null")
        return Description(real, len(real) < len(branches), self.resolve(schema).get("default"))

    def _branches(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        schema = self.resolve(schema)
        alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if alternatives is None or "properties" in schema:  # beside properties, alternatives are rules about them
            kinds = schema.get("type")
            for kind in kinds if isinstance(kinds, list) else [kinds]:
                yield schema if kind is None else {**schema, "type": kind}
            return
        for branch in alternatives:
            yield from self._branches(branch)

    def properties(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Mapping[str, Any]], set[str]]:
        """The properties of an object schema, and the names of those that are required."""
        branches = self.describe(schema).branches
        found = {name: inner for branch in branches for name, inner in branch.get("properties", {}).items()}
        return found, {name for branch in branches for name in branch.get("required", ())}

    def body(self, operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The schema of an operation's JSON request body."""
        content = operation.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None

    def answer(self, operation: Mapping[str, Any], status: int) -> Mapping[str, Any] | None:
        """The schema of an operation's JSON answer."""
        content = operation["responses"].get(str(status), {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None
