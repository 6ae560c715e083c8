"""A scenario file as a model: the world to start from, calls and texts with their scripts, and what to expect.

What the platform knows (`world`, `request`) is written in the platform's words, camelCase and in its units. What a
scenario does is written in ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

import simulator.engine.script as engine
from simulator.domain.policy import CONTRACTS
from simulator.scenarios.base import Digits, Duration, Known, Label, Phone, Strict, Words
from simulator.scenarios.faults import FaultPart
from simulator.scenarios.steps import Script
from simulator.scenarios.threads import ThreadScript
from simulator.scenarios.wanted import CallExpect, Match, TextExpect
from simulator.wire.agents import AgentIn, CustomToolIn, ModelTier
from simulator.wire.base import OneOf

DEFAULT_AGENT: Final = "Agent"
DEFAULT_CALLER: Final = "+14155550150"  # in the range that is set aside for fiction
MAX_PARTS: Final = 1000  # calls, texts, agents, numbers, people of one scenario

Answer = Annotated[str, OneOf(tuple(answer.value for answer in engine.Answer))]
Scalar = str | int | float | bool


class _Platform(Strict):
    """Something in the platform's words."""

    model_config = ConfigDict(alias_generator=to_camel)


class ToolSetup(Known, CustomToolIn):
    """An HTTP function that a hosted agent may call."""

    model_config = ConfigDict(extra="forbid")


class WebhookSetup(_Platform):
    """Where events go. Without a `url`, to the handler that the run is given."""

    url: str | None = Field(default=None, pattern=r"^https?://")
    context_limit: int | None = Field(default=None, ge=0, le=50, description="Entries of `recentHistory`.")
    timeout: int | None = Field(default=None, ge=5, le=120, description="Seconds until a reply must have begun.")


class HostedTool(Strict):
    """One of the agent's custom tools, called over HTTP."""

    name: Label
    arguments: dict[str, Any] = Field(default_factory=dict)


class HostedLine(Strict):
    """One thing that a hosted agent says or does: the tool comes first, then the words, the keys and the action."""

    when: Match | None = Field(default=None, description="Answers whatever matches. Absent: used once, in order.")
    say: Words | None = Field(default=None, description="{{result}} is what the tool answered.")
    digits: Digits | None = None
    action: Literal["transfer", "hangup"] | None = None
    tool: HostedTool | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.say is None and self.digits is None and self.action is None and self.tool is None:
            raise ValueError("a line needs at least one of say, digits, action, tool")
        return self


class AgentSetup(Known, AgentIn):
    """An agent, as it is created through the API, and the webhook that is its own.

    `hosted` is ours: what the double of the built-in model says for it.
    """

    model_config = ConfigDict(extra="forbid")

    hosted: Annotated[list[Words | HostedLine], Field(max_length=1000)] | None = Field(
        default=None, description="Lines for an agent in hosted mode; text is something to say."
    )

    custom_tools: list[ToolSetup] | None = Field(default=None, max_length=20)  # type: ignore[assignment]
    webhook: WebhookSetup | None = None


class NumberSetup(_Platform):
    """A phone number of ours. Without an area code, any."""

    name: Label | None = Field(default=None, description="What calls and texts may call it.")
    area_code: str | None = Field(default=None, pattern=r"^[0-9]{3}$")
    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")
    agent: Label | None = Field(default=None, description="The agent it belongs to.")


class PersonSetup(Strict):
    """Somebody with a phone, for calls that we place."""

    name: Label | None = Field(default=None, description="What calls and texts may call them.")
    number: Phone
    answer: Answer = "answered"
    ring: Duration | None = Field(default=None, description="How long the phone rings.")
    greeting: Words | None = Field(default=None, description="What the machine says that answers with `voicemail`.")
    script: Script | None = Field(default=None, description="Absent: answers and listens.")


class ContactSetup(_Platform):
    """An entry of the account's address book."""

    phone_number: Phone
    name: Label
    email: str | None = None
    notes: str | None = None


class World(Strict):
    """What exists before anything happens. An agent that no number belongs to gets one."""

    agents: Annotated[list[AgentSetup], Field(min_length=1, max_length=MAX_PARTS)] = Field(
        default_factory=lambda: [AgentSetup(name=DEFAULT_AGENT)]
    )
    numbers: list[NumberSetup] = Field(default_factory=list, max_length=MAX_PARTS)
    people: list[PersonSetup] = Field(default_factory=list, max_length=MAX_PARTS)
    contacts: list[ContactSetup] = Field(default_factory=list, max_length=MAX_PARTS)
    webhook: WebhookSetup = Field(default_factory=WebhookSetup, description="The account's own endpoint.")


class CallRequest(_Platform):
    """More fields of `POST /v1/calls`, for a call that we place."""

    initial_greeting: str | None = None
    voice: str | None = None
    system_prompt: str | None = None
    model_tier: ModelTier | None = None
    variables: dict[str, str] | None = None
    call_screening_identity: str | None = None
    call_screening_purpose: str | None = None


class CallPart(Strict):
    """One call: somebody phones an agent, or an agent phones somebody (`from` is the agent then)."""

    name: Label | None = None
    from_: Label = Field(
        default=DEFAULT_CALLER, alias="from", description="A number, or somebody's or an agent's name."
    )
    to: Label | None = Field(default=None, description="An agent's, number's or person's name; absent: the only agent.")
    at: Duration | None = Field(default=None, description="After the scenario's start; absent: at once.")
    request: CallRequest | None = None
    answer: Answer | None = Field(default=None, description="How the person we call answers.")
    script: Script | None = Field(default=None, description="Absent: the person's own, who otherwise listens.")
    expect: CallExpect | None = None


class TextPart(Strict):
    """One thread: somebody texts an agent, and what comes back."""

    name: Label | None = None
    from_: Label = Field(default=DEFAULT_CALLER, alias="from", description="A number, or a person's name.")
    to: Label | None = Field(default=None, description="An agent's or number's name; absent: the only agent.")
    at: Duration | None = Field(default=None, description="After the scenario's start; absent: at once.")
    script: ThreadScript
    expect: TextExpect | None = None


class Scenario(Strict):
    """A scenario: where it starts, what happens, what is expected of it."""

    name: Label
    description: str | None = None
    tags: Annotated[list[Label], Field(max_length=50)] = Field(default_factory=list)
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1, description="Of ids, secrets and jitter.")
    contract: str | None = Field(default=None, description=f"One of {', '.join(CONTRACTS)}.")
    policies: dict[str, str] = Field(default_factory=dict, description="Switches that differ from the contract.")
    variables: dict[str, Scalar] = Field(
        default_factory=dict, description="Values of {{name}} in names, scripts and expectations."
    )
    timeout: Duration | None = Field(default=None, description="Simulated time that the whole may take.")
    world: World = Field(default_factory=World)
    faults: list[FaultPart] = Field(
        default_factory=list, max_length=MAX_PARTS, description="What goes wrong on purpose, once the world is there."
    )
    calls: list[CallPart] = Field(default_factory=list, max_length=MAX_PARTS)
    texts: list[TextPart] = Field(default_factory=list, max_length=MAX_PARTS)

    @model_validator(mode="after")
    def _something_happens(self) -> Self:
        if not self.calls and not self.texts:
            raise ValueError("nothing happens: give at least one entry in calls or texts")
        return self
