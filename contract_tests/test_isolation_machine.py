"""Two keys, each with sub-accounts, and random commands over all of them: nobody ever sees what is somebody else's.

A room is a key, or a sub-account of a key. Whatever a room was given an id for belongs to that room alone.
"""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver

PERSON: Final = "+14155552671"
FRIEND: Final = "+12125552672"
ROOMS: Final = st.integers(0, 99)
COMMANDS: Final = (
    *("open sub-account", "close sub-account", "rename sub-account", "set webhook", "own webhook"),
    *("create agent", "buy number", "add contact", "text out", "text in", "call in", "group text") * 2,
    *("probe", "probe", "probe", "reach into", "name theirs", "look", "time passes"),
)
# Where an id of each kind can be put, with a body that is in order.
PROBES: Final[dict[str, tuple[tuple[str, str, Any], ...]]] = {
    "agent": (
        ("GET", "/v1/agents/{}", None),
        ("PATCH", "/v1/agents/{}", {"name": "Mine now"}),
        ("DELETE", "/v1/agents/{}", None),
        ("GET", "/v1/agents/{}/calls", None),
        ("GET", "/v1/agents/{}/conversations", None),
        ("POST", "/v1/agents/{}/webhook", {"url": "http://127.0.0.1:9/"}),
        ("POST", "/v1/calls", {"agentId": "{}", "toNumber": PERSON}),
        ("POST", "/v1/calls/web", {"agentId": "{}"}),
        ("POST", "/v1/messages", {"agent_id": "{}", "to_number": PERSON, "body": "hi"}),
        ("POST", "/v1/numbers", {"agentId": "{}"}),
    ),
    "number": (
        ("GET", "/v1/numbers/{}", None),
        ("PATCH", "/v1/numbers/{}", {"externalId": "mine"}),
        ("DELETE", "/v1/numbers/{}", None),
        ("GET", "/v1/numbers/{}/messages", None),
        ("GET", "/v1/numbers/{}/contact-card", None),
        ("POST", "/v1/messages", {"number_id": "{}", "to_number": PERSON, "body": "hi"}),
    ),
    "contact": (
        ("GET", "/v1/contacts/{}", None),
        ("PATCH", "/v1/contacts/{}", {"name": "Mine now"}),
        ("DELETE", "/v1/contacts/{}", None),
    ),
    "conversation": (
        ("GET", "/v1/conversations/{}", None),
        ("PATCH", "/v1/conversations/{}", {"metadata": {"mine": True}}),
        ("GET", "/v1/conversations/{}/messages", None),
        ("POST", "/v1/conversations/{}/typing", None),
    ),
    "message": (
        ("POST", "/v1/messages/{}/reactions", {"reaction": "love"}),
        ("POST", "/_sim/messages/{}/status", {"status": "delivered"}),
    ),
    "call": (
        ("GET", "/v1/calls/{}", None),
        ("POST", "/v1/calls/{}/end", None),
        ("GET", "/v1/calls/{}/transcript", None),
        ("GET", "/v1/calls/{}/transcript/stream", None),
        ("POST", "/_sim/calls/{}/hang_up", None),
    ),
    "group": (("POST", "/v1/messages", {"to_number": "{}", "body": "hi"}),),
    "sub_account": (
        ("PATCH", "/v1/sub-accounts/{}", {"name": "Mine now"}),
        ("DELETE", "/v1/sub-accounts/{}", None),
    ),
}
READS: Final = (
    *("/v1/agents", "/v1/numbers", "/v1/calls", "/v1/conversations", "/v1/contacts", "/v1/webhooks"),
    *("/v1/webhooks/deliveries", "/v1/usage", "/v1/usage/by-number", "/v1/usage/by-agent"),
)


class Room:
    """A key, or one of its sub-accounts; and everything that was made there, by kind."""

    def __init__(self, account: Target, sub_account: str | None = None) -> None:
        self.account = account
        self.sub_account = sub_account
        self.made: dict[str, list[str]] = {kind: [] for kind in PROBES}
        self.phones: list[str] = []
        self.secrets: list[str] = []
        self.hook = f"/{uuid4()}"

    def send(self, method: str, url: str, body: Any = None) -> httpx.Response:
        """Ask in this room's name."""
        headers = {} if self.sub_account is None else {"X-Sub-Account-Id": self.sub_account}
        return self.account.request(method, url, headers=headers, **({} if body is None else {"json": body}))

    def owned(self) -> set[str]:
        """What nobody else may see."""
        return {value for values in self.made.values() for value in values} | set(self.secrets)


class IsolationMachine(RuleBasedStateMachine):
    """Opens with a sub-account for each key, and an agent with a number in every room."""

    accounts: tuple[Target, Target]
    receiver: Receiver

    @initialize()
    def open_accounts(self) -> None:
        self.rooms: list[Room] = []
        self.closed: list[Room] = []
        for account in self.accounts:
            account.post("/_sim/reset")
            account.request("PUT", "/_sim/clock", json={"mode": "manual"})
            self.rooms.append(Room(account))
        for room in list(self.rooms):
            self.furnish(room)
            self.open_sub_account(room)

    def furnish(self, room: Room) -> None:
        self.set_webhook(room)
        self.create_agent(room)
        self.buy_number(room)

    @rule(what=st.sampled_from(COMMANDS), mine=ROOMS, theirs=ROOMS, at=st.integers(0, 999))
    def command(self, what: str, mine: int, theirs: int, at: int) -> None:
        """Do one thing in one room; `theirs` is a room that it is perhaps done against."""
        room = self.rooms[mine % len(self.rooms)]
        others = [r for r in [*self.rooms, *self.closed] if r is not room]
        match what:
            case "open sub-account" if len(self.rooms) < 8:
                self.open_sub_account(self.rooms[mine % 2])
            case "close sub-account" if room.sub_account and len(self.rooms) > 4:
                self.close_sub_account(room)
            case "rename sub-account" if room.sub_account:
                self.ask(self.parent(room), "PATCH", f"/v1/sub-accounts/{room.sub_account}", {"name": "Renamed"})
            case "set webhook":
                self.set_webhook(room)
            case "own webhook":
                self.set_webhook(room, agent=one(room.made["agent"], at))
            case "create agent":
                self.create_agent(room)
            case "buy number":
                self.buy_number(room)
            case "add contact":
                self.add_contact(room, at)
            case "text out":
                self.text_out(room, {"to_number": PERSON}, at)
            case "group text":
                self.text_out(room, {"recipients": [PERSON, FRIEND]}, at)
            case "text in":
                self.text_in(room, at)
            case "call in":
                self.call_in(room, at)
            case "probe":
                self.probe(room, others[theirs % len(others)], at)
            case "reach into":
                self.reach_into(room, others[theirs % len(others)])
            case "name theirs":
                self.name_theirs(room, others[theirs % len(others)], at)
            case "look":
                self.look(room)
            case "time passes":
                self.ask(self.parent(room), "POST", "/_sim/clock/run_until_idle")

    def ask(self, room: Room, method: str, url: str, body: Any = None) -> Any:
        """Ask, and check that the answer tells nothing of other rooms but what the question named."""
        answer = room.send(method, url, body)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        self.check(room, answer.text, named=f"{url} {body}")
        return answer.json() if answer.is_success and answer.content else None

    def check(self, room: Room, text: str, named: str = "") -> None:
        mine = room.owned() | {room.sub_account}
        foreign = {v for other in [*self.rooms, *self.closed] if other is not room for v in other.owned()} - mine
        assert {v for v in foreign if v in text and v not in named} == set()

    def parent(self, room: Room) -> Room:
        return next(r for r in self.rooms if r.account is room.account and r.sub_account is None)

    def keep(self, room: Room, kind: str, value: str) -> None:
        """Remember an id; no two rooms may ever be given the same."""
        assert all(value not in other.made[kind] for other in [*self.rooms, *self.closed] if other is not room)
        if value not in room.made[kind]:
            room.made[kind].append(value)

    # -- what is done --------------------------------------------------------------------------------------------

    def open_sub_account(self, parent: Room) -> None:
        opened = self.ask(parent, "POST", "/v1/sub-accounts", {"name": "Branch"})["id"]
        self.keep(parent, "sub_account", opened)
        self.rooms.append(Room(parent.account, opened))
        self.furnish(self.rooms[-1])

    def close_sub_account(self, room: Room) -> None:
        self.rooms.remove(room)
        self.closed.append(room)
        parent = self.parent(room)
        assert self.ask(parent, "DELETE", f"/v1/sub-accounts/{room.sub_account}") is not None
        assert room.send("GET", "/v1/agents").status_code == httpx.codes.NOT_FOUND

    def set_webhook(self, room: Room, agent: str | None = None) -> None:
        url = f"/v1/agents/{agent}/webhook" if agent else "/v1/webhooks"
        made = self.ask(room, "POST", url, {"url": self.receiver.url_of(room.hook)})
        room.secrets.append(made["secret"])

    def create_agent(self, room: Room) -> None:
        self.keep(room, "agent", self.ask(room, "POST", "/v1/agents", {"name": "Support"})["id"])

    def buy_number(self, room: Room) -> None:
        made = self.ask(room, "POST", "/v1/numbers", {"agentId": room.made["agent"][0], "type": "imessage"})
        self.keep(room, "number", made["id"])
        room.phones.append(made["phoneNumber"])

    def add_contact(self, room: Room, at: int) -> None:
        made = self.ask(room, "POST", "/v1/contacts", {"phoneNumber": f"+1415555{2000 + at}", "name": "Ann"})
        if made is not None:  # perhaps there is one with this number
            self.keep(room, "contact", made["id"])

    def text_out(self, room: Room, to: dict[str, Any], at: int) -> None:
        sent = self.ask(room, "POST", "/v1/messages", {"number_id": one(room.made["number"], at), "body": "hi", **to})
        assert sent is not None
        self.keep(room, "message", sent["id"])
        self.keep(room, "conversation", sent["conversation_id"])
        if sent["to_number"].startswith("grp_"):
            self.keep(room, "group", sent["to_number"])

    def text_in(self, room: Room, at: int) -> None:
        text = {"from": PERSON, "to": one(room.phones, at), "body": "Are you open?"}
        got = self.ask(room, "POST", "/_sim/messages", text)
        self.keep(room, "message", got["message_id"])
        self.keep(room, "conversation", got["conversation_id"])

    def call_in(self, room: Room, at: int) -> None:
        call = self.ask(room, "POST", "/_sim/calls", {"from": PERSON, "to": one(room.phones, at)})
        if call is not None:
            self.keep(room, "call", call["call_id"])

    # -- what must not be possible -------------------------------------------------------------------------------

    def probe(self, room: Room, other: Room, at: int) -> None:
        """Something that is another room's is exactly as unknown as what nobody has."""
        kinds = [kind for kind, ids in other.made.items() if ids]
        kind = one(kinds, at)
        if kind == "sub_account" and other.sub_account is None and other.account is room.account:
            return  # what a key's sub-accounts ask about their siblings is refused by the header alone
        foreign, method, url, body = one(other.made[kind], at), *one(PROBES[kind], at // 7)
        unknown = foreign[:-4] + ("0000" if foreign[-4:] != "0000" else "1111")
        got, expected = (room.send(method, url.format(i), filled(body, i)) for i in (foreign, unknown))
        assert (got.status_code, got.text.replace(foreign, unknown)) == (expected.status_code, expected.text)
        assert got.status_code >= 400
        self.check(room, got.text, named=foreign)

    def reach_into(self, room: Room, other: Room) -> None:
        """Another key's sub-account cannot be asked on behalf of."""
        if other.sub_account is None or other.account is room.account:
            return
        for theirs in (other.sub_account, "sub_of_nobody"):
            answer = room.account.request("GET", "/v1/agents", headers={"X-Sub-Account-Id": theirs})
            assert answer.status_code == httpx.codes.NOT_FOUND
            assert theirs in answer.json()["detail"]

    def name_theirs(self, room: Room, other: Room, at: int) -> None:
        """Nobody can be called or texted at another room's number; that number gets nothing."""
        phone = one(other.phones, at) if other.phones else None
        if phone is None or phone in room.phones:
            return
        for url, more in (("/_sim/messages", {"body": "hi"}), ("/_sim/calls", {})):
            answer = room.send("POST", url, {"from": PERSON, "to": phone, **more})
            assert answer.status_code == httpx.codes.NOT_FOUND

    def look(self, room: Room) -> None:
        for url in READS:
            self.ask(room, "GET", url)
        journal = room.send("GET", "/_sim/journal").json()["entries"]
        # The paths of its own requests may name anything: it has been asking for what is others'.
        self.check(room, json.dumps([entry for entry in journal if entry["kind"] != "api.request"]))
        for kind, url in (("agent", "/v1/agents"), ("contact", "/v1/contacts"), ("conversation", "/v1/conversations")):
            page = self.ask(room, "GET", f"{url}?limit=100")
            assert {row["id"] for row in page["data"]} == set(room.made[kind])

    def teardown(self) -> None:
        for room in getattr(self, "rooms", ()):
            if room.sub_account is None:
                self.ask(room, "POST", "/_sim/clock/run_until_idle")
        for room in getattr(self, "rooms", ()):
            self.look(room)
            for request in (r for r in self.receiver.received if r.path.startswith(room.hook)):
                self.check(room, request.body.decode())


def one(values: list[Any] | tuple[Any, ...], at: int) -> Any:
    return values[at % len(values)]


def filled(body: Any, value: str) -> Any:
    """The body with the id in the place that waits for it."""
    if body is None:
        return None
    return {name: value if field == "{}" else field for name, field in body.items()}


def test_nobody_ever_sees_what_is_somebody_elses(server: Target, receiver: Receiver) -> None:
    if not server.ours:
        pytest.skip("a foreign server has one key")

    class Machine(IsolationMachine):
        accounts = (server.fresh(), server.fresh())

    Machine.receiver = receiver
    run_state_machine_as_test(Machine, settings=settings(max_examples=15, stateful_step_count=40))
