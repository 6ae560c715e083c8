"""Carries out what the double of the built-in model asks for: time, tools, a Python function, a model behind a URL."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from simulator.domain.calls import Call, Party
from simulator.domain.hosted import HostedAnswer
from simulator.domain.masking import masked
from simulator.domain.webhooks import Outcome
from simulator.engine import hosted_events as double
from simulator.engine.effects import ReportFinding
from simulator.engine.events import CallEvent
from simulator.engine.hosted import HostedDouble
from simulator.engine.model import ModelReply, request_body
from simulator.runtime.deliver import USER_AGENT, Sender, cause_of, network_errors
from simulator.runtime.pacer import CALL_TIMER, Pacer
from simulator.settings import Settings
from simulator.world import hosted
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.runtime.transport import Answer

TIMER: Final = "hosted"  # the name of the double's timer, next to those of the call engine
READ_LIMIT: Final = 65_536  # bytes of a tool's answer: as much as anybody could say in an hour
SHOWN: Final = 4096  # characters of a tool's request and answer that the journal keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What every hosted call of an account needs. `feed` hands an event to a call's engine."""

    world: World
    pacer: Pacer
    sender: Sender
    settings: Settings
    feed: Callable[[str, CallEvent], object]
    report: Callable[[str, ReportFinding], None]


class HostedCall:
    """The agent's part of one hosted call."""

    def __init__(self, host: Host, call: Call, double: HostedDouble | None = None) -> None:
        self._host = host
        self._call_id = call.id
        if double is None:
            settings = host.settings
            role = hosted.role_of(
                host.world, call, has_function=settings.hosted is not None, has_model=settings.hosted_url is not None
            )
            double = HostedDouble(role)
        self.double = double
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The call is connected."""
        self._perform(self.double.begin())

    def open(self, turn_id: str, heard: str) -> None:
        """A turn is to be answered."""
        said = [(spoken.party, spoken.text) for spoken in self._host.world.calls[self._call_id].utterances]
        if said and said[-1][0] is Party.REMOTE and said[-1][1] == heard:
            said.pop()
        self._handle(double.TurnOpened(turn_id, heard, tuple(said)))

    def cancel(self) -> None:
        """The answer is not wanted any more."""
        self._handle(double.TurnCancelled())

    def fire(self) -> None:
        """The time that the double waited for is over."""
        self._handle(double.Waited())

    def _handle(self, event: double.DoubleEvent) -> None:
        self._perform(self.double.handle(event))

    def _perform(self, effects: list[double.DoubleEffect]) -> None:
        for effect in effects:
            match effect:
                case double.Wait(delay=delay):
                    self._start_timer(delay)
                case double.StopWork():
                    self._stop_work()
                case double.AskFunction():
                    self._handle(self._asked(effect))
                case double.AskModel():
                    self._task = self._track(self._ask_model(effect), "the model")
                case double.UseTool():
                    self._task = self._track(self._use_tool(effect), f"tool {effect.use.name}")
                case double.Reply(event=event):
                    self._host.feed(self._call_id, event)
                case ReportFinding():
                    self._host.report(self._call_id, effect)
        self._host.pacer.arm()

    # -- time --------------------------------------------------------------------------------------------------

    @property
    def _key(self) -> tuple[str, str, str, str]:
        return self._host.world.account_id, CALL_TIMER, self._call_id, TIMER

    def _start_timer(self, delay: Any) -> None:
        due = self._host.pacer.start_timer(self._key, delay)
        self._note("timer.started", timer=TIMER, due=due.isoformat())

    def _track(self, work: Coroutine[Any, Any, None], asked: str) -> asyncio.Task[None]:
        return self._host.pacer.track(work, f"{self._call_id}: asked of {asked}")

    def _stop_work(self) -> None:
        self._host.pacer.timers.stop(self._key)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()  # a task that asks for this itself ends at its next wait, or now if there is none

    # -- who answers -------------------------------------------------------------------------------------------

    def _asked(self, effect: double.AskFunction) -> double.DoubleEvent:
        """Ask the user's function, which may do anything."""
        function = self._host.settings.hosted
        assert function is not None, "the role says that there is a function"
        try:
            answer = function(effect.turn)
        except Exception as error:
            return double.AskingFailed(effect.ticket, f"it raised {type(error).__name__}: {error}")
        if isinstance(answer, str):
            answer = HostedAnswer(say=answer)
        if answer is not None and not isinstance(answer, HostedAnswer):
            about = f"it returned {type(answer).__name__}: return a text, a HostedAnswer or None"
            return double.AskingFailed(effect.ticket, about)
        return double.Answered(effect.ticket, answer)

    async def _ask_model(self, effect: double.AskModel) -> None:
        settings = self._host.settings
        url = f"{(settings.hosted_url or '').rstrip('/')}/chat/completions"
        body = request_body(effect.turn, effect.tools, settings.hosted_model)
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        response = await self._host.sender.open(url, headers, body)
        if isinstance(response, Outcome):
            await self._late(double.AskingFailed(effect.ticket, response.error or "the request failed"))
            return
        try:
            event = await self._read_model(response, effect)
        except network_errors() as error:
            event = double.AskingFailed(effect.ticket, cause_of(error))
        except ValueError as error:
            event = double.AskingFailed(effect.ticket, str(error))
        finally:
            response.close()
        await self._late(event)

    async def _read_model(self, response: Answer, effect: double.AskModel) -> double.DoubleEvent:
        if not 200 <= response.status < 300:
            shown = (await response.content.read(500)).decode("utf-8", "replace")
            return double.AskingFailed(effect.ticket, f"it answered {response.status}: {shown}")
        reply = ModelReply(response.headers.get("Content-Type", ""), effect.tools)
        while piece := await response.content.readany():
            for sentence in reply.feed(piece):
                await self._late(double.Said(effect.ticket, sentence))
        first, answer = reply.answer()
        if first:
            await self._late(double.Said(effect.ticket, first))
        return double.Answered(effect.ticket, answer)

    # -- tools -------------------------------------------------------------------------------------------------

    async def _use_tool(self, effect: double.UseTool) -> None:
        request, name = effect.request, effect.use.name
        sent, url = masked(request.body.decode("utf-8", "replace")[:SHOWN]), masked(request.url[:SHOWN])
        self._note("tool.called", turn_id=effect.turn_id, tool=name, method=request.method, url=url, body=sent)
        since = self._host.pacer.clock.now()
        event = await self._tool_event(effect)
        await self._host.pacer.order.turn()
        self._host.pacer.catch_up()
        after = (self._host.pacer.clock.now() - since).total_seconds()
        seen: dict[str, Any] = {}
        match event:
            case double.ToolAnswered(http_status=status, text=text):
                seen = {"http_status": status, "answer": text[:SHOWN], "error": None}
            case double.ToolFailed(error=error):
                seen = {"http_status": None, "answer": None, "error": error}
        self._note("tool.answered", turn_id=effect.turn_id, tool=name, after=after, **seen)
        self._handle(event)

    async def _tool_event(self, effect: double.UseTool) -> double.ToolAnswered | double.ToolFailed:
        request = effect.request
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers}
        try:
            response = await self._host.sender.open(request.url, headers, request.body, method=request.method)
            if isinstance(response, Outcome):
                return double.ToolFailed(effect.ticket, response.error or "the request failed")
            try:
                text = await _text_of(response)
            finally:
                response.close()
        except network_errors() as error:
            return double.ToolFailed(effect.ticket, cause_of(error))
        except ValueError as error:  # a header that the HTTP client does not write
            return double.ToolFailed(effect.ticket, str(error))
        return double.ToolAnswered(effect.ticket, response.status, text)

    async def _late(self, event: double.DoubleEvent) -> None:
        """Take in what came over the network, when its turn has come and after every timer that was due before it."""
        await self._host.pacer.order.turn()
        self._host.pacer.catch_up()
        self._handle(event)

    def _note(self, kind: str, **data: Any) -> None:
        now: datetime = self._host.pacer.clock.now()
        self._host.world.journal.append(kind, now, call_id=self._call_id, **data)


async def _text_of(response: Answer) -> str:
    """Read an answer up to `READ_LIMIT`; a character that the cut goes through is left out."""
    seen = bytearray()
    while len(seen) < READ_LIMIT and (piece := await response.content.readany()):
        seen += piece
    whole = len(seen) < READ_LIMIT
    return codecs.getincrementaldecoder("utf-8")("replace").decode(bytes(seen[:READ_LIMIT]), final=whole)
