"""A body to begin with for every operation: the required fields, and those without which the example says little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Json = Mapping[str, Any]

# By field name, whatever the operation. Numbers are fictional; addresses are on this machine or reserved.
VALUES: Final[Mapping[str, Any]] = {
    "name": "Support",
    "url": "http://127.0.0.1:3000/webhook",
    "agentId": "agt_1",
    "agent_id": "agt_1",
    "numberId": "num_1",
    "from": "+14155550150",
    "to": "+14155550161",
    "toNumber": "+14155550161",
    "to_number": "+14155550161",
    "phoneNumber": "+14155550161",
    "phone_number": "+14155550161",
    "body": "Your parcel is here",
    "text": "Where is my order?",
    "digits": "1#",
    "script": ["Where is my order?", "Thanks, goodbye"],
    "seconds": 60,
    "mode": "auto",
    "email": "ann@example.com",
    "human_email": "ann@example.com",
    "metadata": {"step": "greeting"},
    "image_url": "https://example.com/sky.png",
    "opt_in_image_url": "https://example.com/form.png",
    "reaction": "love",
    "agent_name": "Support",
    "first_name": "Ann",
    "last_name": "Smith",
    "street_address": "1 Main Street",
    "city": "San Francisco",
    "state": "CA",
    "zip_code": "94105",
    "description": "Tells customers of a small shop when their order can be collected from the counter.",
    "consent_flow": "Customers tick a box on the order form to be told by text when the order is ready.",
    "message_samples": [
        "Acme: your order 4521 is ready at the counter. Reply STOP to opt out.",
        "Acme: we open at nine tomorrow. Reply HELP for help, STOP to opt out.",
    ],
    "language": "en_US",
    "note": "The second call of the day was silent.",
}
# Shown though they may be left out: without them the body would be empty, or refused by a rule.
SHOWN: Final = frozenset({"to_number", "agent_id", "body", "metadata", "script", "mode", "agent_name"})


def example(schema: Json, definitions: Json) -> Any:
    """A small value that the schema allows; `definitions` are what its references point to."""
    return _value("", schema, definitions)


def _value(name: str, schema: Json, definitions: Json) -> Any:
    schema = _resolved(schema, definitions)
    for given in ([schema["example"]] if "example" in schema else []), schema.get("examples", ()):
        if given:
            return given[0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    choices = [c for c in schema.get("anyOf", schema.get("oneOf", ())) if c.get("type") != "null"]
    if "properties" in schema:
        return _object(schema, definitions)
    if _allows(name, schema, choices):
        return VALUES[name]
    if choices:
        return _value(name, choices[0], definitions)
    return _plain(name, schema, definitions)


def _allows(name: str, schema: Json, choices: list[Json]) -> bool:
    """Whether the value known for a name is of the type that is asked for here."""
    kinds = {str: "string", int: "integer", list: "array", dict: "object"}
    wanted = {c.get("type") for c in choices} or {schema.get("type")}
    return name in VALUES and bool(wanted & {kinds[type(VALUES[name])], "number" if name == "seconds" else None})


def _object(schema: Json, definitions: Json) -> Json:
    required = schema.get("required", ())
    wanted = (n for n in schema["properties"] if n in required or n in SHOWN)
    return {name: _value(name, schema["properties"][name], definitions) for name in wanted}


def _plain(name: str, schema: Json, definitions: Json) -> Any:
    match schema.get("type"):
        case "array":
            return [_value("", schema.get("items", {}), definitions)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("default", schema.get("minimum", 1))
        case "boolean":
            return schema.get("default", True)
        case "object":
            return {}
        case _:
            return "2031-05-06T07:08:09Z" if schema.get("format") == "date-time" else f"{name or 'text'}"


def _resolved(schema: Json, definitions: Json) -> Json:
    while "$ref" in schema:
        found = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema
