from __future__ import annotations

from typing import Any

import pytest

from simulator.world import feedback
from tests.helpers.api import Api

pytestmark = pytest.mark.anyio


async def test_feedback_is_taken_in_snake_case(api: Api) -> None:
    body = {"category": "bug", "note": "It rings", "request_id": "req_1", "url": "/v1/calls", "tags": ["voice"]}
    answer = await api.post("/v1/feedback", body)
    (kept,) = feedback.listing(api.world)
    assert answer == {"success": True, "id": kept.id}
    assert (kept.category, kept.note, kept.request_id, kept.url, kept.tags) == (
        "bug", "It rings", "req_1", "/v1/calls", ("voice",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"category": "bug"}, 422),
        ({"category": "", "note": "x"}, 422),
        ({"category": "bug", "note": "x", "tags": "voice"}, 422),
        ({"category": "bug", "note": " "}, 400),
    ],
)
async def test_feedback_that_says_nothing_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    await api.post("/v1/feedback", body, expect=status)
    assert feedback.listing(api.world) == []
