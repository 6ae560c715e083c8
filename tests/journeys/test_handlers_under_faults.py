"""Deliveries that go wrong on purpose, to every sample handler as a real process: none acts on what is not genuine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.processes import EXPRESS, ROOMY, Handler, run_handler

SECRET = "whsec_of_this_test"
NAMES = ("simple_starlette.py", "streaming_fastapi.py", "tools_flask.py", EXPRESS)
PERSON = "+14155550150"


@pytest.fixture(scope="module", params=NAMES)
def handler(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    secret_file = tmp_path_factory.mktemp("handler") / "secret"
    secret_file.write_text(SECRET)
    with run_handler(request.param, secret_file, secret=SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server(webhook_secret=SECRET) as running:
        yield running


@pytest.fixture
def account(server: Live, handler: Handler) -> Iterator[Outside]:
    """An account whose texts go to the handler."""
    with Outside(server.url, server.new_key()) as outside:
        outside.send("POST", "/v1/webhooks", {"url": handler.url, **ROOMY})
        yield outside


def delivered(account: Outside, handler: Handler, words: str, fault: str, **more: Any) -> tuple[dict[str, Any], int]:
    """A text that meets a fault: what became of its delivery, and how often the handler acted on it."""
    agent = account.send("POST", "/v1/agents", {"name": "Support"})["id"]
    number = account.send("POST", "/v1/numbers", {"agentId": agent})["phoneNumber"]
    rule = {"on": "delivery", "fault": fault, "match": {"event": "agent.message"}, "times": 1, **more}
    account.send("POST", "/_sim/faults", rule)
    account.text(PERSON, number, words)
    account.settle()
    account.text(PERSON, number, f"after {words}")  # acted on later than all that was before it
    account.settle()
    handler.child.wait_for_line(f"text from .*: after {words}", 10)
    page = account.send("GET", "/v1/webhooks/deliveries", limit=50)["items"]
    [first] = [d for d in page if d["eventType"] == "agent.message"][-1:]
    return first, handler.child.stdout.count(f"text from {PERSON}: {words}")


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("bad_signature", 401),
        ("missing_signature", 401),
        ("stale_timestamp", 401),
        ("tampered_body", 401),
        ("malformed_json", 400),
    ],
)
def test_what_is_not_genuine_is_refused_and_not_acted_on(
    handler: Handler, account: Outside, fault: str, status: int
) -> None:
    delivery, acted = delivered(account, handler, f"{fault} text", fault)
    assert (delivery["status"], delivery["httpStatus"], acted) == ("failed", status, 0)


@pytest.mark.parametrize(
    ("fault", "more", "attempts"),
    [
        ("duplicate", {"copies": 3}, 1),
        ("overlap", {}, 1),
        ("late", {"seconds": 3600}, 1),
        ("reorder", {}, 1),
        ("slow_send", {"seconds": 5, "pieces": 9}, 1),
        ("reset", {}, 2),
        ("refuse", {}, 2),
        ("status", {"status": 503}, 2),
    ],
)
def test_whatever_happens_on_the_way_a_text_is_acted_on_once(
    handler: Handler, account: Outside, fault: str, more: dict[str, Any], attempts: int
) -> None:
    delivery, acted = delivered(account, handler, f"{fault} text", fault, **more)
    assert (delivery["status"], delivery["attemptCount"], acted) == ("success", attempts, 1)


def test_a_call_goes_on_after_a_turn_that_was_not_genuine(handler: Handler, account: Outside) -> None:
    agent = account.send("POST", "/v1/agents", {"name": "Support"})["id"]
    number = account.send("POST", "/v1/numbers", {"agentId": agent})["phoneNumber"]
    account.send("POST", "/_sim/faults", {"on": "turn", "fault": "tampered_body", "match": {"turn": 1}})
    call = account.call(PERSON, number, "Where is order 4521?", "Where is order 4521?", "Thank you, goodbye.")
    first, second, _ = call["call"]["transcripts"]
    assert (first["response"], [f["kind"] for f in call["findings"]]) == (None, ["reply_http_error"])
    assert "4521 shipped yesterday" in second["response"]
