"""What every wire model shares: camelCase names, strict types, text that can be stored and sent again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError, core_schema


@lru_cache(maxsize=4096)  # one instant is written many times: in every history that a message is part of
def iso(instant: datetime) -> str:
    """Write an instant the way the platform does: "2026-01-05T15:00:00.000Z" (UTC, cut to milliseconds)."""
    at = instant.astimezone(UTC)
    return f"{at.isoformat('T', 'milliseconds')[:23]}Z"


def iso_or_none(instant: datetime | None) -> str | None:
    """Write an instant that may be missing."""
    return None if instant is None else iso(instant)


class In(BaseModel):
    """A request body.

    Unknown fields are ignored, as the platform does. Types are strict: a JSON string is no number, a number no boolean.
    """

    model_config = ConfigDict(
        extra="ignore",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        defer_build=True,  # forty models cost start-up time that the first request can pay for its own
        ser_json_inf_nan="null",
    )

    def given(self) -> dict[str, Any]:
        """The fields that were sent, by their snake_case names; null counts as not sent."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}


class Query(BaseModel):
    """A query string. Values are text, so numbers and booleans are read out of it."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, defer_build=True)


class Out(BaseModel):
    """An answer. Every field is always present; what is not known is null."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, defer_build=True)


class OneOf:
    """A closed set of words taken from the domain, so that the wire cannot drift from it."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Hand pydantic a literal; it then knows the error message and the JSON schema."""
        return core_schema.literal_schema(list(self.words))


VISIBLE: Final[dict[str, Any]] = {"pattern": r"[^\s\x1c-\x1f\x85]"}  # how a schema says that a text is not blank


_BROKEN_OFFSET = re.compile(r" (\d\d(:?\d\d)?)$")  # an unescaped "+" in a query string arrives as a space


def read_instant(value: Any) -> Any:
    """Read an ISO 8601 date-time; without an offset it is UTC. Anything else is a shape error."""
    if not isinstance(value, str):
        raise PydanticCustomError("datetime_type", "Input should be an ISO 8601 date-time in a string")
    try:
        at = datetime.fromisoformat(_BROKEN_OFFSET.sub(r"+\1", value) if "T" in value else value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError(
            "datetime_parsing", "Input should be an ISO 8601 date-time such as 2026-01-05T15:00:00Z"
        ) from error


Instant = Annotated[datetime, BeforeValidator(read_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


def _storable(value: Any) -> Any:
    """Refuse numbers that JSON can carry in but not out again (1e999 reads as infinity)."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float) and not math.isfinite(item):
            raise PydanticCustomError("finite_number", "Input should hold finite numbers only")
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return value


JsonObject = Annotated[dict[str, Any], BeforeValidator(_storable)]
JsonList = Annotated[list[Any], BeforeValidator(_storable)]
