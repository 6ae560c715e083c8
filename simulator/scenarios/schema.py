"""The JSON schema of scenario files, made from the models, for editors and checkers (draft 2020-12)."""

from __future__ import annotations

import json
from typing import Any, Final

from simulator.scenarios.model import Scenario

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NULL: Final = {"type": "null"}
TITLE: Final = "agentphone-simulator scenario"


def schema() -> dict[str, Any]:
    """The schema as plain data; the same in every run."""
    made = Scenario.model_json_schema(by_alias=True, mode="validation")
    head = {"$schema": DIALECT, "title": TITLE}
    return head | {key: _tidy(value) for key, value in made.items() if key != "title"}


def render() -> str:
    """The schema as a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """Leave out what tells an editor's reader nothing: a title that repeats the key, an absent default, null.

    A key that may be left out is not one that may be null: the loader refuses a key that nothing follows.
    """
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {k: v for k, v in value.items() if not (k == "title" and isinstance(v, str)) and (k, v) != ("default", None)}
    choices = kept.get("anyOf")
    if isinstance(choices, list):
        kept["anyOf"] = [choice for choice in choices if choice != NULL]
        if len(kept["anyOf"]) == 1:
            kept = {**kept.pop("anyOf")[0], **kept}
    return {key: _tidy(item) for key, item in kept.items()}
