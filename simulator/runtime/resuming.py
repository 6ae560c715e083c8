"""What becomes of what was under way when a world was written down: a file holds records, and nothing that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.domain.calls import DisconnectionReason
from simulator.domain.text_threads import ThreadStatus
from simulator.domain.webhooks import DeliveryStatus, Outcome, OutcomeKind
from simulator.runtime.outbox import RETRY
from simulator.world import calls, notices, texters

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner

CUT_OFF: Final = "the simulator was stopped, and its file holds no calls and scripts under way"


def resume(runner: Runner) -> None:
    """Bring a world that was just read to where it can go on by itself.

    Live calls fail, with their end event. Scripts fail. A delivery whose attempt was in flight is attempted again: at
    least once, so its handler may see it twice. A voice turn is owed to nobody any more.
    """
    world, now = runner.world, runner.now()
    pending = [d for d in world.deliveries.values() if d.status is DeliveryStatus.PENDING]
    for call_id in tuple(world.live_calls):
        call = calls.finish(world, call_id, DisconnectionReason.ERROR_UNKNOWN, now)
        runner.notify(notices.for_call_ended(world, call, now))
    for thread in tuple(world.text_threads.values()):
        if thread.status is ThreadStatus.RUNNING:
            last = thread.steps[-1].place if thread.steps else ()
            texters.fail(world, thread.id, last, "the script to go on", CUT_OFF, now)
    for delivery in pending:
        if delivery.turn_id is not None:
            gone = Outcome(kind=OutcomeKind.UNREACHABLE, error=CUT_OFF)
            runner.outbox.record(delivery, gone, now)
        elif (world.account_id, RETRY, delivery.id) not in runner.pacer.timers:
            runner.outbox.attempt(delivery)
