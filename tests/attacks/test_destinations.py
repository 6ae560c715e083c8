"""Where requests go: deliveries, voice turns, custom tools and the hosted model reach this machine and nothing else.

Every address that could mean another machine is tried on each of the four; a receiver on loopback and a name server
that writes down what it is asked say that nothing left.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CALLER = "+14155550150"
PER_TEXT = 2  # events: message.received and agent.message


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def names_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A name server that answers loopback for every name, and remembers the names: a rebinder's, or /etc/hosts."""
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name or name[0].isdigit() or ":" in name:
            return real(host, port, *rest, **more)
        asked.append(name)
        return real("127.0.0.1", port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    yield asked


# Written so that `PORT` is a receiver on loopback: whoever is fooled by an address reaches it.
ELSEWHERE = [
    "http://evil.test:PORT/",
    "http://localhost.evil.test:PORT/",
    "http://127.0.0.1.evil.test:PORT/",
    "http://notlocalhost:PORT/",
    "http://0.0.0.0:PORT/",
    "http://[::]:PORT/",
    "http://10.0.0.1:PORT/",
    "http://169.254.169.254:PORT/latest/meta-data",
    "http://[fe80::1]:PORT/",
    "http://[::ffff:10.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
]
# Spellings of 127.0.0.1 that only some programs read, so that what one of them checks another may not connect to.
ODD_LOOPBACK = [
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://0:PORT/",
]
NO_ADDRESS = [
    "http://localhost。evil.test:PORT/",
    "http://127.0.0.1@evil.test:PORT/",
    "http://127.0.0.1:PORT@evil.test/",
    "http://evil.test:PORT\\@127.0.0.1/",
    "http://evil.test:PORT\\.127.0.0.1/",
    "http://evil.test:PORT#@127.0.0.1/",
    "http://127.0.0.1:PORT /x",
    "http://127.0.0.1:PORT/\r\nX-Evil: 1",
    "http://127.0.0.1\t:PORT/",
    "//127.0.0.1:PORT/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_x",
    "data:text/plain,x",
    "javascript:alert(1)",
    "http:///etc/passwd",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "",
]


def at(url: str, receiver: Receiver) -> str:
    return url.replace("PORT", str(receiver.port))


@pytest.mark.parametrize("url", [*ELSEWHERE, *ODD_LOOPBACK])
async def test_a_webhook_elsewhere_may_be_registered_and_nothing_is_sent(url: str, names_asked: list[str]) -> None:
    async with Receiver() as trap, platform() as p:
        _, number = await p.line(at(url, trap))
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello"], "wait": True})
        tested = await p.post("/v1/webhooks/test")
        await p.post("/_sim/clock/run_until_idle")
        deliveries = (await p.get("/v1/webhooks/deliveries", limit=50))["data"]
        assert {"agent.message", "agent.call_ended"} <= {d["eventType"] for d in deliveries}
        for delivery in deliveries:
            assert (delivery["status"], delivery["httpStatus"]) == ("failed", None)
            assert delivery["errorMessage"].startswith("not sent: ")
            assert "--allow-host" in delivery["errorMessage"] or url in ODD_LOOPBACK
        assert not tested["success"]
        assert [row["response"] for row in call["call"]["transcripts"]] == [None]
        assert (trap.connections, names_asked) == (0, [])


@pytest.mark.parametrize("url", NO_ADDRESS)
async def test_what_is_no_address_is_refused_where_it_is_given(url: str, names_asked: list[str]) -> None:
    async with Receiver() as trap, platform() as p:
        given = at(url, trap)
        refused = await p.post("/v1/webhooks", {"url": given}, expect=400)
        assert "cannot be used" in refused["detail"]
        tool = {"name": "t", "description": "d", "url": given}
        await p.post("/v1/agents", {"name": "A", "customTools": [tool]}, expect=422)
        assert (await p.get("/v1/agents"))["data"] == []
        assert (trap.connections, names_asked) == (0, [])


@pytest.mark.parametrize("url", [*ELSEWHERE, *ODD_LOOPBACK])
async def test_custom_tools_stay_on_this_machine(url: str, names_asked: list[str]) -> None:
    async with Receiver() as trap, platform() as p:
        tool = {"name": "t", "description": "d", "url": at(url, trap)}
        agent, number = await p.line(None, voiceMode="hosted", customTools=[tool])
        lines = [{"tool": {"name": "t"}, "say": "done"}]
        await p.ask("PUT", f"/_sim/agents/{agent}/script", json={"lines": lines})
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Go"], "wait": True})
        (finding,) = call["findings"]
        assert finding["kind"] == "tool_failed"
        assert "not sent: " in finding["message"]
        assert (trap.connections, names_asked) == (0, [])


@pytest.mark.parametrize("url", [*ELSEWHERE, *ODD_LOOPBACK, "file:///etc/passwd", "http://127.0.0.1@evil.test:PORT/"])
async def test_the_hosted_model_stays_on_this_machine(url: str, names_asked: list[str]) -> None:
    async with Receiver() as trap, platform(hosted_url=at(url, trap)) as p:
        _, number = await p.line(None, voiceMode="hosted")
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Go"], "wait": True})
        (finding,) = call["findings"]
        assert finding["kind"] == "hosted_failed"
        assert "not sent: " in finding["message"]
        assert (trap.connections, names_asked) == (0, [])


async def test_a_name_that_was_allowed_is_looked_up_and_no_other(names_asked: list[str]) -> None:
    async with Receiver() as friend, platform(allow_hosts=("hooks.test",)) as p:
        _, number = await p.line(f"http://hooks.test:{friend.port}/hook")
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await p.post("/_sim/clock/run_until_idle")
        assert len(friend.requests) == PER_TEXT
        await p.post("/v1/webhooks", {"url": f"http://hooks.test.evil.test:{friend.port}/hook"})
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await p.post("/_sim/clock/run_until_idle")
        assert (len(friend.requests), set(names_asked)) == (PER_TEXT, {"hooks.test"})


async def test_localhost_is_never_looked_up(names_asked: list[str]) -> None:
    async with Receiver() as receiver, platform() as p:
        _, number = await p.line(f"http://deep.down.LOCALHOST:{receiver.port}/hook")
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await p.post("/_sim/clock/run_until_idle")
        assert (len(receiver.requests), names_asked) == (PER_TEXT, [])


def towards(target: Receiver, status: int) -> Callable[[Exchange], Awaitable[None]]:
    return answer(status, b"", {"Location": target.url, "Refresh": f"0; url={target.url}"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_by_nothing(status: int) -> None:
    async with (
        Receiver() as trap,
        Receiver(towards(trap, status)) as lure,
        platform(hosted_url=lure.url.removesuffix("/hook")) as p,
    ):
        tool = {"name": "t", "description": "d", "url": lure.url}
        agent, number = await p.line(lure.url, customTools=[tool])
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello"], "wait": True})
        await p.ask("PATCH", f"/v1/agents/{agent}", json={"voiceMode": "hosted"})
        await p.ask("PUT", "/_sim/hosted", json={"lines": [{"tool": {"name": "t"}, "say": "done"}]})
        await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello", "Model?"], "wait": True})
        await p.post("/_sim/clock/run_until_idle")
        paths = {request.path for request in lure.requests}
        assert paths == {"/hook", "/chat/completions"}
        assert trap.connections == 0


async def test_a_proxy_in_the_environment_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as proxy, Receiver() as hook:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with platform(allow_hosts=("10.255.255.1",)) as p:
            _, number = await p.line(hook.url)
            await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
            await p.post("/_sim/clock/run_until_idle")
        assert (len(hook.requests), proxy.connections) == (PER_TEXT, 0)


async def test_what_a_handler_answers_sets_no_cookie_for_another() -> None:
    cookie = answer(200, b"", {"Set-Cookie": "session=stolen; Domain=127.0.0.1; Path=/"})
    async with Receiver(cookie) as hook, platform() as p:
        _, number = await p.line(hook.url)
        for _ in range(2):
            await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
            await p.post("/_sim/clock/run_until_idle")
        assert [request.header("Cookie") for request in hook.requests] == [None] * 2 * PER_TEXT


async def test_the_endless_answers_of_a_handler_are_cut_off() -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.head(200, {"Content-Type": "text/plain"})
        while True:
            await exchange.piece(b"a" * 65_536)

    async with Receiver(endless) as hook, platform() as p:
        _, number = await p.line(hook.url)
        async with asyncio.timeout(20):
            await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
            await p.post("/_sim/clock/run_until_idle")
        kept = [entry for entry in await p.journal("delivery") if len(json.dumps(entry)) > 20_000]
        assert kept == []


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        ("application/x-ndjson", b"a" * 16_384),
        ("application/x-ndjson", b'{"text": "", "interim": true}\n' * 500),
        ("application/x-ndjson", b"\n" * 16_384),
        ("application/x-ndjson", b"[" * 16_384),
        ("application/json", b" " * 16_384),
        ("application/json", b"[" * 16_384),
    ],
)
async def test_a_reply_that_never_ends_is_a_finding_and_leaves_little_behind(kind: str, piece: bytes) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.head(200, {"Content-Type": kind})
        while True:
            await exchange.piece(piece)

    async with Receiver(endless) as hook, platform(ClockMode.AUTO) as p:
        agent, number = await p.line(None)
        await p.post(f"/v1/agents/{agent}/webhook", {"url": hook.url})
        async with asyncio.timeout(60):
            call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello"], "wait": True})
        (found,) = (found for found in call["findings"] if found["kind"] == "reply_too_long")
        assert " bytes" in found["message"]  # the limit
        assert max(len(json.dumps(entry)) for entry in await p.journal("finding")) < 20_000


@pytest.mark.parametrize("more", [b"\n" * 16_384, b'{"text": "more"}\n' * 1000, b"x" * 16_384])
async def test_what_follows_a_final_chunk_without_end_does_not_hold_the_call(more: bytes) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.head(200)
        await exchange.piece(b'{"text": "Hi"}\n')
        while True:
            await exchange.piece(more)

    async with Receiver(endless) as hook, platform() as p:
        agent, number = await p.line(None)
        await p.post(f"/v1/agents/{agent}/webhook", {"url": hook.url})
        async with asyncio.timeout(20):
            call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello"], "wait": True})
        assert [row["response"] for row in call["call"]["transcripts"]] == ["Hi"]
