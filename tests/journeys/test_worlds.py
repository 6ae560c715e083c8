"""Worlds for tests over a real socket: opened, kept in the middle of a call, gone back to, forked, carried away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from agentphone import AgentPhone, AuthenticationError

from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.webhook_receiver import Received, Receiver, Reply, say

CALLER = "+14155550150"


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server(accounts=1) as running:
        yield running


def answer(request: Received) -> Reply:
    """A handler that repeats what it hears on the phone, and takes everything else silently."""
    event = request.json
    if event["event"] == "agent.message" and event["channel"] == "voice":
        return say(f"You said: {event['data']['transcript']}")
    return Reply()


@dataclass(frozen=True)
class Account:
    """One account: its official client, and the world around it."""

    key: str
    sdk: AgentPhone
    outside: Outside

    def say(self, call: str, words: str) -> None:
        """Say something into a live phone, and wait until it was answered."""
        self.outside.send("POST", f"/_sim/calls/{call}/say", {"text": words})
        self.outside.send("POST", "/_sim/clock/advance", {"seconds": 20})

    def heard(self, call: str) -> list[str]:
        return [f"{entry.transcript} -> {entry.response}" for entry in self.sdk.calls.get(call).transcripts]

    def journal(self) -> bytes:
        return json.dumps(self.outside.send("GET", "/_sim/journal", limit=10_000)["entries"]).encode()


@dataclass(frozen=True)
class House:
    """A server in which accounts can be opened."""

    server: Live
    door: Outside
    stack: ExitStack

    def enter(self, key: str) -> Account:
        sdk = self.stack.enter_context(AgentPhone(key, self.server.url))
        return Account(key, sdk, self.stack.enter_context(Outside(self.server.url, key)))

    def open(self, **body: Any) -> Account:
        return self.enter(self.door.send("POST", "/_sim/accounts", {"clock": "manual", **body})["api_key"])

    def fork(self, account: Account, **body: Any) -> Account:
        return self.enter(account.outside.send("POST", "/_sim/fork", body)["api_key"])


@pytest.fixture
def house(server: Live) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(server, stack.enter_context(Outside(server.url, server.first_key)), stack)


def line(account: Account, hook: str | None = None) -> str:
    """A number with an agent, and the account's webhook."""
    agent = account.sdk.agents.create(name="Support", begin_message="Acme, hello!")
    if hook is not None:
        account.sdk.webhooks.set(url=hook)
    return str(account.sdk.numbers.buy(agent_id=agent.id).phone_number)


def test_two_continuations_from_the_middle_of_a_call(house: House) -> None:
    with Receiver(answer) as hook:
        one = house.open()
        number = line(one, hook.url)
        call = one.outside.send("POST", "/_sim/calls", {"from": CALLER, "to": number})["call_id"]
        one.outside.send("POST", "/_sim/clock/advance", {"seconds": 10})
        one.say(call, "I have a question")
        kept = one.outside.send("POST", "/_sim/snapshots", {"name": "one-turn"})
        assert kept["live_calls"] == 1
        begun = one.heard(call)

        one.say(call, "What does it cost?")
        first = one.heard(call)
        one.outside.send("POST", f"/_sim/snapshots/{kept['name']}/restore")
        assert one.heard(call) == begun
        one.say(call, "Are you open today?")
        second = one.heard(call)
        assert first == [*begun, "What does it cost? -> You said: What does it cost?"]
        assert second == [*begun, "Are you open today? -> You said: Are you open today?"]

        other = house.fork(one, snapshot=kept["name"])
        other.say(call, "What does it cost?")
        one.say(call, "Thank you, bye")
        assert other.heard(call) == first
        for account in (one, other):
            account.outside.send("POST", f"/_sim/calls/{call}/hang_up")
            assert account.sdk.calls.get(call).status == "completed"
            account.outside.settle()
        assert [ended.json["data"]["callId"] for ended in hook.of("call.ended")] == [call, call]


def test_the_same_seed_gives_the_same_journal_over_a_socket(house: House) -> None:
    journals = []
    for key in (None, "sk_of_my_own"):
        account = house.open(seed=77, **({} if key is None else {"api_key": key}))
        number = line(account)
        account.outside.send("POST", "/_sim/calls", {"from": CALLER, "to": number, "script": ["hi"], "wait": True})
        account.outside.text(CALLER, number, "hello")
        account.outside.settle()
        journals.append(account.journal())
        house.door.send("DELETE", f"/_sim/accounts/{account.key}")
    assert journals[0] == journals[1]
    assert len(journals[0]) > 1000


def test_a_closed_accounts_key_is_unknown_to_the_sdk(house: House) -> None:
    account, other = house.open(), house.open()
    line(account)
    line(other)
    house.door.send("DELETE", f"/_sim/accounts/{account.key}")
    with pytest.raises(AuthenticationError):
        account.sdk.agents.list()
    assert len(other.sdk.agents.list().data) == 1


def test_a_long_poll_of_a_closed_account_is_answered(house: House) -> None:
    account, answers = house.open(), []

    def poll() -> None:
        with httpx.Client(base_url=house.server.url, trust_env=False, timeout=50) as client:
            headers = {"Authorization": f"Bearer {account.key}"}
            path = "/_sim/journal?after=1000&wait=40"
            answers.append(client.get(path, headers=headers).status_code)

    waiting = threading.Thread(target=poll)
    waiting.start()
    house.door.send("DELETE", f"/_sim/accounts/{account.key}")
    waiting.join(30)  # 401 when it came too late to wait
    assert answers in ([200], [401])


def test_a_world_is_carried_from_one_server_to_another(house: House) -> None:
    account = house.open(seed=5)
    number = line(account)
    account.outside.text(CALLER, number, "hello")
    account.outside.settle()
    carried = account.outside.send("GET", "/_sim/export")
    with live_server(accounts=1) as elsewhere, Outside(elsewhere.url, elsewhere.first_key) as door:
        door.send("POST", "/_sim/import", carried)
        with AgentPhone(elsewhere.first_key, elsewhere.url) as sdk:
            assert [n.phone_number for n in sdk.numbers.list().data] == [number]
            assert sdk.agents.list().data[0].name == "Support"
            assert sdk.agents.create(name="next").id == account.sdk.agents.create(name="next").id


def test_what_a_test_changed_can_be_read(house: House) -> None:
    account = house.open()
    line(account)
    account.outside.send("POST", "/_sim/snapshots", {"name": "before"})
    agent = account.sdk.agents.list().data[0]
    account.sdk.agents.update(agent.id, name="Sales")
    shown = account.outside.send("GET", "/_sim/diff", **{"from": "before"})
    assert f'  ~ {agent.id}\n      name: "Support" -> "Sales"' in shown["text"]
