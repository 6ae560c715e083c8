"""Waiting for what happens, over a socket: a text is answered, a call ends, a webhook is down, nothing comes at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from simulator.clock import ClockMode
from tests.helpers.live_server import Live, live_server
from tests.helpers.webhook_receiver import Receiver, Reply
from tests.journeys.test_text_threads import PERSON, Desk, desk_at

pytestmark = pytest.mark.parametrize("clock", [ClockMode.AUTO, ClockMode.MANUAL])
PATIENT: Final = 30  # real seconds for a sample handler that answers in milliseconds unless the machine is in trouble


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as running:
        yield running


@pytest.fixture
def desk(server: Live, clock: ClockMode, tmp_path: Path) -> Iterator[Desk]:
    with desk_at(server, tmp_path) as desk:
        desk.outside.send("PUT", "/_sim/clock", {"mode": clock.value})
        yield desk


def expect(desk: Desk, kind: str, **question: Any) -> dict[str, Any]:
    asked: dict[str, Any] = desk.outside.send("POST", "/_sim/expect", {"kind": kind, **question})
    return asked


def test_a_reply_that_comes_by_itself_is_found_and_is_the_one_in_the_api(desk: Desk) -> None:
    desk.outside.text(PERSON, desk.number, "Where is my order 4521?")
    wanted = {"to": PERSON, "body": {"contains": "shipped"}}
    found = expect(desk, "message.sent", where=wanted, within=10, patience=PATIENT)
    assert found["found"], found["explanation"]
    (sent,) = found["entries"]
    in_the_api = desk.sdk.conversations.get(sent["conversation_id"]).messages
    assert sent["body"] in [message.body for message in in_the_api]


def test_a_call_ends_for_the_reason_that_was_expected(desk: Desk) -> None:
    call = {"from": PERSON, "to": desk.number, "script": ["Where is my order 4521?", "Thanks, goodbye"]}
    placed = desk.outside.send("POST", "/_sim/calls", call)
    ended = {"call_id": placed["call_id"], "reason": {"one_of": ["agent_hangup", "transfer"]}}
    found = expect(desk, "call.ended", where=ended, within=300)
    assert found["found"], found["explanation"]
    assert found["entries"][0]["reason"] == "agent_hangup"
    assert desk.sdk.calls.get(placed["call_id"]).status == "completed"


def test_what_did_not_happen_is_explained_by_what_did(desk: Desk) -> None:
    desk.outside.text(PERSON, desk.number, "Where is my order 4521?")
    assert expect(desk, "message.sent", within=10, patience=PATIENT)["found"]
    missed = expect(
        desk, "message.sent", where={"body": {"contains": "was shiped"}, "to": PERSON}, within=5, patience=0
    )
    assert not missed["found"]
    assert [d["field"] for d in missed["closest"][0]["differences"]] == ["body"]
    assert "1 of 2 conditions hold" in missed["explanation"]
    assert "body: expected contains 'was shiped', observed 'Order 4521" in missed["explanation"]


def test_a_webhook_that_is_down_is_named_as_the_reason(desk: Desk) -> None:
    with Receiver(lambda _: Reply(status=503)) as down:
        desk.sdk.webhooks.set(url=down.url)
        desk.outside.text(PERSON, desk.number, "Where is my order 4521?")
        missed = expect(desk, "message.sent", within=10, patience=0)
        assert not missed["found"]
        # Left to itself an auto clock may have gone on to a later attempt by the time that we ask.
        assert re.search(r"\) failed, attempt \d: the webhook answered 503", missed["explanation"])
        settled = {"status": "failed", "attempts": 6, "event": "agent.message", "url": down.url}
        lost = expect(desk, "delivery.settled", where=settled, within=75_000)
        assert lost["found"], lost["explanation"]
        assert len({request.headers["x-webhook-id"] for request in down.of("agent.message")}) == 1
