"""Agents on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from simulator.domain.agents import (
    AMBIENT_SOUNDS,
    DENOISING_MODES,
    LANGUAGES,
    MODEL_TIERS,
    STT_MODES,
    Agent,
    CustomTool,
    VoiceMode,
)
from simulator.domain.numbers import PhoneNumber
from simulator.wire.base import VISIBLE, In, JsonObject, OneOf, Out, iso
from simulator.wire.pages import PageOut
from simulator.wire.urls import HttpUrl


def _visible(name: str) -> str:
    if not name.strip():
        raise PydanticCustomError("string_blank", "String should have at least one visible character")
    return name


# Our own bound: no source gives one, and a name is shown in lists.
Name = Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=VISIBLE), AfterValidator(_visible)]
VoiceModeWord = Annotated[str, OneOf(tuple(VoiceMode))]
ModelTier = Annotated[str, OneOf(MODEL_TIERS)]
SttMode = Annotated[str, OneOf(STT_MODES)]
AmbientSound = Annotated[str, OneOf(AMBIENT_SOUNDS)]
DenoisingMode = Annotated[str, OneOf(DENOISING_MODES)]
Language = Annotated[str, OneOf(LANGUAGES)]
VoiceId = Annotated[str, Field(min_length=1, max_length=255)]
MAX_TOOLS = 20
MAX_VOICEMAIL = 1000  # characters


class CustomToolIn(In):
    """An HTTP function for a hosted agent. `timeoutMs` is how long it may take."""

    name: str = Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    description: str
    url: HttpUrl
    method: Annotated[str, OneOf(("GET", "POST"))] = "POST"
    headers: dict[str, str | None] | None = None
    parameters: JsonObject | None = None
    timeout_ms: int | None = Field(default=None, ge=1000, le=120_000)
    speak_during_execution: bool | None = None
    execution_message: str | None = None

    def record(self) -> CustomTool:
        """Make the domain's record; a header without a value is one that was not given."""
        headers = None if self.headers is None else {k: v for k, v in self.headers.items() if v is not None}
        return CustomTool(
            name=self.name,
            description=self.description,
            url=self.url,
            method=self.method,
            headers=headers,
            parameters=self.parameters,
            timeout=None if self.timeout_ms is None else timedelta(milliseconds=self.timeout_ms),
            speak_during_execution=self.speak_during_execution,
            execution_message=self.execution_message,
        )


class _AgentFields(In):
    """What a create and an update have in common."""

    description: str | None = None
    enable_messaging: bool | None = None
    system_prompt: str | None = None
    begin_message: str | None = None
    voice: VoiceId | None = None
    transfer_number: str | None = None
    custom_tools: list[CustomToolIn] | None = Field(default=None, max_length=MAX_TOOLS)
    voicemail_message: str | None = Field(default=None, max_length=MAX_VOICEMAIL)
    call_screening_identity: str | None = None
    call_screening_purpose: str | None = None
    max_silence_ms: int | None = Field(default=None, ge=10_000, le=3_600_000)
    voice_speed: float | None = Field(default=None, ge=0.5, le=2.0)
    interruption_sensitivity: float | None = Field(default=None, ge=0.0, le=1.0)
    enable_backchannel: bool | None = None

    def fields(self) -> dict[str, Any]:
        """The fields that were sent, in the domain's names and types."""
        given = self.given()
        if "voice_mode" in given:
            given["voice_mode"] = VoiceMode(given["voice_mode"])
        if "max_silence_ms" in given:
            given["max_silence"] = timedelta(milliseconds=given.pop("max_silence_ms"))
        if "custom_tools" in given:
            given["custom_tools"] = tuple(tool.record() for tool in given["custom_tools"])
        return given


class AgentIn(_AgentFields):
    """A new agent. What is left out gets the platform's default."""

    name: Name
    voice_mode: VoiceModeWord = "webhook"
    model_tier: ModelTier = "balanced"
    stt_mode: SttMode = "fast"
    ambient_sound: AmbientSound = "none"
    denoising_mode: DenoisingMode = "noise-cancellation"
    language: Language = "en-US"


def _absent() -> Any:
    return None


class AgentPatch(_AgentFields):
    """Changes to an agent. Absent or null leaves a field as it is.

    An empty `transferNumber` or `voicemailMessage` removes it, `customTools: []` removes every tool.
    """

    name: Name | None = None
    # These are not nullable in the platform's own description; leaving one out leaves no trace in the schema either.
    voice_mode: VoiceModeWord = Field(default_factory=_absent)
    model_tier: ModelTier = Field(default_factory=_absent)
    stt_mode: SttMode = Field(default_factory=_absent)
    ambient_sound: AmbientSound = Field(default_factory=_absent)
    denoising_mode: DenoisingMode = Field(default_factory=_absent)
    language: Language = Field(default_factory=_absent)


class AttachNumberIn(In):
    """The number to give to an agent."""

    number_id: str = Field(min_length=1)


class CustomToolOut(Out):
    """A tool as it was given."""

    name: str
    description: str
    url: str
    method: str
    headers: Mapping[str, str] | None
    parameters: Mapping[str, Any] | None
    timeout_ms: int | None
    speak_during_execution: bool | None
    execution_message: str | None

    @classmethod
    def of(cls, tool: CustomTool) -> CustomToolOut:
        """Show one tool."""
        return cls(
            name=tool.name,
            description=tool.description,
            url=tool.url,
            method=tool.method,
            headers=tool.headers,
            parameters=tool.parameters,
            timeout_ms=None if tool.timeout is None else tool.timeout // timedelta(milliseconds=1),
            speak_during_execution=tool.speak_during_execution,
            execution_message=tool.execution_message,
        )


class AgentNumberOut(Out):
    """A number as its agent shows it."""

    id: str
    phone_number: str
    status: str
    type: str

    @classmethod
    def of(cls, number: PhoneNumber) -> AgentNumberOut:
        """Show one number."""
        return cls(id=number.id, phone_number=number.phone_number, status=number.status.value, type=number.type)


class AgentOut(Out):
    """An agent with its numbers, under the older name (`phoneNumbers`) and the newer one (`numbers`)."""

    id: str
    name: str
    description: str | None
    voice_mode: str
    enable_messaging: bool
    model_tier: str
    system_prompt: str | None
    begin_message: str | None
    voice: str
    transfer_number: str | None
    custom_tools: list[CustomToolOut] | None
    voicemail_message: str | None
    call_screening_identity: str | None
    call_screening_purpose: str | None
    stt_mode: str
    ambient_sound: str
    denoising_mode: str
    max_silence_ms: int
    voice_speed: float
    interruption_sensitivity: float
    enable_backchannel: bool
    language: str
    created_at: str
    numbers: list[AgentNumberOut]
    phone_numbers: list[AgentNumberOut]

    @classmethod
    def of(cls, agent: Agent, numbers: Iterable[PhoneNumber]) -> AgentOut:
        """Show an agent and the numbers attached to it."""
        shown = [AgentNumberOut.of(number) for number in numbers]
        tools = agent.custom_tools
        return cls(
            id=agent.id,
            name=agent.name,
            description=agent.description,
            voice_mode=agent.voice_mode.value,
            enable_messaging=agent.enable_messaging,
            model_tier=agent.model_tier,
            system_prompt=agent.system_prompt,
            begin_message=agent.begin_message,
            voice=agent.voice,
            transfer_number=agent.transfer_number,
            custom_tools=None if tools is None else [CustomToolOut.of(tool) for tool in tools],
            voicemail_message=agent.voicemail_message,
            call_screening_identity=agent.call_screening_identity,
            call_screening_purpose=agent.call_screening_purpose,
            stt_mode=agent.stt_mode,
            ambient_sound=agent.ambient_sound,
            denoising_mode=agent.denoising_mode,
            max_silence_ms=agent.max_silence // timedelta(milliseconds=1),
            voice_speed=agent.voice_speed,
            interruption_sensitivity=agent.interruption_sensitivity,
            enable_backchannel=agent.enable_backchannel,
            language=agent.language,
            created_at=iso(agent.created_at),
            numbers=shown,
            phone_numbers=shown,
        )


class AgentListOut(PageOut):
    """Agents, newest first."""

    data: list[AgentOut]


class AgentDeletedOut(Out):
    """What is left of an agent: the ids of numbers that belong to nobody now."""

    success: bool = True
    id: str
    name: str
    message: str
    unassigned_numbers: list[str]


class NumberAttachedOut(Out):
    """An agent and its new number."""

    agent_id: str
    number: AgentNumberOut
