"""A question to the journal: did this happen? And if not, what came nearest, and why it may not have happened.

Entries are rows as `/_sim/journal` shows them: `seq`, `at`, `kind`, and what belongs to the kind. Nothing here waits;
whoever does feeds the rows that come to a `Search`, and asks it whether more of them could change the answer.
"""

from __future__ import annotations

import difflib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.domain.journal_kinds import COMMON, KINDS, kinds_of
from simulator.domain.webhooks import DeliveryStatus
from simulator.engine.conditions import Condition, conditions_of, look_up, shown
from simulator.errors import UsageError

Row = Mapping[str, Any]

MOST_SHOWN: Final = 1_000  # entries in one answer; `count` counts them all
MISSES_KEPT: Final = 10_000  # of the newest; a busy journal has more, and they are alike
MISSES_COMPARED: Final = 100  # of those that meet most conditions: comparing texts letter by letter takes its time
MISSES_SHOWN: Final = 5
HINTS_EACH: Final = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many entries there should be."""

    at_least: int = 1
    at_most: int | None = None

    def holds(self, number: int) -> bool:
        """Say whether that many are right."""
        return self.at_least <= number and (self.at_most is None or number <= self.at_most)

    def __str__(self) -> str:
        if self.at_least == self.at_most:
            return "no" if self.at_most == 0 else f"exactly {self.at_least}"
        bounds = [f"at least {self.at_least}"] if self.at_least or self.at_most is None else []
        bounds += [] if self.at_most is None else [f"at most {self.at_most}"]
        return " and ".join(bounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for. `within` is in simulated seconds from now, `after` a `seq`."""

    words: tuple[str, ...]  # the kinds as they were asked for
    kinds: frozenset[str]
    conditions: tuple[Condition, ...]
    bounds: Bounds
    within: float
    after: int

    def __str__(self) -> str:
        where = f" where {' and '.join(map(str, self.conditions))}" if self.conditions else ""
        late = f", within {self.within:g} s" if self.within else ""
        behind = f", after #{self.after}" if self.after else ""
        return f"{self.bounds} {' or '.join(self.words)}{where}{late}{behind}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A condition that does not hold."""

    field: str
    expected: Any
    observed: Any
    said: str  # what is expected, in words


@dataclass(frozen=True, slots=True)
class Miss:
    """An entry of the right kind that is not what was asked for; how it differs."""

    entry: Row
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else a journal knows: how often each kind happened, and what went wrong."""

    kinds: Mapping[str, int]
    failing: Sequence[str]  # deliveries and findings, in words, the newest last
    unrouted: Mapping[str, int]  # events that had no webhook to go to


@dataclass(slots=True)
class Search:
    """The answer as far as it is known. Feed the rows in their order; those of other kinds are passed over."""

    question: Question
    found: list[Row] = field(default_factory=list)
    count: int = 0
    early: list[Row] = field(default_factory=list)  # what would fit, but came before `after`
    late: list[Row] = field(default_factory=list)  # what would fit, but came when the time was over
    misses: deque[Row] = field(default_factory=lambda: deque(maxlen=MISSES_KEPT))

    def see(self, row: Row, *, late: bool = False) -> None:
        """Take one row in. `late`: it happened after the time that was given."""
        question = self.question
        if row["kind"] not in question.kinds:
            return
        if not all(condition.holds(row) for condition in question.conditions):
            if row["seq"] > question.after:
                self.misses.append(row)
        elif row["seq"] <= question.after:
            self.early.append(row)
        elif late:
            self.late.append(row)
        else:
            self.count += 1
            if len(self.found) < MOST_SHOWN:
                self.found.append(row)

    @property
    def holds(self) -> bool:
        """Whether the number of entries is right, as things are."""
        return self.question.bounds.holds(self.count)

    @property
    def decided(self) -> bool:
        """Whether nothing that is yet to come can change the answer."""
        bounds = self.question.bounds
        return self.count >= bounds.at_least if bounds.at_most is None else self.count > bounds.at_most

    def closest(self) -> list[Miss]:
        """The misses, nearest first: those that meet most conditions; of these, those whose values are most alike."""
        return closest(self.question.conditions, self.misses)


def question_of(kind: str, where: Mapping[str, Any], bounds: Bounds, *, within: float = 0, after: int = 0) -> Question:
    """Read a question. Raises UsageError with the way out for a kind or an operator that does not exist."""
    words = tuple(word for part in kind.split(",") if (word := part.strip().rstrip(".")))
    if not words:
        raise UsageError("kind is empty: name one, such as message.sent, or its first part, such as delivery")
    wanted = {word: kinds_of(word) for word in words}
    for word, kinds in wanted.items():
        if not kinds:
            raise UsageError(_unknown_kind(word))
    objects = frozenset(name for kinds in wanted.values() for found in kinds for name in found.objects)
    return Question(
        words=words,
        kinds=frozenset(found.name for kinds in wanted.values() for found in kinds),
        conditions=conditions_of(where, objects),
        bounds=bounds,
        within=within,
        after=after,
    )


def _unknown_kind(word: str) -> str:
    names = [known.name for known in KINDS]
    nearest = difflib.get_close_matches(word, [*names, *{name.partition(".")[0] for name in names}], 3)
    known = f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(names)}"
    return f"no entry is of the kind {word[:100]!r}: {known}"


# -- near misses -------------------------------------------------------------------------------------------------


def closest(conditions: Sequence[Condition], rows: Iterable[Row]) -> list[Miss]:
    """The nearest of `rows`, in order; rows that are equally near stay in the order in which they happened."""
    held = [(sum(condition.holds(row) for condition in conditions), row) for row in rows]
    best = sorted(held, key=lambda pair: (-pair[0], -pair[1]["seq"]))[:MISSES_COMPARED]
    ranked = sorted(best, key=lambda pair: (-pair[0], -_nearness(conditions, pair[1]), pair[1]["seq"]))
    return [Miss(row, tuple(_differences(conditions, row))) for _, row in ranked[:MISSES_SHOWN]]


def _nearness(conditions: Sequence[Condition], row: Row) -> float:
    """How near the conditions that do not hold come to holding, together."""
    return sum(c.nearness(look_up(row, c.field)) for c in conditions if not c.holds(row))


def _differences(conditions: Sequence[Condition], row: Row) -> Iterator[Difference]:
    for condition in conditions:
        if not condition.holds(row):
            yield Difference(condition.field, condition.expected, look_up(row, condition.field), condition.said)


# -- explaining --------------------------------------------------------------------------------------------------


def surroundings(rows: Iterable[Row]) -> Surroundings:
    """Go through a journal for what may explain why something did not happen."""
    kinds: Counter[str] = Counter()
    unrouted: Counter[str] = Counter()
    failing: dict[str, str] = {}
    for row in rows:
        kind = row["kind"]
        kinds[kind] += 1
        if kind == "delivery.unrouted":
            unrouted[row["event"]] += 1
        elif kind == "delivery.attempt":
            failing.pop(row["delivery_id"], None)
            if row["outcome"] != "accepted":
                tried = f"attempt {row['attempt']}: {row['error'] or row['outcome']}"
                failing[row["delivery_id"]] = f"the delivery {row['delivery_id']} ({row.get('event')}) failed, {tried}"
        elif kind == "delivery.settled" and row["delivery_id"] in failing:
            end = "given up" if row["status"] == DeliveryStatus.FAILED else row["status"]
            failing[row["delivery_id"]] += f"; {end} after {row['attempts']}"
        elif kind == "finding":
            failing[f"#{row['seq']}"] = f"the handler: {row['finding']}, {row['message']}"
    return Surroundings(kinds=kinds, failing=list(failing.values()), unrouted=unrouted)


def explain(search: Search, around: Surroundings, ended: str) -> str:
    """Say what was expected, what was observed, what came nearest, and what may be the reason.

    `ended` says where the search ended: "the time was over at …".
    """
    question = search.question
    lines = [f"expected {question}", f"observed {_observed(search)}; {ended}"]
    if search.count > question.bounds.at_least:
        lines += [f"  #{row['seq']} {row['kind']} at {row['at']}: {_told(row)}" for row in search.found[-MISSES_SHOWN:]]
    elif near := search.closest():
        lines.append("nearest misses:")
        for miss in near:
            lines += _miss(miss, len(question.conditions))
    lines += [f"hint: {hint}" for hint in _hints(search, around)]
    return "\n".join(lines)


def _observed(search: Search) -> str:
    seen = search.count + len(search.misses)
    if not seen:
        return "none of that kind"
    of_kind = f" (of {seen} of that kind)" if search.misses else ""
    return f"{search.count}{of_kind}"


def _miss(miss: Miss, conditions: int) -> Iterator[str]:
    met = conditions - len(miss.differences)
    entry = miss.entry
    yield f"  #{entry['seq']} {entry['kind']} at {entry['at']}: {met} of {conditions} conditions hold"
    for difference in miss.differences:
        observed = "nothing" if difference.observed is None else shown(difference.observed)
        yield f"    {difference.field}: expected {difference.said}, observed {observed}"


def _told(row: Row) -> str:
    told = ", ".join(f"{name} {shown(value)}" for name, value in row.items() if name not in COMMON)
    return told if len(told) <= 300 else f"{told[:299]}…"


def _hints(search: Search, around: Surroundings) -> Iterator[str]:
    question = search.question
    if search.count > question.bounds.at_least:
        return
    if not any(kind in around.kinds for kind in question.kinds):
        seen = sorted(around.kinds.items(), key=lambda item: (-item[1], item[0]))[:12]
        told = ", ".join(f"{name} ({number})" for name, number in seen) or "nothing at all"
        yield f"no entry of that kind was ever written; the journal has {told}"
    if search.late:
        row = search.late[0]
        yield f"it came when the time was over: #{row['seq']} at {row['at']}; give more with within"
    if search.early:
        row = search.early[-1]
        yield f"it came before: #{row['seq']} at {row['at']}, and after is {question.after}"
    yield from _unknown_fields(question)
    yield from around.failing[-HINTS_EACH:]
    if around.unrouted:
        lost = ", ".join(f"{event} ({number})" for event, number in around.unrouted.items())
        yield f"no webhook was set for {lost}: POST /v1/webhooks sets one"


def _unknown_fields(question: Question) -> Iterator[str]:
    """Fields that none of the kinds has; an entry of such a kind will never fit."""
    known = [name for kind in KINDS if kind.name in question.kinds for name in kind.fields]
    for name in dict.fromkeys(condition.field.partition(".")[0] for condition in question.conditions):
        if name not in known and name not in COMMON:
            nearest = difflib.get_close_matches(name, known, 1)
            there = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(dict.fromkeys(known))}"
            yield f"no {' or '.join(question.words)} has a field {name}: {there}"
