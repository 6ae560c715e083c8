"""Floods by whoever has a key: journals, queues, calls, timers and scripts have bounds, and the answers name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulator.clock import ClockMode
from simulator.runtime.telephone import MAX_QUEUED
from tests.helpers.live_server import Live, Outside, live_server

CALLER = "+14155550150"


@pytest.fixture(scope="module")
def small() -> Iterator[Live]:
    with live_server(clock=ClockMode.MANUAL, journal_limit=200, max_live_calls=20) as live:
        yield live


@pytest.fixture
def api(small: Live) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {small.new_key()}"}
    with httpx.Client(base_url=small.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def line(api: httpx.Client, **agent: Any) -> str:
    made = api.post("/v1/agents", json={"name": "A", "voiceMode": "hosted", **agent}).json()
    return str(api.post("/v1/numbers", json={"agentId": made["id"]}).json()["phoneNumber"])


def test_the_journal_forgets_the_oldest_and_says_how_many(api: httpx.Client) -> None:
    for _ in range(500):
        api.get("/v1/agents")
    page = api.get("/_sim/journal", params={"limit": 10_000}).json()
    assert (len(page["entries"]), page["dropped"]) == (200, 300)
    assert [entry["seq"] for entry in page["entries"]] == list(range(301, 501))
    assert api.get("/_sim/journal", params={"after": 10**15, "limit": 10}).json()["entries"] == []


def test_a_large_body_leaves_its_size_in_the_journal(api: httpx.Client) -> None:
    api.post("/v1/agents", json={"name": "A", "systemPrompt": "x" * 500_000})
    (entry,) = api.get("/_sim/journal").json()["entries"]
    assert entry["body_bytes"] > 500_000
    assert "body" not in entry


@pytest.mark.parametrize(
    ("verb", "body"), [("say", {"text": "a"}), ("say", {"text": "a", "over": True}), ("press", {"digits": "1"})]
)
def test_a_live_phone_takes_so_many_requests_ahead(api: httpx.Client, verb: str, body: Any) -> None:
    number = line(api, beginMessage="Hello there, this takes a while to say.")
    call_id = api.post("/_sim/calls", json={"from": CALLER, "to": number}).json()["call_id"]
    for _ in range(MAX_QUEUED):
        assert api.post(f"/_sim/calls/{call_id}/{verb}", json=body).status_code == 200
    refused = api.post(f"/_sim/calls/{call_id}/{verb}", json=body)
    assert refused.status_code == 409
    assert f"{MAX_QUEUED} things wait" in refused.json()["detail"]
    assert api.post(f"/_sim/calls/{call_id}/hang_up").status_code == 200


def test_calls_at_once_are_bounded_and_an_ended_one_makes_room(api: httpx.Client) -> None:
    number = line(api)
    calls = [api.post("/_sim/calls", json={"from": CALLER, "to": number}) for _ in range(20)]
    assert {call.status_code for call in calls} == {200}
    refused = api.post("/_sim/calls", json={"from": CALLER, "to": number})
    assert refused.status_code == 409
    assert "20 calls" in refused.json()["detail"]
    api.post(f"/_sim/calls/{calls[0].json()['call_id']}/hang_up")
    assert api.post("/_sim/calls", json={"from": CALLER, "to": number}).status_code == 200


BOMBS = ["(a+)+$", r"(\w+\s?)*$x", "(.*)*x", "(.*a){20}$", ".*.*.*.*.*="]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_pattern_in_a_script_takes_no_longer_than_what_is_heard(api: httpx.Client, bomb: str) -> None:
    number = line(api, beginMessage="a" * 2000 + "!")
    script = [
        {"when": [{"hears": {"matches": bomb}, "then": ["yes"]}, {"else": ["no"]}]},
        {"hear": {"matches": bomb, "within": 1}},
    ]
    call = api.post("/_sim/calls", json={"from": CALLER, "to": number, "script": script, "wait": True}).json()
    assert call["status"] == "completed"


@pytest.mark.parametrize(
    ("matches", "why"),
    [
        ("(", "not a regular expression"),
        (r"(a+)\1+", "bounded time"),
        ("(a{1000}){1000}", "bounded time"),
        ("(" * 9000 + ")" * 9000, ""),
    ],
)
@pytest.mark.parametrize("path", ["/_sim/calls", "/_sim/threads", "/_sim/hosted"])
def test_a_pattern_that_is_none_or_too_much_is_refused(api: httpx.Client, path: str, matches: str, why: str) -> None:
    hears = {"hears": {"matches": matches}, "then": ["x"]}
    body: dict[str, Any] = {"from": CALLER, "to": line(api), "script": [{"when": [hears]}]}
    if path == "/_sim/threads":
        body["script"] = [{"when": [{**hears, "then": [{"text": "x"}]}]}]
    if path == "/_sim/hosted":
        body = {"lines": [{"say": "x", "when": {"matches": matches}}]}
    send = api.put if path == "/_sim/hosted" else api.post
    refused = send(path, json=body)
    assert refused.status_code == 400
    assert why in refused.json()["detail"]


@pytest.mark.parametrize(
    "script",
    [
        [{"repeat": {"times": 10_000, "steps": [{"repeat": {"times": 10_000, "steps": ["a"]}}]}}],
        [{"repeat": {"times": 10_000, "steps": ["a"] * 11}}],
        [{"repeat": {"times": 10**9, "steps": ["a"]}}],
        ["a"] * 10_001,
        ["a" * 20_001],
        [{"wait": 10**9}],
        [{"press": "1" * 100_000}],
    ],
)
def test_a_script_that_blows_up_is_refused_and_calls_nobody(api: httpx.Client, script: Any) -> None:
    number = line(api)
    refused = api.post("/_sim/calls", json={"from": CALLER, "to": number, "script": script})
    assert refused.status_code in (400, 422)
    assert len(refused.content) < 2000
    assert api.get("/v1/calls").json()["data"] == []


def test_the_longest_script_there_may_be_ends_with_its_call(api: httpx.Client) -> None:
    script = [{"repeat": {"times": 10_000, "steps": [{"wait": 0}, {"press": "1"}]}}]
    call = api.post("/_sim/calls", json={"from": CALLER, "to": line(api), "script": script, "wait": True}).json()
    assert call["status"] == "completed"
    assert api.get("/_sim/clock").json()["timers"] == 0


def test_thousands_of_timers_fire_and_none_is_left(api: httpx.Client, small: Live) -> None:
    number = line(api)
    api.post("/v1/webhooks", json={"url": "http://127.0.0.1:1/"})  # nobody listens there
    for _ in range(500):
        api.post("/_sim/messages", json={"from": CALLER, "to": number, "body": "hi"})
    assert api.get("/_sim/clock").json()["timers"] >= 500
    assert api.post("/_sim/clock/run_until_idle", json={}).json()["timers"] == 0
    stats = api.get("/v1/webhooks/deliveries/all-time").json()
    assert stats["failed"] == stats["total"] >= 500


def test_one_account_that_floods_does_not_reach_another(api: httpx.Client, small: Live) -> None:
    with Outside(small.url, small.new_key()) as other:
        before = other.send("GET", "/_sim/journal")
        for _ in range(300):
            api.get("/v1/agents")
        assert other.send("GET", "/_sim/journal") == before
