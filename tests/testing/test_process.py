from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from simulator.clock import ClockMode
from simulator.errors import Refused, UsageError
from simulator.testing.process import InProcess, settings_of
from tests.helpers.both_ways import CALLER, call, in_process, journal, line

SAID = {"text": "It has shipped."}


@pytest.fixture
def place() -> Iterator[InProcess]:
    made = in_process()
    yield made
    made.close()


def answering(answer: Any, **more: Any) -> Starlette:
    """An application whose only route is answered by a function of the event."""

    async def webhook(request: Request) -> Response:
        event = await request.json()
        if event["event"] != "agent.message":
            return Response()
        made: Response = await answer(event)
        return made

    return Starlette(routes=[Route("/webhook", webhook, methods=["POST"])], **more)


def first_words(heard: Any) -> list[float | None]:
    return [turn["first_word"] for turn in heard["timeline"]["turns"]]


# -- time ------------------------------------------------------------------------------------------------------


def test_a_handler_that_sleeps_too_long_is_timed_out_at_once_and_the_next_turn_works(place: InProcess) -> None:
    turns = iter([35, 0])

    async def answer(_event: Any) -> Response:
        await asyncio.sleep(next(turns))
        return JSONResponse(SAID)

    number = line(place, answering(answer))
    began = time.monotonic()
    heard = call(place, number, "Where is my order?", "Hello?", {"hang_up": True})
    assert time.monotonic() - began < 10
    assert [finding["kind"] for finding in heard["findings"]] == ["reply_timed_out"]
    late, good = journal(place, "turn.closed")
    assert (late["how"], late["after"]) == ("timed_out", 30.0)
    assert (good["how"], good["after"]) == ("final", 0.0)


def test_what_a_handler_sleeps_is_its_latency_to_the_millisecond(place: InProcess) -> None:
    async def answer(_event: Any) -> Response:
        await asyncio.sleep(1.234)
        return JSONResponse(SAID)

    number = line(place, answering(answer))
    call(place, number, "Where is my order?")
    assert [entry["after"] for entry in journal(place, "turn.started")] == [1.234]


def test_chunks_come_at_their_instants_and_the_caller_barges_in_between(place: InProcess) -> None:
    async def chunks() -> AsyncIterator[str]:
        yield '{"text": "Let me look.", "interim": true}\n'
        await asyncio.sleep(10)
        yield '{"text": "It has shipped."}\n'

    async def answer(_event: Any) -> Response:
        return StreamingResponse(chunks(), media_type="application/x-ndjson")

    number = line(place, answering(answer))
    call(place, number, "Where is my order?", {"wait": 1}, "Thanks", {"wait": 20})
    assert [(entry["turn_id"], entry["after"]) for entry in journal(place, "turn.chunk")][:2] == [
        ("1", 0.0),
        ("1", 10.0),
    ]


def test_a_handlers_own_timeout_and_ours_are_in_one_order(place: InProcess) -> None:
    async def answer(_event: Any) -> Response:
        try:
            async with asyncio.timeout(29):
                await asyncio.sleep(60)
        except TimeoutError:
            return JSONResponse({"text": "Sorry, that took too long."})
        raise AssertionError

    number = line(place, answering(answer))
    call(place, number, "Where is my order?")
    assert [entry["after"] for entry in journal(place, "turn.closed")] == [29.0]


@pytest.mark.parametrize(("delay", "status"), [(30, "done"), (90, "failed")])
def test_a_text_that_is_answered_later_is_expected_in_the_handlers_time(
    place: InProcess, delay: float, status: str
) -> None:
    async def reply(event: Any) -> None:
        await asyncio.sleep(delay)
        message = {
            "number_id": event["data"]["numberId"],
            "to_number": event["data"]["from"],
            "body": "It has shipped.",
        }
        await to_ourselves(place, "/v1/messages", message)

    async def answer(event: Any) -> Response:
        if event["data"].get("direction") == "outbound":
            return Response()
        return Response(background=BackgroundTask(reply, event))

    number = line(place, answering(answer))
    script = [{"text": "hi"}, {"expect_reply": {"within": 60}}]
    body = {"from": CALLER, "to": number, "script": script, "wait": True}
    assert place.ask("POST", "/_sim/threads", body)["status"] == status


async def to_ourselves(place: InProcess, path: str, body: Any) -> None:
    """Ask the platform on the loop that we are on."""
    import httpx

    transport = httpx.ASGITransport(app=place.app)
    headers = {"Authorization": f"Bearer {place.api_key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        (await client.post(path, json=body)).raise_for_status()


def test_a_manual_clock_moves_only_when_told() -> None:
    place = in_process(clock=ClockMode.MANUAL)

    async def answer(_event: Any) -> Response:
        await asyncio.sleep(7)
        return JSONResponse(SAID)

    try:
        number = line(place, answering(answer))
        placed = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number, "script": ["Hello?"]})
        before = place.ask("GET", "/_sim/clock")
        assert (before["now"], before["timers"]) == ("2026-01-05T15:00:00.000Z", 1)
        place.ask("POST", "/_sim/clock/advance", {"seconds": 60})
        assert place.ask("GET", f"/v1/calls/{placed['call_id']}")["status"] == "completed"
        assert [entry["after"] for entry in journal(place, "turn.started")] == [0.0]
    finally:
        place.close()


def test_advancing_fires_what_is_due_and_ends_where_it_was_told(place: InProcess) -> None:
    async def answer(_event: Any) -> Response:
        return JSONResponse(SAID)

    number = line(place, answering(answer))
    placed = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number})  # a live phone: time waits for the caller
    place.ask("POST", "/_sim/clock/advance", {"seconds": 5})
    assert place.ask("GET", "/_sim/clock")["now"] == "2026-01-05T15:00:05.000Z"
    assert place.ask("GET", f"/v1/calls/{placed['call_id']}")["status"] == "in-progress"
    assert journal(place, "clock.jumped")[-1]["to"] == "2026-01-05T15:00:05+00:00"
    place.ask("POST", f"/_sim/calls/{placed['call_id']}/hang_up")


def test_a_poller_in_the_background_neither_moves_time_nor_spins(place: InProcess) -> None:
    ticks: list[int] = []

    @asynccontextmanager
    async def polling(_app: Any) -> AsyncIterator[None]:
        async def poll() -> None:
            while True:
                await asyncio.sleep(1)
                ticks.append(1)

        task = asyncio.create_task(poll())
        yield
        task.cancel()

    async def answer(_event: Any) -> Response:
        return JSONResponse(SAID)

    number = line(place, answering(answer, lifespan=polling))
    assert ticks == []
    call(place, number, "Where is my order?")
    place.ask("POST", "/_sim/clock/run_until_idle")
    seen, now = len(ticks), place.ask("GET", "/_sim/clock")["now"]
    for _ in range(5):
        assert place.ask("GET", "/_sim/clock")["now"] == now
    assert len(ticks) == seen < 60


REPLY = b'{"text": "Let me look.", "interim": true}\n{"text": "It has", "interim": true}\n\n{"text": "shipped."}\n'


@given(cuts=st.lists(st.tuples(st.integers(0, len(REPLY)), st.integers(0, 3)), max_size=6))
@settings(max_examples=30)
def test_however_a_reply_is_cut_the_journal_is_the_same(cuts: list[tuple[int, int]]) -> None:
    def told(cuts: list[tuple[int, int]]) -> list[dict[str, Any]]:
        async def app(scope: Any, _receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                raise RuntimeError("no life cycle")
            headers = [(b"content-type", b"application/x-ndjson")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            at = 0
            for cut, turns in sorted(cuts):
                await send({"type": "http.response.body", "body": REPLY[at:cut], "more_body": True})
                at = cut
                for _ in range(turns):
                    await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": REPLY[at:]})

        place = in_process()
        try:
            call(place, line(place, app), "Where is my order?")
            return journal(place)
        finally:
            place.close()

    assert told(cuts) == told([])


# -- threads ---------------------------------------------------------------------------------------------------


def test_a_plain_function_in_a_thread_takes_no_time_within_the_grace(place: InProcess) -> None:
    from fastapi import FastAPI

    app = FastAPI(openapi_url=None)

    @app.post("/webhook")
    def webhook() -> dict[str, str]:
        time.sleep(0.02)
        return SAID

    number = line(place, app)
    call(place, number, "Where is my order?", "And now?")
    assert [entry["after"] for entry in journal(place, "turn.closed")] == [0.0, 0.0]


def test_a_thread_that_takes_longer_than_the_grace_takes_time() -> None:
    place, go = in_process(handler_grace=timedelta()), threading.Event()

    async def answer(_event: Any) -> Response:
        await anyio.to_thread.run_sync(go.wait, 0.05)
        return JSONResponse(SAID)

    try:
        number = line(place, answering(answer))
        call(place, number, "Where is my order?")
        [after] = [entry["after"] for entry in journal(place, "turn.closed")]
        assert 0.05 <= after < 10
    finally:
        place.close()


def test_a_wsgi_application_streams_each_piece_when_it_has_it(place: InProcess) -> None:
    gate = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "application/x-ndjson")])
        if b'"agent.message"' not in environ["wsgi.input"].read():
            return
        yield b'{"text": "Let me look.", "interim": true}\n'
        assert gate.wait(10)  # opened by whoever has seen the first piece in the journal
        yield b'{"text": "It has shipped."}\n'

    number = line(place, app, "/")
    opener = threading.Thread(target=lambda: (chunk(place), gate.set()))
    opener.start()
    call(place, number, "Where is my order?")
    opener.join()
    assert [entry["text"] for entry in journal(place, "turn.chunk")] == ["Let me look.", "It has shipped."]


def chunk(place: InProcess) -> None:
    """Wait for the first chunk of a reply."""
    assert place.simulator.runners  # from another thread, as the test's own is busy
    found = asyncio.run_coroutine_threadsafe(first_chunk(place), place.loop)
    found.result(10)


async def first_chunk(place: InProcess) -> None:
    runner = place.simulator.runner_for(place.api_key)
    assert runner is not None
    await runner.journal_since(0, "turn.chunk", 1, 10)


# -- asking ----------------------------------------------------------------------------------------------------


def test_a_refusal_is_an_error_with_its_status(place: InProcess) -> None:
    with pytest.raises(Refused) as refused:
        place.ask("GET", "/v1/agents/agt_none")
    assert refused.value.status == 404


def test_asking_on_the_loop_that_answers_says_why_it_cannot_be(place: InProcess) -> None:
    problems: list[str] = []

    async def answer(_event: Any) -> Response:
        try:
            place.ask("GET", "/v1/agents")
        except UsageError as error:
            problems.append(str(error))
        return JSONResponse(SAID)

    number = line(place, answering(answer))
    call(place, number, "Where is my order?")
    assert len(problems) == 1 and "plain `def` endpoint" in problems[0]


def test_an_endpoint_in_a_thread_may_ask_while_everybody_waits_for_it(place: InProcess) -> None:
    from fastapi import FastAPI

    app = FastAPI(openapi_url=None)

    @app.post("/webhook")
    def webhook() -> dict[str, str]:
        return {"text": f"You have {len(place.ask('GET', '/v1/agents')['data'])} agent."}

    number = line(place, app)
    heard = call(place, number, "How many agents have I?")
    assert [row["response"] for row in heard["call"]["transcripts"] if row["response"]] == ["You have 1 agent."]


def test_waiting_for_what_will_never_come_ends_at_once(place: InProcess) -> None:
    began = time.monotonic()
    assert place.ask("GET", "/_sim/journal?kind=call.started&wait=60")["entries"] == []
    assert time.monotonic() - began < 10


def test_a_live_phone_waits_for_its_caller_without_time_passing(place: InProcess) -> None:
    async def answer(_event: Any) -> Response:
        return JSONResponse(SAID)

    number = line(place, answering(answer), beginMessage="Acme, hello!")
    placed = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number})
    path = f"/_sim/calls/{placed['call_id']}"
    place.ask("POST", f"{path}/listen")
    before = place.ask("GET", "/_sim/clock")["now"]
    place.ask("GET", "/v1/agents")
    assert place.ask("GET", "/_sim/clock")["now"] == before
    place.ask("POST", f"{path}/say", {"text": "Where is my order?"})
    place.ask("POST", f"{path}/listen")
    place.ask("POST", f"{path}/hang_up")
    place.ask("POST", "/_sim/clock/run_until_idle")
    said = [(entry["party"], entry["text"]) for entry in journal(place, "speech.heard")]
    assert said == [("agent", "Acme, hello!"), ("user", "Where is my order?"), ("agent", "It has shipped.")]


def test_a_test_that_asks_waits_for_a_thread_that_is_at_work(place: InProcess) -> None:
    from fastapi import FastAPI

    app = FastAPI(openapi_url=None)

    @app.post("/webhook")
    def webhook() -> dict[str, str]:
        time.sleep(0.05)
        return SAID

    number = line(place, app)
    placed = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number, "script": ["Where is my order?"]})
    assert place.ask("GET", f"/v1/calls/{placed['call_id']}")["status"] == "completed"


def test_a_socket_that_an_application_keeps_open_does_not_make_time_real() -> None:
    place = in_process(handler_grace=timedelta())

    @asynccontextmanager
    async def listening(_app: Any) -> AsyncIterator[None]:
        async with await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0):
            yield

    async def answer(_event: Any) -> Response:
        return JSONResponse(SAID)

    try:
        number = line(place, answering(answer, lifespan=listening))
        began = time.monotonic()
        call(place, number, "Where is my order?", {"wait": 15}, "Thanks")
        assert time.monotonic() - began < 10
    finally:
        place.close()


# -- life ------------------------------------------------------------------------------------------------------


def test_closing_shuts_the_application_down_and_cancels_what_it_left_running() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[None]:
        seen.append("startup")
        yield
        await asyncio.sleep(3600)
        seen.append("shutdown")

    async def answer(_event: Any) -> Response:
        return JSONResponse(SAID, background=BackgroundTask(for_ever))

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    place = in_process()
    number = line(place, answering(answer, lifespan=life))
    call(place, number, "Where is my order?")
    place.close()
    assert seen == ["startup", "cancelled", "shutdown"]
    place.close()  # a second time does nothing


def test_an_application_that_does_not_shut_down_is_named() -> None:
    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    place = in_process()
    place.mount(Starlette(lifespan=life))
    with pytest.raises(UsageError, match="did not shut down"):
        place.close()


def test_an_application_that_does_not_start_is_named_and_the_place_goes_on(place: InProcess) -> None:
    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    with pytest.raises(UsageError, match="no database"):
        place.mount(Starlette(lifespan=life))
    assert place.ask("GET", "/v1/agents")["data"] == []


def test_a_second_application_under_the_same_name_takes_the_place_of_the_first(place: InProcess) -> None:
    async def one(_event: Any) -> Response:
        return JSONResponse({"text": "One."})

    async def two(_event: Any) -> Response:
        return JSONResponse({"text": "Two."})

    number = line(place, answering(one))
    place.mount(answering(two))
    call(place, number, "Who is there?")
    assert [entry["text"] for entry in journal(place, "turn.chunk")] == ["Two."]


def test_only_names_of_this_machine_can_be_mounted(place: InProcess) -> None:
    with pytest.raises(UsageError, match="not this machine"):
        place.mount(Starlette(), host="example.com")


def test_another_account_of_the_place_is_asked_by_its_own_key() -> None:
    place = in_process()
    try:
        beside = place.beside(place.ask("POST", "/_sim/accounts")["api_key"])
        place.ask("POST", "/v1/agents", {"name": "A"})
        assert beside.ask("GET", "/v1/agents")["data"] == []
        beside.close()
        assert place.ask("GET", "/v1/agents")["data"] != []
    finally:
        place.close()
    beside.close()  # with its place it is gone


def test_threads_and_loops_end_with_their_place() -> None:
    before = threading.active_count()
    for _ in range(20):
        place = in_process()
        place.ask("GET", "/v1/agents")
        place.close()
        assert place.loop.is_closed()
    assert threading.active_count() == before


def test_a_tests_words_become_settings() -> None:
    from simulator.testing.options import Options

    made = settings_of("sk_test", Options(clock="manual", seed=7, start="2026-03-01T00:00:00+00:00", handler_grace=2.5))
    assert (made.api_keys, made.clock, made.seed) == (("sk_test",), ClockMode.MANUAL, 7)
    assert made.start is not None and made.start.month == 3
    assert made.handler_grace == timedelta(seconds=2.5)
    assert settings_of("sk_test", Options()).handler_grace == timedelta(seconds=5)
