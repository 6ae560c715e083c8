"""What a scenario's names mean: variables filled in before it is read, agents, numbers and people checked after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.domain.phone import is_e164
from simulator.domain.policy import CONTRACTS, POLICIES
from simulator.domain.words import did_you_mean
from simulator.scenarios.base import NAME, REFERENCE
from simulator.scenarios.faults import check_faults
from simulator.scenarios.model import CallPart, Scenario, TextPart
from simulator.scenarios.script import impossible
from simulator.scenarios.source import Loc

# Below these keys {{name}} is the platform's own: it fills them in for each call.
_FREE: Final = "parameters"  # of a custom tool: a schema of its own, in which null is a value
_PLATFORMS: Final = frozenset({"request", "agents", "numbers", "contacts", "webhook", "variables", "policies"})


@dataclass(slots=True)
class Filled:
    """A file's value with its variables filled in, and the references that lead nowhere."""

    value: Any
    problems: list[tuple[Loc, str]] = field(default_factory=list)


def fill(value: Any, given: Mapping[str, Any]) -> Filled:
    """Put the values of variables where {{name}} stands. `given` goes before what the file says.

    A value is put in as text and is not looked at again, so it may hold braces itself.
    """
    own = value.get("variables") if isinstance(value, Mapping) else None
    known = {**(own if isinstance(own, Mapping) else {}), **given}
    filler = _Filler({name: _text(item) for name, item in known.items()})
    filled = Filled(filler.fill(value, ()), filler.problems)
    unknown = [name for name in given if not NAME.fullmatch(name)]
    filled.problems += [((), f"the variable {name!r} has no usable name: letters, digits and _") for name in unknown]
    return filled


def nothing(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Find the keys and entries that nothing follows: most often what belongs to them was not indented."""
    if value is None:
        yield loc, "nothing follows: give a value (is it indented?), or leave it out"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nothing(item, (*loc, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != _FREE:
                yield from nothing(item, (*loc, key))


class _Filler:
    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.problems: list[tuple[Loc, str]] = []

    def fill(self, value: Any, loc: Loc) -> Any:
        if isinstance(value, str):
            return REFERENCE.sub(lambda found: self._value(found[1].strip(), loc), value)
        if isinstance(value, list):
            return [self.fill(item, (*loc, index)) for index, item in enumerate(value)]
        if isinstance(value, Mapping):
            return {key: item if key in _PLATFORMS else self.fill(item, (*loc, key)) for key, item in value.items()}
        return value

    def _value(self, name: str, loc: Loc) -> str:
        if name in self._known:
            return self._known[name]
        if NAME.fullmatch(name):
            hint = did_you_mean(name, self._known) if self._known else "give it a value under `variables`"
            self.problems.append((loc, f"there is no variable {name!r}: {hint}"))
        else:
            self.problems.append((loc, f"{name!r} is no name of a variable: letters, digits and _"))
        return "0"  # anything: the problem is reported, and what reads the rest should not add to it


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def check(scenario: Scenario) -> Iterator[tuple[Loc, str]]:
    """Find the names that lead nowhere, or to two things; yields where, and what is wrong."""
    names = [policy.name for policy in POLICIES]
    if scenario.contract is not None and scenario.contract not in CONTRACTS:
        yield ("contract",), f"there is no contract {scenario.contract!r}: {did_you_mean(scenario.contract, CONTRACTS)}"
    for name, value in scenario.policies.items():
        known = next((policy.values for policy in POLICIES if policy.name == name), None)
        if known is None:
            yield ("policies", name), f"there is no policy {name!r}: {did_you_mean(name, names)}"
        elif value not in known:
            yield ("policies", name), f"{name} cannot be {value!r}: {did_you_mean(value, known)}"
    yield from (
        (("variables", n), f"{n!r} is no name: letters, digits and _")
        for n in scenario.variables
        if not NAME.fullmatch(n)
    )
    yield from _world(scenario)
    yield from check_faults(scenario.faults)
    for index, call in enumerate(scenario.calls):
        yield from _call(scenario, call, ("calls", index))
    for index, text in enumerate(scenario.texts):
        yield from _text_part(scenario, text, ("texts", index))


def agents(scenario: Scenario) -> list[str]:
    """The names of the agents, in order."""
    return [agent.name for agent in scenario.world.agents]


def outbound(scenario: Scenario, call: CallPart) -> bool:
    """Whether the platform places this call: its `from` is an agent or a number of ours."""
    return call.from_ in _ours(scenario)


def _ours(scenario: Scenario) -> list[str]:
    return agents(scenario) + [number.name for number in scenario.world.numbers if number.name]


def _people(scenario: Scenario) -> list[str]:
    return [person.name for person in scenario.world.people if person.name]


def _world(scenario: Scenario) -> Iterator[tuple[Loc, str]]:
    named = [(("world", "agents", i, "name"), a.name) for i, a in enumerate(scenario.world.agents)]
    named += [(("world", "numbers", i, "name"), n.name) for i, n in enumerate(scenario.world.numbers) if n.name]
    named += [(("world", "people", i, "name"), p.name) for i, p in enumerate(scenario.world.people) if p.name]
    yield from _doubles(named, "is the name of something else already")
    people = scenario.world.people
    yield from _doubles(((("world", "people", i, "number"), p.number) for i, p in enumerate(people)), "has a person")
    for index, person in enumerate(people):
        yield from impossible(person.script or [], ("world", "people", index, "script"))
    for index, number in enumerate(scenario.world.numbers):
        if number.agent is not None and number.agent not in agents(scenario):
            hint = did_you_mean(number.agent, agents(scenario))
            yield ("world", "numbers", index, "agent"), f"there is no agent {number.agent!r}: {hint}"


def _doubles(named: Iterable[tuple[Loc, str]], why: str) -> Iterator[tuple[Loc, str]]:
    seen: Counter[str] = Counter()
    for loc, name in named:
        seen[name] += 1
        if seen[name] > 1:
            yield loc, f"{name!r} {why}: choose another"


def _call(scenario: Scenario, call: CallPart, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if call.script is not None:
        yield from impossible(call.script, (*loc, "script"))
    if outbound(scenario, call):
        if call.to is None:
            yield loc, "'to' is missing here: whom does the agent call?"
        else:
            yield from _resolve(call.to, _people(scenario), (*loc, "to"), "person")
        return
    yield from _resolve(call.from_, _people(scenario) + _ours(scenario), (*loc, "from"), "person or agent")
    yield from _ours_only(scenario, call.to, loc)
    if call.request is not None:
        yield (*loc, "request"), "request goes with calls that an agent places: make an agent the call's `from`"
    if call.answer is not None:
        yield (*loc, "answer"), "answer goes with calls that an agent places: make an agent the call's `from`"
    if call.script is None and call.from_ not in _people(scenario):
        yield loc, "'script' is missing here: what does the caller say?"


def _text_part(scenario: Scenario, text: TextPart, loc: Loc) -> Iterator[tuple[Loc, str]]:
    yield from _resolve(text.from_, _people(scenario), (*loc, "from"), "person")
    yield from _ours_only(scenario, text.to, loc)


def _ours_only(scenario: Scenario, to: str | None, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if to is None and len(scenario.world.agents) > 1:
        yield loc, f"'to' is missing here: there are {len(scenario.world.agents)} agents, {', '.join(agents(scenario))}"
    elif to is not None and to not in _ours(scenario):
        hint = did_you_mean(to, _ours(scenario))
        yield (*loc, "to"), f"there is no agent or number {to!r}: {hint}"


def _resolve(name: str, known: list[str], loc: Loc, what: str) -> Iterator[tuple[Loc, str]]:
    if not is_e164(name) and name not in known:
        hint = did_you_mean(name, known) if known else "write a number such as +14155550150"
        yield loc, f"{name!r} is no number and no {what}: {hint}"
