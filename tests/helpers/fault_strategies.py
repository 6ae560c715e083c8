"""Fault rules for Hypothesis, as JSON has them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from simulator.domain.faults import COUNTING, KINDS, FaultKind, Value

PHONES = st.sampled_from(["+14155550150", "+14155550151"])


def values(value: Value) -> st.SearchStrategy[Any]:
    """What may stand behind a name."""
    if value.choices:
        return st.sampled_from(value.choices)
    if value.type == "text":
        return PHONES if value.name in ("number", "from", "to") else st.sampled_from(["Support", "A 1", "x*"])
    if value.type == "integer":
        return st.integers(int(value.low), int(value.high))
    return st.floats(max(value.low, 0.001), value.high, allow_nan=False)


@st.composite
def rules_of(draw: st.DrawFn, kind: FaultKind) -> dict[str, Any]:
    """A rule about one fault, with any of what it may say; null stands for what is not said."""
    given: dict[str, Any] = {"on": kind.on, "fault": kind.name}
    for value in (*kind.parameters, *COUNTING):
        if value.required or draw(st.booleans()):
            given[value.name] = draw(values(value) if value.required else st.none() | values(value))
    if draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(kind.match), unique_by=lambda value: value.name))
        given["match"] = {value.name: draw(st.none() | values(value)) for value in chosen}
    return given


RULES = st.sampled_from(KINDS).flatmap(rules_of)
