"""Our own OpenAPI 3.1 document, made from the table that is served; what is described is what is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from simulator import __version__
from simulator.serving.examples import example
from simulator.serving.links import Links
from simulator.serving.operation import Operation
from simulator.wire.errors import ErrorOut, ShapeErrorsOut

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

REF: Final = "#/components/schemas/{model}"
SCHEME: Final = "HTTPBearer"
PARAMETER: Final = re.compile(r"\{(\w+)\}")
_SHAPE_ERROR: Final = 422
_TAGS: Final = {"simulator": "What a test does to the simulator; the platform has no such routes."}
_BYTES: Final[Json] = {"type": "string", "format": "binary"}
_MEDIA: Final[Mapping[str, Json]] = {
    "text/html": {"type": "string"},
    "text/event-stream": {  # of each event, as OpenAPI 3.1 has it
        "type": "object",
        "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        "required": ["event", "data"],
    },
}
_SUB_ACCOUNT: Final[Json] = {
    "name": "X-Sub-Account-Id",
    "in": "header",
    "required": False,
    "description": "Asks on behalf of this sub-account. Blank or absent: the account itself.",
    "schema": {"type": "string"},
}


def document(operations: Iterable[Operation]) -> Json:
    """Describe every served operation. The answer is plain JSON data."""
    served = list(operations)
    schemas, links = _Schemas(served), Links(served)
    paths: dict[str, Json] = {}
    for operation in served:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schemas, links)
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
        """A query model as parameters. A query string has no null, so what may be null is just optional."""
        schema = model.model_json_schema(ref_template=REF)
        self.definitions.update(schema.get("$defs", {}))
        required = schema.get("required", [])
        return [
            {"name": name, "in": "query", "required": name in required, "schema": _without_null(field)}
            for name, field in schema.get("properties", {}).items()
        ]


def _without_null(schema: Json) -> Json:
    """The schema of what can be written in a query string."""
    rest = {k: v for k, v in schema.items() if k != "anyOf" and not (k == "default" and v is None)}
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        return {**choices[0], **rest}
    return {**rest, "anyOf": choices} if choices else rest


def _describe(operation: Operation, schemas: _Schemas, links: Links) -> Json:
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": _responses(operation, schemas, links),
    }
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        parameters += schemas.parameters(operation.query)
    if _is_scoped(operation):
        parameters.append(_SUB_ACCOUNT)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        schema = schemas.of(operation.body, "validation")
        content = {"schema": schema, "example": example(schema, schemas.definitions)}
        if not operation.body_required:  # null is read as no body at all
            content["schema"] = {"anyOf": [schema, {"type": "null"}]}
        described["requestBody"] = {"required": operation.body_required, "content": {"application/json": content}}
    if operation.public:
        described["security"] = []
    return described


def _is_scoped(operation: Operation) -> bool:
    """Whether the header that names a sub-account is read."""
    return operation.scoped and not operation.public


def _responses(operation: Operation, schemas: _Schemas, links: Links) -> Json:
    success = (200, 201) if operation.creates else (operation.status,)
    responses = {str(status): _success(operation, status, schemas) for status in success}
    followed = links.after(operation)
    if followed:
        responses = {status: {**answer, "links": followed} for status, answer in responses.items()}
    refusals = set(operation.errors) | (set() if operation.public else {401})
    if operation.tag != "simulator":
        refusals |= {429}  # while rate limits are on
    if operation.body is not None:
        refusals |= {413}
    if _is_scoped(operation):
        refusals |= {404}
    for status in sorted(refusals):
        responses[str(status)] = _answer(HTTPStatus(status).phrase, schemas.of(ErrorOut, "serialization"))
    if operation.body is not None or operation.query is not None:
        shape = schemas.of(ShapeErrorsOut, "serialization")
        responses[str(_SHAPE_ERROR)] = _answer("The request has the wrong shape", shape)
    return responses


def _success(operation: Operation, status: int, schemas: _Schemas) -> Json:
    phrase = HTTPStatus(status).phrase
    if operation.media is not None:
        return {"description": phrase, "content": {operation.media: {"schema": _MEDIA.get(operation.media, _BYTES)}}}
    if status == HTTPStatus.NO_CONTENT or operation.response is None:
        return {"description": phrase}
    schema = schemas.of(operation.response, "serialization")
    if operation.many:
        schema = {"type": "array", "items": schema}
    if operation.nullable:
        schema = {"oneOf": [schema, {"type": "null"}]}
    answer = _answer(phrase, schema)
    answer["content"].update({media: {"schema": _MEDIA.get(media, _BYTES)} for media in operation.also})
    return answer


def _answer(description: str, schema: Mapping[str, Any]) -> Json:
    return {"description": description, "content": {"application/json": {"schema": dict(schema)}}}
