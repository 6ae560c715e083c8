"""The same seed and the same commands give the same journal, byte for byte: nothing real is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helpers.platform import Platform, platform

pytestmark = pytest.mark.anyio
SCRIPT: list[Any] = [
    "What are your prices?",
    {"barge_in": {"say": "Sorry, in euros?", "after": 0.5}},
    {"hear": {"contains": "simulated"}},
    {"press": "1#"},
    {"wait": 90},
    {"repeat": {"times": 3, "steps": ["And now?", {"backchannel": {"say": "uh-huh", "after": 0.3}}]}},
    "Goodbye",
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def story(p: Platform) -> None:
    """Calls one after the other and at once, a group, a thread over days, a registration: no handler is asked."""
    hosted = {"voiceMode": "hosted", "systemPrompt": "Be brief", "beginMessage": "Acme, hello!"}
    _, number = await p.line(None, **hosted)
    caller = {"to": number, "script": SCRIPT}
    await p.post("/_sim/calls", {**caller, "from": "+14155550150", "wait": True})
    for last in range(60, 63):
        await p.post("/_sim/calls", {**caller, "from": f"+141555501{last}"})
    await p.post(
        "/_sim/threads", {"from": "+14155550151", "to": number, "script": [{"text": "hi"}, {"after": 172_800}]}
    )
    await p.post("/v1/verify/send", {"phone_number": "+14155550150"})
    await p.post("/_sim/clock/run_until_idle")


async def journal(seed: int) -> bytes:
    async with platform(seed=seed) as p:
        await story(p)
        entries = await p.journal("")
        assert len(entries) > 200
        return json.dumps(entries).encode()


async def test_the_same_seed_gives_the_same_journal() -> None:
    assert await journal(7) == await journal(7)


async def test_another_seed_gives_other_ids() -> None:
    assert await journal(7) != await journal(8)
