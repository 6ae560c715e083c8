"""Worlds from hostile files, and hostile questions: refused in few words or taken, and the server goes on."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from simulator.state.document import checksum
from tests.helpers.live_server import Live

CALLER: Final = "+14155550150"
BOMBS: Final = ["(a+)+$", r"(\w+\s?)*$x", "(.*)*x", "(.*a){20}$", ".*.*.*.*.*="]
ODD: Final[tuple[Any, ...]] = (
    None, 0, -1, 2**60, 1e308, "", "x" * 2000, True, [], {}, "2026-13-01", "9999-12-31T23:59:59+00:00",
    "0001-01-01T00:00:00+00:00", "http://192.0.2.1/x", "(((", "../../etc/passwd", "\ud800",
)  # fmt: skip
Place = tuple[str | int, ...]


@pytest.fixture(scope="module")
def api(victim: Live) -> Iterator[httpx.Client]:
    key = {"Authorization": f"Bearer {victim.first_key}"}
    with httpx.Client(base_url=victim.url, headers=key, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def world(api: httpx.Client) -> Any:
    """The export of an account in which something of most kinds is under way."""
    api.put("/_sim/clock", json={"mode": "manual"})
    agent = api.post("/v1/agents", json={"name": "A", "beginMessage": "Hello!"}).json()["id"]
    number = api.post("/v1/numbers", json={"agentId": agent}).json()["phoneNumber"]
    api.post("/v1/webhooks", json={"url": "http://127.0.0.1:1/hook"})
    hears = {"hear": {"matches": "(a+)+$", "within": 5}}
    person = {"script": [hears], "text_script": [{"after": 5}, {"text": "x"}]}
    api.put("/_sim/people/+14155550161", json=person).raise_for_status()
    api.post("/_sim/faults", json={"on": "delivery", "fault": "late", "seconds": 9}).raise_for_status()
    api.post("/_sim/messages", json={"from": CALLER, "to": number, "body": "hi"}).raise_for_status()
    thread = {"from": CALLER, "to": number, "script": [{"text": "a"}, {"after": 50}, {"text": "b"}]}
    api.post("/_sim/threads", json=thread).raise_for_status()
    api.post("/_sim/calls", json={"from": CALLER, "to": number, "script": [{"wait": 600}]}).raise_for_status()
    return api.get("/_sim/export").raise_for_status().json()


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    yield here
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in steps:
        yield from places(inner, (*here, name))


def forged(document: Any, place: Place, value: Any) -> Any:
    """The document with one value changed, by somebody who can do sums."""
    changed = copy.deepcopy(document)
    holder = changed["world"]
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return {**changed, "checksum": checksum(changed["world"])}


@pytest.mark.parametrize("part", range(8))
def test_a_forged_world_is_refused_or_runs_and_never_fails(api: httpx.Client, world: Any, part: int) -> None:
    answers: list[httpx.Response] = []
    for count, place in enumerate(sorted(filter(None, places(world["world"])), key=str)):
        if count % 40 != part:
            continue
        document = json.dumps(forged(world, place, ODD[count % len(ODD)]))
        answers.append(taken := api.post("/_sim/import", content=document))
        if taken.is_success:
            answers.append(api.post("/_sim/clock/advance", json={"seconds": 3600, "patience": 0}))
            answers += [api.get(path) for path in ("/v1/agents", "/v1/numbers", "/v1/calls", "/v1/webhooks/deliveries")]
            answers.append(api.get("/_sim/export"))
    assert [answer.text for answer in answers if answer.status_code >= 500] == []
    assert len(answers) > 10


def test_a_world_that_is_refused_changes_nothing(api: httpx.Client, world: Any) -> None:
    api.post("/_sim/import", content=json.dumps(world)).raise_for_status()
    before = api.get("/_sim/export").json()["world"]
    for place, value in ((("settings", "clock"), "sundial"), (("settings",), []), (("timers",), [["x"]])):
        refused = api.post("/_sim/import", content=json.dumps(forged(world, place, value)))
        assert (refused.status_code, "this world cannot be imported" in refused.text) == (400, True)
    assert api.get("/_sim/export").json()["world"] == before


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_pattern_in_a_question_takes_no_longer_than_what_it_reads(api: httpx.Client, bomb: str) -> None:
    api.post("/v1/agents", json={"name": "A", "beginMessage": "a" * 2000 + "!"})
    asked = {"kind": "api.request", "where": {"body.beginMessage": {"matches": bomb}}}
    assert api.post("/_sim/expect", json=asked).status_code == 200


@pytest.mark.parametrize(
    ("matches", "why"),
    [
        ("(", "not a regular expression"),
        (r"(a+)\1+", "bounded time"),
        ("(a{1000}){1000}", "bounded time"),
        ("(" * 9000 + ")" * 9000, ""),
    ],
)
def test_a_pattern_in_a_question_that_is_none_or_too_much_is_refused(api: httpx.Client, matches: str, why: str) -> None:
    refused = api.post("/_sim/expect", json={"kind": "finding", "where": {"a": {"not": {"matches": matches}}}})
    assert refused.status_code == 400
    assert why in refused.json()["detail"]


def test_names_of_snapshots_are_no_paths(api: httpx.Client) -> None:
    for name in ("../x", "a/b", "..", "%2e%2e", "a\\b", "a\u0000b", "\u202e", "x" * 101):
        assert api.post("/_sim/snapshots", json={"name": name}).status_code == 422
