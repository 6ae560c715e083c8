"""A recording on its way to a client, made while it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from simulator.domain.calls import Call
from simulator.engine.recording import Recording


def wav(call: Call) -> tuple[int, AsyncIterator[bytes]]:
    """The size in bytes of a call's recording, and its pieces."""
    recording = Recording(call)
    return recording.size, _pieces(recording)


async def _pieces(recording: Recording) -> AsyncIterator[bytes]:
    for piece in recording.chunks():
        yield piece
        # A fast client never makes us wait, so others get their turn here: after every second of sound.
        await asyncio.sleep(0)
