"""Group 5: what a handler says is something that the platform can speak."""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.verdicts import Level, Profile


@case(
    "5.1",
    "A turn is answered with a JSON object or NDJSON",
    Level.MUST,
    source="voice documentation, replies",
    trust=Trust.DOCUMENTED,
    sent="a caller's question",
    expected="2xx, one JSON object or one per line, the last without `interim`",
    why="Anything else is not spoken: the caller hears silence.",
    mend='Answer with {"text": "…"}, or stream such objects as application/x-ndjson.',
    profile=Profile.VOICE,
)
async def reply_is_spoken(bench: Bench) -> None:
    bench.answered(await bench.deliver(await bench.turn()))


CASES: Final[tuple[Case, ...]] = (reply_is_spoken,)
