"""What a case works with: events from the platform, requests to the handler, checks on what comes back.

A case reads like its description: make an event, send it, say what must hold. Every exchange is kept for the report.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NoReturn

from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.platform import ApiCall, Call, Platform
from simulator.conformance.prober import Until
from simulator.conformance.requests import request
from simulator.conformance.schemes import CONTRACT, Scheme
from simulator.conformance.session import Budgets, Session
from simulator.conformance.verdicts import Check, Level
from simulator.errors import SimulatorError
from simulator.runtime.transport import Pieces

SAID = "Where is my order 4521?"


class NotRun(SimulatorError):
    """A case cannot be played, for this reason."""


class Bench:
    """The place of one case. `platform` makes events; `budgets` are seconds."""

    def __init__(self, session: Session, scheme: Scheme | None = None) -> None:
        self.session = session
        self.platform: Platform = session.platform
        self.budgets: Budgets = session.budgets
        self.scheme = scheme or session.scheme
        self.notes: list[str] = []
        self._exchanges: list[Exchange | None] = []
        self._asked: dict[str, Exchange] = {}
        self._checks: list[tuple[Check, Exchange | None]] = []
        session.begin()

    # -- events ------------------------------------------------------------------------------------------------

    async def text(self, body: str = "Are you open on Monday?", **words: Any) -> Event:
        """A text that somebody has sent; see `Platform.text`."""
        return await self.platform.text(body, **words)

    async def plain(self, words: str = "Are you open on Monday?") -> Event:
        """What every handler of this profile has to take; see `Platform.plain`."""
        return await self.platform.plain(self.session.profile, words)

    async def turn(self, said: str = SAID) -> Event:
        """The first turn of a new call; see `Platform.turn`."""
        return await self.platform.turn(said)

    async def call(self, *said: str) -> Call:
        """A new call, of which each turn is asked for."""
        return await self.platform.call(*(said or (SAID,)))

    async def call_ended(self, said: str = SAID) -> Event:
        """The end event of a call of one turn, which was answered."""
        call = await self.call(said)
        await call.turn()
        call.answer(text="It was shipped yesterday.")
        return await call.ended()

    # -- requests ----------------------------------------------------------------------------------------------

    def signed(
        self, event: Event, *, age: float = 0.0, secret: str | None = None, scheme: Scheme | None = None, note: str = ""
    ) -> Request:
        """The request that carries an event. Signed `age` seconds ago; by the handler's secret unless given."""
        at = int(self.session.wall() - age)
        by = self.session.secret if secret is None else secret
        made = request(scheme or self.scheme, by, event.id, event.name, event.raw, at)
        return made.but(note=note)

    async def send(
        self,
        wanted: Request,
        *,
        until: Until | None = None,
        leave_after: float | None = None,
        pause: float = 0.0,
        pieces: Pieces | None = None,
    ) -> Exchange:
        """Send a request; see `Prober.send`."""
        place = len(self._exchanges)
        self._exchanges.append(None)
        exchange = await self.session.prober.send(
            wanted, until=until, leave_after=leave_after, pause=pause, pieces=pieces
        )
        self._exchanges[place] = exchange
        return exchange

    async def deliver(self, event: Event, *, note: str = "", **how: Any) -> Exchange:
        """Sign and send an event."""
        return await self.send(self.signed(event, note=note), **how)

    async def break_off(self, wanted: Request) -> Exchange:
        """Send half a request, then reset the connection."""
        exchange = await self.session.prober.break_off(wanted)
        self._exchanges.append(exchange)
        return exchange

    async def asked(self, said: str = SAID) -> Exchange:
        """The handler's answer to the first words of a call.

        They are said once in an examination, whoever asks; each case that looks at the answer shows it.
        """
        if said not in self._asked:
            heard = self.session.heard
            if said in heard:
                self._asked[said] = replace(heard[said], started_at=0.0)
                self._exchanges.append(self._asked[said])
            else:
                heard[said] = self._asked[said] = await self.deliver(await self.turn(said), note=f"a caller: {said}")
        return self._asked[said]

    async def needs_replies(self) -> Exchange:
        """The answer to a plain question. Skips the case unless the platform can follow it."""
        exchange = await self.asked()
        if not (exchange.ok and exchange.reply.understood):
            self.skip("nothing that the handler answers a plain question with can be spoken: see groups 5 and 6")
        return exchange

    # -- checks ------------------------------------------------------------------------------------------------

    def check(self, level: Level, holds: bool, expected: str, observed: str, at: Exchange | None = None) -> bool:
        """Take a comparison down; says whether it holds."""
        self._checks.append((Check(level, holds, expected, observed), at))
        return holds

    def must(self, holds: bool, expected: str, observed: object, at: Exchange | None = None) -> bool:
        """Something without which the handler fails."""
        return self.check(Level.MUST, holds, expected, str(observed), at)

    def should(self, holds: bool, expected: str, observed: object, at: Exchange | None = None) -> bool:
        """Something without which the handler is not strict."""
        return self.check(Level.SHOULD, holds, expected, str(observed), at)

    def note(self, observed: str) -> None:
        """Something worth telling that nobody judges."""
        self.notes.append(observed)

    def skip(self, reason: str) -> NoReturn:
        """This case cannot be played."""
        raise NotRun(reason)

    def accepted(self, exchange: Exchange, level: Level = Level.MUST, what: str = "the event") -> bool:
        """The handler has taken it: 2xx."""
        return self.check(level, exchange.ok, f"{what} is answered with 2xx", str(exchange), exchange)

    def refused(self, exchange: Exchange, level: Level = Level.MUST, what: str = "the request") -> bool:
        """The handler has not taken it, whatever it said: anything but 2xx."""
        taken = exchange.complete and 200 <= (exchange.status or 0) <= 299
        return self.check(level, not taken, f"{what} is refused, with 401 or 403", str(exchange), exchange)

    def answered(self, exchange: Exchange, level: Level = Level.MUST, what: str = "the turn") -> bool:
        """The handler has answered a voice turn: 2xx, and something that the platform can follow.

        What is wrong with such a reply otherwise is for the cases about replies to say: one mistake fails one case.
        """
        if not self.check(level, exchange.ok, f"{what} is answered with 2xx", str(exchange), exchange):
            return False
        reply = exchange.reply
        wrong = "; ".join(problem.message for problem in reply.problems)
        observed = f"it says {reply.text!r}" if reply.understood else wrong or "there is nothing in it"
        return self.check(level, reply.understood, f"{what} has a reply to be followed", observed, exchange)

    async def lives(self, level: Level = Level.MUST) -> bool:
        """The handler still answers: a plain text is taken."""
        exchange = await self.deliver(await self.plain(), note="to see whether the handler still answers")
        return self.accepted(exchange, level, "a plain event afterwards")

    # -- side effects ------------------------------------------------------------------------------------------

    async def needs_effects(self) -> None:
        """Skip the case unless the handler answers texts through the API, where they can be counted."""
        if not await self.shows_effects():
            self.skip("the handler asks the API for nothing when a text comes, so nothing can be counted")

    async def shows_effects(self) -> bool:
        """Whether the handler answers texts through our API; to be asked before what is to be counted happens."""
        return self.session.serves_api and await self.session.acts()

    @property
    def now(self) -> int:
        """A place in the journal, for `effects` and `quiet`."""
        return self.platform.seq

    async def effects(self, after: int, of: Event | None = None) -> list[ApiCall]:
        """What the handler asked the API for since `after`, waiting for it; with `of` only what is about that event."""
        return await self.session.effects(after, of)

    async def quiet(self, after: int, of: Event | None = None) -> list[ApiCall]:
        """What the handler asked the API for since `after`; waits only until it is quiet. `of` as in `effects`."""
        return await self.session.quiet(after, of)

    async def surely(self, trial: Callable[[], Awaitable[None]]) -> None:
        """Play a part of a case that counts API calls. What is found wrong counts only if it is found again.

        The second time it is known for certain what one event leads to, and how long that takes; see `be_sure`.
        """
        before = len(self._checks)
        await trial()
        if any(not check.holds for check, _ in self._checks[before:]) and await self.session.be_sure():
            del self._checks[before:]
            await trial()

    @asynccontextmanager
    async def failing_api(self, fault: str = "status", **words: Any) -> AsyncIterator[None]:
        """Inside the block something is wrong with the API; `words` are those of `POST /_sim/faults`.

        By default whatever the handler asks it to do is answered with 503.
        """
        rule = {"on": "api", "fault": fault, "match": {"route": "POST /v1/**"}} | words
        made = await self.platform.ask("POST", "/_sim/faults", rule | ({"status": 503} if fault == "status" else {}))
        try:
            yield
        finally:
            await self.platform.ask("DELETE", f"/_sim/faults/{made['id']}")

    @asynccontextmanager
    async def slow_api(self, seconds: float) -> AsyncIterator[None]:
        """Inside the block the API takes so long to do anything, on the handler's clock; afterwards nobody waits."""
        await self.platform.ask("PUT", "/_sim/clock", {"mode": "system"})  # an auto clock would jump over it
        try:
            async with self.failing_api("latency", seconds=seconds):
                yield
        finally:
            await self.platform.ask("PUT", "/_sim/clock", {"mode": "auto"})

    # -- at the end --------------------------------------------------------------------------------------------

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything that was sent, in order."""
        return tuple(exchange for exchange in self._exchanges if exchange is not None)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Everything that was compared, with the index of the exchange that shows it."""
        place: Mapping[int, int] = {id(exchange): index for index, exchange in enumerate(self.exchanges)}
        return tuple(
            Check(check.level, check.holds, check.expected, check.observed, place.get(id(at)) if at else None)
            for check, at in self._checks
        )


def contract_bench(session: Session) -> Bench:
    """A bench that signs by the contract, whatever the handler wants: for the cases about signatures."""
    return Bench(session, CONTRACT)
