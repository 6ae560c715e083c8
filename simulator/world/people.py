"""The human ends of the line: who picks up when a number is dialled, what they then do, and how texts fare there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulator.domain import magic
from simulator.domain.magic import Magic
from simulator.domain.messages import MessageStatus, TextOutcome
from simulator.domain.phone import normalise
from simulator.errors import BadRequest
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.engine.script import Step
    from simulator.engine.thread_script import ThreadStep

ANSWERS: Final = ("answered", "busy", "no_answer", "failed", "voicemail", "screened", "screened_out")
MACHINE: Final = "voicemail"
DEFAULT_RING: Final = magic.RING
DELIVERED: Final = TextOutcome(status=MessageStatus.DELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a phone. Without steps they listen, or are driven live.

    `patience` is how long after picking up they hang up, whatever is going on; `texts` is what becomes of texts to
    them, and `text_steps` what they do from the first text on that they get. `greeting` is what a machine says that
    answers for them; None: what machines usually say.
    """

    number: str
    steps: tuple[Step, ...] | None = None
    answer: str = "answered"
    ring: timedelta = DEFAULT_RING
    patience: timedelta | None = None
    greeting: str | None = None
    texts: TextOutcome = DELIVERED
    text_steps: tuple[ThreadStep, ...] | None = None


def put(
    world: World,
    number: str,
    *,
    steps: tuple[Step, ...] | None = None,
    answer: str = "answered",
    ring: timedelta = DEFAULT_RING,
    patience: timedelta | None = None,
    greeting: str | None = None,
    texts: TextOutcome = DELIVERED,
    text_steps: tuple[ThreadStep, ...] | None = None,
) -> Person:
    """Say who is at `number` from now on, replacing whoever was, fictional numbers' fixed behaviour included.

    Raises BadRequest.
    """
    if answer not in ANSWERS:
        raise BadRequest(f"a person cannot answer {answer!r}: choose one of {', '.join(ANSWERS)}")
    if ring < timedelta():
        raise BadRequest(f"a phone cannot ring for {ring.total_seconds():g} s: use 0 or more")
    if patience is not None and patience < timedelta():
        raise BadRequest(f"a person cannot hang up {patience.total_seconds():g} s after answering: use 0 or more")
    if greeting is not None and answer != MACHINE:
        raise BadRequest(f"a greeting goes with the answer {MACHINE!r}, not {answer!r}: a person's words are steps")
    person = Person(
        number=normalise(number),
        steps=steps,
        answer=answer,
        ring=ring,
        patience=patience,
        greeting=greeting,
        texts=texts,
        text_steps=text_steps,
    )
    world.people[person.number] = person
    return person


def find(world: World, number: str) -> Person:
    """Return who is at an E.164 number: whoever was put there, else what a fictional number is documented to do.

    Anybody else answers and listens, and gets their texts.
    """
    registered = world.people.get(number)
    if registered is not None:
        return registered
    documented = magic.find(number)
    return Person(number=number) if documented is None else _fictional(number, documented)


def text_outcome(world: World, number: str) -> TextOutcome:
    """Say what becomes of a text to an E.164 number."""
    return find(world, number).texts


def _fictional(number: str, documented: Magic) -> Person:
    return Person(
        number=number,
        steps=_steps(documented),
        answer=documented.answer,
        ring=documented.ring,
        patience=documented.patience,
        greeting=documented.greeting,
        texts=documented.text or DELIVERED,
    )


def _steps(documented: Magic) -> tuple[Step, ...] | None:
    if documented.says is None and documented.interrupts is None:
        return None
    from simulator.engine.script import BargeIn, Repeat, Say, Wait

    steps: list[Step] = [Say(words) for words in documented.says or ()]
    if documented.interrupts is not None:
        steps.append(Repeat(magic.INTERRUPTIONS, (BargeIn(documented.interrupts, magic.INTERRUPTED_AFTER),)))
    return (*steps, Wait(documented.stays))
