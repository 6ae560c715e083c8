"""Files and text to scenarios. Every mistake has its file, line and column, and all of a file are reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simulator.domain.words import did_you_mean
from simulator.errors import ScenarioInvalid, UsageError
from simulator.scenarios.base import UNKNOWN_KEYS
from simulator.scenarios.model import Scalar, Scenario
from simulator.scenarios.references import check, fill, nothing
from simulator.scenarios.source import MAX_BYTES, Loc, Problem, Source, read

MAX_LOOKS: Final = 60  # deeper than any file may be nested; each look takes out one level of unknown keys
MAX_PROBLEMS: Final = 50  # of one file: beyond that a reader mends the first ones and looks again
SUFFIXES: Final = (".yaml", ".yml")
# What pydantic calls things, in words that fit a file.
_WORDS: Final[Mapping[str, str]] = {
    "string_type": "{input!r} is not text: put it in quotes",
    "int_type": "{input!r} is not a whole number",
    "float_type": "{input!r} is not a number",
    "bool_type": "{input!r} is neither true nor false",
    "list_type": "{input!r} is not a list: begin each entry with a dash",
    "dict_type": "{input!r} is not a mapping: write key: value",
    "model_type": "{input!r} is not a mapping: write key: value",
    "model_attributes_type": "{input!r} is not a mapping: write key: value",
}


def load_path(path: Path, variables: Mapping[str, Scalar] | None = None) -> Scenario:
    """Load one file. Raises ScenarioInvalid when there are mistakes in it, UsageError when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # enough to be refused; it may be a device that never ends
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return load(data, str(path), variables)


def load(text: str | bytes, file: str = "scenario.yaml", variables: Mapping[str, Scalar] | None = None) -> Scenario:
    """Load one scenario; `variables` go before those of the file. Raises ScenarioInvalid."""
    source = read(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, file)
    filled = fill(source.value, variables or {})
    problems = [Problem(file, source.position(loc), message, path_of(loc)) for loc, message in filled.problems]
    missing = list(nothing(source.value))
    problems += [_problem(source, loc, message) for loc, message in missing]
    scenario, mistakes = _validate(filled.value, source)
    empty = {loc for loc, _ in [*filled.problems, *missing]}  # what stands there is not what was meant
    problems += [problem for loc, problem in mistakes if loc not in empty]
    if scenario is not None and not problems:
        problems = [Problem(file, source.position(loc), message, path_of(loc)) for loc, message in check(scenario)]
    if problems or scenario is None:
        raise ScenarioInvalid(_ordered(problems))
    return scenario


def _validate(value: Any, source: Source) -> tuple[Scenario | None, list[tuple[Loc, Problem]]]:
    """Read the model. Unknown keys hide the other mistakes around them, so they are taken out for another look."""
    mistakes: list[tuple[Loc, Problem]] = []
    touched: set[Loc] = set()  # that something else is missing there is the misspelt key's fault
    for _ in range(MAX_LOOKS):
        try:
            return Scenario.model_validate(value), mistakes
        except ValidationError as error:
            details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"].endswith("_type"))
        found = [item for detail in details for item in _explain(detail, source) if item[0] not in touched]
        unknown = [detail for detail in details if detail["type"] == UNKNOWN_KEYS]
        if not unknown:
            return None, [*mistakes, *found]
        mistakes += [item for detail in unknown for item in _explain(detail, source)]
        for detail in unknown:
            touched.add(_place(detail["loc"], source.value))
            value = _without(value, _place(detail["loc"], source.value), detail["ctx"])
    return None, mistakes


def _without(value: Any, loc: Loc, context: Mapping[str, Any]) -> Any:
    """Copy `value` without the unknown keys of the mapping at `loc`; an unknown step becomes one that does nothing."""
    if loc:
        if isinstance(value, list):
            return [_without(v, loc[1:], context) if i == loc[0] else v for i, v in enumerate(value)]
        return {k: _without(v, loc[1:], context) if k == loc[0] else v for k, v in value.items()}
    if context.get("what") == "step":
        return {context["instead"]: "0s"}
    return {key: item for key, item in value.items() if key not in context["keys"]}


def find(paths: list[Path]) -> list[Path]:
    """The scenario files among `paths`, folders searched, in a stable order. Raises UsageError when there are none."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"{path} holds no scenario: give files or folders with {' or '.join(SUFFIXES)} files")
        found += [p for p in inside if p not in found]
    return found


def path_of(loc: Loc) -> str:
    """Write a way into a file: "calls[0].script[2].say"."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _explain(detail: ErrorDetails, source: Source) -> Iterator[tuple[Loc, Problem]]:
    loc = _place(detail["loc"], source.value)
    context = detail.get("ctx") or {}
    if detail["type"] == UNKNOWN_KEYS:
        what = context.get("what", "key")
        for key, hint in context["keys"].items():
            yield loc, _problem(source, (*loc, key), f"unknown {what} {key!r}: {hint}")
    elif detail["type"] == "missing":
        yield loc, _problem(source, loc, f"{detail['loc'][-1]!r} is missing here")
    else:
        yield loc, _problem(source, loc, _message(detail, context))


def _message(detail: ErrorDetails, context: Mapping[str, Any]) -> str:
    given = detail["input"]
    shown = repr(given) if isinstance(given, str | int | float | bool) else "this"
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return _not_a_word(given, shown, context)
        case known if known in _WORDS:
            return _WORDS[known].replace("{input!r}", shown)
    said = detail["msg"]
    return f"{shown}: {said[:1].lower()}{said[1:]}"


def _not_a_word(given: Any, shown: str, context: Mapping[str, Any]) -> str:
    words = re.findall(r"'([^']*)'", str(context["expected"]))
    if not words:
        return f"{shown} cannot stand here: write {str(context['expected']).lower()}"
    return f"{shown} is not one of the words for this: {did_you_mean(str(given), words)}"


def _place(loc: Loc, value: Any) -> Loc:
    """Leave out of pydantic's way what is not in the file: the tags of unions, the missing key."""
    kept: list[str | int] = []
    for part in loc:
        inside = part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int)
        if inside:
            value = value[part]
            kept.append(part)
    return tuple(kept)


def _problem(source: Source, loc: Loc, message: str) -> Problem:
    known = loc[-1:] and loc not in source.values
    return Problem(source.file, source.position(loc) if known else source.key(loc), message, path_of(loc))


def _ordered(problems: list[Problem]) -> list[Problem]:
    # Where several kinds of value may stand, each says why it isn't this one. The first one counts: it says more than
    # that the value is of another kind.
    first = {(problem.at, problem.path): problem for problem in reversed(problems)}
    once = sorted(first.values(), key=lambda problem: (problem.at, problem.path))
    if len(once) > MAX_PROBLEMS:
        last = once[MAX_PROBLEMS - 1]
        more = Problem(last.file, last.at, f"and {len(once) - MAX_PROBLEMS} more mistakes")
        return [*once[:MAX_PROBLEMS], more]
    return once
