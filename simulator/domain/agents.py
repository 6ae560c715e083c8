"""Agents: the AI persona that owns numbers and answers calls and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final


class VoiceMode(StrEnum):
    """Who answers each turn of a call: the user's handler or the built-in model."""

    WEBHOOK = "webhook"
    HOSTED = "hosted"


MODEL_TIERS: Final = ("turbo", "balanced", "max")
STT_MODES: Final = ("fast", "accurate")
AMBIENT_SOUNDS: Final = ("none", "office", "coffee-shop", "outdoor")
DENOISING_MODES: Final = ("noise-cancellation", "noise-and-background-speech-cancellation")
LANGUAGES: Final = (
    "af-ZA",
    "ar-SA",
    "az-AZ",
    "bg-BG",
    "bs-BA",
    "ca-ES",
    "cs-CZ",
    "cy-GB",
    "da-DK",
    "de-DE",
    "el-GR",
    "en-AU",
    "en-GB",
    "en-IN",
    "en-NZ",
    "en-US",
    "es-419",
    "es-ES",
    "fa-IR",
    "fi-FI",
    "fil-PH",
    "fr-CA",
    "fr-FR",
    "gl-ES",
    "he-IL",
    "hi-IN",
    "hr-HR",
    "hu-HU",
    "hy-AM",
    "id-ID",
    "is-IS",
    "it-IT",
    "ja-JP",
    "kk-KZ",
    "kn-IN",
    "ko-KR",
    "lt-LT",
    "lv-LV",
    "mk-MK",
    "mr-IN",
    "ms-MY",
    "ne-NP",
    "nl-BE",
    "nl-NL",
    "no-NO",
    "pl-PL",
    "pt-BR",
    "pt-PT",
    "ro-RO",
    "ru-RU",
    "sk-SK",
    "sl-SI",
    "sr-RS",
    "sv-SE",
    "sw-KE",
    "ta-IN",
    "th-TH",
    "tr-TR",
    "uk-UA",
    "ur-IN",
    "vi-VN",
    "yue-CN",
    "zh-CN",
)
DEFAULT_VOICE: Final = "11labs-Brian"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomTool:
    """An HTTP function that a hosted agent may call."""

    name: str
    description: str
    url: str
    method: str = "POST"
    headers: Mapping[str, str] | None = None
    parameters: Mapping[str, Any] | None = None
    timeout: timedelta | None = None
    speak_during_execution: bool | None = None
    execution_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as the account sees it."""

    id: str
    name: str
    created_at: datetime
    description: str | None = None
    voice_mode: VoiceMode = VoiceMode.WEBHOOK
    enable_messaging: bool = True
    model_tier: str = "balanced"
    system_prompt: str | None = None
    begin_message: str | None = None
    voice: str = DEFAULT_VOICE
    transfer_number: str | None = None
    custom_tools: tuple[CustomTool, ...] | None = None
    voicemail_message: str | None = None
    call_screening_identity: str | None = None
    call_screening_purpose: str | None = None
    stt_mode: str = "fast"
    ambient_sound: str = "none"
    denoising_mode: str = "noise-cancellation"
    max_silence: timedelta = timedelta(minutes=10)
    voice_speed: float = 1.0
    interruption_sensitivity: float = 0.8
    enable_backchannel: bool = True
    language: str = "en-US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One entry of the voice catalogue."""

    id: str
    name: str
    provider: str
    gender: str | None = None
    accent: str | None = None
    preview_audio_url: str | None = None


# Ids and names that public documentation shows; the live catalogue has some 300.
VOICES: Final = (
    Voice(id="11labs-Brian", name="Brian", provider="elevenlabs", gender="male", accent="American"),
    Voice(id="11labs-Marissa", name="Marissa", provider="elevenlabs", gender="female", accent="American"),
    Voice(
        id="custom_voice_ea22ba5fdfaa18f39c274851c1",
        name="Skylar - Friendly Guide",
        provider="cartesia",
        gender="female",
        accent="American",
    ),
    Voice(id="alloy", name="Alloy", provider="openai", gender="neutral"),
    Voice(id="nova", name="Nova", provider="openai", gender="female"),
    Voice(id="Polly.Amy", name="Amy", provider="polly", gender="female", accent="British"),
    Voice(id="Polly.Matthew", name="Matthew", provider="polly", gender="male", accent="American"),
    Voice(id="Polly.Joanna", name="Joanna", provider="polly", gender="female", accent="American"),
    Voice(id="Polly.Joey", name="Joey", provider="polly", gender="male", accent="American"),
)
