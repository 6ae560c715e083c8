"""What of the platform is simulated, field by field: the facts compared with what we describe, and so serve."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from contract_tests.facts import FACTS, Fact, Shape
from contract_tests.openapi import Document
from simulator.app import operations
from simulator.serving.openapi import document

_WITHOUT_EFFECT: Final = Path(__file__).resolve().parents[2] / "fixtures" / "facts" / "without_effect.json"


@cache
def without_effect() -> Mapping[str, Mapping[str, str]]:
    """Why a field changes nothing, by shape and by field."""
    fields: Mapping[str, Mapping[str, str]] = json.loads(_WITHOUT_EFFECT.read_text("utf-8"))["fields"]
    return fields


@dataclass
class Tally:
    """How many documented names there are, which of them are missing, and which have no effect."""

    known: int = 0
    missing: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)

    def add(self, name: str, *, served: bool, reason: str | None = None) -> None:
        self.known += 1
        if not served:
            self.missing.append(name)
        elif reason is not None:
            self.idle.append(name)

    def __str__(self) -> str:
        return f"{self.known - len(self.missing)}/{self.known}" if self.known else "-"


@dataclass
class Coverage:
    """One operation."""

    fact: Fact
    served: bool
    request: Tally
    answer: Tally


def coverage() -> list[Coverage]:
    """Every operation of the facts, in their order."""
    described = Document(json.loads(json.dumps(document(operations()))))
    return [_compare(fact, described) for fact in FACTS.values()]


def _compare(fact: Fact, described: Document) -> Coverage:
    operation = described.operations.get((fact.method, fact.path))
    found = Coverage(fact, operation is not None, Tally(), Tally())
    parameters = {(p["name"], p["in"]) for p in (operation or {}).get("parameters", ())}
    for parameter in fact.parameters:
        found.request.add(parameter.name, served=(parameter.name, parameter.spec["in"]) in parameters)
    if fact.request is not None:
        reasons = without_effect().get(fact.request.name, {})
        for name, served in _fields(fact.request, described, described.body(operation or {})):
            found.request.add(name, served=served, reason=reasons.get(name))
    if fact.answer is not None:
        schema = described.answer(operation or {"responses": {}}, fact.status)
        items = described.describe(schema).value("items") if schema is not None and fact.answer_many else schema
        for name, served in _fields(fact.answer, described, items):
            found.answer.add(name, served=served)
    return found


def _fields(
    shape: Shape, described: Document, schema: Mapping[str, Any] | None, where: str = ""
) -> Iterator[tuple[str, bool]]:
    """Every field of a shape and of the shapes in it, and whether the schema has it."""
    properties = described.properties(schema)[0] if schema is not None else {}
    for item in shape.fields.values():
        inner = properties.get(item.name)
        yield where + item.name, inner is not None
        if item.shape is not None:
            inside = described.describe(inner).value("items") if item.many and inner is not None else inner
            yield from _fields(item.shape, described, inside, f"{where}{item.name}.")


def compact() -> str:
    """A row for each resource."""
    lines = [
        "| resource | operations | request fields | answer fields | missing, by name | accepted without effect |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows = coverage()
    for tag in dict.fromkeys(row.fact.tag for row in rows):
        of_tag = [row for row in rows if row.fact.tag == tag]
        request, answer = _sum(row.request for row in of_tag), _sum(row.answer for row in of_tag)
        missing = [row.fact.id for row in of_tag if not row.served]
        missing += [f"{row.fact.id} {name}" for row in of_tag if row.served for name in _absent(row)]
        served = sum(row.served for row in of_tag)
        cells = (tag, f"{served}/{len(of_tag)}", str(request), str(answer), _names(missing), _names(request.idle))
        lines.append(f"| {' | '.join(cells)} |")
    total = (
        f"{sum(row.served for row in rows)}/{len(rows)}",
        str(_sum(row.request for row in rows)),
        str(_sum(row.answer for row in rows)),
    )
    lines.append(f"| **all** | {' | '.join(f'**{cell}**' for cell in total)} | | |")
    return "\n".join(lines)


def by_operation() -> str:
    """A row for each operation, with its fields, and why a field has no effect; folded away until asked for."""
    lines = [
        "<details><summary>Operation by operation</summary>",
        "",
        "| operation | request fields | answer fields | missing | without effect |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in coverage():
        name = f"`{row.fact.method} {row.fact.path}` {row.fact.id}"
        missing = _names(_absent(row)) if row.served else "all"
        cells = (name, str(row.request), str(row.answer), missing, _names(row.request.idle))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| request | field without effect | why |", "| --- | --- | --- |"]
    lines += [
        f"| {shape} | `{name}` | {why} |" for shape, fields in without_effect().items() for name, why in fields.items()
    ]
    return "\n".join([*lines, "", "</details>"])


def _absent(row: Coverage) -> list[str]:
    return row.request.missing + row.answer.missing


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.known += tally.known
        total.missing += tally.missing
        total.idle += tally.idle
    return total


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names)) or "-"
