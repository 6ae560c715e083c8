"""Every sample handler behind a relay that spoils one of its replies: the call goes on, and the finding says why."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from tests.helpers.platform import platform
from tests.helpers.processes import EXPRESS, Handler, run_handler
from tests.helpers.receiver import Exchange, Receiver, Reply

pytestmark = pytest.mark.anyio
SECRET = "whsec_of_this_test"
NAMES = ("simple_starlette.py", "streaming_fastapi.py", "tools_flask.py", EXPRESS)
QUESTION, GOODBYE = "Where is order 4521?", "Thank you, goodbye."
NDJSON = {"Content-Type": "application/x-ndjson"}

Fault = Callable[[Exchange, bytes], Awaitable[None]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=NAMES)
def handler(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    secret_file = tmp_path_factory.mktemp("handler") / "secret"
    secret_file.write_text(SECRET)
    with run_handler(request.param, secret_file, secret=SECRET) as running:
        yield running


async def stream(exchange: Exchange, *pieces: bytes, status: int = 200, kind: str = NDJSON["Content-Type"]) -> None:
    await exchange.head(status, {"Content-Type": kind})
    for piece in pieces:
        await exchange.piece(piece)
    await exchange.end()


async def byte_by_byte(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, *(body[at : at + 1] for at in range(len(body))))


async def without_the_final(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, b"".join(body.splitlines(keepends=True)[:-1]))


async def cut_in_the_last_line(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, body.rstrip()[:-5])


async def with_a_line_of_garbage(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, b"<!doctype html>\n", body)


async def with_a_line_that_is_a_list(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, b'["text"]\n', body)


async def with_more_after_the_final(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, body, b'\n{"text": "one more thing"}\n')


async def as_plain_text(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, body, kind="text/plain")


async def as_a_server_error(exchange: Exchange, body: bytes) -> None:
    await stream(exchange, body, status=500)


async def empty(exchange: Exchange, _body: bytes) -> None:
    await stream(exchange)


async def broken_off_after_a_line(exchange: Exchange, body: bytes) -> None:
    await exchange.head(200, NDJSON)
    await exchange.piece(body.splitlines(keepends=True)[0])
    exchange.close()


async def reset_at_once(exchange: Exchange, _body: bytes) -> None:
    exchange.reset()


# The findings that each leads to, and which of the handler's chunks the caller hears all the same.
FAULTS: list[tuple[Fault, list[str], slice]] = [
    (byte_by_byte, [], slice(None)),
    (without_the_final, ["missing_final"], slice(-1)),
    (cut_in_the_last_line, ["chunk_not_json", "missing_final"], slice(-1)),
    (with_a_line_of_garbage, ["chunk_not_json"], slice(None)),
    (with_a_line_that_is_a_list, ["chunk_not_object"], slice(None)),
    (with_more_after_the_final, ["text_after_final"], slice(None)),
    (as_plain_text, ["reply_wrong_content_type"], slice(None)),
    (as_a_server_error, ["reply_http_error"], slice(0)),
    (empty, ["reply_empty"], slice(0)),
    (broken_off_after_a_line, ["reply_broken"], slice(1)),
    (reset_at_once, ["reply_unreachable"], slice(0)),
]


def relay(url: str, fault: Fault, answers: list[bytes]) -> Reply:
    """Hand every request on to the handler at `url`, and its reply back; the one to QUESTION is spoilt."""

    async def reply(exchange: Exchange) -> None:
        sent = exchange.request
        signed = {name: value for name, value in sent.headers if name.lower().startswith("x-webhook")}
        async with httpx.AsyncClient(timeout=30) as client:
            real = await client.post(url, content=sent.body, headers={"Content-Type": "application/json", **signed})
        assert real.status_code == 200, real.text
        if json.loads(sent.body)["data"].get("transcript") == QUESTION:
            answers.append(real.content)
            await fault(exchange, real.content)
        else:
            await stream(exchange, *([real.content] if real.content else []))

    return reply


@pytest.mark.parametrize(("fault", "findings", "heard"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
async def test_a_spoilt_reply_leaves_a_finding_and_the_call_goes_on(
    handler: Handler, fault: Fault, findings: list[str], heard: slice
) -> None:
    answers: list[bytes] = []
    async with Receiver(relay(handler.url, fault, answers)) as front, platform(webhook_secret=SECRET) as p:
        _, number = await p.line(front.url)
        script = {"from": "+14155550150", "to": number, "script": [QUESTION, GOODBYE], "wait": True}
        call = await p.post("/_sim/calls", script)
    said = " ".join(json.loads(line)["text"].strip() for line in answers[0].splitlines()[heard])
    first, last = call["call"]["transcripts"]
    assert [finding["kind"] for finding in call["findings"]] == findings
    assert (first["response"] or "").split() == said.split()
    assert last["response"]
    assert call["disconnection_reason"] == "agent_hangup"
