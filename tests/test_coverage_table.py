from __future__ import annotations

from contract_tests.facts import FACTS, SHAPES
from tests.helpers.coverage import coverage, without_effect


def test_every_operation_of_the_facts_has_its_row() -> None:
    rows = coverage()
    assert [row.fact.id for row in rows] == list(FACTS)
    assert [row.fact.id for row in rows if not row.served] == []


def test_every_documented_field_of_what_is_simulated_is_served() -> None:
    lacking = {row.fact.id: row.request.missing + row.answer.missing for row in coverage() if row.served}
    assert {name: fields for name, fields in lacking.items() if fields} == {}


def test_the_counts_are_of_the_facts() -> None:
    created = next(row for row in coverage() if row.fact.id == "createOutboundCall")
    request = SHAPES["CreateOutboundCallRequest"]
    assert created.request.known == len(request.fields) + len(created.fact.parameters)
    assert created.answer.known > len(SHAPES["Call"].fields)  # those of the transcript's rows are counted, too


def test_what_is_without_effect_is_a_field_of_a_request() -> None:
    requests = {fact.request.name for fact in FACTS.values() if fact.request}
    for shape, fields in without_effect().items():
        assert shape in requests
        assert fields.keys() <= SHAPES[shape].fields.keys()
        assert all(fields.values())


def test_what_a_create_ignores_an_update_ignores_too() -> None:
    table = without_effect()
    assert table["CreateAgentRequest"] == table["UpdateAgentRequest"]
