"""Test-only routes under `/_sim`: dial, text, move time, read the journal. snake_case JSON, the same bearer key."""

from __future__ import annotations

from simulator.control import calls, clock, journal, people, state, texts
from simulator.serving.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *state.OPERATIONS,
    *calls.OPERATIONS,
    *texts.OPERATIONS,
    *people.OPERATIONS,
    *clock.OPERATIONS,
    *journal.OPERATIONS,
)
