"""What is described, and what is refused, against `fixtures/facts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contract_tests.facts import FACTS, PROMISED, Fact, Field, Shape
from contract_tests.openapi import Document
from contract_tests.target import Target
from tests.helpers.registration import APPLICATION


def by_id(fact: Fact) -> str:
    return fact.id


@pytest.fixture(scope="module")
def document(server: Target) -> Document:
    answer = server.request("GET", "/openapi.json", key=None)
    if answer.status_code != 200:
        pytest.skip("this server does not describe itself")
    return Document(answer.json())


def operation(document: Document, fact: Fact) -> Mapping[str, Any]:
    found = document.operations.get((fact.method, fact.path))
    assert found is not None, f"{fact.method} {fact.path} ({fact.id}) is not described"
    return found


def wrong_type(document: Document, field: Field, schema: Mapping[str, Any]) -> Iterator[str]:
    """Whether a schema gives a field another JSON type than the facts do."""
    types = document.describe(schema).types()
    if field.json_type != "any" and field.json_type not in types:
        yield f"{field.name} is {sorted(types)}, not {field.json_type}"


def wrong_range(document: Document, field: Field, schema: Mapping[str, Any]) -> Iterator[str]:
    """Where a schema says something else about the legal values of a field than the facts do."""
    described, spec = document.describe(schema), field.spec
    names = {"min": "minimum", "max": "maximum", "max_items": "maxItems", "max_length": "maxLength"}
    for ours, theirs in names.items():
        if ours in spec and described.value(theirs) != spec[ours]:
            yield f"{field.name}: {theirs} is {described.value(theirs)}, not {spec[ours]}"
    if "enum" in spec and described.choices() != set(spec["enum"]):
        yield f"{field.name} may be {sorted(described.choices())}, not {sorted(spec['enum'])}"


def wrong_default(document: Document, field: Field, schema: Mapping[str, Any]) -> Iterator[str]:
    default = document.describe(schema).default
    if "default" in field.spec and default != field.spec["default"]:
        yield f"{field.name}: the default is {default!r}, not {field.spec['default']!r}"


def wrong_fields(
    document: Document, shape: Shape, schema: Mapping[str, Any], *, answer: bool, where: str = ""
) -> Iterator[str]:
    """Where an object schema falls short of a shape; nested shapes are followed as far as they are described.

    What a request leaves out may be described as null, whatever it then stands for: that is tried, not read.
    """
    properties, required = document.properties(schema)
    for field in shape.fields.values():
        if field.name not in properties:
            yield f"{where}{field.name} is not described"
            continue
        inner = properties[field.name]
        problems = [*wrong_type(document, field, inner), *(() if answer else wrong_range(document, field, inner))]
        if field.required and not answer and field.name not in required:
            problems.append(f"{field.name} is not required")
        yield from (f"{where}{problem}" for problem in problems)
        items = document.describe(inner).value("items") if field.many else inner
        if field.shape is not None and items is not None and document.properties(items)[0]:
            yield from wrong_fields(document, field.shape, items, answer=answer, where=f"{where}{field.name}.")


@pytest.mark.parametrize("fact", PROMISED, ids=by_id)
def test_operation_stands_where_the_facts_say(document: Document, fact: Fact) -> None:
    assert operation(document, fact)["operationId"] == fact.id
    assert operation(document, fact)["tags"] == [fact.tag]


@pytest.mark.parametrize("fact", PROMISED, ids=by_id)
def test_every_documented_parameter_is_described_with_its_range_and_default(document: Document, fact: Fact) -> None:
    described = {(p["name"], p["in"]): p for p in operation(document, fact).get("parameters", [])}
    problems = []
    for field in fact.parameters:
        parameter = described.get((field.name, field.spec["in"]))
        if parameter is None:
            problems.append(f"{field.name} is not described")
            continue
        for look in (wrong_type, wrong_range, wrong_default):
            problems += look(document, field, parameter["schema"])
        if field.required != parameter.get("required", False):
            problems.append(f"{field.name} is required: {parameter.get('required')}, not {field.required}")
    assert problems == []


@pytest.mark.parametrize("fact", [f for f in PROMISED if f.request], ids=by_id)
def test_every_documented_request_field_is_described_with_its_range(document: Document, fact: Fact) -> None:
    row = operation(document, fact)
    schema = document.body(row)
    assert schema is not None and fact.request is not None
    assert row["requestBody"].get("required", False) == fact.request_required
    assert list(wrong_fields(document, fact.request, schema, answer=False)) == []


@pytest.mark.parametrize("fact", [f for f in PROMISED if f.answer], ids=by_id)
def test_every_documented_answer_field_is_described(document: Document, fact: Fact) -> None:
    schema = document.answer(operation(document, fact), fact.status)
    assert schema is not None and fact.answer is not None
    assert document.describe(schema).nullable == fact.answer_nullable
    if fact.answer_many:
        assert schema["type"] == "array"
        schema = schema["items"]
    assert list(wrong_fields(document, fact.answer, schema, answer=True)) == []


# The documentation describes these in words; no file that lists operations has them.
IN_THE_TEXT_ONLY = {"agentSignUp", "agentVerify", "enableRecording", "updateVoiceRouting"}


def test_nothing_undocumented_is_served_next_to_the_platforms_own_operations(document: Document) -> None:
    known = {(f.method, f.path): f.id for f in FACTS.values()}
    ours = {k: o for k, o in document.operations.items() if "simulator" not in o.get("tags", ())}
    unknown = {o["operationId"] for k, o in ours.items() if known.get(k) != o["operationId"]}
    assert unknown - IN_THE_TEXT_ONLY == set()


def test_operation_ids_are_unique(document: Document) -> None:
    assert len(document.ids) == len(document.operations)


def test_the_facts_are_whole() -> None:
    assert len(FACTS) == 88
    assert sum(f.tier == "A" for f in FACTS.values()) == 34
    assert len({(f.method, f.path) for f in FACTS.values()}) == len(FACTS)


RANGES = [(f, p) for f in PROMISED for p in f.query() if "min" in p.spec]


@pytest.mark.parametrize(("fact", "field"), RANGES, ids=[f"{f.id}-{p.name}" for f, p in RANGES])
def test_a_query_parameter_outside_its_range_is_refused_and_its_bounds_are_not(
    server: Target, fact: Fact, field: Field
) -> None:
    low, high = field.spec["min"], field.spec.get("max")
    outside = [low - 1, "x", "1.5"] + ([high + 1] if high else [])
    for value in outside:
        answer = server.request(fact.method, fact.url(), params={field.name: value})
        assert answer.status_code == 422, f"{field.name}={value}"
        assert answer.json()["detail"][0]["loc"] == ["query", field.name]
    for value in [low] + ([high] if high else []):
        answer = server.request(fact.method, fact.url(), params={field.name: value})
        assert answer.status_code in {200, 404}, f"{field.name}={value}"


BODIES = [(f, p) for f in PROMISED if f.request for p in f.request.fields.values()]
BODY_IDS = [f"{f.id}-{p.name}" for f, p in BODIES]


def minimal(shape: Shape) -> dict[str, Any]:
    """The smallest body that has the right shape."""
    known = {"toNumber": "+14155552671", "to_number": "+14155552671", "url": "http://127.0.0.1:9/", **APPLICATION}
    return {
        f.name: known.get(f.name, "text") for f in shape.fields.values() if f.required or "required_unless" in f.spec
    }


def wrong_values(field: Field) -> list[Any]:
    """Values of the wrong type, and values just outside the documented range."""
    by_type: dict[str, list[Any]] = {
        "integer": ["5", 1.5, True, []],
        "number": ["0.9", [], True],
        "boolean": ["maybe", 7, []],
        "string": [5, True, []],
        "object": ["{}", 5, []],
        "array": [{}, "[]", 1],
    }
    spec, wrong = field.spec, by_type[field.json_type]
    step = 1 if field.kind == "integer" else 0.01
    wrong = wrong + ([spec["min"] - step] if "min" in spec else []) + ([spec["max"] + step] if "max" in spec else [])
    return wrong + ["no-such-value", ""] * ("enum" in spec)


@pytest.mark.parametrize(("fact", "field"), BODIES, ids=BODY_IDS)
def test_a_body_field_of_the_wrong_type_or_range_is_refused_by_name(server: Target, fact: Fact, field: Field) -> None:
    assert fact.request is not None
    for value in wrong_values(field):
        answer = server.request(fact.method, fact.url(), json=minimal(fact.request) | {field.name: value})
        assert answer.status_code == 422, f"{field.name}={value!r}: {answer.status_code} {answer.text[:200]}"
        assert answer.json()["detail"][0]["loc"][:2] == ["body", field.name]


NEEDED = [(f, p) for f, p in BODIES if p.required]


@pytest.mark.parametrize(("fact", "field"), NEEDED, ids=[f"{f.id}-{p.name}" for f, p in NEEDED])
def test_a_missing_required_field_is_refused_by_name(server: Target, fact: Fact, field: Field) -> None:
    assert fact.request is not None
    body = {k: v for k, v in minimal(fact.request).items() if k != field.name}
    answer = server.request(fact.method, fact.url(), json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field.name]


BOUNDS = [
    (f, p, v)
    for f, p in BODIES
    if f.id in {"createAgent", "createOrUpdateWebhook"}
    for v in [*(p.spec[k] for k in ("min", "max") if k in p.spec), *p.spec.get("enum", ())]
]


@pytest.mark.parametrize(("fact", "field", "value"), BOUNDS, ids=[f"{f.id}-{p.name}-{v}" for f, p, v in BOUNDS])
def test_every_documented_bound_and_choice_is_taken_and_given_back(
    server: Target, fact: Fact, field: Field, value: Any
) -> None:
    assert fact.request is not None
    made = server.request(fact.method, fact.url(), json=minimal(fact.request) | {field.name: value})
    assert made.is_success, made.text
    assert made.json()[field.name] == value
    server.delete(f"/v1/agents/{made.json()['id']}" if fact.id == "createAgent" else "/v1/webhooks")


@pytest.mark.parametrize("fact_id", ["createAgent", "createOrUpdateWebhook", "createNumber"])
def test_what_a_request_leaves_out_has_its_documented_default(server: Target, fact_id: str) -> None:
    request, answer = FACTS[fact_id].request, FACTS[fact_id].answer
    assert request is not None and answer is not None
    made = server.post(FACTS[fact_id].path, minimal(request))
    defaults = {f.name: f.spec["default"] for f in request.fields.values() if "default" in f.spec}
    assert defaults
    assert {name: made[name] for name in defaults} == defaults


@pytest.mark.parametrize("fact", [f for f in PROMISED if f.request], ids=by_id)
def test_null_is_taken_where_the_facts_allow_it(server: Target, fact: Fact) -> None:
    assert fact.request is not None
    for field in fact.request.fields.values():
        if field.nullable and "required_unless" not in field.spec:
            answer = server.request(fact.method, fact.url(), json=minimal(fact.request) | {field.name: None})
            assert answer.status_code != 422, f"{field.name}: null"
