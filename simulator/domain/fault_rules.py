"""A rule that makes something go wrong: as it is written, and as it is kept.

It is written in the same words in `POST /_sim/faults`, in a scenario's `faults:`, after `--fault` and in
`Settings.faults`: what it is `on`, which `fault`, that fault's own parameters, what must `match`, and how often.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.domain.faults import COUNTING, KINDS, MATCHES, PARAMETERS, PLACES, FaultKind, Value
from simulator.domain.phone import normalise
from simulator.domain.words import did_you_mean
from simulator.errors import ApiError, UsageError

PHONES: Final = frozenset({"number", "from", "to"})  # keys of a match that are telephone numbers
_BY_NAME: Final[Mapping[tuple[str, str], FaultKind]] = {(kind.on, kind.name): kind for kind in KINDS}
_WORDS: Final = ("on", "fault", "match", *(value.name for value in COUNTING))


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpec:
    """A rule as somebody wants it. `of` reads one as it is written; parameters have their defaults filled in."""

    on: str
    fault: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    match: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    expires_in: timedelta | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> FaultSpec:
        """Read a rule as JSON has it; null counts as absent. Raises UsageError naming everything that is wrong."""
        wrong = [message for _, message in mistakes(given)]
        if wrong:
            raise UsageError("; ".join(wrong))
        said = _given(given)
        kind = _BY_NAME[said["on"], said["fault"]]
        chosen = {p.name: said[p.name] for p in kind.parameters if p.name in said}
        expires_in = said.get("expires_in")
        try:
            match = {key: _matched(key, wanted) for key, wanted in _given(said.get("match")).items()}
        except ApiError as error:
            raise UsageError(error.detail) from error
        return cls(
            on=kind.on,
            fault=kind.name,
            parameters={**kind.defaults, **chosen},
            match=match,
            times=said.get("times"),
            skip=said.get("skip", 0),
            probability=float(said.get("probability", 1.0)),
            expires_in=None if expires_in is None else timedelta(seconds=expires_in),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A rule that is on."""

    id: str
    spec: FaultSpec
    expires_at: datetime | None = None


def _given(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: item for name, item in (value or {}).items() if item is not None}


def read_fault(text: str) -> dict[str, Any]:
    """Read `on=delivery,fault=duplicate,match.event=agent.message,times=1` as JSON would have it. Raises UsageError."""
    given: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise UsageError(f"{name!r} has no value: write NAME=VALUE, such as on=delivery,fault=duplicate")
        key = name.removeprefix("match.")
        place = given if key == name else given.setdefault("match", {})
        place[key] = _number(key, value)
    return given


def mistakes(given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what is wrong with a rule as it was written, apart from names of routes and numbers: where, and why."""
    said = _given(given)
    on, fault = said.get("on"), said.get("fault")
    if on not in PLACES:
        yield _choice("on", on, PLACES)
        return
    names = tuple(kind.name for kind in KINDS if kind.on == on)
    if fault not in names:
        yield _choice("fault", fault, names, f" on {on}")
        return
    kind = _BY_NAME[on, fault]
    for value in (*kind.parameters, *COUNTING):
        problem = value.problem(said[value.name]) if value.name in said else None
        if problem is not None:
            yield (value.name,), problem
        elif value.name in ("probability", "expires_in") and said.get(value.name) == 0:
            yield (value.name,), f"{value.name} 0 never fires: leave the rule out, or write more than 0"
        elif value.required and value.name not in said:
            yield (), f"{fault} on {on} needs {value.name}: {value.about}"
    own = tuple(value.name for value in kind.parameters)
    for name in given:
        if name not in own and name not in _WORDS and (name in said or name not in PARAMETERS):
            yield (name,), f"{fault} on {on} has no {name!r}: {did_you_mean(name, (*own, *_WORDS))}"
    yield from _match_mistakes(kind, said.get("match", {}))


def _match_mistakes(kind: FaultKind, match: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(match, Mapping):
        yield ("match",), f"match is an object, not {match!r}"
        return
    known = {value.name: value for value in kind.match}
    for key, wanted in match.items():
        if wanted is None and key in MATCHES:
            continue
        if key not in known:
            yield ("match", str(key)), f"{kind.name} on {kind.on} cannot match {key!r}: {did_you_mean(str(key), known)}"
        elif (problem := known[key].problem(wanted)) is not None:
            yield ("match", key), problem


def _choice(name: str, value: Any, known: tuple[str, ...], where: str = "") -> tuple[tuple[str, ...], str]:
    if value is None:
        return (), f"a rule needs {name!r}: one of {', '.join(known)}"
    return (name,), f"there is no {name} {value!r}{where}: {did_you_mean(str(value), known)}"


def _matched(key: str, value: Any) -> Any:
    """What a subject is compared with. Short codes and e-mail addresses text too, and are what they are."""
    if key not in PHONES or "@" in value or (value.isdigit() and len(value) <= 6):
        return value
    return normalise(value)


def _number(name: str, text: str) -> Any:
    """Text of a command line as the value that its name wants, where it can be read so."""
    types = {v.type for kind in KINDS for v in (*kind.parameters, *kind.match, *COUNTING) if v.name == name}
    for wanted, read in (("integer", int), ("number", float)):
        if wanted in types:
            try:
                return read(text)
            except ValueError:
                break
    return text


def fragments() -> list[dict[str, Any]]:
    """For every kind, the JSON schema of what a rule about it may say, beyond the types of the fields."""
    return [_fragment(kind) for kind in KINDS]


def _fragment(kind: FaultKind) -> dict[str, Any]:
    own = {value.name: value for value in kind.parameters}
    matches = {value.name: value for value in kind.match}
    absent = {"type": "null"}
    properties: dict[str, Any] = {"on": {"const": kind.on}, "fault": {"const": kind.name}}
    properties |= {name: _or_null(own[name]) if name in own else absent for name in PARAMETERS}
    among = {name: _or_null(matches[name]) if name in matches else absent for name in MATCHES}
    properties["match"] = {"type": ["object", "null"], "properties": among}
    required = [value.name for value in kind.parameters if value.required]
    return {"required": ["on", "fault", *required], "properties": properties}


def _or_null(value: Value) -> dict[str, Any]:
    schema = value.schema()
    return schema if value.required else {"anyOf": [schema, {"type": "null"}]}
