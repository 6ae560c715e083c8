from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import api
from simulator.serving.openapi import document

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(api.OPERATIONS)))
OPERATIONS = [(path, method, op) for path, item in DOCUMENT["paths"].items() for method, op in item.items()]
COMPONENTS = DOCUMENT["components"]["schemas"]


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from walk(member)
    elif isinstance(value, list):
        for member in value:
            yield from walk(member)


def test_every_reference_resolves() -> None:
    refs = {node["$ref"] for node in walk(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert refs
    assert {ref.removeprefix("#/components/schemas/") for ref in refs} <= COMPONENTS.keys()


def test_component_names_are_legal() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in COMPONENTS)


def test_every_served_operation_is_described_once_and_no_other() -> None:
    ids = [op["operationId"] for _, _, op in OPERATIONS]
    assert sorted(ids) == sorted(o.id for o in api.SERVED)
    assert len(set(ids)) == len(ids)


def test_path_parameters_are_those_of_the_template() -> None:
    for path, _, op in OPERATIONS:
        described = [p["name"] for p in op.get("parameters", []) if p["in"] == "path"]
        assert described == re.findall(r"\{(\w+)\}", path)
        assert all(p["required"] for p in op.get("parameters", []) if p["in"] == "path")


def test_every_response_has_a_description_and_refusals_have_the_error_model() -> None:
    for _, _, op in OPERATIONS:
        for status, response in op["responses"].items():
            assert response["description"]
            schema = response["content"]["application/json"]["schema"]
            if status == "422":
                assert schema == {"$ref": "#/components/schemas/ShapeErrorsOut"}
            elif int(status) >= 400:
                assert schema == {"$ref": "#/components/schemas/ErrorOut"}
        assert "401" in op["responses"]
        assert ("413" in op["responses"]) is ("requestBody" in op)


def test_every_tag_is_declared() -> None:
    declared = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for _, _, op in OPERATIONS for tag in op["tags"]} <= declared


def test_schemas_use_only_types_that_json_schema_has() -> None:
    types = {node["type"] for node in walk(COMPONENTS) if isinstance(node.get("type"), str)}
    assert types <= {"object", "array", "string", "integer", "number", "boolean", "null"}


def described(operation_id: str) -> dict[str, Any]:
    return next(op for _, _, op in OPERATIONS if op["operationId"] == operation_id)


def test_a_nullable_answer_is_a_choice() -> None:
    schema = described("getWebhook")["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"oneOf": [{"$ref": "#/components/schemas/WebhookOut"}, {"type": "null"}]}


def test_creates_show_both_statuses() -> None:
    assert {"200", "201"} <= described("createAgent")["responses"].keys()


def test_query_parameters_keep_their_bounds_and_wire_names() -> None:
    parameters = {p["name"]: p for p in described("getConversation")["parameters"]}
    assert {"message_limit", "messageLimit"} <= parameters.keys()
    limit = next(p for p in described("listAgents")["parameters"] if p["name"] == "limit")
    assert limit["required"] is False
    assert limit["schema"].items() >= {"minimum": 1, "maximum": 100, "default": 20}.items()


def test_an_optional_body_is_not_required() -> None:
    assert described("createNumber")["requestBody"]["required"] is False
    assert described("createAgent")["requestBody"]["required"] is True


def test_an_update_names_no_defaults() -> None:
    fields = COMPONENTS["AgentPatch"]["properties"]
    assert all(field.get("default") is None for field in fields.values())


@pytest.mark.parametrize("name", ["AgentIn", "CallIn", "WebhookIn", "MessageIn"])
def test_bodies_are_objects_with_required_fields(name: str) -> None:
    assert COMPONENTS[name]["type"] == "object"


def test_words_of_a_closed_set_are_listed() -> None:
    assert len(COMPONENTS["AgentIn"]["properties"]["language"]["enum"]) == 63


def test_a_public_operation_asks_for_no_key() -> None:
    rows = [o for o in api.SERVED if o.id == "listVoices"]
    public = type(rows[0])(
        id="open", method="GET", path="/open", tag="simulator", summary="s", handler=rows[0].handler, public=True
    )
    made = document([public])
    assert made["paths"]["/open"]["get"]["security"] == []
    assert made["tags"][0]["description"]
    assert list(made["paths"]["/open"]["get"]["responses"]) == ["200"]
