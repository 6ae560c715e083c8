"""One error shape on every route: JSON with `detail`, and a detail that names what was wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract_tests.bodies import well_shaped
from contract_tests.facts import FACTS, PROMISED, Fact
from contract_tests.target import Target

WITH_IDS = [f for f in PROMISED if "{" in f.path]
WITH_BODY = [f for f in PROMISED if f.request]


def by_id(fact: Fact) -> str:
    return fact.id


def detail(answer: httpx.Response) -> Any:
    """The `detail` of a refusal, after checking that the body is one."""
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    body = answer.json()
    assert isinstance(body["detail"], str | list)
    assert body["detail"], "an empty detail helps nobody"
    return body["detail"]


@pytest.mark.parametrize("fact", FACTS.values(), ids=by_id)
def test_an_operation_without_a_key_answers_401(server: Target, fact: Fact) -> None:
    if fact.id == "getCallRecording":  # documented as public: the call's id is the token
        return
    answer = server.request(fact.method, fact.url(), key=None)
    assert answer.status_code == 401
    assert isinstance(detail(answer), str)


@pytest.mark.parametrize("fact", [f for f in PROMISED if f.id != "getCallRecording"], ids=by_id)
@pytest.mark.parametrize(
    "header", ["Bearer sk_live_nobody_has_this_key", "Bearer", "Basic c2s6eA==", "sk_live_simulator"]
)
def test_an_operation_with_a_wrong_key_answers_401(server: Target, fact: Fact, header: str) -> None:
    answer = server.request(fact.method, fact.url(), key=None, headers={"Authorization": header})
    assert answer.status_code == 401
    assert "nobody_has_this_key" not in detail(answer), "a key must not come back in an answer"


def missing(fact: Fact) -> Iterator[str]:
    """The names of the path's ids."""
    return (p.name for p in fact.parameters if p.spec["in"] == "path")


@pytest.mark.parametrize("fact", WITH_IDS, ids=by_id)
def test_an_unknown_id_answers_404_naming_the_id(server: Target, fact: Fact) -> None:
    first = next(missing(fact))
    nobody = "+14155550199" if first == "phone_number" else "id_of_nobody_7"
    answer = server.request(fact.method, fact.url(**{first: nobody}), **well_shaped(fact))
    assert answer.status_code == 404
    assert nobody in detail(answer)


@pytest.mark.parametrize(
    "path", ["/v1/agent", "/v1/agents/x/nothing", "/v1", "/v2/agents", "/v1/agents//webhook", "/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_route_answers_404_naming_the_method_and_the_path(server: Target, method: str, path: str) -> None:
    answer = server.request(method, path)
    assert answer.status_code == 404
    assert method in detail(answer)
    assert path in detail(answer)


def test_an_unknown_id_can_be_told_from_an_unknown_route(server: Target) -> None:
    no_agent = detail(server.request("GET", "/v1/agents/agt_of_nobody"))
    no_route = detail(server.request("GET", "/v1/agentz/agt_of_nobody"))
    assert "GET" not in no_agent
    assert "GET /v1/agentz/agt_of_nobody" in no_route


def methods_of(path: str) -> set[str]:
    """The methods documented for a path, by any template that fits it: `/v1/agents/voices` could be an agent too."""
    return {f.method for f in FACTS.values() if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(f.path)), path)}


@pytest.mark.parametrize("path", sorted({f.path for f in PROMISED}))
def test_a_served_path_with_the_wrong_method_answers_405_with_allow(server: Target, path: str) -> None:
    fact = next(f for f in PROMISED if f.path == path)
    for method in {"PUT", "POST", "DELETE", "PATCH"} - methods_of(fact.url()):
        answer = server.request(method, fact.url())
        assert answer.status_code == 405, f"{method} {path}"
        assert {f.method for f in PROMISED if f.path == path} <= set(answer.headers["allow"].split(", "))
        assert method in detail(answer)


@pytest.mark.parametrize("fact", WITH_BODY, ids=by_id)
def test_a_body_over_the_limit_answers_413(server: Target, fact: Fact) -> None:
    answer = server.request(fact.method, fact.url(), content=b'{"name": "' + b"x" * 1_048_576 + b'"}')
    assert answer.status_code == 413
    assert isinstance(detail(answer), str)


@pytest.mark.parametrize("fact", WITH_BODY, ids=by_id)
def test_a_body_over_the_limit_that_does_not_announce_its_length_answers_413(server: Target, fact: Fact) -> None:
    pieces = (b"[" * 65_536 for _ in range(17))
    answer = server.request(fact.method, fact.url(), content=pieces)
    assert answer.status_code == 413
    assert isinstance(detail(answer), str)


@pytest.mark.parametrize("fact", WITH_BODY, ids=by_id)
@pytest.mark.parametrize("content", [b"{", b"nonsense", b"\xff\xfe", b'{"name": "a"} x', b"[1", b'{"a":NaN}'])
def test_a_body_that_is_not_json_answers_422_with_a_list(server: Target, fact: Fact, content: bytes) -> None:
    answer = server.request(fact.method, fact.url(), content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    (error,) = detail(answer)
    assert error["loc"][0] == "body"
    assert isinstance(error["msg"], str)
    assert isinstance(error["type"], str)


@pytest.mark.parametrize("fact", WITH_BODY, ids=by_id)
@pytest.mark.parametrize("content", [b"[]", b'"text"', b"7", b"true", b"[{}]"])
def test_a_body_that_is_not_an_object_answers_422_with_a_list(server: Target, fact: Fact, content: bytes) -> None:
    answer = server.request(fact.method, fact.url(), content=content)
    assert answer.status_code == 422
    assert all({"loc", "msg", "type"} <= set(error) for error in detail(answer))


@pytest.mark.parametrize("fact", [f for f in WITH_BODY if f.request_required], ids=by_id)
def test_a_required_body_that_is_missing_answers_422(server: Target, fact: Fact) -> None:
    answer = server.request(fact.method, fact.url())
    assert answer.status_code == 422
    assert detail(answer)[0]["loc"][0] == "body"


@pytest.mark.parametrize("fact", PROMISED, ids=by_id)
def test_an_answer_to_a_get_can_be_asked_for_with_head_or_is_refused_cleanly(server: Target, fact: Fact) -> None:
    if fact.method == "GET":
        answer = server.request("HEAD", fact.url())
        assert answer.status_code in {200, 404, 405}
        assert answer.content == b""


def test_two_wrong_fields_are_both_named(server: Target) -> None:
    answer = server.request("POST", "/v1/agents", json={"voiceMode": "telepathy", "maxSilenceMs": 1})
    named = {error["loc"][-1] for error in detail(answer)}
    assert named == {"name", "voiceMode", "maxSilenceMs"}


def test_a_refusal_by_a_rule_is_a_400_with_a_sentence(server: Target) -> None:
    answer = server.request("POST", "/v1/numbers", json={"country": "FR", "areaCode": "415"})
    assert answer.status_code == 400
    assert isinstance(detail(answer), str)


def test_a_refused_webhook_url_carries_a_code_next_to_the_detail(server: Target) -> None:
    answer = server.request("POST", "/v1/webhooks", json={"url": "ftp://example.com/hook"})
    assert answer.status_code in {400, 422}
    assert detail(answer)
