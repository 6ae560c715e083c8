"""Rules between the fields of one body, in the words of JSON schema: what a validator checks, the description says too.

Fragments go into a model's `json_schema_extra`, next to the validator that they describe.
"""

from __future__ import annotations

from typing import Any

Fragment = dict[str, Any]


def has(name: str, **schema: Any) -> Fragment:
    """The field is there, and as the schema says."""
    return {"required": [name], "properties": {name: schema}}


def lacks(*names: str) -> Fragment:
    """None of the fields is there; null counts as absent."""
    return {"properties": {name: {"type": "null"} for name in names}}


def both(*fragments: Fragment) -> Fragment:
    """All of these at once; no two may speak of the same field."""
    required = [name for f in fragments for name in f.get("required", ())]
    properties = {name: schema for f in fragments for name, schema in f.get("properties", {}).items()}
    return {**({"required": required} if required else {}), "properties": properties}


def any_of(*fragments: Fragment) -> Fragment:
    """At least one of these."""
    return {"anyOf": list(fragments)}


def at_most_one(*names: str) -> Fragment:
    """No two of the fields are there."""
    return any_of(*(lacks(*(other for other in names if other != name)) for name in names))


def only(name: str, others: tuple[str, ...], **schema: Any) -> Fragment:
    """The field is there, and none of the others."""
    return both(has(name, **schema), lacks(*(other for other in others if other != name)))
