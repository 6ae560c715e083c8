"""Group 3: an event may come more than once, late, and out of order."""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.verdicts import Level


@case(
    "3.2",
    "An exact duplicate is acted on once",
    Level.MUST,
    source="webhook documentation, retries: at least once, the same X-Webhook-ID on every attempt",
    trust=Trust.DOCUMENTED,
    sent="a text, and the same bytes with the same headers again",
    expected="what the first leads to, and nothing more",
    why="Retries happen whenever an acknowledgement is late: customers get the same answer two to five times.",
    mend="Remember X-Webhook-ID before you act, in a store that all processes share, and skip what is known.",
    needs=(Need.API,),
)
async def duplicate_acts_once(bench: Bench) -> None:
    await bench.needs_effects()
    request = bench.signed(await bench.text())
    after = bench.now
    bench.accepted(await bench.send(request), what="the first")
    first = await bench.effects(after)
    again = bench.now
    exchange = await bench.send(request.but(note="the same again"))
    second = await bench.quiet(again)
    told = ", ".join(map(str, second)) or "nothing"
    bench.must(bool(first) and not second, "the duplicate leads to no API call", f"it leads to {told}", exchange)


CASES: Final[tuple[Case, ...]] = (duplicate_acts_once,)
