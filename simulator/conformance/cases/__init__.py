"""Every case, by number."""

from __future__ import annotations

from typing import Final

from simulator.conformance.case import Case
from simulator.conformance.cases import (
    acknowledgement,
    authenticity,
    compliance,
    openness,
    repeats,
    robustness,
    timing,
    voice_reply,
)

ALL: Final[tuple[Case, ...]] = (
    *authenticity.CASES,
    *acknowledgement.CASES,
    *repeats.CASES,
    *openness.CASES,
    *voice_reply.CASES,
    *timing.CASES,
    *robustness.CASES,
    *compliance.CASES,
)
