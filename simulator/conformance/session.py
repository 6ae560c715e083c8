"""One handler under examination: what all its cases share."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulator.conformance.effects import Names, callers_in, is_about, is_of_another, kinds, names_of, without
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.platform import ApiCall, Platform
from simulator.conformance.prober import Prober
from simulator.conformance.requests import request
from simulator.conformance.schemes import CONTRACT, Scheme
from simulator.conformance.verdicts import Profile

# Seconds of the loop's time. On a virtual loop they cost nothing; on a real one only what is asked for is waited.
EFFECT_PATIENCE: Final = 5.0  # until the handler must have asked the API for something, if it ever does
QUIET: Final = 0.3  # without an API call, after which none is expected any more ...
QUIET_TIMES: Final = 3.0  # ... and so many times as long as the handler takes for one
UNKNOWN: Final = 1.0  # the same where texts lead to nothing, so that nobody knows how long the handler takes
SURE: Final = 5.0  # the same where it matters: before a handler is said to do too much
BREATH: Final = 0.05  # what is done for one event may always take so much longer than for the next


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
    usual: Counter[str] = field(default_factory=Counter)  # what one text leads the handler to ask for, by operation
    _span: float | None = None  # seconds from a text to the last API call that it leads to; None: it leads to none
    _before: int = 0  # so many callers had the cases before; what is still done for those is no concern of this one
    _unnamed: Counter[str] = field(default_factory=Counter)  # of the usual, what does not say which text it is about
    _overtaking: list[tuple[int, Names]] = field(default_factory=list)  # texts of ours, each with its place before it
    _looked: bool = False  # whether it was seen whether it ever does
    _sure: bool = False  # whether it was looked at for long

    @property
    def voice(self) -> bool:
        """Whether the handler is one that answers calls."""
        return self.profile is not Profile.SMS

    async def plain(self) -> Event:
        """What every handler of this profile has to take; see `Platform.plain`."""
        return await self.platform.plain(self.profile)

    def begin(self) -> None:
        """A case begins."""
        self._before = len(self.platform.callers)
        self.prober.begin()

    async def acts(self) -> bool:
        """Whether a text leads the handler to ask the API for something. Seen once, and how it does it as well."""
        if not self._looked:
            self._looked = True
            await self._settle(self.platform.seq, QUIET)  # for the texts before, some of its work may name nobody
            await self._learn(QUIET)
        return self._span is not None

    async def be_sure(self) -> bool:
        """Look once more, and long, at what one text leads to; False when that has been done.

        Whoever says "one moment, please" at once and has an answer later seems to be quiet in between. So before a
        handler is told that it has done too much, it is known how much it does, and for how long.
        """
        if self._sure or not await self.acts():
            return False
        self._sure = True
        await self._learn(SURE)
        return True

    async def _learn(self, patience: float) -> None:
        """See what one text leads to, until nothing has come of it for so many seconds and more."""
        after, begun = self.platform.seq, self._now()
        names = self._names_of(await self._plain_text())
        self._overtaking.append((after, names))

        def mine() -> list[ApiCall]:
            # The handler may still be busy with a text that came before.
            return [call for call in self.platform.api_calls(after) if not self._is_of_another(call, names)]

        if not await self.until(lambda: bool(mine()), EFFECT_PATIENCE):
            return
        first = self._now() - begun
        last = await self._settle(after, patience + QUIET_TIMES * first)
        self._span = max(self._span or 0.0, first, last - begun)
        self.usual |= kinds(mine())
        self._unnamed |= kinds(call for call in mine() if not is_about(call, names))

    async def effects(self, after: int, of: Event | None = None) -> list[ApiCall]:
        """What the handler asks the API for since `after`: waits for the first request, then until no more comes.

        With `of` only what is about that event.
        """
        begun = self._now()
        patience = max(EFFECT_PATIENCE, QUIET_TIMES * (self._span or 0.0))
        if await self.until(lambda: bool(self.calls(after, of)), patience) and self._span is not None:
            self._span = max(self._span, self._now() - begun)
        return await self.quiet(after, of)

    async def quiet(self, after: int, of: Event | None = None) -> list[ApiCall]:
        """Wait until the handler asks for nothing any more; what it has asked for since `after`.

        With `of` only what is about that event. How long is long enough is not guessed where the handler can show it:
        somebody else sends a text meanwhile. When that has been worked off, everything before it has had its time.
        """
        patience = UNKNOWN
        if await self.acts() and self._span is not None:
            took = await self._overtake(QUIET + QUIET_TIMES * self._span)
            patience = max(took, self._span, BREATH)
        await self._settle(after, patience)
        return self.calls(after, of)

    async def first_of(self, after: int, event: Event) -> list[ApiCall]:
        """What the handler has asked for because of an event, as soon as there is anything, or nothing comes."""
        patience = max(EFFECT_PATIENCE, QUIET_TIMES * (self._span or 0.0))
        await self.until(lambda: bool(self.calls(after, event)), patience)
        return self.calls(after, event)

    async def until(self, holds: Callable[[], bool], patience: float) -> bool:
        """Wait until something holds that the journal shows, for at most so many seconds; says whether it does."""
        until = self._now() + patience
        while not (found := holds()) and (left := until - self._now()) > 0:
            await self.platform.news(left)
        return found

    def calls(self, after: int, of: Event | None = None) -> list[ApiCall]:
        """What the handler has asked the API for since `after`, and until now; with `of` what is about that event.

        Without it, what is about our own texts and about cases that are over is left out.
        """
        calls = self.platform.api_calls(after)
        if of is not None:
            names = self._names_of(of)
            return [call for call in calls if is_about(call, names)]
        later = sum(seq >= after for seq, _ in self._overtaking)
        mine = [call for call in calls if not self._is_known(call)]
        return without(mine, Counter({kind: count * later for kind, count in self._unnamed.items()}))

    def _is_known(self, call: ApiCall) -> bool:
        """Whether it is about a text of ours, or about somebody from a case that is over."""
        mentioned = callers_in(call, callers := self.platform.callers)
        over = bool(mentioned) and mentioned.isdisjoint(callers[self._before :])
        return over or any(is_about(call, names) for _, names in self._overtaking)

    async def _overtake(self, patience: float) -> float:
        """Send somebody else's text and wait until it is worked off, at most so long; how long that took."""
        begun, after = self._now(), self.platform.seq
        names = self._names_of(await self._plain_text())
        self._overtaking.append((after, names))
        usual = (self.usual - self._unnamed).total()

        def worked_off() -> bool:
            return len([call for call in self.platform.api_calls(after) if is_about(call, names)]) >= usual

        if not usual or not await self.until(worked_off, patience):
            return patience
        return self._now() - begun

    async def _settle(self, after: int, patience: float) -> float:
        """Wait until no API call has come for so many seconds; when the last one came."""
        seen, last = len(self.platform.api_calls(after)), self._now()
        until = last + patience
        while (left := until - self._now()) > 0:
            await self.platform.news(left)
            count = len(self.platform.api_calls(after))
            if count != seen:
                seen, last = count, self._now()
                until = last + patience
        return last

    async def _plain_text(self) -> Event:
        event = await self.platform.text()
        await self.prober.send(self.request_for(event.id, event.name, event.raw))
        return event

    def _is_of_another(self, call: ApiCall, names: Names) -> bool:
        return is_of_another(call, names, self.platform.callers)

    def _names_of(self, event: Event) -> Names:
        return names_of(event, self.platform.numbers.values())

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def request_for(self, delivery_id: str, name: str, raw: bytes) -> Request:
        """A request as the platform makes it, signed as the handler wants it."""
        return request(self.scheme, self.secret, delivery_id, name, raw, int(self.wall()))
