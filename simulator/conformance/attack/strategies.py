"""Which conversations an attack is made of: Hypothesis strategies for plans. What is plainest comes first in each list.

Everything is drawn from short lists. That makes the same words come twice in a call, and keeps a seed's plans the same
on every machine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulator.conformance.attack.plan import (
    Backchannel,
    BargeIn,
    Call,
    Fault,
    FaultGroup,
    HangUp,
    Plan,
    Press,
    Say,
    Step,
    Text,
    Thread,
    Wait,
)
from simulator.conformance.verdicts import Profile

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

PLAIN: Final = (
    "Where is my order 4521?",
    "Are you open on Monday?",
    "What does it cost?",
    "Could you say that again, please?",
)
LONG: Final = "I will tell you everything from the beginning, so that you know what it is about. " * 12
TELLING: Final = ("4521", LONG, "?", LONG)  # what handlers have ways of their own for
ODD: Final = (
    "Yes",
    "No",
    "four five two one",
    "…",
    "مرحبا، أين طلبي رقم ٤٥٢١؟",
    "שלום 4521 abc",
    "👋🏽 👨‍👩‍👧‍👦",
    "注文はどこですか。",
    "é̂͡ z͑͗a͝l̷g̸o",
    '"quoted" \\ back\\slash </p> {{x}} %s',
    "null",
)
# What may end a call, or lead somewhere else; what comes behind it is perhaps never said.
TURNS_AWAY: Final = ("Thanks, goodbye", "I want to talk to a human", "press 1")
OVER: Final = ("No, wait", "Sorry, one more thing", "Thanks, goodbye")
SOUNDS: Final = ("uh-huh", "mm")
KEYS: Final = ("1", "0", "#", "4521#")
PAUSES: Final = (1.0, 8.0)
MOMENTS: Final = (0.5, 0.0, 1.5)  # seconds of what the agent says
LEAVING: Final = (None, HangUp(0.0), HangUp(0.0), HangUp(0.5))  # the first is to wait for the end of the answer
OPTING: Final = ("STOP", "START", "HELP")  # what people write who want no more texts, or want them again
WRITTEN: Final = (*PLAIN[:2], *TELLING[:3], *ODD)
PICTURE: Final = "https://pictures.example/receipt.jpg"
PEOPLE: Final = (0, 0, 1)  # mostly one: what somebody leaves behind, only they can find
ROUNDS: Final = (0, 0, 0, 1)  # mostly at once
BETWEEN: Final = (0.0, 2.0, 5.0, 15.0, 90.0)  # seconds between two texts; calls take from five to sixty

REPEATS, DELAYS, LOSSES = FaultGroup
ONCE: Final = (("times", 1),)
TURN_FAULTS: Final = (
    Fault(REPEATS, "turn", "duplicate", ONCE),
    Fault(REPEATS, "turn", "overlap", ONCE),
    Fault(DELAYS, "turn", "late", (("seconds", 2), *ONCE)),
    Fault(DELAYS, "turn", "slow_send", (("seconds", 1), *ONCE)),
    Fault(DELAYS, "turn", "split"),
    Fault(DELAYS, "turn", "stall", (("seconds", 2), ("after_bytes", 10), *ONCE)),
    Fault(LOSSES, "turn", "reset", ONCE),
    Fault(LOSSES, "turn", "cut", ONCE),
    Fault(LOSSES, "turn", "cut", (("after_bytes", 20), *ONCE)),
)
DELIVERY_FAULTS: Final = (
    Fault(REPEATS, "delivery", "duplicate", (("copies", 2),)),
    Fault(REPEATS, "delivery", "overlap"),
    Fault(DELAYS, "delivery", "late", (("seconds", 10), *ONCE)),
    Fault(DELAYS, "delivery", "slow_send", (("seconds", 1), *ONCE)),
    Fault(DELAYS, "delivery", "reorder", ONCE),
    Fault(LOSSES, "delivery", "reset", ONCE),
)
# Whether there are calls, and texts.
SHAPES: Final = {
    Profile.VOICE: ((True, False),),
    Profile.SMS: ((False, True),),
    Profile.ALL: ((True, False), (True, True), (True, True), (False, True)),
}
KEYS_ARE_TURNS: Final = ("caller_dtmf", "turn")
POLICIES: Final = (
    ("voice_turn_retry", "once"),
    ("empty_transcript_on_connect", "on"),
    ("history_includes_current", "off"),
    ("voice_envelope", "ragged"),
)
CONTRACTS: Final = ("all", "all", "observed", "2026-07")
CONTEXTS: Final = (None, None, None, 50, 0, 1)


def plainest(profile: Profile) -> Plan:
    """The plan that any handler of this profile must be equal to."""
    if profile is Profile.SMS:
        return Plan(threads=(Thread(texts=(Text(words=WRITTEN[0]),)),))
    return Plan(calls=(Call(steps=(Say(PLAIN[0], plain=True),)),))


def plans(
    profile: Profile = Profile.ALL, groups: Collection[FaultGroup] = tuple(FaultGroup), *, opting: bool = True
) -> SearchStrategy[Plan]:
    """Plans for a handler of this profile, with faults of these groups; `opting`: people opt out by text, and in."""
    from hypothesis import strategies as st

    places = (*(() if profile is Profile.SMS else TURN_FAULTS), *DELIVERY_FAULTS)
    faults = [fault for fault in places if fault.group in groups]

    others = [(policy,) for policy in POLICIES]

    @st.composite
    def made(draw: DrawFn) -> Plan:
        calls, texts = draw(st.sampled_from(SHAPES[profile]))
        return Plan(
            calls=_in_turn(draw(st.lists(_calls(), min_size=1, max_size=3)) if calls else []),
            threads=_one_by_one(draw(st.lists(_threads(opting), min_size=1, max_size=2)) if texts else []),
            faults=tuple(draw(st.lists(st.sampled_from(faults), max_size=2, unique=True))) if faults else (),
            contract=draw(st.sampled_from(CONTRACTS)),
            policies=(*draw(st.sampled_from(((), (KEYS_ARE_TURNS,)))), *draw(st.sampled_from(((), *others)))),
            context_limit=draw(st.sampled_from(CONTEXTS)),
        )

    return made()


def _in_turn(calls: Sequence[Call]) -> tuple[Call, ...]:
    """The calls, none of them by somebody who is on the phone: their second call waits until the first is over."""
    taken: dict[int, int] = {}
    placed = []
    for call in calls:
        taken[call.caller] = taken[call.caller] + 1 if call.caller in taken else call.round
        placed.append(replace(call, round=taken[call.caller]))
    return tuple(placed)


def _one_by_one(threads: Sequence[Thread]) -> tuple[Thread, ...]:
    """The threads, one at a time of each sender, as `_in_turn`."""
    taken: dict[int, int] = {}
    placed = []
    for thread in threads:
        taken[thread.sender] = taken[thread.sender] + 1 if thread.sender in taken else thread.round
        placed.append(replace(thread, round=taken[thread.sender]))
    return tuple(placed)


def _calls() -> SearchStrategy[Call]:
    from hypothesis import strategies as st

    @st.composite
    def made(draw: DrawFn) -> Call:
        # The words of one call come from a few: people repeat themselves.
        pool = draw(st.lists(_said(), min_size=1, max_size=3, unique=True))
        steps = draw(st.lists(_step(pool), min_size=1, max_size=8))
        leaving = draw(st.sampled_from(LEAVING))
        return Call(
            caller=draw(st.sampled_from(PEOPLE)),
            round=draw(st.sampled_from(ROUNDS)),
            steps=(*steps, leaving) if leaving is not None else tuple(steps),
        )

    return made()


def _said() -> SearchStrategy[Say]:
    from hypothesis import strategies as st

    plain = st.sampled_from([Say(words, plain=True) for words in PLAIN])
    telling = st.sampled_from([Say(words) for words in TELLING])
    odd = st.sampled_from([Say(words) for words in (*ODD, *TURNS_AWAY)])
    return st.one_of(plain, plain, telling, odd)


def _step(pool: list[Say]) -> SearchStrategy[Step]:
    from hypothesis import strategies as st

    say = st.sampled_from(pool)
    moment = st.sampled_from(MOMENTS)
    return st.one_of(
        say,
        say,
        say,
        st.builds(BargeIn, moment, st.sampled_from(OVER)),
        st.builds(Press, st.sampled_from(KEYS)),
        st.builds(Wait, st.sampled_from(PAUSES)),
        st.builds(Backchannel, moment, st.sampled_from(SOUNDS)),
    )


def _threads(opting: bool) -> SearchStrategy[Thread]:
    from hypothesis import strategies as st

    written = (*WRITTEN[:2], *(OPTING if opting else ()), *WRITTEN[2:])

    @st.composite
    def made(draw: DrawFn) -> Text:
        media = draw(st.sampled_from(((), (), (), (PICTURE,))))
        words = draw(st.sampled_from(written if not media else ("", *written)))
        return Text(words=words, media=media, after=draw(st.sampled_from(BETWEEN)))

    texts = st.lists(made(), min_size=1, max_size=3).map(tuple)
    return st.builds(Thread, sender=st.sampled_from(PEOPLE), round=st.sampled_from(ROUNDS), texts=texts)
