"""What a handler takes that it should not, named from the cases that it did not pass. A pure function over results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulator.conformance.results import CaseResult, Diagnosis
from simulator.conformance.verdicts import Verdict

MOST: Final = 4  # lines of evidence for one symptom


@dataclass(frozen=True, slots=True)
class Symptom:
    """A mistake, by the cases that show it: it is there when none of `shown` was passed.

    `explains` are the cases that it makes a handler fail besides: they are no sign of another mistake.
    """

    shown: tuple[str, ...]
    mistake: str
    mend: str
    explains: tuple[str, ...] = ()
    failed: bool = False  # whether they have to have failed, and not only been non-strict


COMPARE: Final = "Compare the whole signature with the one you compute, in constant time (`hmac.compare_digest`)."
AGE: Final = "Refuse unless the timestamp is decimal digits and `abs(now - timestamp) <= 300`."
SIGN_TIME: Final = (
    'Compute the HMAC over the value of X-Webhook-Timestamp, ".", and the raw body, and over nothing else.'
)
RAW: Final = "Verify before you parse, over the bytes as they came."
BEFORE: Final = "Verify every request before you look at what it is."
ALL: Final = tuple(f"1.{number}" for number in range(1, 30))

# In this order: what explains most comes first.
SYMPTOMS: Final[tuple[Symptom, ...]] = (
    Symptom(
        ("1.3", "1.4", "1.24"),
        "The handler takes whatever is sent: no signature is verified, or none is while no secret is set.",
        "Verify every request, and refuse to start without a secret.",
        ALL,
    ),
    Symptom(
        ("1.3", "1.24"),
        "The handler takes wrong signatures: only their presence is looked at.",
        COMPARE,
        ALL,
    ),
    Symptom(
        ("1.6",),
        "The handler compares only as much of the signature as is sent: a prefix is enough.",
        COMPARE,
        ("1.4", "1.5", "1.7", "1.26", "1.27"),
    ),
    Symptom(
        ("1.4",),
        "The handler verifies a signature only where there is one: a request without is taken.",
        "Refuse what has no signature before anything else.",
        ("1.5", "1.17", "1.26", "1.27"),
    ),
    Symptom(("1.5",), "The handler takes an empty signature.", COMPARE),
    Symptom(("1.7",), "The handler compares only the beginning of a signature.", COMPARE),
    Symptom(
        ("1.25",),
        "The handler takes what is signed with an empty secret, as everybody can.",
        "Refuse to start without a secret; do not fall back on an empty one.",
        ("1.24",),
    ),
    Symptom(("1.3",), "The handler takes a wrong signature.", COMPARE),
    Symptom(("1.24",), "The handler takes what is signed with another secret.", COMPARE),
    Symptom(
        ("1.26", "1.27"),
        "The handler verifies texts only: turns and ends of calls are taken unsigned.",
        BEFORE,
        ("1.22",),
    ),
    Symptom(("1.26",), "The handler does not verify voice turns.", BEFORE, ("1.22",)),
    Symptom(("1.27",), "The handler does not verify agent.call_ended.", BEFORE),
    Symptom(
        ("1.11",),
        "The handler takes a signature over the body alone as well: the timestamp can be written anew.",
        SIGN_TIME,
        ("1.17", "1.21"),
    ),
    Symptom(
        ("1.12", "1.13"), "The handler parses the JSON and verifies it as it writes it again, not as it was sent.", RAW
    ),
    Symptom(
        ("1.13",),
        "The handler takes a signature over JSON that was written again, besides that over the raw bytes.",
        RAW,
    ),
    Symptom(("1.12",), "The handler does not verify the raw bytes of the body.", RAW),
    Symptom(("1.21",), "The handler checks the age of another timestamp than the one that is signed.", SIGN_TIME),
    Symptom(("1.23",), "The handler verifies less than the whole body.", "Compute the HMAC over the whole raw body."),
    Symptom(
        ("1.14", "1.15"),
        "The handler has no freshness check: a recorded request is good for ever.",
        AGE,
        ("1.17", "1.18", "1.19", "1.20", "1.22"),
    ),
    Symptom(("1.14",), "The handler takes old requests: a recorded one can be sent again.", AGE, ("1.22",)),
    Symptom(
        ("1.15",),
        "The handler refuses what is too old, but not what is from the future.",
        "Compare the absolute difference: refuse when `abs(now - timestamp) > 300`.",
        ("1.19", "1.20"),
    ),
    Symptom(
        ("1.17",),
        "The handler skips the freshness check where the timestamp is missing.",
        "Refuse what has no timestamp before you compute anything.",
    ),
    Symptom(
        ("1.18", "1.19"),
        "The handler's freshness check lets a timestamp through that is no number: every comparison with NaN is false.",
        AGE,
    ),
    Symptom(("1.18",), "The handler takes a timestamp that is no number.", AGE),
    Symptom(
        ("1.19",),
        "The handler's freshness check lets NaN or the like through, since every comparison with NaN is false.",
        AGE,
    ),
    Symptom(("1.22",), "The handler checks the age of texts, but not that of voice turns.", BEFORE),
    Symptom(
        ("1.28",),
        "The handler fails on a signature that it should refuse.",
        "Compare in a way that takes any input, and answer 401.",
        failed=True,
    ),
    Symptom(("1.28",), "The handler refuses otherwise than with 401 or 403.", "Answer 401."),
    Symptom(
        ("1.29",),
        "The handler reads its secret once: after a rotation it goes on with the old one.",
        "Read the secret whenever you verify, or restart as part of the rotation.",
    ),
    Symptom(("1.16",), "The handler allows less than five minutes.", "Allow 300 seconds on either side."),
    Symptom(("1.2",), "The handler refuses correctly signed voice turns.", "Verify turns as you verify texts."),
    Symptom(("1.20",), "The handler takes a timestamp in milliseconds.", "Take the timestamp for seconds."),
)


def conclude(first: Diagnosis | None, results: Sequence[CaseResult]) -> Diagnosis | None:
    """The diagnosis at the end. What the doctor saw at the beginning goes first; None: there is nothing to mend."""
    if first is not None:
        return first
    present = symptoms(results)
    if not present:
        return None
    by_number = {result.number: result for result in results}
    main, *others = present
    evidence = [line for number in main.shown for line in _lines(by_number[number])]
    return Diagnosis(
        mistake=main.mistake,
        mend=main.mend,
        evidence=(*evidence[:MOST], *(f"also: {other.mistake}" for other in others)),
    )


def symptoms(results: Sequence[CaseResult]) -> list[Symptom]:
    """The mistakes that these results show, none of which explains another that comes later."""
    failed = {result.number for result in results if result.verdict is Verdict.FAIL}
    left = failed | {result.number for result in results if result.verdict is Verdict.NON_STRICT}
    found = []
    for symptom in SYMPTOMS:
        if left.issuperset(symptom.shown) and (not symptom.failed or failed.issuperset(symptom.shown)):
            found.append(symptom)
            left -= {*symptom.shown, *symptom.explains}
    return found


def _lines(result: CaseResult) -> list[str]:
    return [f"{result.number}: expected that {check.expected}; observed {check.observed}" for check in result.broken]
