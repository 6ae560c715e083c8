"""What every model of a scenario file shares: strict types, lengths of time, and no unknown keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from simulator.domain.words import did_you_mean
from simulator.engine.patterns import pattern
from simulator.errors import UsageError
from simulator.scenarios import durations

MAX_TEXT: Final = 20_000  # characters; as much as `/_sim` lets anybody say at once
MAX_PATTERN: Final = 1_000  # characters of a regular expression
UNKNOWN_KEYS: Final = "unknown_keys"  # the type of the error whose `keys` the loader puts a position to
REFERENCE: Final = re.compile(r"\{\{((?:(?!\{\{).)*?)\}\}")  # none begins inside another: a file of braces is read once
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Known(BaseModel):
    """A mapping whose keys are all known. A misspelt key would otherwise be an expectation that never fails."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            unknown = {key: did_you_mean(str(key), known) for key in data if key not in known}
            if unknown:
                listed = "; ".join(f"unknown key {key!r}: {hint}" for key, hint in unknown.items())
                raise PydanticCustomError(UNKNOWN_KEYS, "{listed}", {"listed": listed, "keys": unknown})
        return data


class Strict(Known):
    """One mapping of a scenario file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def one_verb(value: Any, verbs: Collection[str], also: Collection[str], pause: str, example: str) -> None:
    """Refuse a step that isn't a mapping with exactly one of `verbs`.

    `also` are the keys that go with some of them, `pause` is the verb that stands in while the rest is looked at.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"a step is a mapping such as {example}; got {value!r}")  # noqa: TRY004 - pydantic's way
    given = [verb for verb in verbs if verb in value]
    if len(given) > 1:
        raise ValueError(f"a step does one thing; this one wants {' and '.join(given)}: make it {len(given)} steps")
    if given:
        return
    rest = [str(key) for key in value if key not in also]
    if not rest:
        raise ValueError(f"a step needs one of {', '.join(verbs)}")
    keys = {key: did_you_mean(key, verbs) for key in rest}
    listed = "; ".join(f"unknown step {key!r}: {hint}" for key, hint in keys.items())
    raise PydanticCustomError(
        UNKNOWN_KEYS, "{listed}", {"listed": listed, "keys": keys, "what": "step", "instead": pause}
    )


def _length(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} has no unit: write 600ms, 1.5s or 2m")  # noqa: TRY004 - pydantic's way
    return durations.parse(value)


def _written(pattern: str, about: str, *examples: str) -> WithJsonSchema:
    """Describe text of a certain look to editors; a {{variable}} may stand in it and is filled in before we look."""
    loose = rf"(?:{pattern})|\{{\{{"
    return WithJsonSchema({"type": "string", "pattern": loose, "description": about, "examples": list(examples)})


Duration = Annotated[
    timedelta, BeforeValidator(_length), _written(durations.PATTERN, "A length of time.", "600ms", "1.5s", "2m", "2d")
]


def _audible(text: str) -> str:
    if not text.strip():
        raise ValueError("blank text cannot be said: give words, or `wait` to stay silent")
    return text


def _compiles(source: str) -> str:
    try:
        pattern(source)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return source


Label = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Words = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_audible)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN), AfterValidator(_compiles)]
_DIGITS: Final = r"^[0-9*#]{1,64}$"
_PHONE: Final = r"^\+[1-9][0-9]{6,14}$"
Digits = Annotated[str, Field(pattern=_DIGITS), _written(_DIGITS, "Keys as they are pressed, in quotes.", "1#")]
Phone = Annotated[str, Field(pattern=_PHONE), _written(_PHONE, "A number in E.164, in quotes.", "+14155550150")]
