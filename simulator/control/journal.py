"""Everything that happened, in order, with long-polling."""

from __future__ import annotations

from simulator.control.models import JournalOut, JournalQuery
from simulator.runtime.asking import row_of
from simulator.serving.operation import Context, Operation


async def _read(ctx: Context, query: JournalQuery, _body: object) -> JournalOut:
    found = await ctx.runner.journal_since(query.after, query.kind, query.limit, query.wait, ctx.gone)
    return JournalOut(
        entries=[row_of(entry) for entry in found],
        next=found[-1].seq if found else query.after,
        dropped=ctx.world.journal.dropped,
    )


OPERATIONS = (
    Operation(
        id="simJournal", method="GET", path="/_sim/journal", tag="simulator",
        summary="What happened: API requests, calls, turns with their chunks, findings, deliveries, timers.",
        handler=_read, query=JournalQuery, response=JournalOut,
    ),
)  # fmt: skip
