"""One thing that was expected, and what was observed instead; and how to find words in speech."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from simulator.scenarios.durations import clock
from simulator.scenarios.script import match_of
from simulator.scenarios.wanted import Between, Match

SHOWN: Final = 300  # characters of what was heard in a message; the report has all of it
NEAR: Final = 0.6  # likeness from which words count as a near miss: "shipping" for "shipped", not "sorry"
MAX_COMPARED: Final = 2_000  # words of speech that are searched for a near miss

Piece = tuple[timedelta, str]  # some words, and when they began to be heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One expectation and what came of it. `where` is the way to it in the file, `at` the moment in the call."""

    name: str
    where: str
    ok: bool
    expected: str
    observed: str
    nearest: str = ""
    at: timedelta | None = None

    def __str__(self) -> str:
        if self.ok:
            return f"{self.where}: {self.expected}"
        near = f"; nearest miss: {self.nearest}" if self.nearest else ""
        moment = f" (at {clock(self.at)})" if self.at is not None else ""
        return f"{self.where}: expected {self.expected}, observed {self.observed}{near}{moment}"


def words(match: Match) -> str:
    """Say in words what is looked for."""
    return str(match_of(match))


def speech_that(said: str) -> str:
    """Put what is looked for into a sentence: "contains 'hello'", "one of 'a', 'b'"."""
    return f"speech that has {said}" if said.startswith("one of") else f"speech that {said}"


def count(wanted: int | Between) -> str:
    """Say in words how many are wanted."""
    if isinstance(wanted, int):
        return str(wanted)
    bounds = [f"at least {wanted.at_least}"] if wanted.at_least is not None else []
    bounds += [f"at most {wanted.at_most}"] if wanted.at_most is not None else []
    return " and ".join(bounds)


def enough(wanted: int | Between, number: int) -> bool:
    """Whether `number` is as many as wanted."""
    if isinstance(wanted, int):
        return number == wanted
    return (wanted.at_least or 0) <= number and (wanted.at_most is None or number <= wanted.at_most)


def quote(text: str) -> str:
    """Show some text in a message: in quotes, on one line, not too much of it."""
    flat = " ".join(text.split())
    return f"{flat[: SHOWN - 1]!r}…" if len(flat) > SHOWN else repr(flat)


def join(pieces: Iterable[Piece]) -> str:
    """All words of some speech as one text."""
    return " ".join(text for _, text in pieces if text)


def found_at(match: Match, pieces: Sequence[Piece]) -> timedelta | None:
    """When words were first heard that match, on the way; None when they were not, not even all pieces together."""
    engine = match_of(match)
    if not engine.found_in(join(pieces)):
        return None
    alone = next((at for at, text in pieces if engine.found_in(text)), None)
    if alone is not None or not pieces:
        return alone
    return next(at for index, (at, _) in enumerate(pieces) if engine.found_in(join(pieces[: index + 1])))


def nearest(match: Match, pieces: Sequence[Piece]) -> tuple[str, timedelta | None]:
    """The heard words that come closest to what is looked for, and when they were heard; "" when nothing is like it.

    A regular expression has no near miss that could be told.
    """
    wanted = match.one_of or ([match.contains] if match.contains else [])
    heard = [(at, word) for at, text in pieces for word in text.split()][:MAX_COMPARED]
    best, text, moment = NEAR, "", None
    for target in wanted:
        length = len(target.split())
        judge = difflib.SequenceMatcher(b=" ".join(target.split()).casefold(), autojunk=False)
        for start in range(max(1, len(heard) - length + 1)):
            window = heard[start : start + length]
            words_there = " ".join(word for _, word in window)
            judge.set_seq1(re.sub(r"[.,;:!?]+(?=\s|$)", "", words_there).casefold())
            if judge.real_quick_ratio() > best and judge.quick_ratio() > best and judge.ratio() > best:
                best, text, moment = judge.ratio(), words_there, window[0][0]
    return (quote(text) if text else ""), moment
