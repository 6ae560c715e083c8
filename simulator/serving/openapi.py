"""Our own OpenAPI 3.1 document, made from the table that is served; what is described is what is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from simulator import __version__
from simulator.serving.operation import Operation
from simulator.wire.errors import ErrorOut, ShapeErrorsOut

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

REF: Final = "#/components/schemas/{model}"
SCHEME: Final = "HTTPBearer"
NOT_SERVED: Final = 501  # rows with this status are known, and refused; they are not offered
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_SHAPE_ERROR: Final = 422
_TAGS: Final = {"simulator": "What a test does to the simulator; the platform has no such routes."}


def document(operations: Iterable[Operation]) -> Json:
    """Describe every served operation. The answer is plain JSON data."""
    served = [o for o in operations if o.status != NOT_SERVED]
    schemas = _Schemas(served)
    paths: dict[str, Json] = {}
    for operation in served:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schemas)
    tags = dict.fromkeys(operation.tag for operation in served)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "agentphone-simulator",
            "version": __version__,
            "description": "A local simulator of a telephony platform for AI agents.",
        },
        "servers": [{"url": "/"}],
        "security": [{SCHEME: []}],
        "tags": [{"name": tag, **({"description": _TAGS[tag]} if tag in _TAGS else {})} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {SCHEME: {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """The JSON schemas of every model in the table, by name."""

    def __init__(self, operations: list[Operation]) -> None:
        wanted: dict[tuple[type[BaseModel], Mode], None] = {
            (ErrorOut, "serialization"): None,
            (ShapeErrorsOut, "serialization"): None,
        }
        for operation in operations:
            if operation.body is not None:
                wanted[operation.body, "validation"] = None
            if operation.response is not None:
                wanted[operation.response, "serialization"] = None
        self._refs, combined = models_json_schema(list(wanted), ref_template=REF)
        self.definitions: Json = combined.get("$defs", {})

    def of(self, model: type[BaseModel], mode: Mode) -> Json:
        """A reference to the model's schema."""
        return dict(self._refs[model, mode])

    def parameters(self, model: type[BaseModel]) -> list[Json]:
        """A query model as parameters."""
        schema = model.model_json_schema(ref_template=REF)
        self.definitions.update(schema.get("$defs", {}))
        required = schema.get("required", [])
        return [
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in schema.get("properties", {}).items()
        ]


def _describe(operation: Operation, schemas: _Schemas) -> Json:
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": _responses(operation, schemas),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        parameters += schemas.parameters(operation.query)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        schema = schemas.of(operation.body, "validation")
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": {"schema": schema}},
        }
    if operation.public:
        described["security"] = []
    return described


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    success = (200, 201) if operation.creates else (operation.status,)
    responses = {str(status): _success(operation, status, schemas) for status in success}
    refusals = set(operation.errors) | (set() if operation.public else {401})
    if operation.body is not None:
        refusals |= {413}
    for status in sorted(refusals):
        responses[str(status)] = _answer(HTTPStatus(status).phrase, schemas.of(ErrorOut, "serialization"))
    if operation.body is not None or operation.query is not None:
        shape = schemas.of(ShapeErrorsOut, "serialization")
        responses[str(_SHAPE_ERROR)] = _answer("The request has the wrong shape", shape)
    return responses


def _success(operation: Operation, status: int, schemas: _Schemas) -> Json:
    if operation.response is None:
        return {"description": HTTPStatus(status).phrase}
    schema = schemas.of(operation.response, "serialization")
    if operation.nullable:
        schema = {"oneOf": [schema, {"type": "null"}]}
    return _answer(HTTPStatus(status).phrase, schema)


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
