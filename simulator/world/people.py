"""The human ends of the line: who picks up when a number is dialled, and what they then do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulator.domain.phone import normalise
from simulator.errors import BadRequest
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.engine.script import Step

ANSWERS: Final = ("answered", "busy", "no_answer", "failed")
DEFAULT_RING: Final = timedelta(seconds=2)  # about one ring: long enough to be seen, short enough not to annoy


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a phone. Without steps they listen, or are driven live."""

    number: str
    steps: tuple[Step, ...] | None = None
    answer: str = "answered"
    ring: timedelta = DEFAULT_RING


def put(
    world: World,
    number: str,
    *,
    steps: tuple[Step, ...] | None = None,
    answer: str = "answered",
    ring: timedelta = DEFAULT_RING,
) -> Person:
    """Say who picks up at `number` from now on, replacing whoever did. Raises BadRequest."""
    if answer not in ANSWERS:
        raise BadRequest(f"a person cannot answer {answer!r}: choose one of {', '.join(ANSWERS)}")
    if ring < timedelta():
        raise BadRequest(f"a phone cannot ring for {ring.total_seconds():g} s: use 0 or more")
    person = Person(number=normalise(number), steps=steps, answer=answer, ring=ring)
    world.people[person.number] = person
    return person


def find(world: World, number: str) -> Person:
    """Return who picks up at an E.164 number; anybody unknown answers and listens."""
    return world.people.get(number) or Person(number=number)
