"""In which order answers are taken in, and how long time stands still for them.

Answers of requests that are in flight together race each other. While time stands still, what comes in is taken in in
the order in which the requests were started: news of a later one waits until the earlier ones have ended. So the same
script gives the same journal, however busy the machine is.

On a loop of real time it stands still for `grace`, from the start of the latest request or from the latest news. On a
virtual loop it does so as long as anything can happen without time passing. Then all that waits is taken in, in order,
and nobody waits for the requests that are still in flight any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulator.runtime.virtual import VirtualLoop


async def at_once() -> None:
    """Wait for nobody."""


class Order:
    """The requests of one account that are in flight. `over` is called when time need not stand still any longer.

    `virtual` is the loop, if its time is.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        grace: timedelta,
        over: Callable[[], None],
        virtual: VirtualLoop | None = None,
    ) -> None:
        self._loop = loop
        self._virtual = virtual
        self._over = over
        self._line: dict[asyncio.Task[Any], asyncio.Future[None] | None] = {}
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ending = False  # a virtual loop will say when this instant is over
        self.standing = False  # time stands still for what is in flight
        self.grace = grace

    @property
    def grace(self) -> timedelta:
        """Real time that requests in flight may take without time passing."""
        return self._grace

    @grace.setter
    def grace(self, grace: timedelta) -> None:
        self._grace = grace
        if self._virtual is not None:
            self._virtual.grace = grace.total_seconds()

    @property
    def kept(self) -> bool:
        """Whether there is an order at all; without a grace everything is taken in when it comes."""
        return self._virtual is not None or self._grace > timedelta()

    def join(self, task: asyncio.Task[Any]) -> None:
        """`task` is a request that starts now."""
        if self.kept:
            self._line[task] = None

    def leave(self, task: asyncio.Task[Any]) -> None:
        """The request has ended."""
        self._line.pop(task, None)
        first = next(iter(self._line), None)
        if first is not None:
            self._call(first)

    async def turn(self) -> None:
        """Wait until it is time to take in news of the running task's request."""
        task = asyncio.current_task()
        if task is None or not self.kept:
            return
        self.stir()
        while task in self._line and next(iter(self._line)) is not task:
            called: asyncio.Future[None] = self._loop.create_future()
            self._line[task] = called
            await called

    def stir(self) -> None:
        """Something was started or has come in: time stands still from here on for as long as it may."""
        if self._virtual is not None:
            if not self._ending:
                self._ending = True
                self._virtual.when_over(self._end)
        elif self._grace:
            self.standing = True
            self._until = self._loop.time() + self._grace.total_seconds()
            if self._timer is None:
                self._timer = self._loop.call_at(self._until, self._look)

    def rest(self) -> None:
        """Nothing is in flight any more."""
        self.standing = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        else:
            self._end()

    def _end(self) -> None:
        self._ending = self.standing = False
        waiting, self._line = self._line, {}
        for called in waiting.values():
            if called is not None and not called.done():
                called.set_result(None)
        self._over()

    def _call(self, task: asyncio.Task[Any]) -> None:
        called = self._line[task]
        if called is not None and not called.done():
            called.set_result(None)
