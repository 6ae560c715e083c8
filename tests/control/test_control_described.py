"""Whoever has no Python reads `/openapi.json`: all of `/_sim` is in it, with what it takes and answers."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from simulator.app import build_app, build_simulator, operations
from simulator.serving.openapi import document
from simulator.serving.operation import Operation
from simulator.settings import DEFAULT_API_KEY, Settings

CONTROL = [operation for operation in operations() if operation.path.startswith("/_sim/")]
DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(operations())))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
TYPED = {"type", "$ref", "anyOf", "oneOf", "allOf", "const", "enum"}


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def fields(schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of the object that a schema is, or may be."""
    if "$ref" in schema:
        return fields(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    found: dict[str, Any] = dict(schema.get("properties", {}))
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= fields(choice)
    return found


@pytest.mark.parametrize("operation", CONTROL, ids=lambda o: o.id)
def test_a_control_operation_says_what_it_does_takes_and_answers(operation: Operation) -> None:
    about = described(operation)
    assert re.fullmatch(r"[A-Z].{10,}[.?]( .*[.])?", about["summary"]), about["summary"]
    assert about["operationId"].startswith("sim")
    for parameter in about.get("parameters", ()):
        assert TYPED & parameter["schema"].keys(), parameter["name"]
    for media, answer in about["responses"]["200"]["content"].items():
        given = fields(answer["schema"])
        assert media != "application/json" or given
        assert all(TYPED & field.keys() or field.get("description") for field in given.values())


@pytest.mark.parametrize("operation", [o for o in CONTROL if o.body is not None], ids=lambda o: o.id)
def test_a_body_of_a_control_operation_is_described_and_refuses_what_is_not(operation: Operation) -> None:
    content = described(operation)["requestBody"]["content"]["application/json"]
    given = fields(content["schema"])
    assert given
    assert all(TYPED & field.keys() for field in given.values())
    assert "example" in content
    assert operation.body is not None
    assert operation.body.model_config["extra"] == "forbid"


@pytest.mark.parametrize("operation", CONTROL, ids=lambda o: o.id)
def test_every_refusal_of_a_control_operation_is_documented(operation: Operation) -> None:
    statuses = set(described(operation)["responses"])
    assert operation.public or "401" in statuses
    assert (operation.body is None and operation.query is None) or "422" in statuses
    assert {str(status) for status in operation.errors} <= statuses
    if "{" in operation.path:
        assert statuses & {"404", "400"}, "what if there is nothing of that name?"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("operation", CONTROL, ids=lambda o: o.id)
async def test_what_is_asked_wrongly_is_answered_as_documented(operation: Operation) -> None:
    simulator = build_simulator(Settings())
    transport = httpx.ASGITransport(app=build_app(simulator))
    key = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    path = re.sub(r"\{\w+\}", "nothing_of_that_name", operation.path)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        unknown = await client.request(operation.method, path, headers={"Authorization": "Bearer nobody"})
        answers = [
            await client.request(operation.method, path, headers=key, json=body)
            for body in (None, {}, {"no_such_field": 1}, [1], "text")
        ]
    await simulator.stop()
    assert operation.public or unknown.status_code == 401
    documented = set(described(operation)["responses"])
    for answer in answers:
        assert str(answer.status_code) in documented, answer.text
        assert answer.is_success or answer.json()["detail"]
