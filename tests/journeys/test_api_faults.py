"""Faults on the API over a real socket, as httpx and the official SDK see them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from agentphone import AgentPhone, AgentPhoneError, AuthenticationError, NotFoundError

from simulator.clock import ClockMode
from tests.helpers.live_server import Live, Outside, live_server

PERSON = "+14155550150"


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as running:
        yield running


class Desk:
    """One account, spoken to by httpx, by the SDK and from outside."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.outside = Outside(url, key)
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self.sdk = AgentPhone(key, url)

    def fault(self, fault: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.outside.send("POST", "/_sim/faults", {"on": "api", "fault": fault, **more})
        return made

    def agents(self) -> int:
        return int(self.outside.send("GET", "/v1/agents")["total"])

    def journal(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.outside.send("GET", "/_sim/journal", kind=kind)["entries"]
        return found

    def close(self) -> None:
        self.outside.__exit__()
        self.http.close()
        self.sdk.close()


@pytest.fixture
def desk(server: Live) -> Iterator[Desk]:
    desk = Desk(server.url, server.new_key())
    yield desk
    desk.close()


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 418, 429, 500, 502, 503, 504, 599])
def test_a_status_is_answered_in_both_documented_shapes_and_nothing_happens(desk: Desk, status: int) -> None:
    desk.fault("status", status=status, code="ON_PURPOSE", message="for this test", retry_after=7, times=1)
    answer = desk.http.post("/v1/agents", json={"name": "A"})
    assert answer.status_code == status
    assert answer.json() == {
        "detail": "for this test",
        "code": "ON_PURPOSE",
        "error": {
            "message": "for this test",
            "code": "ON_PURPOSE",
            "type": answer.json()["error"]["type"],
            "details": None,
        },
    }
    assert answer.headers["Retry-After"] == "7"
    assert desk.http.post("/v1/agents", json={"name": "A"}).status_code == 200
    assert desk.agents() == 1
    told = desk.journal("api.request")
    assert [(t["status"], t["body"]) for t in told[:2]] == [(status, {"name": "A"}), (200, {"name": "A"})]


@pytest.mark.parametrize(
    ("status", "code", "header"),
    [
        (401, None, "WWW-Authenticate"),
        (402, "INSUFFICIENT_BALANCE", None),
        (404, None, None),
        (429, "RATE_LIMIT_EXCEEDED", "Retry-After"),
        (502, "CARRIER_ERROR", None),
        (503, "SERVICE_UNAVAILABLE", None),
    ],
)
def test_a_status_looks_as_the_platforms_own_does(
    desk: Desk, status: int, code: str | None, header: str | None
) -> None:
    desk.fault("status", status=status)
    answer = desk.http.get("/v1/agents")
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert header is None or header in answer.headers
    assert isinstance(answer.json()["detail"], str)


def test_a_422_is_a_list_of_what_is_wrong(desk: Desk) -> None:
    desk.fault("status", status=422)
    (found,) = desk.http.get("/v1/agents").json()["detail"]
    assert set(found) == {"loc", "msg", "type"}


def test_an_error_afterwards_loses_only_the_answer(desk: Desk) -> None:
    desk.fault("status", status=503, effect="done", times=1)
    assert desk.http.post("/v1/agents", json={"name": "A"}).status_code == 503
    assert desk.agents() == 1
    assert desk.journal("api.request")[0]["status"] == 200  # what the platform did
    (fired,) = desk.journal("fault.fired")
    assert (fired["parameters"]["status"], fired["operation_id"], fired["path"]) == (503, "createAgent", "/v1/agents")


@pytest.mark.parametrize("effect", ["none", "done"])
def test_latency_is_simulated_and_an_idle_clock_jumps_over_it(desk: Desk, effect: str) -> None:
    before = desk.outside.send("GET", "/_sim/clock")["now"]
    desk.fault("latency", seconds=3600, effect=effect, times=1)
    assert desk.http.post("/v1/agents", json={"name": "A"}).status_code == 200
    assert (before[:13], desk.outside.send("GET", "/_sim/clock")["now"][:13]) == ("2026-01-05T15", "2026-01-05T16")
    assert desk.journal("api.request")[0]["at"].startswith("2026-01-05T16" if effect == "none" else "2026-01-05T15")


def raw(desk: Desk, request: bytes) -> tuple[bytes, bool]:
    """Everything that comes on a connection of its own until it ends, and whether it was reset."""
    host, _, port = desk.url.removeprefix("http://").partition(":")
    got = b""
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(request)
        try:
            while piece := sock.recv(65_536):
                got += piece
        except ConnectionResetError:
            return got, True
    return got, False


def ask(desk: Desk, method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {desk.key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(("effect", "made"), [("none", 0), ("done", 1)])
def test_a_reset_is_a_tcp_reset_before_or_after_the_operation(desk: Desk, effect: str, made: int) -> None:
    desk.fault("reset", effect=effect, times=1)
    assert raw(desk, ask(desk, "POST", "/v1/agents", b'{"name": "A"}')) == (b"", True)
    assert [e["status"] for e in desk.journal("api.request")] == [200] * made
    assert desk.agents() == made


def test_a_truncated_answer_has_its_whole_head_and_half_of_its_body(desk: Desk) -> None:
    whole = desk.http.get("/v1/agents").content
    desk.fault("truncate", times=1)
    got, reset = raw(desk, ask(desk, "GET", "/v1/agents"))
    head, _, body = got.partition(b"\r\n\r\n")
    assert (b"content-length: %d" % len(whole)) in head.lower()
    assert (body, reset) == (whole[: len(whole) // 2], False)


def test_a_truncated_stream_breaks_after_what_comes_first(desk: Desk) -> None:
    agent = desk.sdk.agents.create(name="A")
    number = desk.sdk.numbers.buy(agent_id=agent.id)
    call = desk.outside.call(PERSON, number.phone_number, "hello")
    desk.fault("truncate", match={"operation": "streamCallTranscript"})
    with (
        pytest.raises(httpx.RemoteProtocolError),
        desk.http.stream("GET", f"/v1/calls/{call['call_id']}/transcript/stream") as answer,
    ):
        for piece in answer.iter_text():
            assert "event: connected" in piece and "ended" not in piece


def test_every_way_to_break_is_an_error_of_the_client_and_the_server_goes_on(desk: Desk) -> None:
    for fault in ("reset", "truncate"):
        desk.fault(fault, times=1)
        with pytest.raises(httpx.TransportError):
            desk.http.get("/v1/agents")
    assert desk.agents() == 0


def test_a_request_in_its_latency_is_let_go_by_a_reset_of_the_account() -> None:
    with live_server(ClockMode.MANUAL) as server:
        desk = Desk(server.url, server.new_key())
        desk.fault("latency", seconds=60)
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(desk.http.get("/v1/agents")))
        asking.start()
        desk.outside.send("GET", "/_sim/journal", kind="fault.fired", wait=30)
        desk.outside.send("POST", "/_sim/reset")
        asking.join(30)
        assert answers[0].status_code == 409 and "reset" in answers[0].json()["detail"]
        desk.close()


def test_a_manual_clock_reaches_a_request_in_its_latency_at_its_own_instant() -> None:
    with live_server(ClockMode.MANUAL) as server:
        desk = Desk(server.url, server.new_key())
        desk.fault("latency", seconds=60)
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(desk.http.post("/v1/agents", json={"name": "A"})))
        asking.start()
        desk.outside.send("GET", "/_sim/journal", kind="fault.fired", wait=30)
        desk.outside.send("POST", "/_sim/clock/advance", {"seconds": 3600})
        asking.join(30)
        assert answers[0].json()["createdAt"] == "2026-01-05T15:01:00.000Z"
        desk.close()


def test_a_server_that_stops_lets_go_whoever_waits_in_a_latency() -> None:
    answers: list[httpx.Response] = []
    with live_server(ClockMode.MANUAL) as server:
        desk = Desk(server.url, server.new_key())
        desk.fault("latency", seconds=60)
        asking = threading.Thread(target=lambda: answers.append(desk.http.get("/v1/agents")))
        asking.start()
        desk.outside.send("GET", "/_sim/journal", kind="fault.fired", wait=30)
    asking.join(30)
    assert answers[0].status_code == 409
    desk.close()


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({"route": "POST /v1/agents"}, ["createAgent"]),
        ({"route": "/v1/agents"}, ["listAgents", "createAgent"]),
        ({"route": "get /v1/agents/{agent_id}"}, ["getAgent"]),
        ({"route": "GET /v1/agents/*"}, ["getAgent", "listVoices"]),
        ({"route": "/v1/**"}, ["listAgents", "createAgent", "getAgent", "listVoices", "listNumbers"]),
        ({"route": "* /v1/numbers"}, ["listNumbers"]),
        ({"operation": "listNumbers"}, ["listNumbers"]),
        ({"route": "/v1/numbers", "operation": "listAgents"}, []),
    ],
)
def test_a_route_is_a_method_and_a_path(desk: Desk, match: dict[str, str], struck: list[str]) -> None:
    agent = desk.sdk.agents.create(name="A").id
    desk.fault("latency", seconds=1, match=match)
    desk.http.get("/v1/agents")
    desk.http.post("/v1/agents", json={"name": "B"})
    desk.http.get(f"/v1/agents/{agent}")
    desk.http.get("/v1/agents/voices")
    desk.http.get("/v1/numbers")
    assert [entry["operation_id"] for entry in desk.journal("fault.fired")] == struck


def test_one_agent_alone_is_a_route_as_well(desk: Desk) -> None:
    one, other = (desk.sdk.agents.create(name=name).id for name in "AB")
    desk.fault("status", status=500, match={"route": f"/v1/agents/{one}"})
    assert (desk.http.get(f"/v1/agents/{one}").status_code, desk.http.get(f"/v1/agents/{other}").status_code) == (
        500,
        200,
    )


def test_what_a_test_does_to_the_simulator_never_goes_wrong(desk: Desk) -> None:
    desk.fault("reset", match={"route": "/**"})
    for _ in range(3):
        desk.outside.send("GET", "/_sim/faults")
    assert desk.journal("fault") == []


# -- the official SDK ----------------------------------------------------------------------------------------------


def line(desk: Desk) -> str:
    agent = desk.sdk.agents.create(name="Support")
    return str(desk.sdk.numbers.buy(agent_id=agent.id).id)


def texts(desk: Desk, number: str) -> int:
    return len(desk.http.get(f"/v1/numbers/{number}/messages").json()["data"])


@pytest.mark.parametrize(("effect", "sent"), [("none", 1), ("done", 2)])
def test_a_send_that_is_repeated_after_a_lost_answer_makes_two_messages(desk: Desk, effect: str, sent: int) -> None:
    number = line(desk)
    desk.fault("reset", effect=effect, times=1, match={"route": "POST /v1/messages"})
    for _ in range(2):  # what a client does that tries again whenever no answer came
        try:
            desk.sdk.messages.send(number_id=number, to_number=PERSON, body="Your order has shipped")
            break
        except OSError:  # what the SDK's HTTP client raises
            continue
    assert texts(desk, number) == sent


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationError), (404, NotFoundError), (429, AgentPhoneError), (503, AgentPhoneError)],
)
def test_the_sdk_raises_its_own_errors(desk: Desk, status: int, error: type[Exception]) -> None:
    desk.fault("status", status=status, message="on purpose", match={"operation": "listAgents"})
    with pytest.raises(error, match="on purpose"):
        desk.sdk.agents.list()


def test_the_sdk_cannot_read_half_an_answer(desk: Desk) -> None:
    desk.fault("truncate", match={"operation": "listAgents"})
    with pytest.raises(OSError, match="IncompleteRead"):
        desk.sdk.agents.list()


def test_some_requests_fail_by_luck_and_always_the_same_ones_for_a_seed() -> None:
    def story() -> list[int]:
        with live_server(accounts=1, seed=7) as server:
            desk = Desk(server.url, server.new_key())
            desk.fault("status", status=503, probability=0.4)
            answers = [desk.http.get("/v1/agents").status_code for _ in range(30)]
            desk.close()
            return answers

    first = story()
    assert story() == first and set(first) == {200, 503}
