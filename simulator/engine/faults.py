"""Fault rules: matched, counted, drawn for and expired. Decides that something goes wrong; whoever asked makes it so.

The rules are looked at in the order in which they were made, and the first one that fires is the only one: a subject
goes wrong in one way. A rule that lets a subject pass (it is to be skipped, the draw was against it, its times are used
up) leaves it to the rules after it, which have then seen it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from simulator.domain.fault_rules import FaultRule

Subject = Mapping[str, Any]  # what it is, by the names that can be matched; a tuple: any of these


class Count(NamedTuple):
    """What a rule has met: subjects that matched it, and those among them that it struck."""

    seen: int = 0
    fired: int = 0
    lapsed: bool = False  # it has been told that the rule's time is up


@dataclass(frozen=True, slots=True)
class Struck:
    """A rule that has fired. `fired` says how often by now."""

    rule: FaultRule
    fired: int

    @property
    def fault(self) -> str:
        """What is to go wrong."""
        return self.rule.spec.fault

    @property
    def span(self) -> timedelta:
        """The parameter `seconds`; no time at all when the fault has none."""
        return timedelta(seconds=self["seconds"] or 0)

    def __getitem__(self, name: str) -> Any:
        """A parameter of the fault; None when it was not given."""
        return self.rule.spec.parameters.get(name)


class Path(NamedTuple):
    """A request's place: its method, its path, and the template of the operation that serves it, cut into segments."""

    method: str
    segments: tuple[str, ...]
    template: tuple[str, ...]


class Faults:
    """The rules of one account, in order, with their counts.

    Everything that is kept is immutable, so a copy costs three maps and shares the rest. `held` are the deliveries that
    a fault holds back, each with the id of the webhook endpoint whose next delivery lets it go (None: only time does).
    """

    __slots__ = ("_by_place", "counts", "held", "rules")

    def __init__(self) -> None:
        self.rules: dict[str, FaultRule] = {}
        self.counts: dict[str, Count] = {}
        self.held: dict[str, str | None] = {}
        self._by_place: dict[str, tuple[FaultRule, ...]] = {}

    def __bool__(self) -> bool:
        """Whether anything could go wrong at all."""
        return bool(self.rules or self.held)

    def copy(self) -> Faults:
        """The same rules with the same counts, going their own way from here on."""
        twin = Faults()
        twin.rules, twin.counts, twin.held = self.rules.copy(), self.counts.copy(), self.held.copy()
        twin._by_place = self._by_place.copy()
        return twin

    def add(self, rule: FaultRule) -> None:
        """Put a rule after all others."""
        self.rules[rule.id] = rule
        self.counts[rule.id] = Count()
        self._by_place[rule.spec.on] = (*self._by_place.get(rule.spec.on, ()), rule)

    def remove(self, rule_id: str) -> FaultRule | None:
        """Take a rule off; None when there is none."""
        rule = self.rules.pop(rule_id, None)
        if rule is not None:
            del self.counts[rule_id]
            self._by_place[rule.spec.on] = tuple(r for r in self._by_place[rule.spec.on] if r is not rule)
        return rule

    def lapsed(self, now: datetime) -> list[FaultRule]:
        """The rules whose time was up before `now`, each told once."""
        found = [rule for rule in self.rules.values() if is_over(rule, now) and not self.counts[rule.id].lapsed]
        for rule in found:
            self.counts[rule.id] = self.counts[rule.id]._replace(lapsed=True)
        return found

    def strike(
        self, on: str, subject: Subject, now: datetime, roll: Callable[[str], float], kinds: tuple[str, ...] = ()
    ) -> Struck | None:
        """Let the rules look at a subject; the one that strikes it, or None.

        `roll` draws a number in [0, 1) for a rule's id: each rule has draws of its own, so that one rule more shifts
        nothing for the others. A rule that needs no luck draws none. `kinds` are the faults that can happen to this
        subject; none: all of them can.
        """
        for rule in self._by_place.get(on, ()):
            spec, count = rule.spec, self.counts[rule.id]
            if (kinds and spec.fault not in kinds) or is_over(rule, now) or not fits(spec.match, subject):
                continue
            fires = count.seen >= spec.skip and (spec.times is None or count.fired < spec.times)
            if fires and spec.probability < 1:
                fires = roll(rule.id) < spec.probability
            self.counts[rule.id] = count = count._replace(seen=count.seen + 1, fired=count.fired + fires)
            if fires:
                return Struck(rule, count.fired)
        return None


def is_over(rule: FaultRule, now: datetime) -> bool:
    """Whether the rule's time is up."""
    return rule.expires_at is not None and now >= rule.expires_at


def fits(match: Mapping[str, Any], subject: Subject) -> bool:
    """Say whether a subject is everything that it must be."""
    return all(_fits(key, wanted, subject.get(key)) for key, wanted in match.items())


def _fits(key: str, wanted: Any, found: Any) -> bool:
    if isinstance(found, Path):
        return on_route(wanted, found)
    if key == "url":
        return found is not None and _glob(wanted, found)
    if isinstance(found, tuple):
        return wanted in found
    return found is not None and wanted == found


def on_route(pattern: str, path: Path) -> bool:
    """Say whether a request is on a route: `POST /v1/messages`, `/v1/agents/{agent_id}`, `GET /v1/calls/*`, `/v1/**`.

    `{…}` stands where the operation has a parameter, `*` for any one segment, `**` at the end for all that follow.
    Everything else is what the path itself says there.
    """
    return _on_route(pattern, path.method, path.segments, lambda at, wanted: _here(wanted, path, at))


def could_be_on_route(pattern: str, method: str, template: str) -> bool:
    """Say whether any request to an operation could be on a route."""
    segments = segments_of(template)
    return _on_route(pattern, method, segments, lambda at, wanted: _possible(wanted, segments[at]))


def _on_route(pattern: str, method: str, segments: tuple[str, ...], same: Callable[[int, str], bool]) -> bool:
    only, wanted = split(pattern)
    if only is not None and only != method:
        return False
    if wanted[-1:] == ("**",):
        wanted = wanted[:-1]
        if len(segments) <= len(wanted):
            return False
    elif len(segments) != len(wanted):
        return False
    return all(same(at, segment) for at, segment in enumerate(wanted))


def _here(wanted: str, path: Path, at: int) -> bool:
    if wanted.startswith("{"):
        return path.template[at].startswith("{")
    return wanted in ("*", path.segments[at])


def _possible(wanted: str, template: str) -> bool:
    return template.startswith("{") or wanted in ("*", template)


def segments_of(path: str) -> tuple[str, ...]:
    """Cut a path."""
    return tuple(path.removeprefix("/").split("/"))


def split(pattern: str) -> tuple[str | None, tuple[str, ...]]:
    """Cut a route into its method, if it names one, and the segments of its path."""
    method, _, path = pattern.strip().rpartition(" ")
    return None if method.strip() in ("", "*") else method.strip().upper(), segments_of(path)


def _glob(pattern: str, text: str) -> bool:
    """Say whether `text` is like `pattern`, in which each `*` stands for any characters."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first):
        return False
    at = len(first)
    *middle, last = rest
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)
