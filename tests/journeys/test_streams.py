"""Transcript streams over real sockets, read by the official SDK: live, by several readers, and cut short."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any, Final

import httpx
import pytest
from agentphone import AgentPhone

from simulator.clock import ClockMode
from simulator.domain.policy import Policies
from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.sse import events, words

PATIENCE: Final = 10  # real seconds before a test that would hang fails instead
SILENT: Final = Policies("all", {"no_webhook_call": "silence"})


class Reader:
    """Somebody who reads a stream in a thread of their own and notes what comes."""

    def __init__(self, server: Live, key: str, call_id: str) -> None:
        self._told: Queue[tuple[str, Any] | None] = Queue()
        self._thread = threading.Thread(target=self._read, args=(server.url, key, call_id), daemon=True)
        self._thread.start()

    def _read(self, url: str, key: str, call_id: str) -> None:
        with AgentPhone(key, url) as sdk:
            for item in sdk.calls.stream_transcript(call_id):
                self._told.put((item["event"], item["data"]))
        self._told.put(None)

    def next(self) -> tuple[str, Any] | None:
        """What came next; None when the stream was closed."""
        return self._told.get(timeout=PATIENCE)

    def rest(self) -> list[str]:
        """The names of all events up to the end of the stream."""
        return [item[0] for item in iter(self.next, None)]


@pytest.fixture
def server() -> Iterator[Live]:
    with live_server(ClockMode.SYSTEM, scale=200.0, policies=SILENT) as running:
        yield running


def call_in(outside: Outside) -> str:
    """A live call that was just picked up."""
    agent = outside.send("POST", "/v1/agents", {"name": "Support", "beginMessage": "Hello"})["id"]
    number = outside.send("POST", "/v1/numbers", {"agentId": agent})["phoneNumber"]
    call_id: str = outside.send("POST", "/_sim/calls", {"from": "+14155552671", "to": number})["call_id"]
    return call_id


def test_a_call_is_read_while_it_is_spoken_by_whoever_likes(server: Live) -> None:
    key = server.new_key()
    with Outside(server.url, key) as outside:
        call_id = call_in(outside)
        early = Reader(server, key, call_id)
        assert [early.next()[0], early.next()[1]["content"]] == ["connected", "Hello"]  # type: ignore[index]
        outside.send("POST", f"/_sim/calls/{call_id}/say", {"text": "Is it you?"})
        assert early.next()[1]["content"] == "Is it you?"  # type: ignore[index]
        late = Reader(server, key, call_id)
        assert [late.next()[0] for _ in range(3)] == ["connected", "turn", "turn"]  # type: ignore[index]
        outside.send("POST", f"/_sim/calls/{call_id}/hang_up")
        assert early.rest() == late.rest() == ["ended"]


def test_a_reader_who_breaks_off_disturbs_nobody(server: Live) -> None:
    key = server.new_key()
    with Outside(server.url, key) as outside:
        call_id = call_in(outside)
        stays = Reader(server, key, call_id)
        path = f"{server.url}/v1/calls/{call_id}/transcript/stream"
        with httpx.stream("GET", path, headers={"Authorization": f"Bearer {key}"}) as leaves:
            first = next(leaves.iter_raw())
        assert events([first])[0][0] == "connected"
        assert stays.next() is not None
        outside.send("POST", f"/_sim/calls/{call_id}/hang_up")
        assert stays.rest()[-1] == "ended"


def test_a_server_that_stops_closes_every_stream() -> None:
    with live_server(ClockMode.MANUAL, policies=SILENT) as server:
        key = server.new_key()
        with Outside(server.url, key) as outside:
            readers = [Reader(server, key, call_in(outside)) for _ in range(3)]
            assert [reader.next()[0] for reader in readers] == ["connected"] * 3  # type: ignore[index]
    assert [reader.rest() for reader in readers] == [[]] * 3


def test_an_account_that_is_reset_closes_its_streams(server: Live) -> None:
    key = server.new_key()
    with Outside(server.url, key) as outside:
        reader = Reader(server, key, call_in(outside))
        assert reader.next() is not None
        outside.send("POST", "/_sim/reset")
        assert "ended" not in reader.rest()


def test_a_stream_is_chunked_and_its_words_survive_every_alphabet(server: Live) -> None:
    key = server.new_key()
    with Outside(server.url, key) as outside:
        call_id = call_in(outside)
        outside.send("POST", f"/_sim/calls/{call_id}/say", {"text": "Grüße \u2028 電話 \x85 👋"})
        reader = Reader(server, key, call_id)
        while reader.next()[1].get("role") != "user":  # type: ignore[index]
            pass
        outside.send("POST", f"/_sim/calls/{call_id}/hang_up")
        whole = httpx.get(
            f"{server.url}/v1/calls/{call_id}/transcript/stream", headers={"Authorization": f"Bearer {key}"}
        )
    assert whole.headers["transfer-encoding"] == "chunked"
    assert words(events([whole.content]))[-1] == ("user", "Grüße \u2028 電話 \x85 👋")
    assert reader.rest()[-1] == "ended"
