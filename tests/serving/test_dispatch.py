from __future__ import annotations

import json
import logging
from collections.abc import MutableMapping
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from simulator.errors import BadRequest, Conflict
from simulator.serving.operation import Context, Operation
from simulator.wire.base import In
from simulator.world import accounts
from tests.helpers.api import START, Api, bearer, under

pytestmark = pytest.mark.anyio


class Word(In):
    word: str


class Echo(BaseModel):
    word: str | None


def echo(_ctx: Context, _query: None, body: Word | None) -> Echo:
    return Echo(word=body.word if body else None)


async def later(ctx: Context, _query: None, _body: None) -> Echo:
    return Echo(word=ctx.base_url)


def broken(_ctx: Context, _query: None, _body: None) -> Echo:
    raise RuntimeError("boom")


def refused(_ctx: Context, _query: None, _body: None) -> Echo:
    raise BadRequest("no", code="SOME_CODE", type="some_error", headers={"Retry-After": "3"})


def plain(_ctx: Context, _query: None, _body: None) -> PlainTextResponse:
    return PlainTextResponse("as it is", 202)


def none(_ctx: Context, _query: None, _body: None) -> None:
    return None


def whose(ctx: Context, _query: None, _body: None) -> Echo:
    return Echo(word=str(id(ctx.world)))


def rows(_ctx: Context, _query: None, _body: None) -> list[Echo]:
    return [Echo(word="a"), Echo(word=None)]


def row(method: str, path: str, handler: Any, **options: Any) -> Operation:
    return Operation(id=handler.__name__, method=method, path=path, tag="t", summary="s", handler=handler, **options)


ROWS = (
    row("POST", "/v1/echo", echo, body=Word, creates=True),
    row("PUT", "/v1/echo", echo, body=Word, body_required=False),
    row("GET", "/v1/later", later),
    row("POST", "/v1/bodyless", none, nullable=True),
    row("GET", "/v1/broken", broken),
    row("GET", "/v1/refused", refused),
    row("GET", "/v1/plain", plain),
    row("GET", "/v1/whose", whose),
    row("GET", "/v1/account", later, scoped=False),
    row("DELETE", "/v1/gone", none, status=204),
    row("GET", "/v1/rows", rows, many=True),
    row("GET", "/_sim/health", later, public=True),
)


@pytest.fixture
def api() -> Api:
    return Api(ROWS, max_body=100)


def requests_in(api: Api) -> list[tuple[Any, ...]]:
    return [
        tuple(e.data[k] for k in ("method", "path", "operation_id", "status"))
        for e in api.world.journal.since(0, "api.request", 100)
    ]


async def raw(api: Api, *messages: MutableMapping[str, Any], **changes: Any) -> list[MutableMapping[str, Any]]:
    """Call the dispatcher as a server would; returns what it sent."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/echo",
        "raw_path": None,
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer sk_live_simulator")],
        **changes,
    }
    waiting = list(messages)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return waiting.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await api.dispatcher(scope, receive, send)
    if sent:
        sent[0]["unread"] = len(waiting)
    return sent


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_model_becomes_json_with_a_length(api: Api) -> None:
    answer = await api.send("POST", "/v1/echo", json={"word": "é"})
    assert (answer.status_code, answer.json()) == (200, {"word": "é"})
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_none_becomes_null(api: Api) -> None:
    assert (await api.send("POST", "/v1/bodyless")).text == "null"


async def test_an_awaitable_is_awaited_and_knows_the_address_the_client_used(api: Api) -> None:
    assert await api.get("/v1/later") == {"word": "http://127.0.0.1:8787"}


async def test_a_starlette_response_is_passed_through(api: Api) -> None:
    answer = await api.send("GET", "/v1/plain")
    assert (answer.status_code, answer.text) == (202, "as it is")


async def test_creates_follow_the_policy() -> None:
    api = Api(ROWS, policies=under(create_status="201"))
    assert (await api.send("POST", "/v1/echo", json={"word": "a"})).status_code == 201
    assert (await api.send("PUT", "/v1/echo", json={"word": "a"})).status_code == 200


async def test_a_body_is_json_whatever_its_content_type_says(api: Api) -> None:
    answer = await api.send("POST", "/v1/echo", content=b'{"word": "a"}', headers={**bearer(), "content-type": "x/y"})
    assert answer.json() == {"word": "a"}


async def test_a_body_that_nobody_reads_may_be_anything(api: Api) -> None:
    assert (await api.send("POST", "/v1/bodyless", content=b"\xff{" * 1000)).status_code == 200


async def test_an_absent_body_is_refused_only_where_one_is_required(api: Api) -> None:
    assert (await api.send("POST", "/v1/echo")).status_code == 422
    assert (await api.send("PUT", "/v1/echo")).json() == {"word": None}


async def test_no_key_and_a_wrong_key_are_unauthorised(api: Api) -> None:
    for headers in ({}, {"Authorization": "Basic x"}, bearer("sk_live_somebody_elses")):
        answer = await api.send("GET", "/v1/later", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert list(answer.json()) == ["detail"]
        assert "sk_live_somebody_elses" not in answer.text
    assert requests_in(api) == []


async def test_an_unknown_route_names_method_and_path_even_without_a_key(api: Api) -> None:
    answer = await api.send("GET", "/v1/nope", headers={})
    assert (answer.status_code, answer.json()) == (404, {"detail": "No route: GET /v1/nope"})
    assert "trailing slash" in (await api.send("GET", "/v1/later/")).json()["detail"]


async def test_a_very_long_path_is_not_echoed_whole(api: Api) -> None:
    answer = await api.send("GET", "/" + "x" * 5000)
    assert len(answer.content) < 500


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_another_method_names_those_that_are_served(api: Api, method: str) -> None:
    answer = await api.send(method, "/v1/echo")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, PUT")
    assert bool(answer.content) is (method != "HEAD")


async def test_a_public_operation_needs_no_key_and_leaves_no_entry(api: Api) -> None:
    assert (await api.send("GET", "/_sim/health", headers={})).status_code == 200
    assert (await api.send("GET", "/_sim/health", headers=bearer("unknown"))).status_code == 200
    assert requests_in(api) == []


async def test_a_public_operation_with_a_key_sees_that_account() -> None:
    seen: list[Any] = []
    rows = (row("GET", "/open", lambda ctx, _q, _b: seen.append(ctx.runner), public=True),)
    api = Api(rows, api_keys=("first", "second"))
    await api.send("GET", "/open", headers={})
    await api.send("GET", "/open", headers=bearer("second"))
    assert seen == [api.runners["first"], api.runners["second"]]


async def test_a_refusal_with_a_code_carries_both_envelopes_and_its_headers(api: Api) -> None:
    answer = await api.send("GET", "/v1/refused")
    assert answer.status_code == 400
    assert answer.headers["retry-after"] == "3"
    assert answer.json() == {
        "detail": "no",
        "code": "SOME_CODE",
        "error": {"message": "no", "code": "SOME_CODE", "type": "some_error", "details": None},
    }


async def test_a_bug_is_logged_with_its_traceback_and_answered_in_json(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="simulator.serving"):
        answer = await api.send("GET", "/v1/broken")
    assert answer.status_code == 500
    assert "bug" in answer.json()["detail"]
    assert "boom" in caplog.text


async def test_requests_are_journalled_with_their_outcome(api: Api) -> None:
    await api.send("POST", "/v1/echo?x=1", json={"word": "a"})
    await api.send("POST", "/v1/echo", json={})
    await api.send("GET", "/v1/plain")
    assert requests_in(api) == [
        ("POST", "/v1/echo", "echo", 200),
        ("POST", "/v1/echo", "echo", 422),
        ("GET", "/v1/plain", "plain", 202),
    ]


async def test_the_entry_is_there_before_the_answer(api: Api) -> None:
    entries: list[int] = []

    async def send(_: MutableMapping[str, Any]) -> None:
        entries.append(len(requests_in(api)))

    async def receive() -> MutableMapping[str, Any]:
        return part(b'{"word": "a"}')

    scope = {"type": "http", "method": "PUT", "path": "/v1/echo", "query_string": b""}
    await api.dispatcher({**scope, "headers": [(b"authorization", b"Bearer sk_live_simulator")]}, receive, send)
    assert entries == [1, 1]


@pytest.mark.parametrize(("header", "value"), [("Host", "evil.test"), ("Origin", "https://evil.test")])
async def test_a_foreign_host_or_origin_is_refused_by_the_name_of_the_flag(api: Api, header: str, value: str) -> None:
    for path in ("/v1/later", "/_sim/health", "/openapi.json", "/nope"):
        answer = await api.send("GET", path, headers={**bearer(), header: value})
        assert answer.status_code == 403
        assert "--allow-origin" in answer.json()["detail"]
    assert requests_in(api) == []


async def test_named_hosts_and_the_public_url_are_our_own() -> None:
    api = Api(ROWS, allow_origins=("box.test",), public_url="http://sim.test:9")
    for host in ("box.test", "sim.test:9"):
        assert (await api.send("GET", "/v1/later", headers={**bearer(), "Host": host})).json()[
            "word"
        ] == f"http://{host}"


async def test_a_missing_host_is_fine(api: Api) -> None:
    sent = await raw(api, part(b'{"word": "a"}'))
    assert sent[0]["status"] == 200


def for_sub_account(sub_account_id: str) -> dict[str, str]:
    return {**bearer(), "X-Sub-Account-Id": sub_account_id}


async def test_the_sub_account_header_chooses_the_world(api: Api) -> None:
    own = accounts.create(api.world, "Branch", START).id
    answer = await api.send("GET", "/v1/whose", headers=for_sub_account(own))
    assert answer.json() == {"word": str(id(api.runner.children[own].world))}
    assert (await api.send("GET", "/v1/whose", headers=for_sub_account("  "))).json() == {"word": str(id(api.world))}


async def test_an_unknown_sub_account_is_named(api: Api) -> None:
    answer = await api.send("GET", "/v1/whose", headers=for_sub_account("sub_1"))
    assert answer.status_code == 404
    assert "sub-account 'sub_1' does not exist" in answer.json()["detail"]
    assert requests_in(api)[-1] == ("GET", "/v1/whose", "whose", 404)


async def test_what_is_about_the_whole_account_refuses_a_sub_account(api: Api) -> None:
    own = accounts.create(api.world, "Branch", START).id
    answer = await api.send("GET", "/v1/account", headers=for_sub_account(own))
    assert answer.status_code == 400
    assert "leave the header X-Sub-Account-Id out" in answer.json()["detail"]


async def test_a_public_operation_has_no_sub_accounts(api: Api) -> None:
    assert (await api.send("GET", "/_sim/health", headers={"X-Sub-Account-Id": "sub_1"})).status_code == 200


async def test_no_content_has_no_body_and_no_type(api: Api) -> None:
    answer = await api.send("DELETE", "/v1/gone")
    assert (answer.status_code, answer.content, dict(answer.headers)) == (204, b"", {})


async def test_a_bare_list_is_a_json_array(api: Api) -> None:
    answer = await api.send("GET", "/v1/rows")
    assert answer.content == b'[{"word":"a"},{"word":null}]'
    assert answer.headers["content-type"] == "application/json"


async def test_a_body_in_parts_is_put_together(api: Api) -> None:
    sent = await raw(api, part(b'{"wo', more=True), part(b'rd": "', more=True), part(b'a"}'))
    assert json.loads(sent[1]["body"]) == {"word": "a"}


async def test_a_declared_length_over_the_limit_is_refused_unread(api: Api) -> None:
    for length in (b"101", b"9" * 5000):
        headers = [(b"authorization", b"Bearer sk_live_simulator"), (b"content-length", length)]
        sent = await raw(api, part(b"{}"), headers=headers)
        assert sent[0]["status"] == 413
        assert sent[0]["unread"] == 1
        assert "100 bytes" in sent[1]["body"].decode()


async def test_a_body_that_grows_over_the_limit_is_read_no_further(api: Api) -> None:
    sent = await raw(api, part(b" " * 60, more=True), part(b" " * 60, more=True), part(b" " * 60))
    assert sent[0]["status"] == 413
    assert sent[0]["unread"] == 1
    assert (await raw(api, part(b" " * 101)))[0]["status"] == 413


async def test_a_client_that_goes_away_is_not_answered(api: Api) -> None:
    assert await raw(api, part(b'{"wo', more=True), {"type": "http.disconnect"}) == []
    assert requests_in(api) == []


async def test_other_kinds_of_connection_are_left_alone(api: Api) -> None:
    assert await raw(api, type="lifespan") == []
    assert await raw(api, type="websocket") == []


async def test_the_description_is_public_and_built_once(api: Api) -> None:
    first = await api.send("GET", "/openapi.json", headers={})
    assert first.status_code == 200
    assert first.json()["openapi"] == "3.1.0"
    assert (await api.send("GET", "/openapi.json", headers={})).content == first.content


async def test_accounts_do_not_meet() -> None:
    api = Api(ROWS, api_keys=("one", "two"))
    await api.send("GET", "/v1/later", headers=bearer("two"))
    assert requests_in(api) == []
    assert api.runners["two"].world.journal.last_seq == 1


async def test_a_key_of_the_settings_that_nobody_knows_is_our_own_fault(caplog: pytest.LogCaptureFixture) -> None:
    api = Api(ROWS)
    api.runners.clear()
    assert (await api.send("GET", "/_sim/health", headers={})).status_code == 500
    assert "runner_for" in caplog.text


async def test_a_conflict_after_a_wait_is_rendered_too() -> None:
    async def conflict(_ctx: Context, _query: None, _body: None) -> None:
        raise Conflict("not now")

    api = Api((row("GET", "/v1/x", conflict),))
    assert (await api.send("GET", "/v1/x")).json() == {"detail": "not now"}
