"""Which operation can follow which: OpenAPI links, derived from the table.

What `POST /v1/agents` makes is what `{agent_id}` names in `/v1/agents/{agent_id}`, and wherever else that parameter
stands. A parameter that no operation makes this way is taken from answers of POSTs that name it, as a sent text names
its `conversation_id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from simulator.serving.operation import Operation

_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class Links:
    """The links of a table."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations = tuple(operations)
        self._users: dict[str, list[Operation]] = {}
        for operation in self._operations:
            for name in _PARAMETER.findall(operation.path):
                self._users.setdefault(name, []).append(operation)
        self._made = {o.id: self._makes(o) for o in self._operations}
        made = {name for names in self._made.values() for name in names}
        for operation in self._operations:
            self._made[operation.id] |= self._names(operation, self._users.keys() - made)

    def after(self, operation: Operation) -> Mapping[str, Any]:
        """The links of the operation's successful answer, by the id of what may follow."""
        return {
            follower.id: {"operationId": follower.id, "parameters": {name: f"$response.body#/{field}"}}
            for name, field in self._made[operation.id].items()
            for follower in self._users[name]
        }

    def _makes(self, operation: Operation) -> dict[str, str]:
        """The parameter that stands right behind a POST's path, and the field of its answer that fills it."""
        fields = _fields(operation.response)
        if operation.method != "POST" or not fields:
            return {}
        behind = re.compile(re.escape(operation.path) + r"/\{(\w+)\}(?:/.*)?")
        names = {found[1] for o in self._operations if (found := behind.fullmatch(o.path))}
        return {name: field for name in names if (field := _field(name, fields) or ("id" if "id" in fields else ""))}

    def _names(self, operation: Operation, wanted: Iterable[str]) -> dict[str, str]:
        """The parameters among `wanted` that a POST's answer has a field for."""
        fields = _fields(operation.response) if operation.method == "POST" else frozenset()
        return {name: field for name in wanted if (field := _field(name, fields))}


def _fields(model: type[BaseModel] | None) -> frozenset[str]:
    """The names of a model's fields that hold text, as they are written in JSON."""
    if model is None:
        return frozenset()
    properties = model.model_json_schema(mode="serialization")["properties"]
    return frozenset(n for n, f in properties.items() if "string" in (f.get("type"), *map(_type, f.get("anyOf", ()))))


def _type(schema: Mapping[str, Any]) -> object:
    return schema.get("type")


def _field(name: str, fields: frozenset[str]) -> str:
    """The field that means the parameter, in either spelling; empty when there is none."""
    return next((spelling for spelling in (name, to_camel(name)) if spelling in fields), "")
