"""Answers whose connection breaks, where there is no server to break it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.serving.breaking import Half, Severed
from simulator.serving.dispatch import Reply
from tests.helpers.asgi import Request

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Relay:
    """Passes an answer on, and breaks connections in its own way."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.severed: list[bool] = []

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def sever(self, *, at_once: bool) -> None:
        self.severed.append(at_once)


async def nothing() -> Any:
    raise AssertionError("nobody asks whether the client has left")


@pytest.mark.parametrize("response", [None, Half(Reply(200, b"0123456789"))])
async def test_a_client_in_process_gets_an_error_of_the_transports_kind(response: Half | None) -> None:
    request = Request(Severed(response), "GET", "/v1/agents")
    with pytest.raises(ConnectionResetError):
        await request.done
    assert request.pieces == ([] if response is None else [b"01234"])


@pytest.mark.parametrize(("response", "at_once"), [(None, True), (Half(Reply(200, b"0123456789")), False)])
async def test_whoever_passes_answers_on_is_asked_to_break_the_connection(response: Half | None, at_once: bool) -> None:
    relay = Relay()
    await Severed(response)({"method": "GET"}, nothing, relay.send)
    assert relay.severed == [at_once]
    assert [m.get("body") for m in relay.sent] == ([] if at_once else [None, b"01234"])


async def test_an_answer_that_says_enough_is_enough_is_told_by_its_status() -> None:
    assert (Severed(None).status_code, Severed(Half(Reply(201, b""))).status_code) == (0, 201)


async def test_half_of_nothing_is_the_head_alone() -> None:
    relay = Relay()
    await Severed(Half(Reply(200, b"")))({"method": "HEAD"}, nothing, relay.send)
    assert [m["type"] for m in relay.sent] == ["http.response.start", "http.response.body"]
    assert relay.severed == [False]
