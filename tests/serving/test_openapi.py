from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from simulator.app import operations
from simulator.serving.links import Links
from simulator.serving.openapi import document
from simulator.serving.operation import Operation
from tests.helpers.api import platform_operations

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(platform_operations())))
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
    assert sorted(ids) == sorted(o.id for o in platform_operations())
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
            if status >= "4":
                name = "ShapeErrorsOut" if status == "422" else "ErrorOut"
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": f"#/components/schemas/{name}"}
        assert ("401" in op["responses"]) is (op.get("security") != [])
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
    rows = [o for o in platform_operations() if o.id == "listVoices"]
    public = type(rows[0])(
        id="open", method="GET", path="/open", tag="simulator", summary="s", handler=rows[0].handler, public=True
    )
    made = document([public])
    assert made["paths"]["/open"]["get"]["security"] == []
    assert made["tags"][0]["description"]
    assert list(made["paths"]["/open"]["get"]["responses"]) == ["200"]


# -- what only some rows have ------------------------------------------------------------------------------------


class Shown(BaseModel):
    id: str
    call_id: str | None = None


REF = "#/components/schemas/Asked"


class Asked(BaseModel):
    name: str | None = None


def one(method: str = "GET", path: str = "/v1/things", **fields: Any) -> Operation:
    fields = {"id": f"{method} {path}", "tag": "things", "summary": "s", "handler": lambda *_: None} | fields
    return Operation(method=method, path=path, **fields)


def answer(row: Operation, status: str = "200") -> dict[str, Any]:
    made: dict[str, Any] = document([row])["paths"][row.path][row.method.lower()]["responses"][status]
    return made


def test_many_rows_are_a_bare_array() -> None:
    schema = answer(one(response=Shown, many=True))["content"]["application/json"]["schema"]
    assert schema == {"type": "array", "items": {"$ref": "#/components/schemas/Shown"}}


def test_no_content_has_no_content() -> None:
    assert answer(one("DELETE", response=Shown, status=204), "204") == {"description": "No Content"}


@pytest.mark.parametrize(("media", "kind"), [("audio/wav", "string"), ("text/event-stream", "object")])
def test_another_media_type_is_named_with_what_it_holds(media: str, kind: str) -> None:
    content = answer(one(media=media))["content"]
    assert list(content) == [media]
    assert content[media]["schema"]["type"] == kind


@pytest.mark.parametrize(("fields", "taken"), [({}, True), ({"scoped": False}, False), ({"public": True}, False)])
def test_the_sub_account_header_is_described_where_it_is_read(fields: dict[str, bool], taken: bool) -> None:
    op = document([one(**fields)])["paths"]["/v1/things"]["get"]
    assert ([p["name"] for p in op.get("parameters", [])] == ["X-Sub-Account-Id"]) is taken
    assert ("404" in op["responses"]) is taken


def test_a_body_that_may_be_left_out_may_be_null() -> None:
    for required, schema in ((True, {"$ref": REF}), (False, {"anyOf": [{"$ref": REF}, {"type": "null"}]})):
        op = document([one("POST", body=Asked, body_required=required)])["paths"]["/v1/things"]["post"]
        assert op["requestBody"]["content"]["application/json"]["schema"] == schema


def test_a_query_has_no_null() -> None:
    (parameter, _) = document([one(query=Asked)])["paths"]["/v1/things"]["get"]["parameters"]
    assert parameter == {
        "name": "name",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "title": "Name"},
    }


# -- links -------------------------------------------------------------------------------------------------------


def links(*rows: Operation) -> dict[str, dict[str, Any]]:
    """The links of every row, by its id."""
    described = Links(rows)
    return {row.id: {name: link["parameters"] for name, link in described.after(row).items()} for row in rows}


def test_what_is_made_goes_where_its_parameter_stands() -> None:
    make = one("POST", "/v1/things", id="make", response=Shown)
    read = one("GET", "/v1/things/{thing_id}", id="read", response=Shown)
    other = one("DELETE", "/v1/boxes/{box_id}/things/{thing_id}", id="other")
    followed = {"thing_id": "$response.body#/id"}
    assert links(make, read, other) == {"make": {"read": followed, "other": followed}, "read": {}, "other": {}}


def test_a_parameter_that_nothing_makes_is_taken_from_where_it_is_named() -> None:
    tell = one("POST", "/v1/words", id="tell", response=Shown)
    read = one("GET", "/v1/calls/{call_id}", id="read", response=Shown)
    assert links(tell, read)["tell"] == {"read": {"call_id": "$response.body#/call_id"}}


def test_a_parameter_that_is_made_is_not_taken_from_elsewhere() -> None:
    rows = (
        one("POST", "/v1/calls", id="make", response=Shown),
        one("GET", "/v1/calls/{call_id}", id="read", response=Shown),
        one("POST", "/v1/words", id="tell", response=Shown),
    )
    assert links(*rows)["tell"] == {}


def test_every_link_leads_to_a_parameter_that_is_there() -> None:
    by_id = {op["operationId"]: op for _, _, op in OPERATIONS}
    found = [
        link
        for op in by_id.values()
        for answer in op["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(found) > 50
    for link in found:
        assert link["parameters"].keys() <= {p["name"] for p in by_id[link["operationId"]]["parameters"]}


# -- examples ----------------------------------------------------------------------------------------------------

WITH_BODY = [row for row in operations() if row.body is not None and row.status != 501]


@pytest.mark.parametrize("row", WITH_BODY, ids=lambda row: row.id)
def test_the_example_of_every_body_is_taken(row: Operation) -> None:
    content = document([row])["paths"][row.path][row.method.lower()]["requestBody"]["content"]["application/json"]
    assert row.body is not None
    row.body.model_validate(content["example"])
