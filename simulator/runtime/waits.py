"""Long polls and other waits of clients: for as long as somebody wants it, and no longer than the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from simulator.runtime.virtual import wait_really

if TYPE_CHECKING:
    from simulator.runtime.pacer import Pacer
    from simulator.runtime.telephone import Gone
    from simulator.world.journal import Entry
    from simulator.world.world import World


class Waits:
    """The part of a runner that lets its clients wait. `closing`: the event that is set when nobody may any more."""

    pacer: Pacer
    world: World

    def __init__(self, closing: asyncio.Event) -> None:
        self._appended = asyncio.Event()  # set by the journal
        self._closing = closing
        self.waiting = 0  # long polls that have nothing to answer yet

    async def bounded(self, work: Coroutine[Any, Any, None], real_timeout: float | None, gone: Gone | None) -> None:
        """Do `work` for as long as somebody wants it: until the time is up, the server stops or the client has left."""
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(work), asyncio.ensure_future(self._closing.wait())]
        if gone is not None:
            tasks.append(asyncio.ensure_future(gone()))
        try:
            with self.pacer.waited_for():
                await wait_really(tasks, real_timeout)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)  # what was cancelled clears up first
        if not tasks[0].cancelled():
            tasks[0].result()

    @property
    def closing(self) -> bool:
        """Whether the server is stopping: nobody should wait for anything any more."""
        return self._closing.is_set()

    async def pause(self, event: asyncio.Event, real_timeout: float, *, watching: bool = False) -> None:
        """Wait for `event`, for the end of the server, or for `real_timeout` seconds of real time.

        On a virtual loop time passes for those who wait, and they wait no longer when nothing will happen any more;
        for those who are only `watching` neither is so.
        """
        self.waiting += 1
        waits = [asyncio.ensure_future(e.wait()) for e in (event, self._closing)]
        try:
            with nullcontext() if watching else self.pacer.waited_for():
                await wait_really(waits, real_timeout, in_vain=watching)
        finally:
            self.waiting -= 1
            for wait in waits:
                wait.cancel()

    async def journal_since(
        self, after: int, kind: str | None, limit: int, real_timeout: float, gone: Gone | None = None
    ) -> list[Entry]:
        """Entries after `after`, waiting up to `real_timeout` real seconds for the first one, or until `gone`."""
        found = self.world.journal.since(after, kind, limit)
        if found or real_timeout <= 0 or self._closing.is_set():
            return found
        journal, seen = self.world.journal, self.world.journal.last_seq

        async def until_appended() -> None:
            nonlocal found, journal, seen
            while True:
                if journal is not self.world.journal:  # the account was reset
                    journal, seen = self.world.journal, 0
                if journal.last_seq > seen:
                    found = journal.since(max(seen, after), kind, limit)
                    seen = journal.last_seq  # what was not wanted once is not looked at again
                if found:
                    return
                self._appended.clear()
                await self.pause(self._appended, real_timeout)
                if not self._appended.is_set():
                    return  # nothing can come any more

        await self.bounded(until_appended(), real_timeout, gone)
        return found
