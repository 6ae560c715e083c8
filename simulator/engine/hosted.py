"""The double of the built-in model: what a hosted agent says and does on each turn. Decides everything, does nothing.

Who answers a turn, the first that has an answer: the scripted lines, a Python function, a model behind a URL, and in
the end the double itself, with a line that only depends on what it is told. The answer is handed to the call engine as
the bytes of a reply, so that a hosted call is heard, cut and barged into exactly as a handler's.

turn  IDLE ──opened──► THINKING ──waited──► ASKING ──answered──► IDLE
                                              │ ▲
                          a tool is needed    ▼ │ it answered
                                             USING                  (any state ──cancelled──► IDLE)
"""

# Every request for work has a ticket, and so has every answer. An answer whose ticket is not the latest is late and is
# ignored: the turn it was for is over.

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from simulator.domain.agents import CustomTool
from simulator.domain.findings import FindingKind
from simulator.domain.hosted import HostedAnswer, HostedTurn, ToolResult, ToolUse
from simulator.engine.chunks import MAX_SAMPLE
from simulator.engine.effects import ReportFinding
from simulator.engine.events import ReplyBytes, ReplyEnded, ReplyStarted
from simulator.engine.hosted_events import (
    Answered,
    AskFunction,
    AskingFailed,
    AskModel,
    DoubleEffect,
    DoubleEvent,
    Line,
    Reply,
    Role,
    Said,
    StopWork,
    ToolAnswered,
    ToolFailed,
    TurnCancelled,
    TurnOpened,
    UseTool,
    Wait,
    Waited,
)
from simulator.engine.tools import misfits, request_for
from simulator.engine.variables import fill, fill_deep, names_in, result_values, spoken

THINK_TIME: Final = timedelta(milliseconds=700)  # a fast speech model's first word; one figure, so that runs repeat
TOOL_TIMEOUT: Final = timedelta(seconds=30)  # of a tool that doesn't say: as long as a webhook has by default
MODEL_TIMEOUT: Final = timedelta(seconds=60)  # a local model may have to be loaded first
MAX_TOOL_USES: Final = 8  # of one turn: a person would have hung up by then

# For the call engine: longer than all tools and model requests of one turn can take, so that it is never the one to
# lose patience.
REPLY_TIMEOUT: Final = timedelta(minutes=30)
MAX_SPOKEN: Final = 8_000  # characters of one reply: ten minutes of speech

FILLER: Final = "One moment, please."
TOOL_APOLOGY: Final = "I am sorry, {name} did not work."
MAX_QUOTED: Final = 200  # characters of a prompt or of heard words in a fallback line


class Source(Enum):
    """Who answers a turn."""

    LINES = "lines"
    FUNCTION = "function"
    MODEL = "model"
    FALLBACK = "fallback"


class State(Enum):
    """What the double is doing."""

    IDLE = "idle"
    THINKING = "thinking"
    ASKING = "asking"  # a function or a model
    USING = "using"  # a tool


class HostedDouble:
    """The model's part in one call."""

    __slots__ = (
        "_effects", "_lines", "_number", "_pending", "_role", "_source", "_started", "_ticket", "_told", "_turn",
        "_turn_id", "state",
    )  # fmt: skip

    def __init__(self, role: Role) -> None:
        self.state = State.IDLE
        self._role = role
        self._lines = list(role.lines)
        self._effects: list[DoubleEffect] = []
        self._number = 0
        self._ticket = 0
        self._turn_id = ""
        self._turn: HostedTurn  # meaningful outside IDLE
        self._source = Source.LINES
        self._pending = HostedAnswer()  # what is to be said after the tool
        self._started = False  # whether the call engine has had the head of the reply
        self._told: set[str] = set()  # names that were reported

    def copy(self) -> HostedDouble:
        """The same part at the same point; the two go on independently of each other."""
        return copy.deepcopy(self, {id(self._role): self._role})

    def begin(self) -> list[DoubleEffect]:
        """The call is connected: say what is wrong with the agent's own texts."""
        for name in self._role.unknown:
            self._report_unknown(name)
        return self._take()

    def handle(self, event: DoubleEvent) -> list[DoubleEffect]:
        """Say what follows from `event`. Late answers are normal and lead to nothing."""
        match event:
            case TurnOpened():
                self._open(event)
            case TurnCancelled() if self.state is not State.IDLE:
                self._effects.append(StopWork())
                self._rest()
            case Waited():
                self._waited()
            case Said() | Answered() | AskingFailed() if event.ticket == self._ticket and self.state is State.ASKING:
                self._asked(event)
            case ToolAnswered() | ToolFailed() if event.ticket == self._ticket and self.state is State.USING:
                self._tool_ended(event)
            case _:
                pass
        return self._take()

    def _take(self) -> list[DoubleEffect]:
        effects, self._effects = self._effects, []
        return effects

    def _open(self, event: TurnOpened) -> None:
        if self.state is not State.IDLE:
            self._effects.append(StopWork())
        self._number += 1
        self._turn_id, self._started = event.turn_id, False
        self._source = Source.LINES
        self._turn = HostedTurn(
            call_id=self._role.call_id,
            agent_name=self._role.agent_name,
            prompt=self._role.prompt,
            variables=self._role.variables,
            number=self._number,
            heard=event.heard,
            history=event.history,
        )
        self._enter(State.THINKING)
        self._effects.append(Wait(THINK_TIME))

    def _enter(self, state: State) -> int:
        self.state = state
        self._ticket += 1
        return self._ticket

    def _rest(self) -> None:
        self._enter(State.IDLE)

    # --- who answers ---

    def _waited(self) -> None:
        match self.state:
            case State.THINKING:
                line = self._next_line(self._turn.heard)
                if line is not None:
                    self._act(self._filled(line.answer))
                else:
                    self._ask(Source.FUNCTION)
            case State.ASKING:
                self._effects.append(StopWork())
                self._asking_failed(f"the model gave no whole answer within {_seconds(MODEL_TIMEOUT)}")
            case State.USING:
                self._effects.append(StopWork())
                self._tool_timed_out()
            case _:
                pass

    def _next_line(self, heard: str) -> Line | None:
        """Give the first line that is for these words, or else the first that is for any and was not used yet."""
        for line in self._lines:
            if line.when is not None and line.when.found_in(heard):
                return line
        for place, line in enumerate(self._lines):
            if line.when is None:
                return self._lines.pop(place)
        return None

    def _ask(self, source: Source) -> None:
        """Ask `source`, or the next one that exists."""
        if source is Source.FUNCTION and self._role.has_function:
            self._source = source
            self._effects.append(AskFunction(self._enter(State.ASKING), self._turn))
        elif source in (Source.FUNCTION, Source.MODEL) and self._role.has_model:
            self._source = Source.MODEL
            self._effects += (AskModel(self._enter(State.ASKING), self._turn, self._role.tools), Wait(MODEL_TIMEOUT))
        else:
            self._source = Source.FALLBACK
            self._finish(HostedAnswer(say=fallback(self._turn)))

    def _asked(self, event: Said | Answered | AskingFailed) -> None:
        if self._source is Source.MODEL and not isinstance(event, Said):
            self._effects.append(StopWork())
        match event:
            case Said(text=text):
                self._chunk({"text": text, "interim": True})
            case Answered(answer=None):
                self._ask(Source.MODEL if self._source is Source.FUNCTION else Source.FALLBACK)
            case Answered(answer=HostedAnswer() as answer):
                self._act(answer)
            case AskingFailed(error=error):
                self._asking_failed(error)

    def _asking_failed(self, error: str) -> None:
        who = "the hosted function" if self._source is Source.FUNCTION else "the model behind the hosted URL"
        self._report(FindingKind.HOSTED_FAILED, f"{who} did not answer, and a stand-in line was spoken: {error}")
        self._ask(Source.FALLBACK)

    # --- what is done ---

    def _filled(self, answer: HostedAnswer) -> HostedAnswer:
        """Fill the variables of a scripted line; `{{result}}` waits for the tool."""
        values = {"heard": self._turn.heard, **self._role.variables}
        later = {name for name in names_in(answer.say) if answer.tool and name.split(".")[0] == "result"}
        kept = {name: f"{{{{{name}}}}}" for name in later}
        say = fill(answer.say, {**values, **kept}, unknown=self._report_unknown)
        if answer.tool is None:
            return replace(answer, say=say)
        arguments = fill_deep(answer.tool.arguments, values, unknown=self._report_unknown)
        return replace(answer, say=say, tool=replace(answer.tool, arguments=arguments))

    def _act(self, answer: HostedAnswer) -> None:
        if answer.tool is None:
            self._finish(answer)
            return
        self._pending = answer
        if len(self._turn.results) >= MAX_TOOL_USES:
            about = f"{MAX_TOOL_USES} tools were called on one turn, and {answer.tool.name!r} was not: say something"
            self._report(FindingKind.TOOL_LOOP, about)
            self._finish(HostedAnswer(say=TOOL_APOLOGY.format(name=answer.tool.name)))
            return
        tool = next((tool for tool in self._role.tools if tool.name == answer.tool.name), None)
        if tool is None:
            known = ", ".join(tool.name for tool in self._role.tools) or "none"
            about = f"the agent has no custom tool {answer.tool.name!r}: it has {known}"
            self._tool_refused(FindingKind.TOOL_UNKNOWN, about)
            return
        self._use(tool, answer.tool)

    def _use(self, tool: CustomTool, use: ToolUse) -> None:
        wrong = next(misfits(dict(use.arguments), tool.parameters), None)
        if wrong is not None:
            about = f"{tool.name} was not called: {wrong}"
            self._tool_refused(FindingKind.TOOL_ARGUMENTS, about)
            return
        try:
            request = request_for(tool, use.arguments, self._role.variables, self._report_unknown)
        except (ValueError, TypeError) as error:
            self._tool_refused(FindingKind.TOOL_FAILED, f"{tool.name} was not called: {error}")
            return
        ticket = self._enter(State.USING)
        if filler := filler_of(tool):
            self._chunk({"text": fill(filler, self._role.variables, unknown=self._report_unknown), "interim": True})
        self._effects += (UseTool(ticket, self._turn_id, use, request), Wait(tool.timeout or TOOL_TIMEOUT))

    def _tool_refused(self, kind: FindingKind, about: str) -> None:
        self._report(kind, about)
        self._tool_done(worked=False, text=about)

    def _tool_timed_out(self) -> None:
        use = self._pending.tool or ToolUse(name="")
        tool = next(tool for tool in self._role.tools if tool.name == use.name)
        about = f"{use.name} gave no whole answer within {_seconds(tool.timeout or TOOL_TIMEOUT)}"
        self._tool_refused(FindingKind.TOOL_TIMED_OUT, f"{about}: make it faster, or its timeoutMs longer")

    def _tool_ended(self, event: ToolAnswered | ToolFailed) -> None:
        self._effects.append(StopWork())
        name = self._pending.tool.name if self._pending.tool else ""
        match event:
            case ToolAnswered(http_status=status, text=text) if 200 <= status < 300:
                self._tool_done(worked=True, text=text)
            case ToolAnswered(http_status=status, text=text):
                about = f"{name} answered {status}: answer 2xx, with the result as JSON or text"
                self._report(FindingKind.TOOL_FAILED, about, text.encode("utf-8", "replace")[:MAX_SAMPLE])
                self._tool_done(worked=False, text=text)
            case ToolFailed(error=error):
                self._tool_refused(FindingKind.TOOL_FAILED, f"{name} could not be called: {error}")

    def _tool_done(self, *, worked: bool, text: str) -> None:
        """Go on after a tool: with the words that were to follow it, by asking again, or by speaking its result."""
        pending = self._pending
        use = pending.tool or ToolUse(name="")
        result = ToolResult(use=use, worked=worked, text=text)
        self._turn = replace(self._turn, results=(*self._turn.results, result))
        names = names_in(pending.say)
        if worked and pending.say:
            values = result_values(text, names)
            say = fill(pending.say, values, unknown=self._report_unknown_result)
            self._finish(replace(pending, say=say, tool=None))
        elif self._source in (Source.FUNCTION, Source.MODEL):
            self._ask(self._source)
        elif worked:
            self._finish(replace(pending, say=spoken(text), tool=None))
        else:
            self._finish(HostedAnswer(say=TOOL_APOLOGY.format(name=use.name)))

    def _finish(self, answer: HostedAnswer) -> None:
        fields: dict[str, Any] = {"text": answer.say}
        if answer.digits:
            fields["digits"] = answer.digits
        if answer.action:
            fields["action"] = answer.action
        self._chunk(fields)
        self._effects.append(Reply(ReplyEnded(self._turn_id)))
        self._rest()

    def _chunk(self, fields: Mapping[str, Any]) -> None:
        """Write one object of the reply, as a handler that streams would."""
        if not self._started:
            self._started = True
            self._effects.append(Reply(ReplyStarted(self._turn_id, 200, "application/x-ndjson")))
        fields = {**fields, "text": _cut(fields["text"], MAX_SPOKEN)}
        line = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._effects.append(Reply(ReplyBytes(self._turn_id, line)))

    # --- what is wrong ---

    def _report(self, kind: FindingKind, about: str, sample: bytes = b"") -> None:
        self._effects.append(ReportFinding(kind, about, self._turn_id or None, sample))

    def _report_unknown(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            about = f"{{{{{name}}}}} has no value and is spoken as it is written: give `variables` with the call"
            self._report(FindingKind.VARIABLE_UNKNOWN, about)

    def _report_unknown_result(self, name: str) -> None:
        self._report(FindingKind.VARIABLE_UNKNOWN, f"{{{{{name}}}}} is not in what the tool answered")


def greeting(agent_name: str) -> str:
    """Say what a hosted agent begins with when it was given nothing to begin with."""
    return f"Hello, this is the simulated voice of {agent_name}."


def fallback(turn: HostedTurn) -> str:
    """Say something that is clearly no model's, and the same each time: who speaks, its prompt, and what it heard."""
    heard = _cut(" ".join(turn.heard.split()), MAX_QUOTED)
    prompt = _cut(" ".join(turn.prompt.split()), MAX_QUOTED)
    told = f" I was told: {prompt}" if prompt and turn.number == 1 else ""
    return f"This is the simulated voice of {turn.agent_name}.{told} I heard: {heard or 'nothing'}"


def filler_of(tool: CustomTool) -> str:
    """Say what is spoken while the tool works; "" for nothing."""
    if tool.speak_during_execution is False:
        return ""
    message = (tool.execution_message or "").strip()
    return message or (FILLER if tool.speak_during_execution else "")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
