from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import platform
from tests.helpers.receiver import Receiver, answer

pytestmark = pytest.mark.anyio
NAME = "handler.localhost"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_name_is_served_elsewhere_and_the_request_says_the_name() -> None:
    async with Receiver(answer(200, b'{"text": "Hello."}')) as handler, platform(ClockMode.AUTO) as p:
        where = f"http://127.0.0.1:{handler.port}"
        assert (await p.ask("PUT", "/_sim/hosts", json={"hosts": {NAME: where}}))["hosts"] == {NAME: where}
        _, number = await p.line(f"http://{NAME}/hook")
        body = {"from": "+14155550150", "to": number, "script": ["Who is there?"], "wait": True}
        heard = await p.post("/_sim/calls", body)
        assert heard["findings"] == []
        assert {request.header("Host") for request in handler.requests} == {NAME}
        assert {request.path for request in handler.requests} == {"/hook"}


async def test_names_that_are_left_out_stay_and_null_ends_one() -> None:
    async with platform() as p:
        await p.ask("PUT", "/_sim/hosts", json={"hosts": {"a.localhost": "http://127.0.0.1:1", "b.localhost:81": None}})
        await p.ask("PUT", "/_sim/hosts", json={"hosts": {"b.localhost:81": "http://[::1]:2"}})
        both = {"a.localhost": "http://127.0.0.1:1", "b.localhost:81": "http://[::1]:2"}
        assert (await p.get("/_sim/hosts"))["hosts"] == both
        left = await p.ask("PUT", "/_sim/hosts", json={"hosts": {"a.localhost": None}})
        assert left["hosts"] == {"b.localhost:81": "http://[::1]:2"}


@pytest.mark.parametrize(
    ("name", "where", "why"),
    [
        ("example.com", "http://127.0.0.1:1", "use a lower-case name"),
        ("localhost", "http://127.0.0.1:1", "use a lower-case name"),
        ("handler.localhost:80", "http://127.0.0.1:1", "use a lower-case name"),
        ("Handler.localhost", "http://127.0.0.1:1", "use a lower-case name"),
        (NAME, "http://example.com", "--allow-host example.com"),
        (NAME, "https://127.0.0.1:1", "http://HOST:PORT and nothing more"),
        (NAME, "http://127.0.0.1:1/path", "http://HOST:PORT and nothing more"),
        (NAME, "http://me@127.0.0.1:1", "http://HOST:PORT and nothing more"),
        (NAME, "http://127.0.0.1:1?a=b", "http://HOST:PORT and nothing more"),
        (NAME, "127.0.0.1:1", "must begin with http://"),
        (NAME, "", "must begin with http://"),
        (NAME, "http://127.0.0.1:99999", "cannot be read"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(name: str, where: str, why: str) -> None:
    async with platform() as p:
        hosts = {"good.localhost": "http://127.0.0.1:1", name: where}
        refused = await p.ask("PUT", "/_sim/hosts", 400, json={"hosts": hosts})
        assert why in refused["detail"]
        assert (await p.get("/_sim/hosts"))["hosts"] == {}


async def test_what_is_served_elsewhere_is_so_for_one_account_alone() -> None:
    async with platform(api_keys=("sk_live_simulator", "sk_live_other")) as p:
        await p.ask("PUT", "/_sim/hosts", json={"hosts": {NAME: "http://127.0.0.1:1"}})
        other: dict[str, Any] = {"headers": {"Authorization": "Bearer sk_live_other"}}
        assert (await p.ask("GET", "/_sim/hosts", **other))["hosts"] == {}


async def test_the_grace_of_handlers_can_be_read_and_changed_and_survives_a_reset() -> None:
    async with platform(ClockMode.AUTO) as p:
        assert (await p.get("/_sim/clock"))["handler_grace"] == 0
        assert (await p.ask("PUT", "/_sim/clock", json={"handler_grace": 2.5}))["handler_grace"] == 2.5
        await p.post("/_sim/reset")
        assert (await p.get("/_sim/clock"))["handler_grace"] == 2.5
        await p.ask("PUT", "/_sim/clock", 422, json={"handler_grace": -1})
