"""Faults of carriers and of the transcript's stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import pytest

from simulator.api.streams import answer
from simulator.clock import ClockMode
from simulator.domain.fault_rules import FaultRule, FaultSpec
from simulator.engine.faults import Struck
from simulator.wire.streams import HEARTBEAT
from tests.helpers.asgi import Request
from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.platform import Platform, platform

pytestmark = pytest.mark.anyio
PERSON, OTHER = "+14155550150", "+14155550160"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def send(p: Platform, number: str, to: str = PERSON) -> dict[str, Any]:
    """A text of ours, and what became of it in the end."""
    sent = await p.post("/v1/messages", {"from_number": number, "to_number": to, "body": "hi"})
    await p.post("/_sim/clock/run_until_idle")
    numbers = (await p.get("/v1/numbers"))["data"]
    rows = (await p.get(f"/v1/numbers/{numbers[0]['id']}/messages"))["data"]
    return next(row for row in rows if row["id"] == sent["id"])


async def fault(p: Platform, name: str, **more: Any) -> None:
    await p.post("/_sim/faults", {"on": "carrier", "fault": name, **more})


async def test_a_text_is_not_delivered_for_the_reason_that_is_given() -> None:
    async with platform() as p:
        _, number = await p.line(None)
        await fault(p, "undelivered", reason="handset switched off", code="30003", times=1)
        first, second = await send(p, number), await send(p, number)
        assert (first["status"], first["failureReason"]) == ("failed", "handset switched off")
        assert second["status"] == "delivered"
        (told,) = await p.journal("message.failed")
        assert (told["failure_reason"], told["error_code"]) == ("handset switched off", "30003")


async def test_what_becomes_of_a_text_shows_later() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        await fault(p, "delayed", seconds=7200)
        assert (await send(p, number))["status"] == "delivered"
        assert (await p.get("/_sim/clock"))["now"] == "2026-01-05T17:00:00.000Z"


async def test_a_text_that_is_delayed_ends_as_its_recipient_decides() -> None:
    async with platform() as p:
        _, number = await p.line(None)
        await p.ask("PUT", f"/_sim/people/{PERSON}", json={"texts": {"status": "failed", "failure_reason": "no"}})
        await fault(p, "delayed", seconds=60)
        assert (await send(p, number))["failureReason"] == "no"


@pytest.mark.parametrize("match", [{"to": OTHER}, {"from": OTHER}, {"channel": "mms"}])
async def test_other_texts_are_delivered(match: dict[str, str]) -> None:
    async with platform() as p:
        _, number = await p.line(None)
        await fault(p, "undelivered", match=match)
        assert (await send(p, number))["status"] == "delivered"


async def test_a_rule_about_calls_is_none_about_texts_and_the_other_way_round() -> None:
    async with platform() as p:
        agent, number = await p.line("http://127.0.0.1:9/hook")
        await fault(p, "busy", times=1)
        assert (await send(p, number))["status"] == "delivered"
        await p.ask("DELETE", "/_sim/faults")
        await fault(p, "undelivered", times=1)
        assert (await placed(p, agent))["disconnectionReason"] != "dial_busy"
        assert [f["seen"] for f in (await p.get("/_sim/faults"))["faults"]] == [0]


async def placed(p: Platform, agent: str, to: str = PERSON) -> dict[str, Any]:
    """A call of ours, once it has ended."""
    call = await p.post("/v1/calls", {"agentId": agent, "toNumber": to})
    await p.post("/_sim/clock/run_until_idle")
    shown: dict[str, Any] = await p.get(f"/v1/calls/{call['id']}")
    return shown


@pytest.mark.parametrize("answer", ["busy", "no_answer", "failed"])
async def test_a_call_of_ours_ends_as_with_somebody_who_is_registered_so(answer: str) -> None:
    async with platform() as p:
        agent, _ = await p.line("http://127.0.0.1:9/hook")
        await p.ask("PUT", f"/_sim/people/{OTHER}", json={"answer": answer})
        await fault(p, answer, times=1, match={"to": PERSON})
        ours, theirs = await placed(p, agent), await placed(p, agent, OTHER)
        assert [ours[key] == theirs[key] for key in ("status", "disconnectionReason")] == [True, True]
        (fired,) = await p.journal("fault.fired")
        assert (fired["fault"], fired["call_id"]) == (answer, ours["id"])
        assert (await placed(p, agent))["disconnectionReason"] != ours["disconnectionReason"]


# -- streams -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as running:
        yield running


@pytest.fixture
def ended(server: Live) -> Iterator[tuple[httpx.Client, Outside, str]]:
    """A call that has ended; its stream replays it."""
    key = server.new_key()
    headers = {"Authorization": f"Bearer {key}"}
    with Outside(server.url, key) as outside, httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        agent = outside.send("POST", "/v1/agents", {"name": "Support", "beginMessage": "Acme, hello!"})
        number = outside.send("POST", "/v1/numbers", {"agentId": agent["id"]})
        outside.send("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/hook"})
        call = outside.call(PERSON, number["phoneNumber"], "hello", "bye")
        yield client, outside, call["call_id"]


def events(client: httpx.Client, call_id: str) -> tuple[list[str], bool]:
    """The events of the stream, and whether it ended as a stream should."""
    seen: list[str] = []
    try:
        with client.stream("GET", f"/v1/calls/{call_id}/transcript/stream") as answer:
            for row in answer.iter_lines():
                seen += [row.removeprefix("event: ")] if row.startswith("event: ") else []
    except httpx.RemoteProtocolError:
        return seen, False
    return seen, True


WHOLE = ["connected", "turn", "turn", "turn", "ended"]


@pytest.mark.parametrize("after", [0, 1, 2, 4, 5])
def test_a_stream_is_cut_after_some_events(ended: tuple[httpx.Client, Outside, str], after: int) -> None:
    client, outside, call_id = ended
    made = {"on": "stream", "fault": "cut", "after_events": after, "match": {"call": call_id}, "times": 1}
    outside.send("POST", "/_sim/faults", made)
    assert events(client, call_id) == (WHOLE[:after], False)
    assert events(client, call_id) == (WHOLE, True)


def test_a_stream_with_fewer_events_ends_as_it_should(ended: tuple[httpx.Client, Outside, str]) -> None:
    client, outside, call_id = ended
    outside.send(
        "POST", "/_sim/faults", {"on": "stream", "fault": "cut", "after_events": 6, "match": {"agent": "Support"}}
    )
    assert events(client, call_id) == (WHOLE, True)
    (fired,) = outside.send("GET", "/_sim/journal", kind="fault.fired")["entries"]
    assert (fired["on"], fired["fault"], fired["call_id"]) == ("stream", "cut", call_id)


def struck(fault: str, **parameters: Any) -> Struck:
    spec = FaultSpec.of({"on": "stream", "fault": fault, **parameters})
    return Struck(FaultRule(id="flt_1", spec=spec), 1)


async def told(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize(("fault", "heard"), [(None, [b"one", HEARTBEAT, b"two"]), ("silent", [b"one", b"two"])])
async def test_a_silent_stream_has_every_event_and_no_heartbeat(fault: str | None, heard: list[bytes]) -> None:
    app = answer(told(b"one", HEARTBEAT, b"two"), None if fault is None else struck(fault))
    reader = Request(app, "GET", "/")
    await reader.done
    assert reader.pieces == [*heard, b""]


async def test_heartbeats_are_no_events_of_a_stream_that_is_cut() -> None:
    reader = Request(answer(told(b"one", HEARTBEAT, b"two"), struck("cut", after_events=2)), "GET", "/")
    with pytest.raises(ConnectionResetError):  # in this process there is no connection to break
        await reader.done
    assert reader.pieces == [b"one", HEARTBEAT, b"two"]
