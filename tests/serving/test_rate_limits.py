from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from simulator.domain.limits import Limits
from simulator.domain.policy import Policies
from simulator.serving.operation import Context, Operation
from tests.helpers.api import Api

pytestmark = pytest.mark.anyio
LEFT = "x-ratelimit-remaining"


def row(operation_id: str, handler: Any, **options: Any) -> Operation:
    options = {"method": "POST", "path": f"/v1/{operation_id}"} | options
    return Operation(id=operation_id, tag="t", summary="s", handler=handler, **options)


async def lines() -> AsyncIterator[bytes]:
    for line in (b"one ", b"two"):
        yield line


def stream(_ctx: Context, _query: None, _body: None) -> StreamingResponse:
    return StreamingResponse(lines(), media_type="text/plain")


def nothing(_ctx: Context, _query: None, _body: None) -> None:
    return None


# The ids are of limited operations; what they do is of no matter here.
ROWS = (
    row("createAgent", stream, media="text/plain"),
    row("deleteAgent", nothing, status=204),
    row("updateAgent", nothing, nullable=True),
    row("agentSignUp", nothing, nullable=True, public=True),
    row("listAgents", nothing, nullable=True),
)


@pytest.fixture
def limited() -> Api:
    return Api(ROWS, limits=Limits(rate_limits=2))


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("createAgent", 200, b"one two"),
        ("deleteAgent", 204, b""),
        ("updateAgent", 200, b"null"),
        ("agentSignUp", 200, b"null"),
    ],
)
async def test_every_kind_of_answer_says_what_is_left(limited: Api, name: str, status: int, body: bytes) -> None:
    for left in ("1", "0"):
        answer = await limited.send("POST", f"/v1/{name}")
        assert (answer.status_code, answer.content, answer.headers[LEFT]) == (status, body, left)
    refused = await limited.send("POST", f"/v1/{name}")
    assert (refused.status_code, refused.headers["retry-after"], refused.headers[LEFT]) == (429, "60", "0")
    assert refused.json()["code"] == "RATE_LIMIT_EXCEEDED"


async def test_a_route_without_a_limit_says_nothing(limited: Api) -> None:
    assert LEFT not in (await limited.send("POST", "/v1/listAgents")).headers


async def test_a_wrong_key_uses_nothing_up(limited: Api) -> None:
    for _ in range(3):
        await limited.send("POST", "/v1/updateAgent", headers={"Authorization": "Bearer sk_wrong"})
    assert (await limited.send("POST", "/v1/updateAgent")).headers[LEFT] == "1"


async def test_accounts_do_not_use_up_each_others_limits() -> None:
    keys = ("sk_one", "sk_two")
    api = Api(ROWS, api_keys=keys, policies=Policies("2026-03"), limits=Limits(rate_limits=1))
    first, second = ({"Authorization": f"Bearer {key}"} for key in keys)
    assert (await api.send("POST", "/v1/listAgents", headers=first)).status_code == 200
    assert (await api.send("POST", "/v1/listAgents", headers=first)).status_code == 429
    assert (await api.send("POST", "/v1/listAgents", headers=second)).status_code == 200


async def test_nothing_is_counted_while_the_limits_are_off() -> None:
    api = Api(ROWS)
    answer = await api.send("POST", "/v1/updateAgent")
    assert LEFT not in answer.headers
    assert api.world.windows == {}
