from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from agentphone import AgentPhone
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.app import build_app, build_simulator
from simulator.runtime.server import ServerThread
from simulator.settings import Settings
from simulator.testing.front import Front
from simulator.testing.process import InProcess
from tests.helpers.both_ways import CALLER, call, line, settings
from tests.helpers.sse import events

LOBBY_KEY = "sk_live_lobby"
TAKE_UP = 0.2  # real seconds; a loop that is blocked is blocked for good


class House:
    """A front on a real socket, and places behind it."""

    def __init__(self) -> None:
        self.front = Front(build_app(build_simulator(Settings(api_keys=(LOBBY_KEY,)))), take_up=TAKE_UP)
        self._server = ServerThread(self.front).start()
        self.front.url = self._server.url
        self.places: list[InProcess] = []

    def place(self, key: str) -> InProcess:
        made = InProcess(settings(api_keys=(key,)), self.front)
        self.places.append(made)
        return made

    def get(self, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.get(f"{self.front.url}{path}", headers=headers, timeout=30, **more)

    def close(self) -> None:
        for place in self.places:
            place.close()
        self._server.stop()


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.close()


def answering(answer: Any) -> Starlette:
    async def webhook(request: Request) -> Response:
        made: Response = await answer(await request.json())
        return made

    return Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])


async def polite(_event: Any) -> Response:
    return JSONResponse({"text": "It has shipped."})


def test_each_key_leads_to_its_own_account(house: House) -> None:
    for key in ("sk_live_a", "sk_live_b"):
        house.place(key).ask("POST", "/v1/agents", {"name": key})
    for key in ("sk_live_a", "sk_live_b"):
        assert [agent["name"] for agent in house.get("/v1/agents", key).json()["data"]] == [key]
    assert house.get("/v1/agents", LOBBY_KEY).json()["data"] == []


@pytest.mark.parametrize("key", [None, "sk_live_nobody"])
def test_an_unknown_key_is_refused_as_the_platform_does(house: House, key: str | None) -> None:
    house.place("sk_live_a")
    answer = house.get("/v1/agents", key)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_key_is_unknown_once_its_place_is_closed(house: House) -> None:
    place = house.place("sk_live_a")
    assert house.get("/v1/agents", "sk_live_a").status_code == 200
    place.close()
    assert house.get("/v1/agents", "sk_live_a").status_code == 401


def test_the_official_sdk_is_served_in_process(house: House) -> None:
    place = house.place("sk_live_a")
    client = AgentPhone(api_key="sk_live_a", base_url=place.base_url)
    agent = client.agents.create(name="Support")
    assert [found.id for found in client.agents.list().data] == [agent.id]


def test_a_recording_is_found_without_a_key_whoevers_it_is(house: House) -> None:
    older, _newer = house.place("sk_live_a"), house.place("sk_live_b")
    number = line(older, answering(polite))
    heard = call(older, number, "Where is my order?")
    found = house.get(f"/v1/calls/{heard['call_id']}/recording")
    assert (found.status_code, found.headers["content-type"], found.content[:4]) == (200, "audio/wav", b"RIFF")
    assert house.get("/v1/calls/call_none/recording").status_code == 404
    assert house.get("/_sim/health").status_code == 200


def test_a_transcript_streams_while_the_call_goes_on(house: House) -> None:
    place = house.place("sk_live_a")
    number = line(place, answering(polite), beginMessage="Acme, hello!")
    call_id = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number})["call_id"]
    url = f"{house.front.url}/v1/calls/{call_id}/transcript/stream"
    with httpx.stream("GET", url, headers={"Authorization": "Bearer sk_live_a"}, timeout=30) as stream:
        pieces = stream.iter_text()
        assert "connected" in next(pieces)
        place.ask("POST", f"/_sim/calls/{call_id}/listen")
        assert "Acme, hello!" in "".join(read_until(pieces, "Acme, hello!"))
    place.ask("POST", f"/_sim/calls/{call_id}/hang_up")
    ended = house.get(f"/v1/calls/{call_id}/transcript/stream", "sk_live_a")
    assert events([ended.content])[-1][0] == "ended"


def read_until(pieces: Iterator[str], word: str) -> Iterator[str]:
    for piece in pieces:
        yield piece
        if word in piece:
            return


class Elsewhere:
    """An application on an ordinary loop in a thread of its own."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def has(self, api_key: str) -> bool:
        return api_key == "sk_live_elsewhere"

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


def test_whoever_leaves_in_the_middle_of_an_answer_is_heard_to_leave(house: House) -> None:
    left = threading.Event()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begins", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    elsewhere = Elsewhere(app)
    house.front.add(elsewhere)
    headers = {"Authorization": "Bearer sk_live_elsewhere"}
    with httpx.stream("GET", house.front.url, headers=headers, timeout=30) as stream:
        assert next(stream.iter_bytes()) == b"begins"
    assert left.wait(10)
    elsewhere.close()


def test_an_application_elsewhere_that_fails_is_a_500(house: House) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError

    elsewhere = Elsewhere(app)
    house.front.add(elsewhere)
    assert house.get("/", "sk_live_elsewhere").status_code == 500
    elsewhere.close()
    assert house.get("/", "sk_live_elsewhere").status_code == 503


def test_a_handler_asks_the_platform_with_an_asynchronous_client(house: House) -> None:
    place = house.place("sk_live_a")

    async def answer(_event: Any) -> Response:
        async with httpx.AsyncClient(base_url=place.base_url, headers={"Authorization": "Bearer sk_live_a"}) as api:
            agents = (await api.get("/v1/agents")).json()["data"]
        return JSONResponse({"text": f"You have {len(agents)} agent."})

    number = line(place, answering(answer))
    heard = call(place, number, "How many agents have I?")
    assert "You have 1 agent." in [row["response"] for row in heard["call"]["transcripts"]]


def test_a_handler_that_blocks_the_loop_with_the_official_sdk_is_told_the_three_ways_out(house: House) -> None:
    place = house.place("sk_live_a")
    problems: list[str] = []

    async def answer(event: Any) -> Response:
        if event["event"] == "agent.message":
            try:
                AgentPhone(api_key="sk_live_a", base_url=place.base_url).agents.list()
            except Exception as error:
                problems.append(str(error))
        return await polite(event)

    number = line(place, answering(answer))
    heard = call(place, number, "Where is my order?")
    assert heard["disconnection_reason"] == "user_hangup"
    [problem] = problems
    for words in ("asynchronous client", "plain `def` endpoint", "on a socket"):
        assert words in problem


def test_the_same_handler_as_a_plain_function_works(house: House) -> None:
    from fastapi import FastAPI

    place = house.place("sk_live_a")
    client = AgentPhone(api_key="sk_live_a", base_url=place.base_url)
    app = FastAPI(openapi_url=None)

    @app.post("/webhook")
    def webhook() -> dict[str, str]:
        return {"text": f"You have {len(client.agents.list().data)} agent."}

    number = line(place, app)
    heard = call(place, number, "How many agents have I?")
    assert "You have 1 agent." in [row["response"] for row in heard["call"]["transcripts"]]


def test_a_large_body_and_a_wrong_one_cross_as_they_are(house: House) -> None:
    house.place("sk_live_a")
    with httpx.Client(base_url=house.front.url, headers={"Authorization": "Bearer sk_live_a"}) as client:
        made = client.post("/v1/agents", json={"name": "A", "systemPrompt": "x" * 300_000})
        assert len(made.json()["systemPrompt"]) == 300_000
        assert client.post("/v1/agents", content=b"{").status_code == 422
        assert client.post("/v1/agents", content=b"x" * 2_000_000).status_code == 413


def test_closing_a_place_ends_the_requests_that_wait_in_it(house: House) -> None:
    place = house.place("sk_live_a")
    number = line(place, answering(polite))
    call_id = place.ask("POST", "/_sim/calls", {"from": CALLER, "to": number})["call_id"]
    url = f"{house.front.url}/v1/calls/{call_id}/transcript/stream"
    with httpx.stream("GET", url, headers={"Authorization": "Bearer sk_live_a"}, timeout=30) as stream:
        pieces = stream.iter_text()
        assert "connected" in next(pieces)
        place.close()
        with contextlib.suppress(httpx.RemoteProtocolError):
            list(pieces)


def test_many_threads_ask_many_places_at_once(house: House) -> None:
    places = [house.place(f"sk_live_{number}") for number in range(5)]
    failures: list[BaseException] = []

    def ask(place: InProcess) -> None:
        try:
            with httpx.Client(base_url=house.front.url, headers={"Authorization": f"Bearer {place.api_key}"}) as http:
                for number in range(10):
                    http.post("/v1/agents", json={"name": str(number)}).raise_for_status()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(place,)) for place in places for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [len(place.ask("GET", "/v1/agents")["data"]) for place in places] == [20] * 5
