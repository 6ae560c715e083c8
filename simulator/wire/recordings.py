"""Recordings on the wire: where they are fetched, and the add-on."""

from __future__ import annotations

from simulator.domain.calls import Call
from simulator.wire.base import Out


def recording_url(call: Call, base_url: str | None) -> str | None:
    """Where the call's recording is fetched; None when there is none, or when nobody knows our address."""
    return f"{base_url}/v1/calls/{call.id}/recording" if base_url and call.recording_available else None


class RecordingAddonOut(Out):
    """The recording add-on. No source shows this answer; it says what was done."""

    success: bool = True
    recording_enabled: bool = True
    enabled_at: str
    monthly_price_usd: float
