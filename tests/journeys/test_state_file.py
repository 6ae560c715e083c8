"""A server that keeps its accounts in a file: stopped, killed at any moment, started again."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.commands.child import Child
from simulator.settings import Settings
from simulator.state.document import STATE, WORLD, write
from simulator.state.keeper import saved_of
from tests.helpers.processes import KEY, PATIENCE, run_simulator

ROUNDS = 6
CALLER = "+14155550150"


class Server:
    """A running server with a state file."""

    def __init__(self, url: str, child: Child) -> None:
        self.url = url
        self.child = child

    def ask(self, method: str, path: str, body: Any = None, key: str = KEY, expect: int = 200) -> Any:
        with httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False) as client:
            answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == expect, answer.text
        return answer.json()


@contextmanager
def server(path: Path, *options: str) -> Iterator[Server]:
    with run_simulator("--state", str(path), *options) as (url, child):
        yield Server(url, child)


def agents(text: bytes, key: str = KEY) -> list[str]:
    """The agents in a state file; it must be whole."""
    account = saved_of(text, Settings()).accounts.get(key)
    return [] if account is None else list(account.whole.world.agents)


class Load:
    """Somebody who makes one agent after the other until the server is gone. `made` are the ids that were answered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._more = threading.Condition()
        self.made: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=self._url, timeout=PATIENCE, trust_env=False, headers=headers) as client:
            try:
                while True:
                    answer = client.post("/v1/agents", json={"name": "x", "systemPrompt": "x" * 2000})
                    with self._more:
                        self.made.append(answer.json()["id"])
                        self._more.notify_all()
            except httpx.TransportError:
                return

    def until(self, done: Callable[[], bool]) -> None:
        """Wait until `done()`, which is asked after every agent."""
        with self._more:
            assert self._more.wait_for(done, PATIENCE)

    def end(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_moment_of_a_kill_the_file_is_whole(tmp_path: Path, seed: int) -> None:
    luck, history = random.Random(seed), list[str]()
    for _ in range(ROUNDS // 2):
        history = killed_at_some_moment(tmp_path / "state.json", luck, history)
    assert len(history) >= ROUNDS // 2


def killed_at_some_moment(path: Path, luck: random.Random, history: list[str]) -> list[str]:
    """Start with the agents of before, make more, and kill the server; returns those that are in its file."""
    with server(path, "--seed", "3") as running:
        assert [a["id"] for a in running.ask("GET", "/v1/agents?limit=100")["data"]] == history[::-1][:100]
        load = Load(running.url)
        load.until(lambda: path.exists() and len(agents(path.read_bytes())) > len(history))
        if luck.random() < 0.5:  # while it is being written
            load.until(lambda: any(path.parent.glob(".state.json.*.tmp")))
        else:
            count = len(load.made) + luck.randrange(100)
            load.until(lambda: len(load.made) >= count)
        seen = agents(path.read_bytes())
        running.child.kill()
        load.end()
    left, known = agents(path.read_bytes()), [*history, *load.made]
    assert left[: len(seen)] == seen
    # Of what was made there is everything up to some instant; the last one may have been made and not answered.
    assert left == known[: len(left)] or left[:-1] == known
    return left


def test_a_clean_stop_loses_nothing_and_ids_go_on(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with server(path, "--clock", "manual", "--seed", "3") as running:
        first = running.ask("POST", "/v1/agents", {"name": "first"})["id"]
        number = running.ask("POST", "/v1/numbers", {"areaCode": "415", "agentId": first})["phoneNumber"]
        running.ask("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/hook"})  # where nobody listens
        running.ask("POST", "/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        running.ask("POST", "/_sim/accounts", {"api_key": "sk_other", "seed": 9, "contract": "2026-03"})
        other = running.ask("POST", "/v1/agents", {"name": "there"}, key="sk_other")["id"]
        running.ask("POST", "/_sim/clock/advance", {"seconds": 3600})
        numbered = running.ask("GET", "/_sim/journal")["next"]
        assert running.child.stop() == 0
    with server(path, "--clock", "manual", "--seed", "3") as running:
        assert [a["id"] for a in running.ask("GET", "/v1/agents")["data"]] == [first]
        assert [a["id"] for a in running.ask("GET", "/v1/agents", key="sk_other")["data"]] == [other]
        assert running.ask("GET", "/_sim/health", key="sk_other")["contract"] == "2026-03"
        assert running.ask("GET", "/v1/conversations")["data"][0]["participant"] == CALLER
        assert running.ask("GET", "/_sim/clock")["now"] == "2026-01-05T16:00:00.000Z"
        journal = running.ask("GET", "/_sim/journal")
        assert journal["dropped"] == numbered
        assert {d["attemptCount"] for d in running.ask("GET", "/v1/webhooks/deliveries")["data"]} == {3}
        running.ask("POST", "/_sim/clock/advance", {"seconds": 7200})
        assert {d["attemptCount"] for d in running.ask("GET", "/v1/webhooks/deliveries")["data"]} == {4}
        second = running.ask("POST", "/v1/agents", {"name": "second"})["id"]
    with server(tmp_path / "fresh.json", "--clock", "manual", "--seed", "3") as running:
        made = [running.ask("POST", "/v1/agents", {"name": "x"})["id"] for _ in range(2)]
    assert made == [first, second]


def test_a_live_call_fails_when_the_server_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with server(path, "--clock", "manual") as running:
        agent = running.ask("POST", "/v1/agents", {"name": "x"})["id"]
        number = running.ask("POST", "/v1/numbers", {"areaCode": "415", "agentId": agent})["phoneNumber"]
        call = running.ask("POST", "/_sim/calls", {"from": CALLER, "to": number})["call_id"]
        running.child.stop()
    with server(path, "--clock", "manual") as running:
        ended = running.ask("GET", f"/v1/calls/{call}")
        assert (ended["status"], ended["disconnectionReason"]) == ("failed", "error_unknown")


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with server(path) as running, refused("--state", str(path)) as said:
        assert f"in use by another server (process {running.child.pid})" in said
        running.ask("GET", "/v1/agents")


@contextmanager
def refused(*options: str) -> Iterator[str]:
    """What a server says that does not start."""
    import sys

    with Child([sys.executable, "-m", "simulator", "serve", "--port", "0", *options]) as child:
        assert child.wait(PATIENCE) == 2
        yield " ".join(child.stderr)


def good() -> str:
    return write(STATE, {"next_seed": 1, "by_key": {}})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON, or not all of it"),
        (good()[:-20], "not JSON, or not all of it"),
        (good().replace(": 1", ": 2"), "reads up to 1: update it"),
        (good().replace('"next_seed": 1', '"next_seed": 2'), "its checksum is another"),
        (write(STATE, {"next_seed": 1}), "by_key is missing"),
        (write(STATE, {"next_seed": 0, "by_key": {}}), "next_seed: should be a whole number from 1"),
        (write(STATE, {"next_seed": 1, "by_key": {"sk_secret_key": {}}}), "by_key.sk_sec…: settings, identity"),
        (write(WORLD, {}), "POST it to /_sim/import"),
        ('{"format": "photo"}', "its format is 'photo'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_left_alone(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with refused("--state", str(path)) as said:
        assert why in said
        assert "was left as it is" in said
        assert "sk_secret_key" not in said
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with refused("--state", str(tmp_path / "missing" / "state.json")) as said:
        assert "No such file or directory" in said


def test_a_missing_file_is_an_empty_start_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with server(path) as running:
        running.child.stop()
        assert f"{path}: no such file yet, so everything is empty" in " ".join(running.child.stdout)
    assert json.loads(path.read_text())["accounts"] == {"next_seed": 1, "by_key": {}}
    with server(path) as running:
        running.child.stop()
        assert f"{path}: 0 accounts" in " ".join(running.child.stdout)
