"""The platform's side of an examination: makes events through the simulator, and sees the handler's API calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from simulator.app import SimulatorApp
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange
from simulator.conformance.intake import SILENCE, Arrived, Intake
from simulator.conformance.verdicts import Profile
from simulator.errors import UsageError
from simulator.runtime.transport import AppTransport, handling
from simulator.scenarios.stage import Customer, Refused

HOST: Final = "events.conformance.localhost"  # where the platform believes its events go
HOOK: Final = f"http://{HOST}/"
TURN_TIMEOUT: Final = 120  # seconds, the longest there is: a case may hold a turn for a while
CONTEXT: Final = 10
LISTENS: Final = 3_000  # simulated seconds that a caller stays on the line after their last words
FIRST_CALLER: Final = 12127300000  # somewhere in Manhattan, in no range of magic numbers ...
CALLERS: Final = 690_000  # ... from which the callers of a run begin somewhere: a handler may remember earlier ones


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request of the handler to the API that changes something."""

    seq: int  # of the journal
    method: str
    path: str
    status: int
    body: Any
    operation: str = ""  # the API's name for what was asked, as sendMessage

    @property
    def done(self) -> bool:
        """Whether the API has done it."""
        return self.status < 400

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}"


class Call:
    """An inbound call whose turns a case carries to the handler, one after the other."""

    def __init__(self, platform: Platform, call_id: str) -> None:
        self.id = call_id
        self._platform = platform
        self._turn: Arrived | None = None

    async def turn(self) -> Event:
        """The next turn: the caller has said something and waits."""
        self._turn = await self._platform.intake.next(self._is_turn, f"voice turn of {self.id}")
        return self._turn.event

    def answer(self, exchange: Exchange | None = None, *, text: str = "") -> None:
        """Let the caller hear the handler's answer, or these words: then the call goes on."""
        if self._turn is None or self._turn.answer is None:
            raise UsageError(f"{self.id} waits for no answer: ask for its next turn() first")
        if exchange is not None:
            said = exchange.headers.get("Content-Type", "application/json"), exchange.body
        else:
            said = "application/json", b'{"text": "%s"}' % text.encode()
        if not self._turn.answer.done():
            self._turn.answer.set_result(said)

    async def ended(self) -> Event:
        """Hang up, if the call is not over yet; its end event."""
        await self.hang_up()
        arrived = await self._platform.intake.next(self._is_end, f"end of {self.id}")
        return arrived.event

    async def hang_up(self) -> None:
        """Let the caller hang up, unless the call is over."""
        with suppress(Refused):  # it is over
            await self._platform.ask("POST", f"/_sim/calls/{self.id}/hang_up")
        if self._turn is not None and self._turn.answer is not None and not self._turn.answer.done():
            self._turn.answer.set_result(("application/json", SILENCE))

    def _is_turn(self, event: Event) -> bool:
        return event.name == "agent.message" and event.channel == "voice" and event.data.get("callId") == self.id

    def _is_end(self, event: Event) -> bool:
        return event.name == "agent.call_ended" and event.data.get("callId") == self.id


class Platform:
    """An agent with two numbers in an account of the simulator. Lives on the simulator's event loop."""

    def __init__(self, app: SimulatorApp, api_key: str) -> None:
        runner = app.simulator.runner_for(api_key)
        if runner is None:
            raise UsageError("the simulator does not know the API key of the account that the handler is examined in")
        self.runner = runner
        self.intake = Intake()
        self._customer = Customer(app, runner, api_key)
        self._callers = self._first_caller = FIRST_CALLER + runner.world.entropy.seed % CALLERS
        self._calls: list[Call] = []
        self._clock: dict[str, Any] = {}  # how it was before
        self.agent_id = ""
        self.numbers: dict[str, str] = {}  # by type: "sms" (calls as well), "imessage"
        self._news = asyncio.Event()
        runner.world.journal.on_growth(self._news.set)

    async def open(self) -> None:
        """Furnish the account. Its clock jumps while the handler is examined."""
        transport = AppTransport(self.intake)
        self.runner.sender.mounts[HOST] = transport
        clock = await self.ask("GET", "/_sim/clock")
        self._clock = {name: clock[name] for name in ("mode", "handler_grace")}
        await self.ask("PUT", "/_sim/clock", {"mode": "auto", "handler_grace": 0})
        agent = await self.ask("POST", "/v1/agents", {"name": "Conformance", "voiceMode": "webhook"})
        self.agent_id = agent["id"]
        hook = {"url": HOOK, "timeout": TURN_TIMEOUT, "contextLimit": CONTEXT}
        await self.ask("POST", f"/v1/agents/{self.agent_id}/webhook", hook)
        for kind in ("sms", "imessage"):
            number = await self.ask("POST", "/v1/numbers", {"type": kind, "agentId": self.agent_id})
            self.numbers[kind] = number["phoneNumber"]

    async def close(self) -> None:
        """Leave the account as it is, with its clock as it was; calls that are live end.

        Its webhook goes first: nobody takes events any more, and to be told so six times would take the account a day.
        """
        with suppress(Refused):  # it was never registered
            await self.ask("DELETE", f"/v1/agents/{self.agent_id}/webhook")
        await self.clear()
        await self.ask("PUT", "/_sim/clock", self._clock)
        self.runner.sender.mounts.pop(HOST, None)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Use the simulator's API; such requests are not the handler's. Raises Refused.

        They are taken in at once, as a handler's are: a case has calls and deliveries under way while it asks.
        """
        before = handling.set(True)
        try:
            return await self._customer.ask(method, path, body)
        finally:
            handling.reset(before)

    # -- events ------------------------------------------------------------------------------------------------

    @property
    def callers(self) -> range:
        """The digits of all numbers that `caller` has given."""
        return range(self._first_caller + 1, self._callers + 1)

    def caller(self) -> str:
        """A number that nobody has used yet."""
        self._callers += 1
        return f"+{self._callers}"

    async def text(
        self,
        body: str = "Are you open on Monday?",
        *,
        sender: str | None = None,
        channel: str | None = None,
        media: Sequence[str] = (),
        **more: Any,
    ) -> Event:
        """Somebody sends a text; its event. `more` is what `POST /_sim/messages` takes besides."""
        line = self.numbers["imessage" if channel == "imessage" else "sms"]
        request: Mapping[str, Any] = {"from": sender or self.caller(), "to": line, "body": body, **more}
        request = {**request, "media_urls": list(media), **({"channel": channel} if channel else {})}
        sent = await self.ask("POST", "/_sim/messages", request)
        arrived = await self.intake.next(
            lambda event: event.name == "agent.message" and event.data.get("messageId") == sent["message_id"], "text"
        )
        return arrived.event

    async def reaction(self, kind: str = "love", *, to: Event) -> Event:
        """Somebody reacts to their own iMessage; its event."""
        message_id = to.data["messageId"]
        await self.ask("POST", f"/_sim/messages/{message_id}/reactions", {"reaction": kind})
        arrived = await self.intake.next(
            lambda event: event.name == "agent.reaction" and event.data.get("messageId") == message_id, "reaction"
        )
        return arrived.event

    async def call(self, *said: str, caller: str | None = None) -> Call:
        """Somebody calls, and says these things, each when the answer to the one before has been heard."""
        script: list[Any] = [*said, {"wait": LISTENS}]
        dial = {"from": caller or self.caller(), "to": self.numbers["sms"], "script": script}
        started = await self.ask("POST", "/_sim/calls", dial)
        call = Call(self, started["call_id"])
        self._calls.append(call)
        return call

    async def clear(self) -> None:
        """A case is over: its calls end, and what has come of it is forgotten."""
        calls, self._calls = self._calls, []
        for call in calls:
            await call.hang_up()
        self.intake.let_go()

    async def turn(self, said: str) -> Event:
        """The first turn of a new call; the caller is not kept waiting while the handler thinks.

        A turn that is held lets an account's clock follow real time, in which others would have to speak.
        """
        call = await self.call(said)
        event = await call.turn()
        call.answer(text="One moment.")
        return event

    async def plain(self, profile: Profile, words: str = "Are you open on Monday?") -> Event:
        """What every handler of a profile has to take: a text, or a turn for one that is for calls only."""
        return await (self.turn(words) if profile is Profile.VOICE else self.text(words))

    # -- what the handler does -----------------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The number of the journal's last entry: now, for `api_calls`."""
        return self.runner.world.journal.last_seq

    async def news(self, patience: float) -> bool:
        """Wait until the journal has grown, or for `patience` seconds of the loop's time; says whether it has."""
        self._news.clear()
        try:
            async with asyncio.timeout(patience):
                return await self._news.wait()
        except TimeoutError:
            return False

    def api_calls(self, after: int, until: int | None = None) -> list[ApiCall]:
        """What the handler has asked the API for since `after`, reading aside."""
        found = []
        for entry in self.runner.world.journal.since(after):
            if until is not None and entry.seq > until:
                break
            if entry.kind != "api.request" or self._customer.is_own(entry.seq):
                continue
            data = entry.data
            if data["method"] != "GET" and str(data["path"]).startswith("/v1"):
                found.append(
                    ApiCall(
                        entry.seq, data["method"], data["path"], data["status"], data.get("body"), data["operation_id"]
                    )
                )
        return found
