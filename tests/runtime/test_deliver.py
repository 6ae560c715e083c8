from __future__ import annotations

import asyncio
import errno
import gzip
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, EventType, OutcomeKind, WebhookEndpoint
from simulator.engine.signing import verify
from simulator.errors import UsageError
from simulator.runtime.deliver import KEPT_BODY, READ_LIMIT, Sender, cause_of
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio

HEADERS = {"Content-Type": "application/json"}
NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender()
    yield sender
    await sender.close()


async def test_an_attempt_sends_the_bytes_as_they_are(sender: Sender) -> None:
    body = '{"text":"привет 👋"}'.encode()
    async with Receiver() as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, body)
    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook", body)
    assert (outcome.kind, outcome.http_status, outcome.error) == (OutcomeKind.ACCEPTED, 200, None)
    assert outcome.duration == timedelta()


async def test_a_body_over_a_megabyte_arrives_whole(sender: Sender) -> None:
    body = b"x" * 3_000_000
    async with Receiver() as receiver:
        await sender.attempt(receiver.url, HEADERS, body)
    assert receiver.requests[0].body == body


async def test_header_names_keep_their_case(sender: Sender) -> None:
    async with Receiver() as receiver:
        await sender.attempt(receiver.url, {"X-Webhook-ID": "del_1"}, b"{}")
    assert ("X-Webhook-ID", "del_1") in receiver.requests[0].headers


async def test_attempts_one_after_another_share_a_connection(sender: Sender) -> None:
    async with Receiver(answer(200, b"ok")) as receiver:
        for _ in range(5):
            await sender.attempt(receiver.url, HEADERS, b"{}")
    assert (len(receiver.requests), receiver.connections) == (5, 1)


async def test_many_attempts_at_once_do_not_queue_behind_each_other(sender: Sender) -> None:
    everybody = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        await everybody.wait()
        await answer()(exchange)

    async with Receiver(wait) as receiver:
        posts = [asyncio.create_task(sender.attempt(receiver.url, HEADERS, b"{}")) for _ in range(150)]
        await receiver.received(150)  # more than the HTTP client's usual limit of 100 connections
        everybody.set()
        outcomes = await asyncio.gather(*posts)
    assert {o.kind for o in outcomes} == {OutcomeKind.ACCEPTED}


async def test_a_closed_connection_is_replaced_by_a_new_one(sender: Sender) -> None:
    async with Receiver(answer(200, headers={"Connection": "close"})) as receiver:
        for _ in range(3):
            assert (await sender.attempt(receiver.url, HEADERS, b"{}")).kind is OutcomeKind.ACCEPTED
    assert receiver.connections == 3


@pytest.mark.parametrize("status", [201, 204, 299])
async def test_any_2xx_is_accepted(sender: Sender, status: int) -> None:
    async with Receiver(answer(status)) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.ACCEPTED, status)


async def test_the_policy_says_which_answers_are_accepted() -> None:
    sender = Sender(policies=Policies(overrides={"success_status": "only_200"}))
    async with Receiver(answer(202)) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    await sender.close()
    assert (outcome.kind, outcome.error) == (OutcomeKind.REJECTED, "the webhook answered 202")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_other_answers_are_rejected_with_their_body(sender: Sender, status: int) -> None:
    async with Receiver(answer(status, b'{"no":"thanks"}')) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.REJECTED, status)
    assert outcome.response_body == '{"no":"thanks"}'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(sender: Sender, status: int) -> None:
    async with Receiver() as other, Receiver(answer(status, headers={"Location": other.url})) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.REJECTED, status)
    assert other.requests == []


async def test_cookies_are_not_kept(sender: Sender) -> None:
    async with Receiver(answer(200, headers={"Set-Cookie": "a=1; Path=/"})) as receiver:
        await sender.attempt(f"http://localhost:{receiver.port}/", HEADERS, b"{}")
        await sender.attempt(f"http://localhost:{receiver.port}/", HEADERS, b"{}")
    assert receiver.requests[1].header("Cookie") is None


async def test_proxies_from_the_environment_are_ignored(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with Receiver() as receiver:
        assert (await sender.attempt(receiver.url, HEADERS, b"{}")).kind is OutcomeKind.ACCEPTED


async def test_localhost_is_reached_without_a_name_server(sender: Sender) -> None:
    async with Receiver() as receiver:
        for name in ("localhost", "LOCALHOST", "localhost.", "hooks.localhost"):
            outcome = await sender.attempt(f"http://{name}:{receiver.port}/", HEADERS, b"{}")
            assert outcome.kind is OutcomeKind.ACCEPTED, (name, outcome)


async def test_a_refused_connection_is_unreachable(sender: Sender) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    outcome = await sender.attempt(url, HEADERS, b"{}")
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.UNREACHABLE, None)
    assert outcome.error == "connection refused"


async def test_a_refused_connection_to_localhost_is_unreachable(sender: Sender) -> None:
    async with Receiver() as receiver:
        url = f"http://localhost:{receiver.port}/"
    outcome = await sender.attempt(url, HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.UNREACHABLE
    assert "refused" in (outcome.error or "")


async def test_a_host_that_is_not_allowed_is_refused_without_a_connection(sender: Sender) -> None:
    outcome = await sender.attempt("https://hooks.example.com/x", HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.REFUSED
    assert "--allow-host hooks.example.com" in (outcome.error or "")


async def test_a_named_host_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_knows(host: str, *_args: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
    sender = Sender(allow_hosts=["hooks.example.com"])
    outcome = await sender.attempt("http://hooks.example.com/", HEADERS, b"{}")
    await sender.close()
    assert (outcome.kind, outcome.error) == (OutcomeKind.UNREACHABLE, "host name hooks.example.com not found")


async def test_localhost_is_never_looked_up(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def numbers_only(host: str, *args: int, **more: int) -> object:
        assert "localhost" not in host
        return real(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", numbers_only)
    async with Receiver() as receiver:
        outcome = await sender.attempt(f"http://hooks.localhost:{receiver.port}/", HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_handler_that_speaks_no_tls_is_unreachable(sender: Sender) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await sender.attempt(f"https://127.0.0.1:{port}/", HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.UNREACHABLE
    assert outcome.error
    assert outcome.error.startswith("TLS failed: ")


async def test_a_reset_before_the_answer_is_unreachable(sender: Sender) -> None:
    async def reset(exchange: Exchange) -> None:
        exchange.reset()

    async with Receiver(reset) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.UNREACHABLE
    assert outcome.error in ("connection reset", "connection closed before an answer")


async def test_an_answer_that_breaks_off_is_unreachable(sender: Sender) -> None:
    async def half(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        exchange.reset()

    async with Receiver(half) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.UNREACHABLE, 200)
    assert outcome.error


@pytest.mark.parametrize("noise", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\x00\x01\r\n\r\n"])
async def test_something_that_is_not_http_is_unreachable(sender: Sender, noise: bytes) -> None:
    async def shout(exchange: Exchange) -> None:
        await exchange.raw(noise)
        exchange.reset()

    async with Receiver(shout) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.UNREACHABLE


async def test_only_the_start_of_an_answer_is_kept(sender: Sender) -> None:
    # Each ж is two bytes and the first one is preceded by one byte, so the cut goes through a character.
    async with Receiver(answer(500, b"x" + "ж".encode() * 5000)) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert outcome.response_body == "x" + "ж" * ((KEPT_BODY - 1) // 2)


async def test_bytes_that_are_no_text_are_replaced(sender: Sender) -> None:
    async with Receiver(answer(200, b"ok\xff\xc3")) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert outcome.response_body == "ok\ufffd\ufffd"


async def test_an_endless_answer_is_read_only_so_far(sender: Sender) -> None:
    gone = asyncio.Event()

    async def pour(exchange: Exchange) -> None:
        await exchange.head(200)
        try:
            while True:
                await exchange.piece(b"x" * 8192)
        finally:
            gone.set()

    async with Receiver(pour) as receiver, asyncio.timeout(10):
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
        await gone.wait()
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert len(outcome.response_body or "") == KEPT_BODY < READ_LIMIT


async def test_a_compressed_answer_is_read(sender: Sender) -> None:
    packed = gzip.compress(b'{"fine":true}')
    async with Receiver(answer(200, packed, {"Content-Encoding": "gzip"})) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert outcome.response_body == '{"fine":true}'


async def test_a_compressed_bomb_is_read_only_so_far(sender: Sender) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    async with Receiver(answer(200, bomb, {"Content-Encoding": "gzip"})) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert len(outcome.response_body or "") == KEPT_BODY


async def test_an_answer_that_lies_about_its_compression_is_unreachable(sender: Sender) -> None:
    async with Receiver(answer(200, b"plain", {"Content-Encoding": "gzip"})) as receiver:
        outcome = await sender.attempt(receiver.url, HEADERS, b"{}")
    assert outcome.kind is OutcomeKind.UNREACHABLE


async def test_cancelling_before_the_head_closes_the_connection(sender: Sender) -> None:
    gone = asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        await exchange.hung_up()
        gone.set()

    async with Receiver(silent) as receiver, asyncio.timeout(10):
        post = asyncio.create_task(sender.attempt(receiver.url, HEADERS, b"{}"))
        await receiver.received(1)
        post.cancel()
        with pytest.raises(asyncio.CancelledError):
            await post
        await gone.wait()


async def test_cancelling_in_the_middle_of_an_answer_closes_the_connection(sender: Sender) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def stall(exchange: Exchange) -> None:
        await exchange.head(200)
        begun.set()
        await exchange.hung_up()
        gone.set()

    async with Receiver(stall) as receiver, asyncio.timeout(10):
        post = asyncio.create_task(sender.attempt(receiver.url, HEADERS, b"{}"))
        await begun.wait()
        for _ in range(10):  # the head is in the socket already; a few passes of the loop carry it to the reader
            await asyncio.sleep(0)
        post.cancel()
        with pytest.raises(asyncio.CancelledError) as kept:  # its traceback keeps the answer from being collected
            await post
        await gone.wait()
        assert kept.value


async def test_a_closed_sender_sends_nothing(sender: Sender) -> None:
    await sender.close()
    with pytest.raises(UsageError, match="closed"):
        await sender.attempt("http://127.0.0.1:9/", HEADERS, b"{}")


async def test_a_sender_that_never_sent_closes(sender: Sender) -> None:
    await sender.close()
    await sender.close()


async def test_more_urls_than_are_remembered_do_no_harm(sender: Sender) -> None:
    async with Receiver() as receiver:
        for n in range(3000):
            await sender.attempt(f"https://h{n}.example.com/", HEADERS, b"{}")
        assert (await sender.attempt(receiver.url, HEADERS, b"{}")).kind is OutcomeKind.ACCEPTED
    assert len(sender._targets) <= 1024


ENDPOINT = WebhookEndpoint(id="wh_1", url="http://127.0.0.1/", secret="whsec_one", created_at=NOW)
DELIVERY = Delivery(
    id="del_msg_1_num_1",
    endpoint_id="wh_1",
    endpoint_agent_id=None,
    agent_id="agt_1",
    event_type=EventType.AGENT_MESSAGE,
    channel=None,
    body=b'{"a":1}',
    created_at=NOW,
    sequence=1,
)


def test_the_headers_are_the_documented_ones() -> None:
    headers = Sender.headers_for(DELIVERY, ENDPOINT, 1_790_000_000.9, NOW, Policies())
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Webhook-ID"] == "del_msg_1_num_1"
    assert headers["X-Webhook-Event"] == "agent.message"
    assert headers["X-Webhook-Timestamp"] == "1790000000"
    assert verify("whsec_one", headers["X-Webhook-Timestamp"], DELIVERY.body, headers["X-Webhook-Signature"])


def test_the_signature_clock_follows_the_policy() -> None:
    policies = Policies(overrides={"signature_clock": "simulated"})
    headers = Sender.headers_for(DELIVERY, ENDPOINT, 1_790_000_000.9, NOW, policies)
    assert headers["X-Webhook-Timestamp"] == str(int(NOW.timestamp()))


def test_the_signed_content_follows_the_policy() -> None:
    policies = Policies(overrides={"signature_content": "body"})
    headers = Sender.headers_for(DELIVERY, ENDPOINT, 1_790_000_000.9, NOW, policies)
    assert verify(
        "whsec_one", headers["X-Webhook-Timestamp"], DELIVERY.body, headers["X-Webhook-Signature"], content="body"
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (ConnectionResetError("Cannot write to closing transport"), "connection reset"),
        (OSError(errno.ECONNRESET, "Connection reset by peer"), "connection reset"),
        (ServerDisconnectedError(), "connection closed before an answer"),
        (ClientPayloadError("Response payload is not completed"), "connection broke in the middle of the answer"),
        (OSError(113, "No route to host"), "[Errno 113] No route to host"),
        (UnicodeError(), "UnicodeError"),
    ],
)
def test_a_broken_request_is_told_in_a_few_words(error: Exception, cause: str) -> None:
    assert cause_of(error) == cause


async def test_an_answer_longer_than_is_kept_is_read_to_its_end(sender: Sender) -> None:
    async def in_pieces(exchange: Exchange) -> None:
        await exchange.head(200)
        for _ in range(3):
            await exchange.piece(b"x" * KEPT_BODY)
            for _ in range(10):  # so that the pieces are read one by one
                await asyncio.sleep(0)
        await exchange.end()

    async with Receiver(in_pieces) as receiver:
        first = await sender.attempt(receiver.url, HEADERS, b"{}")
        await sender.attempt(receiver.url, HEADERS, b"{}")
    assert first.response_body == "x" * KEPT_BODY
    assert receiver.connections == 1
