"""Whatever a client sends: never a 500, always JSON with a `detail`, and a refusal changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_tests import strategies
from contract_tests.facts import FACTS, PROMISED, Fact
from contract_tests.raw import exchange
from contract_tests.target import Target
from tests.helpers.registration import application

# Names, not facts: what Hypothesis prints of a failing case stays readable.
ALL: Final = [f.id for f in PROMISED]
READS: Final = [f.id for f in PROMISED if f.method == "GET"]
WRITES: Final = [f.id for f in PROMISED if f.request]
WITH_IDS: Final = [f.id for f in PROMISED if "{" in f.path]
TRIES: Final = settings(max_examples=8)
PERSON: Final = "+14155552671"


class Victim:
    """An account with a little of everything, and a check after everything that is done to it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._before: dict[str, Any] | None = None  # what the lists said last, unless something was taken since
        target.post("/v1/webhooks", {"url": "http://127.0.0.1:9/"})
        agent = target.post("/v1/agents", {"name": "Support"})["id"]
        number = target.post("/v1/numbers")["id"]
        target.post("/v1/numbers", {"agentId": agent})
        apple = target.post("/v1/numbers", {"type": "imessage"})["id"]
        sent = target.post("/v1/messages", {"number_id": apple, "to_number": PERSON, "body": "hi"})
        call = target.post("/v1/calls", {"agentId": agent, "toNumber": PERSON})["id"]
        if target.control:
            target.post("/_sim/clock/run_until_idle")
        thread = sent["conversation_id"]
        branch = target.post("/v1/sub-accounts", {"name": "Branch"})["id"]
        verification = target.post("/v1/verify/send", {"phone_number": PERSON})["verification_id"]
        # What is done to an agent by its path is done to a spare one: the first must stay able to call.
        spare = target.post("/v1/agents", {"name": "Spare"})["id"]
        self.ids = {
            "agent_id": spare,
            "number_id": number,
            "call_id": call,
            "conversation_id": thread,
            "message_id": sent["id"],
            "sub_account_id": branch,
            "trunk_id": target.post("/v1/sip-trunks")["id"],
            "connection_id": target.post("/integrations/whatsapp/connect", {"code": "AQD"})["id"],
            "contact_id": target.post("/v1/contacts", {"phoneNumber": PERSON, "name": "Ann"})["id"],
            "phone_number": PERSON,
        }
        target.post("/v1/register", application(create_sub_account=False))
        # The least that each write needs in order to be taken.
        self.good: dict[str, dict[str, Any]] = {
            "createAgent": {"name": "Support"},
            "attachNumberToAgent": {"numberId": number},
            "createSubAccount": {"name": "Branch"},
            "updateSubAccount": {"name": "Branch"},
            "createContact": {"phoneNumber": "+14155552672", "name": "Bob"},
            "submitFeedback": {"category": "idea", "note": "Ring thrice"},
            "createOutboundCall": {"agentId": agent, "toNumber": PERSON},
            "createWebCall": {"agentId": agent},
            "updateConversation": {"metadata": {"step": [1, None]}},
            "sendMessage": {"agent_id": agent, "to_number": PERSON, "body": "hi"},
            "sendReaction": {"reaction": "love"},
            "setChatBackground": {"image_url": "https://files.example.com/sea.png"},
            "createOrUpdateWebhook": {"url": "http://127.0.0.1:9/"},
            "registerA2P": application(create_sub_account=False),
            "sendVerification": {"phone_number": PERSON},
            "checkVerification": {"verification_id": verification, "code": "123456"},
            "whatsappConnect": {"code": "AQD"},
            "whatsappConnectNumber": {"phone_number_id": "100000000000000"},
            "whatsappCreateTemplate": {"name": "welcome", "category": "UTILITY", "language": "en_US"},
            "createOrUpdateAgentWebhook": {"url": "http://127.0.0.1:9/"},
        }

    def __repr__(self) -> str:
        return "a busy account"

    @contextmanager
    def watched(self, fact: Fact) -> Iterator[list[int]]:
        """Put the statuses of what is sent inside into the list; unless one is a success, nothing may change."""
        statuses: list[int] = []
        if fact.method == "GET":
            yield statuses
            return
        before, self._before = self._before or self.target.snapshot(), None
        yield statuses
        if all(status >= 400 for status in statuses):
            now = self.target.snapshot()
            assert now == before
            self._before = now

    def forget(self) -> None:
        """Something was taken: what the lists said before is of no use."""
        self._before = None

    def ask(self, fact: Fact, url: str | None = None, **parts: Any) -> int:
        """Send it to a url of its own, or with real ids, and check the answer."""
        with self.watched(fact) as statuses:
            answer = self.target.request(fact.method, url or fact.url(**self.ids), **parts)
            check(answer)
            statuses.append(answer.status_code)
        return answer.status_code


def check(answer: httpx.Response) -> None:
    """A legal answer: below 500, or a 501 that says what is not simulated; a refusal is JSON with a detail."""
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/json"), answer.text
        assert answer.json()["detail"]
    if answer.status_code == 501:
        assert "not simulated" in answer.text


@pytest.fixture(scope="module")
def victim(server: Target) -> Victim:
    return Victim(server.fresh())


@pytest.mark.parametrize("name", WRITES)
@TRIES
@given(body=strategies.JSON)
def test_any_json_body_is_taken_or_refused(victim: Victim, name: str, body: Any) -> None:
    victim.ask(FACTS[name], json=body)


@pytest.mark.parametrize("name", WRITES)
@TRIES
@given(data=st.data())
def test_a_nearly_valid_body_is_refused(victim: Victim, name: str, data: st.DataObject) -> None:
    request = FACTS[name].request
    assert request is not None
    body = data.draw(strategies.near_valid(request))
    assert 400 <= victim.ask(FACTS[name], json=body) < 500, f"{body} was taken"


@pytest.mark.parametrize("name", WRITES)
@settings(max_examples=20)
@given(data=st.data())
def test_a_body_of_the_right_shape_with_odd_values_is_taken_or_refused(
    victim: Victim, name: str, data: st.DataObject
) -> None:
    request = FACTS[name].request
    assert request is not None
    victim.ask(FACTS[name], json=data.draw(strategies.odd_body(request, victim.good.get(name, {}))))


@pytest.mark.parametrize("name", WRITES)
def test_every_odd_text_in_every_field_is_taken_or_refused(victim: Victim, name: str) -> None:
    request = FACTS[name].request
    assert request is not None
    url, good = FACTS[name].url(**victim.ids), victim.good.get(name, {})
    for field, text in product(request.fields, strategies.ODD_TEXT):
        check(victim.target.request(FACTS[name].method, url, json=good | {field: text}))
    victim.forget()


@pytest.mark.parametrize("name", WRITES)
@TRIES
@given(content=st.binary(max_size=200))
@example(content=b'{"name": "\\ud800"}')
@example(content=b'{"name": "a", "name": "b"}')
@example(content=b"[" * 5000)
@example(content=b'{"a":' * 5000)
@example(content=b'{"name": 1e999}')
@example(content=b"9" * 5000)
@example(content=b"\xef\xbb\xbf{}")
@example(content=b'{"name": "a\\u0000b"}')
def test_any_bytes_as_a_body_are_taken_or_refused(victim: Victim, name: str, content: bytes) -> None:
    victim.ask(FACTS[name], content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("name", READS)
@TRIES
@given(data=st.data())
def test_any_query_string_is_taken_or_refused(victim: Victim, name: str, data: st.DataObject) -> None:
    fact = FACTS[name]
    query = data.draw(strategies.query_strings(tuple(p.name for p in fact.query())))
    victim.ask(fact, f"{fact.url(**victim.ids)}?{query}")


@pytest.mark.parametrize("name", WITH_IDS)
@TRIES
@given(segment=strategies.path_segments())
def test_any_path_segment_is_an_unknown_id_or_an_unknown_route(victim: Victim, name: str, segment: str) -> None:
    path = re.sub(r"\{\w+\}", lambda _: segment, FACTS[name].path)
    with victim.watched(FACTS[name]) as statuses:
        status, body = exchange(victim.target, FACTS[name].method, path)
        statuses.append(status)
    assert status < 500 or status == 501, body
    assert status >= 400 or FACTS[name].method == "GET", f"{name} {path} answered {status}"
    assert status < 400 or b'"detail"' in body


@pytest.mark.parametrize("name", ALL)
@TRIES
@given(headers=strategies.headers())
def test_odd_headers_are_taken_or_refused(victim: Victim, name: str, headers: dict[str, str]) -> None:
    parts = {"content": b'{"name": 5}'} if FACTS[name].request else {}
    victim.ask(FACTS[name], FACTS[name].url(), headers=headers, **parts)


# A request line and what follows the usual Host and Authorization headers.
ODD: Final = (
    ("GET /v1/agents HTTP/1.1", "Authorization: Bearer other"),
    ("GET /v1/agents HTTP/1.1", "Authorization: Bearer \xff\xfe"),
    ("GET http://127.0.0.1/v1/agents HTTP/1.1", ""),
    ("OPTIONS * HTTP/1.1", ""),
    ("OPTIONS /v1/agents HTTP/1.1", "Origin: https://example.com"),
    ("TRACE /v1/agents HTTP/1.1", ""),
    ("QUERY /v1/agents HTTP/1.1", ""),
    ("GET /v1/agents?limit=1?limit=2#a HTTP/1.1", ""),
    ("GET //v1/agents HTTP/1.1", ""),
    ("GET /v1/agents/ HTTP/1.1", ""),
    ("GET /v1/agents/\xe9 HTTP/1.1", ""),
    ("GET /v1/agents/\x00 HTTP/1.1", ""),
    ("POST /v1/agents HTTP/1.1", "Content-Length: -1"),
    ("POST /v1/agents HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6"),
    ("POST /v1/agents HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\nzz"),
    ("POST /v1/agents HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n0\r\n"),
    ("POST /v1/agents HTTP/1.0", ""),
    ("nonsense", ""),
)


@pytest.mark.parametrize(("line", "header"), ODD)
def test_an_odd_request_on_the_wire_is_answered_below_500(victim: Victim, line: str, header: str) -> None:
    usual = f"Host: {urlsplit(victim.target.base_url).netloc}\r\nAuthorization: Bearer {victim.target.key}"
    with victim.target.unchanged():
        status, _ = exchange(victim.target, raw=f"{line}\r\n{usual}\r\n{header}\r\n\r\n".encode("latin-1"))
        assert status < 500


def test_a_client_that_leaves_in_the_middle_of_a_body_changes_nothing(victim: Victim) -> None:
    host = urlsplit(victim.target.base_url).netloc
    head = f"POST /v1/agents HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {victim.target.key}\r\n"
    with victim.target.unchanged():
        exchange(victim.target, raw=f'{head}Content-Length: 500\r\n\r\n{{"name": "half'.encode(), leave=True)
