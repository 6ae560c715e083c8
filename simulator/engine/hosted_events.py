"""What goes into the double of the built-in model, and what comes out of it; the rules are in `hosted.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from simulator.domain.agents import CustomTool
from simulator.domain.calls import Party
from simulator.domain.hosted import HostedAnswer, HostedTurn, ToolUse
from simulator.engine.effects import ReportFinding
from simulator.engine.events import ReplyBytes, ReplyEnded, ReplyStarted
from simulator.engine.script import Match
from simulator.engine.tools import ToolRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A scripted line. With `when` it answers whatever matches, any number of times; without, it is used once."""

    answer: HostedAnswer
    when: Match | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a hosted agent is for one call, settled when the call begins. The prompt's variables are filled in."""

    call_id: str
    agent_name: str
    prompt: str
    variables: Mapping[str, str]
    tools: tuple[CustomTool, ...] = ()
    lines: tuple[Line, ...] = ()
    unknown: tuple[str, ...] = ()  # names without a value in the prompt and the greeting
    has_function: bool = False
    has_model: bool = False


# --- events ---


@dataclass(frozen=True, slots=True)
class TurnOpened:
    """The remote party has said something, and the agent must answer. `history` is what was heard before."""

    turn_id: str
    heard: str
    history: tuple[tuple[Party, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TurnCancelled:
    """The remote party took the floor, or the call is over: the answer is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Waited:
    """The time that was waited for is over."""


@dataclass(frozen=True, slots=True)
class Said:
    """Some words of an answer that is still going on."""

    ticket: int
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The function or the model has answered; None: it has nothing to say to this."""

    ticket: int
    answer: HostedAnswer | None


@dataclass(frozen=True, slots=True)
class AskingFailed:
    """The function raised, or the model could not be asked."""

    ticket: int
    error: str


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """A tool's whole answer is here."""

    ticket: int
    http_status: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolFailed:
    """A tool was not reached, or its answer broke off."""

    ticket: int
    error: str


DoubleEvent = TurnOpened | TurnCancelled | Waited | Said | Answered | AskingFailed | ToolAnswered | ToolFailed


# --- effects ---


@dataclass(frozen=True, slots=True)
class Wait:
    """Send `Waited` after `delay`. There is one such timer; it is started anew."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class StopWork:
    """Stop the timer and whatever request is in flight."""


@dataclass(frozen=True, slots=True)
class AskFunction:
    """Ask the Python function; its answer comes back at once."""

    ticket: int
    turn: HostedTurn


@dataclass(frozen=True, slots=True)
class AskModel:
    """Ask the model behind the URL."""

    ticket: int
    turn: HostedTurn
    tools: tuple[CustomTool, ...]


@dataclass(frozen=True, slots=True)
class UseTool:
    """Send a tool's request."""

    ticket: int
    turn_id: str
    use: ToolUse
    request: ToolRequest


@dataclass(frozen=True, slots=True)
class Reply:
    """Hand a piece of the reply to the call engine."""

    event: ReplyStarted | ReplyBytes | ReplyEnded


DoubleEffect = Wait | StopWork | AskFunction | AskModel | UseTool | Reply | ReportFinding
