"""Credentials that get here by accident: no answer, journal, log, export or exception shows one whole."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import httpx
import pytest

from simulator.settings import Settings
from tests.helpers.live_server import Live
from tests.helpers.processes import run_simulator

FOREIGN = "sk_live_0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CALLER = "+14155550150"


@pytest.fixture
def api(victim: Live) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {victim.new_key()}"}
    with httpx.Client(base_url=victim.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


# A real key in every place where one may be pasted, and requests that are refused because of it.
MISTAKES = [
    ("GET", f"/v1/agents/{FOREIGN}", None),
    ("GET", f"/nowhere/{FOREIGN}", None),
    ("PATCH", f"/v1/agents/{FOREIGN}", {"name": "x"}),
    ("POST", "/v1/numbers", {"agentId": FOREIGN}),
    ("POST", "/v1/messages", {"agent_id": FOREIGN, "to_number": CALLER, "body": "hi"}),
    ("POST", "/v1/calls", {"agentId": FOREIGN, "toNumber": FOREIGN}),
    ("POST", "/v1/webhooks", {"url": f"http://user:{FOREIGN}@127.0.0.1/"}),
    ("POST", "/v1/webhooks", {"url": f"file:///x?api_key={FOREIGN}"}),
    ("POST", "/v1/agents", {"name": ["x"], "voice": FOREIGN}),
    ("POST", "/v1/agents", {"name": "x", "voiceMode": FOREIGN}),
    ("POST", "/_sim/calls", {"from": FOREIGN, "to": FOREIGN}),
    ("POST", "/_sim/calls", {"from": CALLER, "to": CALLER, FOREIGN: FOREIGN}),
    ("PUT", f"/_sim/people/{FOREIGN}", {}),
    ("GET", f"/_sim/calls/{FOREIGN}/timeline", None),
]


@pytest.mark.parametrize(("method", "path", "body"), MISTAKES)
def test_a_refusal_repeats_no_key(api: httpx.Client, method: str, path: str, body: object) -> None:
    answer = api.request(method, path, json=body)
    assert 400 <= answer.status_code < 500
    assert FOREIGN not in answer.text
    assert FOREIGN not in api.get("/_sim/journal").text


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer   ", "Basic ", ""])
def test_an_unknown_key_is_not_repeated(victim: Live, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = httpx.get(f"{victim.url}/v1/agents", headers={"Authorization": f"{scheme}{FOREIGN}"}, trust_env=False)
    assert answer.status_code == 401
    assert FOREIGN not in answer.text + caplog.text


def test_an_unknown_sub_account_is_not_repeated_either(api: httpx.Client) -> None:
    answer = api.get("/v1/agents", headers={"X-Sub-Account-Id": FOREIGN})
    assert answer.status_code == 404
    assert FOREIGN not in answer.text


def test_keys_of_tools_and_addresses_are_in_no_journal_and_no_export(api: httpx.Client) -> None:
    tool = {
        "name": "book",
        "description": "d",
        "url": f"http://127.0.0.1:1/book?api_key={FOREIGN}",
        "headers": {"Authorization": f"Bearer {FOREIGN}", "X-Api-Key": "plain-and-secret", "X-Who": "Ann"},
    }
    agent = api.post("/v1/agents", json={"name": "A", "voiceMode": "hosted", "customTools": [tool]}).json()
    number = api.post("/v1/numbers", json={"agentId": agent["id"]}).json()["phoneNumber"]
    api.post("/v1/webhooks", json={"url": f"http://127.0.0.1:1/?token={FOREIGN}"})
    api.put(f"/_sim/agents/{agent['id']}/script", json={"lines": [{"tool": {"name": "book"}, "say": "x"}]})
    call = api.post("/_sim/calls", json={"from": CALLER, "to": number, "script": ["Go"], "wait": True})
    shown = [call.text, api.get("/_sim/journal", params={"limit": 10_000}).text]
    forms = ("scenario", "pytest", "curl")
    shown += [api.get(f"/_sim/calls/{call.json()['call_id']}/export", params={"as": form}).text for form in forms]
    for text in shown:
        assert FOREIGN not in text
        assert "plain-and-secret" not in text
    assert all("X-Who" in text and "Ann" in text for text in shown[1:])  # what is no credential is kept


def test_a_webhook_secret_is_where_it_is_documented_and_nowhere_else(api: httpx.Client) -> None:
    secret = api.post("/v1/webhooks", json={"url": "http://127.0.0.1:1/hook"}).json()["secret"]
    agent = api.post("/v1/agents", json={"name": "A"}).json()
    number = api.post("/v1/numbers", json={"agentId": agent["id"]}).json()["phoneNumber"]
    api.post("/_sim/calls", json={"from": CALLER, "to": number, "script": ["Hello"], "wait": True})
    api.post("/v1/webhooks/test")
    api.post("/_sim/clock/run_until_idle")
    places = ("/_sim/journal?limit=10000", "/v1/webhooks/deliveries?limit=50", "/v1/calls", "/v1/agents", "/_sim/clock")
    assert [path for path in places if secret in api.get(path).text] == []


def test_a_key_that_was_signed_up_for_is_in_its_answer_and_nowhere_else(victim: Live) -> None:
    with httpx.Client(base_url=victim.url, trust_env=False) as anybody:
        asked = anybody.post("/v0/agent/sign-up", json={"human_email": "a@b.test", "agent_name": "x"}).json()
        desk = {"Authorization": f"Bearer {victim.first_key}"}
        codes = anybody.get("/_sim/verifications", headers=desk).json()["verifications"]
        (code,) = (row["code"] for row in codes if row["to"] == "a@b.test")
        made = anybody.post("/v0/agent/verify", json={"verification_id": asked["verification_id"], "otp_code": code})
        key = made.json()["api_key"]
        for account in (desk, {"Authorization": f"Bearer {key}"}):
            for path in ("/_sim/journal", "/_sim/export"):
                assert key not in anybody.get(path, headers=account).text


def test_no_representation_of_ours_shows_a_key() -> None:
    settings = Settings(api_keys=(FOREIGN,), webhook_secret="whsec_topsecret")
    assert FOREIGN not in repr(settings)
    assert "topsecret" not in repr(settings)


def test_what_serve_prints_has_the_keys_it_was_given_and_no_other() -> None:
    with run_simulator("--api-key", "mine") as (url, child):
        assert (
            httpx.get(f"{url}/v1/agents/{FOREIGN}", headers={"Authorization": f"Bearer {FOREIGN}"}).status_code == 401
        )
        child.stop()
        printed = "\n".join([*child.stdout, *child.stderr])
    assert "API key      mine" in printed
    assert FOREIGN not in printed
