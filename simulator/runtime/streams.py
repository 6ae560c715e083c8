"""Following a call while it goes on, for as many readers as like."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from simulator.domain.calls import Call
from simulator.runtime.runner import Runner
from simulator.world import calls


async def follow(runner: Runner, call_id: str, heartbeat: float) -> AsyncGenerator[Call | None, None]:
    """The call as it is now, then again whenever something was added to it, last of all when it has ended.

    None says that nothing has happened for `heartbeat` seconds of real time: connections die of real silence, whatever
    the simulated clock says. Ends early when the server stops or the account is reset. A reader keeps nothing but its
    place, so one that is slow costs no memory and misses nothing; it neither moves nor holds simulated time.
    """
    world, live = runner.world, runner.telephone.switchboard.live.get(call_id)
    while True:
        news = live.news if live else None  # taken before looking: what comes later sets this one
        yield calls.get(world, call_id)
        if live is None or news is None or live.ended.is_set() or runner.closing:
            return
        while not news.is_set() and not runner.closing:
            await runner.pause(news, heartbeat, watching=True)
            if not news.is_set() and not runner.closing:
                yield None
