"""DNS rebinding and cross-site requests: nobody else's page may talk to a simulator on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.helpers.live_server import Live, live_server
from tests.helpers.processes import run_simulator
from tests.helpers.raw_http import Wire, request

# Everything that is served without a key, and something that needs one: the name is looked at first of all.
OPEN = (
    "GET /_sim/health",
    "GET /docs",
    "GET /openapi.json",
    "POST /v0/agent/sign-up",
    "GET /v1/calls/call_1/recording",
)
PATHS = (*OPEN, "GET /v1/agents", "GET /v1/calls/call_1/transcript/stream", "GET /nowhere")


def asked(live: Live, what: str, *headers: str, host: str | None = None) -> int:
    name = urlsplit(live.url).netloc if host is None else host
    return request(live.url, f"{what} HTTP/1.1", [f"Host: {name}", *headers]).status


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:{port}",
        "EVIL.TEST:{port}",
        "localhost.evil.test:{port}",
        "127.0.0.1.evil.test",
        "127.0.0.1@evil.test",
        "user:secret@127.0.0.1:{port}",
        "http://127.0.0.1:{port}",
        "127.0.0.1:{port}/",
        "127.0.0.1, evil.test",
        "localhost.",
        "127.1:{port}",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0:{port}",
        "[::2]",
        "[::ffff:10.0.0.1]",
        "",
    ],
)
def test_a_host_that_is_not_ours_is_refused_on_every_route(victim: Live, what: str, host: str) -> None:
    port = urlsplit(victim.url).port
    assert asked(victim, what, host=host.format(port=port)) == 403


@pytest.mark.parametrize("host", ["localhost", "LocalHost:1", "127.0.0.1:80", "127.9.9.9", "[::1]", "[::1]:8787"])
def test_every_way_to_write_loopback_is_ours(victim: Live, host: str) -> None:
    assert asked(victim, "GET /_sim/health", host=host) == 200


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.test",
        "https://evil.test:8787",
        "http://127.0.0.1.evil.test",
        "http://127.0.0.1@evil.test",
        "file://",
        "file://localhost",
        "chrome-extension://localhost",
        "127.0.0.1",
    ],
)
def test_a_page_of_somebody_else_is_refused_on_every_route(victim: Live, what: str, origin: str) -> None:
    assert asked(victim, what, f"Origin: {origin}") == 403


def test_a_form_of_somebody_else_cannot_post(victim: Live) -> None:
    body = b'{"human_email": "eve@evil.test", "agent_name": "x"}'
    headers = ["Origin: http://evil.test", "Content-Type: text/plain", f"Content-Length: {len(body)}"]
    with Wire(victim.url) as wire:
        host = f"Host: {wire.host}"
    refused = request(victim.url, "POST /v0/agent/sign-up HTTP/1.1", [host, *headers], body)
    assert refused.status == 403
    assert "--allow-origin" in refused.detail
    assert request(victim.url, "POST /v0/agent/sign-up HTTP/1.1", [host, *headers[1:]], body).status == 200


@pytest.mark.parametrize("extra", ["Host: evil.test", "Origin: http://evil.test", "Authorization: Bearer other"])
@pytest.mark.parametrize("first", [True, False])
def test_a_second_header_beside_a_good_one_is_refused(victim: Live, extra: str, first: bool) -> None:
    good = [
        f"Host: {urlsplit(victim.url).netloc}",
        f"Origin: {victim.url}",
        f"Authorization: Bearer {victim.first_key}",
    ]
    headers = [extra, *good] if first else [*good, extra]
    refused = request(victim.url, "GET /v1/agents HTTP/1.1", headers)
    assert refused.status == 400
    assert f"2 {extra.partition(':')[0]} headers: send one" in refused.detail


def test_the_target_of_a_proxy_request_does_not_stand_in_for_the_host(victim: Live) -> None:
    # What a browser would send if it took us for its proxy.
    target = "GET http://127.0.0.1/_sim/health HTTP/1.1"
    assert request(victim.url, target, ["Host: evil.test"]).status == 403


def test_without_a_host_as_before_http_1_1_a_key_is_needed_all_the_same(victim: Live) -> None:
    assert request(victim.url, "GET /_sim/health HTTP/1.0", []).status == 200
    assert request(victim.url, "GET /v1/agents HTTP/1.0", []).status == 401


@pytest.mark.parametrize("origin", ["http://evil.test", "http://localhost:3000"])
def test_a_preflight_is_never_granted(victim: Live, origin: str) -> None:
    host = f"Host: {urlsplit(victim.url).netloc}"
    wanted = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"]
    answer = request(victim.url, "OPTIONS /v1/agents HTTP/1.1", [host, f"Origin: {origin}", *wanted])
    assert answer.status in (403, 405)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("what", PATHS)
def test_no_answer_lets_a_page_of_another_origin_read_it(victim: Live, what: str) -> None:
    host = f"Host: {urlsplit(victim.url).netloc}"
    key = f"Authorization: Bearer {victim.first_key}"
    answer = request(victim.url, f"{what} HTTP/1.1", [host, "Origin: http://localhost:3000", key])
    assert answer.status
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_name_that_the_user_gave_is_let_in_and_no_other() -> None:
    with live_server(allow_origins=("box.test",)) as live:
        assert asked(live, "GET /_sim/health", "Origin: https://box.test", host="box.test:8787") == 200
        assert asked(live, "GET /_sim/health", host="evil.test") == 403
        assert asked(live, "GET /_sim/health", "Origin: https://evil.test", host="box.test") == 403


def test_serve_listens_on_loopback_and_warns_when_told_to_listen_further() -> None:
    with run_simulator() as (url, child):
        assert urlsplit(url).hostname == "127.0.0.1"
        child.stop()
        assert list(child.stderr) == []
    with run_simulator("--host", "0.0.0.0") as (url, child):  # reached through loopback here
        port = urlsplit(url).port
        assert request(f"http://127.0.0.1:{port}", headers=["Host: 192.168.0.7"]).status == 403
        child.stop()
    assert "warning: --host 0.0.0.0 lets other machines in" in "\n".join(child.stderr)
