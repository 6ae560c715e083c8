"""What stands in for the built-in model is told on a turn, and what it can answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.domain.calls import Party
from simulator.errors import UsageError

ACTIONS: Final = ("transfer", "hangup")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A custom tool to be called."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered; `text` says why where it did not work. `use` is the call that it answers."""

    use: ToolUse
    worked: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedAnswer:
    """What is said and done, in this order: the tool, the words, the keys, the action ("transfer" or "hangup").

    With a tool, `{{result}}` in `say` is what the tool answered; without `say`, whoever answered is asked again and
    sees the result, or the result itself is spoken.
    """

    say: str = ""
    digits: str = ""
    action: str | None = None
    tool: ToolUse | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.say, str) or not isinstance(self.digits, str):
            raise UsageError("say and digits of an answer must be texts")
        if self.action is not None and self.action not in ACTIONS:
            raise UsageError(f"an answer's action cannot be {self.action!r}: choose one of {', '.join(ACTIONS)}")
        if self.tool is not None and not isinstance(self.tool, ToolUse):
            raise UsageError(f"an answer's tool must be a ToolUse, not {type(self.tool).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedTurn:
    """A turn of a hosted call, as a Python function sees it.

    `prompt` has its variables filled in. `history` is what was heard before, as (who, words). `results` are the tools
    that were called on this turn.
    """

    call_id: str
    agent_name: str
    prompt: str
    variables: Mapping[str, str]
    number: int  # from 1
    heard: str
    history: tuple[tuple[Party, str], ...] = ()
    results: tuple[ToolResult, ...] = ()


# None: it has nothing to say to this, and the next source is asked.
HostedFunction = Callable[[HostedTurn], HostedAnswer | str | None]
