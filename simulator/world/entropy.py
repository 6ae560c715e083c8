"""Everything that looks random, made from a seed: ids, secrets, phone numbers, jitter.

Each value depends on (seed, kind, how many of that kind came before) and on nothing else. One more agent in a test
therefore shifts the ids of agents, and of nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from simulator.domain.ids import PREFIXES

T = TypeVar("T")

ID_BYTES: Final = 10  # 20 hex digits: 2**80 values, so that ids of one kind never meet
SECRET_BYTES: Final = 24  # 48 hex digits
_ROLL_BITS: Final = 53  # what a float holds exactly


class Entropy:
    """A source of values that look random and repeat for the same seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._counters: dict[str, int] = {}

    def copy(self) -> Entropy:
        """A source that goes on as this one does, on its own."""
        made = Entropy(self.seed)
        made._counters = self._counters.copy()
        return made

    @property
    def used(self) -> dict[str, int]:
        """How many values of each kind have been made."""
        return self._counters.copy()

    def go_on(self, used: Mapping[str, int]) -> None:
        """Go on behind values that were made before."""
        self._counters = dict(used)

    def new_id(self, kind: str) -> str:
        """Make the next id of a kind that has a prefix in `domain.ids`."""
        return PREFIXES[kind] + self.token(kind)

    def token(self, kind: str) -> str:
        """Make the next 20 hex digits of a kind, without a prefix."""
        return self._digest(kind, self._next(kind), ID_BYTES).hex()

    def secret(self) -> str:
        """Make the next webhook endpoint secret."""
        return PREFIXES["secret"] + self._digest("secret", self._next("secret"), SECRET_BYTES).hex()

    def roll(self, kind: str) -> float:
        """Draw the next number in [0, 1) of a kind: jitter, or the luck of a fault."""
        return (self._integer(kind, self._next(kind), 0) >> (64 - _ROLL_BITS)) / (1 << _ROLL_BITS)

    def pick(self, kind: str, accept: Callable[[int], T | None], tries: int) -> T | None:
        """Draw 64-bit integers until `accept` makes something of one; None after `tries` draws.

        Nothing is used up when every draw was refused, so a refused command changes nothing here either.
        """
        found = self.peek(kind, 0, accept, tries)
        if found is not None:
            self._next(kind)
        return found

    def peek(self, kind: str, ahead: int, accept: Callable[[int], T | None], tries: int) -> T | None:
        """See what `pick` would make after `ahead` more picks of the kind. Uses nothing up."""
        counter = self._counters.get(kind, 0) + ahead
        for attempt in range(tries):
            found = accept(self._integer(kind, counter, attempt))
            if found is not None:
                return found
        return None

    def _next(self, kind: str) -> int:
        counter = self._counters.get(kind, 0)
        self._counters[kind] = counter + 1
        return counter

    def _integer(self, kind: str, counter: int, attempt: int) -> int:
        return int.from_bytes(self._digest(f"{kind}~{attempt}", counter, 8), "big")

    def _digest(self, kind: str, counter: int, size: int) -> bytes:
        return hashlib.blake2b(f"{self.seed}/{kind}/{counter}".encode(), digest_size=size).digest()
