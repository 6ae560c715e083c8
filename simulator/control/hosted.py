"""What hosted agents say: the lines of the double of the built-in model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn, Digits, MatchIn, Words
from simulator.domain.hosted import HostedAnswer, ToolUse
from simulator.engine.hosted_events import Line
from simulator.errors import BadRequest, UsageError
from simulator.serving.operation import Context, Operation
from simulator.wire.base import JsonObject
from simulator.wire.rules import any_of, has
from simulator.world import hosted


class ToolIn(ControlIn):
    """One of the agent's custom tools, called over HTTP."""

    name: str = Field(min_length=1, max_length=64)
    arguments: JsonObject = Field(default_factory=dict, description="Texts in it may have {{variables}}.")


class LineIn(ControlIn):
    """One thing the agent says or does. The tool comes first, then the words, the keys and the action."""

    model_config = ConfigDict(
        json_schema_extra=any_of(
            has("say", type="string"),
            has("digits", type="string"),
            has("action", type="string"),
            has("tool", type="object"),
        )
    )

    when: MatchIn | None = Field(default=None, description="Answers whatever matches. Absent: used once, in order.")
    say: Words | None = Field(default=None, description="With {{variables}}; {{result}} is what the tool answered.")
    digits: Digits | None = None
    action: Literal["transfer", "hangup"] | None = None
    tool: ToolIn | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.say is None and self.digits is None and self.action is None and self.tool is None:
            raise ValueError("a line needs at least one of say, digits, action, tool")
        return self

    def line(self) -> Line:
        """The engine's line. Raises UsageError for what is no regular expression."""
        tool = None if self.tool is None else ToolUse(name=self.tool.name, arguments=self.tool.arguments)
        answer = HostedAnswer(say=self.say or "", digits=self.digits or "", action=self.action, tool=tool)
        return Line(answer=answer, when=None if self.when is None else self.when.match())


class ScriptIn(ControlIn):
    """What is said from the next call on, instead of what was written down before."""

    lines: Annotated[list[Words | LineIn], Field(max_length=1000)] = Field(
        description="A string is something to say. An empty list takes all lines away."
    )


class ScriptOut(ControlOut):
    """How many lines there are now; `agent_id` is null where they are every agent's."""

    agent_id: str | None
    lines: int


def _put_agent(ctx: Context, _query: Any, body: ScriptIn) -> ScriptOut:
    return _put(ctx, ctx.path["agent_id"], body)


def _put_all(ctx: Context, _query: Any, body: ScriptIn) -> ScriptOut:
    return _put(ctx, None, body)


def _put(ctx: Context, agent_id: str | None, body: ScriptIn) -> ScriptOut:
    try:
        lines = tuple(Line(answer=HostedAnswer(say=x)) if isinstance(x, str) else x.line() for x in body.lines)
    except UsageError as error:
        raise BadRequest(f"lines: {error}") from error
    hosted.put_lines(ctx.world, agent_id, lines, ctx.now)
    return ScriptOut(agent_id=agent_id, lines=len(lines))


OPERATIONS = (
    Operation(
        id="simPutAgentScript", method="PUT", path="/_sim/agents/{agent_id}/script", tag="simulator",
        summary="Say what a hosted agent answers on its calls.",
        handler=_put_agent, body=ScriptIn, response=ScriptOut, errors=(400, 404),
    ),
    Operation(
        id="simPutHosted", method="PUT", path="/_sim/hosted", tag="simulator",
        summary="Say what every hosted agent without a script of its own answers.",
        handler=_put_all, body=ScriptIn, response=ScriptOut, errors=(400,),
    ),
)  # fmt: skip
