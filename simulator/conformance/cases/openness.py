"""Group 4: the platform grows, and people are not uniform; whatever comes is taken."""

from __future__ import annotations

from typing import Final

from simulator.conformance.case import Case
from simulator.conformance.cases import open_events, open_fields, open_kinds, open_words

CASES: Final[tuple[Case, ...]] = tuple(
    sorted(
        (*open_events.CASES, *open_fields.CASES, *open_words.CASES, *open_kinds.CASES),
        key=lambda case: int(case.number.partition(".")[2]),
    )
)
