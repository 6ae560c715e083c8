"""The report for programs, and for ourselves: what was written can be read, drawn again and compared.

`schema` grows when a field is renamed, goes away or changes its meaning, not when one is added.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from simulator.conformance.report.records import Reported, ReportRecord
from simulator.conformance.report.summary import passes, summary
from simulator.conformance.report.telling import told
from simulator.errors import UsageError

KIND: Final = "agentphone-simulator conformance report"
SCHEMA: Final = 1
WAY_OUT: Final = "write one with `conform URL --report FOLDER`"


def render(report: Reported) -> str:
    """Write a report as JSON, in ASCII. Lengths are seconds; the same report gives the same bytes."""
    record = told(report)
    head = {"kind": KIND, "schema": SCHEMA, "ok": passes(record), "summary": summary(record)}
    return json.dumps({**head, **TypeAdapter(ReportRecord).dump_python(record, mode="json")}, indent=2) + "\n"


def read(text: str, name: str = "the file") -> ReportRecord:
    """Read a report; all renderers take it. Raises UsageError for anything that is none, or one from the future.

    `name` is what the error calls it.
    """
    try:
        raw = text.encode()
        data = TypeAdapter(Any).validate_json(raw)
    except ValueError:
        raise UsageError(f"{name} is no JSON: {WAY_OUT}") from None
    _recognise(data, name)
    try:
        return TypeAdapter(ReportRecord).validate_json(raw, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"{name} is damaged: {place}: {first['msg']}: {WAY_OUT}") from None


def _recognise(data: Any, name: str) -> None:
    """Raise UsageError unless this is one of our reports, and of a schema that we know."""
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise UsageError(f"{name} is no conformance report: {WAY_OUT}")
    schema = data.get("schema")
    if type(schema) is not int or schema < 1:
        raise UsageError(f"{name} is damaged: it does not say its schema: {WAY_OUT}")
    if schema > SCHEMA:
        newer = f"schema {schema}" if schema < 10**6 else "a schema"
        raise UsageError(f"{name} has {newer} that is newer than {SCHEMA}: read it with the simulator that wrote it")
