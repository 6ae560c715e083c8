"""The voice catalogue."""

from __future__ import annotations

from pydantic import ConfigDict

from simulator.domain.agents import VOICES
from simulator.wire.base import Out


class VoiceOut(Out):
    """A voice, in the older spelling (`voiceId`, `name`) and the newer one (`voice_id`, `voice_name`)."""

    model_config = ConfigDict(alias_generator=None)

    voice_id: str
    voice_name: str
    provider: str
    gender: str | None
    accent: str | None
    preview_audio_url: str | None
    voiceId: str  # noqa: N815 - both spellings cannot come from one alias
    name: str


class VoiceListOut(Out):
    """Every voice there is."""

    data: list[VoiceOut]


def catalogue() -> VoiceListOut:
    """Show every voice."""
    return VoiceListOut(
        data=[
            VoiceOut(
                voice_id=voice.id,
                voice_name=voice.name,
                provider=voice.provider,
                gender=voice.gender,
                accent=voice.accent,
                preview_audio_url=voice.preview_audio_url,
                voiceId=voice.id,
                name=voice.name,
            )
            for voice in VOICES
        ]
    )
