"""What the journal keeps of the bodies of requests."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.serving.bodies import LONGEST_BODY_KEPT
from tests.helpers.platform import Platform, platform

pytestmark = pytest.mark.anyio
DEEP = b'{"name":' + b"[" * 300 + b"]" * 300 + b"}"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def kept(p: Platform, body: bytes) -> dict[str, Any]:
    """The journal's entry about a request with this body."""
    await p.client.post("/v1/agents", content=body)
    return (await p.journal("api.request"))[-1]


async def test_a_write_is_kept_with_its_json_as_it_was_sent() -> None:
    async with platform() as p:
        assert (await kept(p, b'{"name": "A", "unknown": [1.5, null]}'))["body"] == {
            "name": "A",
            "unknown": [1.5, None],
        }


async def test_a_refused_body_is_kept_too() -> None:
    async with platform() as p:
        entry = await kept(p, b'{"name": 7}')
    assert (entry["status"], entry["body"]) == (422, {"name": 7})


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"not json", "not json"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'{"name": NaN}', '{"name": NaN}'),
        (b'{"name": "\\ud800"}', '{"name": "\\ud800"}'),
        (DEEP, DEEP.decode()),
    ],
    ids=["no json", "no text", "not a number", "half a character", "deep"],
)
async def test_what_is_no_good_json_is_kept_as_text(sent: bytes, shown: str) -> None:
    async with platform() as p:
        assert (await kept(p, sent))["body"] == shown


async def test_of_a_long_body_only_the_size_is_kept() -> None:
    async with platform() as p:
        longest = b'{"name": "' + b"x" * (LONGEST_BODY_KEPT - 12) + b'"}'
        assert len((await kept(p, longest))["body"]["name"]) == LONGEST_BODY_KEPT - 12
        entry = await kept(p, longest + b" ")
    assert (entry["body_bytes"], "body" in entry) == (LONGEST_BODY_KEPT + 1, False)


async def test_a_request_without_a_body_has_none() -> None:
    async with platform() as p:
        await p.get("/v1/agents")
        [entry] = await p.journal("api.request")
    assert not {"body", "body_bytes"} & entry.keys()
