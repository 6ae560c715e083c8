"""One handler under examination: what all its cases share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.platform import ApiCall, Platform
from simulator.conformance.prober import Prober
from simulator.conformance.requests import request
from simulator.conformance.schemes import CONTRACT, Scheme
from simulator.conformance.verdicts import Profile

# Seconds of the loop's time. On a virtual loop they cost nothing; on a real one only what is asked for is waited.
EFFECT_PATIENCE: Final = 5.0  # until the handler must have asked the API for something, if it ever does
QUIET: Final = 0.5  # without an API call, after which none is expected any more ...
QUIET_TIMES: Final = 3.0  # ... and so many times as long as the handler takes for one


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """How fast is fast enough. Seconds."""

    acknowledge: float = 5.0  # the shortest timeout that a webhook can be registered with
    first_word: float = 2.0  # a caller takes longer silence for a dead line
    gap: float = 4.0  # between two chunks of a reply
    timeout: float = 30.0  # of a webhook, where nobody sets another


@dataclass(slots=True, kw_only=True)
class Session:
    """What is known about a handler, and the ways to it."""

    platform: Platform
    prober: Prober
    secret: str
    secret_known: bool = True  # whether the handler checks with this secret, as far as we were told
    serves_api: bool = True  # whether the handler's API calls come to our simulator
    rotate: Callable[[str], object] | None = None  # gives the running handler another secret
    profile: Profile = Profile.ALL
    budgets: Budgets = field(default_factory=Budgets)
    scheme: Scheme = CONTRACT  # of all groups but the first
    accepts: bool = True  # whether the handler takes an event at all
    gone: str = ""  # why nothing more is sent: the handler no longer answers
    wall: Callable[[], float] = time.time
    heard: dict[str, Exchange] = field(default_factory=dict)  # what calls begin with, and the handler's answers
    _latency: float | None = None  # how long the handler takes until it asks the API for something
    _looked: bool = False  # whether it was seen whether it ever does

    @property
    def voice(self) -> bool:
        """Whether the handler is one that answers calls."""
        return self.profile is not Profile.SMS

    async def acts(self) -> bool:
        """Whether a text leads the handler to ask the API for something. Seen once."""
        if not self._looked:
            self._looked = True
            after = self.platform.seq
            begun = asyncio.get_running_loop().time()
            event = await self.platform.text()
            await self.prober.send(self.request_for(event.id, event.name, event.raw))
            if await self._first(after, EFFECT_PATIENCE):
                self._latency = asyncio.get_running_loop().time() - begun
                await self.quiet(after)
        return self._latency is not None

    async def effects(self, after: int) -> list[ApiCall]:
        """What the handler asks the API for since `after`: waits for the first request, then until no more comes."""
        begun = asyncio.get_running_loop().time()
        if await self._first(after, max(EFFECT_PATIENCE, QUIET_TIMES * (self._latency or 0.0))):
            self._latency = max(self._latency or 0.0, asyncio.get_running_loop().time() - begun)
        return await self.quiet(after)

    async def quiet(self, after: int) -> list[ApiCall]:
        """Wait until the handler asks for nothing any more; what it has asked for since `after`."""
        loop = asyncio.get_running_loop()
        patience = QUIET + QUIET_TIMES * (self._latency or 0.0)
        seen, until = len(self.platform.api_calls(after)), loop.time() + patience
        while (left := until - loop.time()) > 0:
            await self.platform.news(left)
            count = len(self.platform.api_calls(after))
            if count != seen:
                seen, until = count, loop.time() + patience
        return self.platform.api_calls(after)

    async def _first(self, after: int, patience: float) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while not (found := self.platform.api_calls(after)) and (left := until - loop.time()) > 0:
            await self.platform.news(left)
        return bool(found)

    def request_for(self, delivery_id: str, name: str, raw: bytes) -> Request:
        """A request as the platform makes it, signed as the handler wants it."""
        return request(self.scheme, self.secret, delivery_id, name, raw, int(self.wall()))
