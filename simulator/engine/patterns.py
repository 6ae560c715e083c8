"""Regular expressions whose cost is bounded: in a script they meet text that a handler chose, on the only event loop.

Python's engine tries one way after the other, and there are patterns (`(a+)+$`) with more ways than anybody can wait
for. Where the ways can be counted and are few, Python's engine is asked, as it is fast. Elsewhere all ways are followed
at once, as a set of states, in time that grows with the length of the text alone.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, TypeVar

from simulator.errors import UsageError

MAX_STATES: Final = 5_000  # of a pattern with its repeats written out: `(a{100}){100}` is a mistake
FEW_WAYS: Final = 20_000  # from one place of a text
SHORT: Final = 2_000  # characters; in a longer text even a pattern with few ways is followed state by state
MAX_KEPT: Final = 200_000  # states in the sets that are remembered of one pattern

# The parser and compiler behind `re`. They have no public name, and every character class its own subtleties.
_parser: Final[Any] = import_module("re._parser")
_compiler: Final[Any] = import_module("re._compiler")
_MANY: Final = _parser.MAXREPEAT

Test = Callable[[str], Callable[[int], bool]]  # of a text: does it hold at this place?
States = frozenset[int]
K = TypeVar("K")


@lru_cache(maxsize=64)
def pattern(source: str) -> Pattern:
    """The pattern that `source` is, capitals and small letters alike. Raises UsageError for what is none."""
    return Pattern(source)


class Pattern:
    """A regular expression that can be looked for in any text.

    Raises UsageError for what is none, is too large, or remembers what it has seen: back-references, conditions on
    groups, atomic groups and possessive repeats cannot be followed all ways at once.
    """

    def __init__(self, source: str) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what some later Python may read differently
                tree = _parser.parse(source, re.IGNORECASE)
                self._quick = re.compile(source, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"{source!r} is not a regular expression: {error}") from error
        try:
            self._automaton = _Automaton(tree, tree.state.flags, [0])
            self._few = _ways(tree) <= FEW_WAYS
        except (_NotFollowed, RecursionError) as reason:
            raise UsageError(f"{source!r} cannot be matched in bounded time: {reason}") from reason

    def found_in(self, text: str) -> bool:
        """Say whether it occurs in `text`."""
        if self._few and len(text) <= SHORT:
            return self._quick.search(text) is not None
        return any(self._automaton.ends(text))


class _NotFollowed(Exception):
    """A pattern that cannot be followed, or not within our bounds; the text says why."""


def _ways(items: Iterable[tuple[Any, Any]]) -> int:
    """In how many ways Python's engine may try to match from one place of a short text; too many count as one more."""
    ways = 1
    for operation, argument in items:
        match str(operation), argument:
            case "BRANCH", (_, alternatives):
                ways *= sum(map(_ways, alternatives))
            case "SUBPATTERN", (*_, inner):
                ways *= _ways(inner)
            case "ASSERT" | "ASSERT_NOT", (_, inner):
                ways *= _ways(inner)
            case "MAX_REPEAT" | "MIN_REPEAT", (least, most, inner):
                within = _ways(inner)
                if within > 1 and most > 1:
                    return FEW_WAYS + 1
                ways *= within if most == least else within + min(int(most), SHORT) - least
            case _:
                pass
        if ways > FEW_WAYS:
            return ways
    return ways


class _Automaton:
    """A pattern as states: each waits for a character, asks whether a place is right, or goes on in several ways.

    `back`: it is read from its end to its beginning, as what a look-ahead asks for is. `size` counts the states of a
    whole pattern, look-arounds included.
    """

    def __init__(self, tree: Iterable[tuple[Any, Any]], flags: int, size: list[int], *, back: bool = False) -> None:
        self._back = back
        self._size = size
        self._next: list[tuple[int, ...]] = []
        self._characters: dict[int, re.Pattern[str]] = {}
        self._asked: dict[int, int] = {}  # state -> which of the tests
        self._tests: list[Test] = []
        self._closures: dict[tuple[States, tuple[bool, ...]], States] = {}
        self._steps: dict[tuple[States, str], States] = {}
        self._accept = self._state()
        self._start = self._sequence(list(tree), self._accept, flags)

    # -- building, from the end of the pattern to its beginning --------------------------------------------------------

    def _state(self, *following: int) -> int:
        self._size[0] += 1
        if self._size[0] > MAX_STATES:
            raise _NotFollowed(f"it has more than {MAX_STATES} parts, its repeats written out")
        self._next.append(following)
        return len(self._next) - 1

    def _sequence(self, items: Sequence[tuple[Any, Any]], following: int, flags: int) -> int:
        for operation, argument in items if self._back else reversed(items):
            following = self._item(str(operation), argument, (operation, argument), following, flags)
        return following

    def _item(self, name: str, argument: Any, whole: tuple[Any, Any], following: int, flags: int) -> int:
        match name, argument:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN", _:
                state = self._state(following)
                self._characters[state] = _compiled(whole, flags)
                return state
            case "AT", _:
                place = _compiled(whole, flags)
                return self._asking(lambda text: lambda at: place.match(text, at) is not None, following)
            case "BRANCH", (_, alternatives):
                return self._state(*(self._sequence(list(way), following, flags) for way in alternatives))
            case "SUBPATTERN", (_, added, removed, inner):
                return self._sequence(list(inner), following, (flags | added) & ~removed)
            case "MAX_REPEAT" | "MIN_REPEAT", (least, most, inner):
                return self._repeat(least, most, list(inner), following, flags)
            case "ASSERT" | "ASSERT_NOT", (direction, inner):
                around = _Automaton(inner, flags, self._size, back=direction > 0)
                wanted = name == "ASSERT"
                return self._asking(lambda text: _holds(around.ends(text), wanted, len(text), direction), following)
            case "FAILURE", _:
                return self._state()
            case _:
                raise _NotFollowed(f"{name.lower().replace('_', ' ')} is not followed: write it without")

    def _repeat(self, least: int, most: Any, inner: list[tuple[Any, Any]], following: int, flags: int) -> int:
        if most is _MANY:
            again = self._state()
            self._next[again] = (self._sequence(inner, again, flags), following)
            following = again
        else:
            last = following
            for _ in range(most - least):
                following = self._state(self._sequence(inner, following, flags), last)
        for _ in range(least):
            following = self._sequence(inner, following, flags)
        return following

    def _asking(self, test: Test, following: int) -> int:
        state = self._state(following)
        self._asked[state] = len(self._tests)
        self._tests.append(test)
        return state

    # -- following -----------------------------------------------------------------------------------------------------

    def ends(self, text: str) -> Iterator[bool]:
        """Say of every place, in the order of reading, whether an occurrence that began somewhere ends there."""
        tests = [test(text) for test in self._tests]
        states: States = frozenset()
        last = len(text)
        for read in range(last + 1):
            place = last - read if self._back else read
            states = self._closure(states, tuple(test(place) for test in tests))
            yield self._accept in states
            if read < last:
                states = self._step(states, text[place - 1] if self._back else text[place])

    def _closure(self, states: States, right: tuple[bool, ...]) -> States:
        """Where one may be without reading on, at a place where these tests are `right`; beginning anew included."""
        key = (states, right)
        if (found := self._closures.get(key)) is None:
            seen, left = {*states, self._start}, [*states, self._start]
            while left:
                state = left.pop()
                if state in self._characters or (state in self._asked and not right[self._asked[state]]):
                    continue
                fresh = [other for other in self._next[state] if other not in seen]
                seen.update(fresh)
                left += fresh
            found = self._kept(self._closures, key, frozenset(seen))
        return found

    def _step(self, states: States, character: str) -> States:
        key = (states, character)
        if (found := self._steps.get(key)) is None:
            reached = (s for s, test in self._characters.items() if s in states and test.fullmatch(character))
            found = self._kept(self._steps, key, frozenset(self._next[s][0] for s in reached))
        return found

    def _kept(self, memory: dict[K, States], key: K, value: States) -> States:
        if len(memory) * len(self._next) >= MAX_KEPT:
            memory.clear()
        memory[key] = value
        return value


def _holds(ends: Iterator[bool], wanted: bool, last: int, direction: int) -> Callable[[int], bool]:
    found = list(ends)
    return lambda place: found[last - place if direction > 0 else place] is wanted


def _compiled(item: tuple[Any, Any], flags: int) -> re.Pattern[str]:
    """One item of a pattern as a pattern."""
    state = _parser.State()
    state.flags = flags
    compiled: re.Pattern[str] = _compiler.compile(_parser.SubPattern(state, [item]), flags)
    return compiled
