"""Two keys on one server never meet, and two simulators in one process never meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from contract_tests.bodies import well_shaped
from contract_tests.facts import PROMISED, Fact
from contract_tests.target import PATIENCE, Target
from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.runtime.server import ServerThread
from simulator.settings import Settings
from tests.helpers.webhook_receiver import Receiver

PERSON: Final = "+14155552671"
LISTS: Final = ("/v1/agents", "/v1/numbers", "/v1/calls", "/v1/conversations", "/v1/webhooks/deliveries")


@pytest.fixture
def other(server: Target) -> Target:
    if not server.ours:
        pytest.skip("a foreign server has one key")
    return server.fresh()


def populate(target: Target, hook: str) -> dict[str, str]:
    """One of everything; the ids by the names of the path parameters."""
    target.post("/v1/webhooks", {"url": hook})
    agent = target.post("/v1/agents", {"name": "Support"})["id"]
    number = target.post("/v1/numbers", {"agentId": agent})["id"]
    target.post(f"/v1/agents/{agent}/webhook", {"url": hook})
    text = target.post("/v1/messages", {"agent_id": agent, "to_number": PERSON, "body": "hi"})
    call = target.post("/v1/calls", {"agentId": agent, "toNumber": PERSON})["id"]
    branch = target.post("/v1/sub-accounts", {"name": "Branch"})["id"]
    trunk = target.post("/v1/sip-trunks")["id"]
    connection = target.post("/integrations/whatsapp/connect", {"code": "AQD"})["id"]
    contact = target.post("/v1/contacts", {"phoneNumber": PERSON, "name": "Ann"})["id"]
    if target.control:
        target.request("PUT", f"/_sim/people/{PERSON}/location", json={"latitude": 1, "longitude": 2})
    thread = text["conversation_id"]
    return {
        "agent_id": agent, "number_id": number, "call_id": call, "conversation_id": thread, "sub_account_id": branch,
        "trunk_id": trunk, "connection_id": connection, "message_id": text["id"],
        "contact_id": contact, "phone_number": PERSON,
    }  # fmt: skip


@pytest.mark.parametrize("fact", [f for f in PROMISED if "{" in f.path], ids=lambda f: f.id)
def test_another_keys_id_is_as_unknown_as_nobodys(
    target: Target, other: Target, receiver: Receiver, fact: Fact
) -> None:
    ids = populate(target, receiver.url)
    with target.unchanged():
        answer = other.request(fact.method, fact.url(**ids), **well_shaped(fact))
        assert answer.status_code == 404
        assert [v for v in ids.values() if v in answer.text] != []


def test_another_keys_number_can_be_neither_attached_nor_used(
    target: Target, other: Target, receiver: Receiver
) -> None:
    theirs = populate(target, receiver.url)["number_id"]
    mine = populate(other, receiver.url)["agent_id"]
    with target.unchanged(), other.unchanged():
        attach = other.request("POST", f"/v1/agents/{mine}/numbers", json={"numberId": theirs})
        call = other.request("POST", "/v1/calls", json={"agentId": mine, "toNumber": PERSON, "fromNumberId": theirs})
        text = other.request("POST", "/v1/messages", json={"number_id": theirs, "to_number": PERSON, "body": "hi"})
        assert (attach.status_code, call.status_code, text.status_code) == (404, 404, 404)


def test_the_lists_of_two_keys_have_nothing_in_common(target: Target, other: Target, receiver: Receiver) -> None:
    populate(target, receiver.url)
    populate(other, receiver.url)
    for url in LISTS:
        mine, theirs = ({row["id"] for row in t.all(url)} for t in (target, other))
        assert mine
        assert theirs
        assert mine & theirs == set(), url
    numbers = [{row["phoneNumber"] for row in t.all("/v1/numbers")} for t in (target, other)]
    assert numbers[0] & numbers[1] == set()


def test_what_one_key_does_leaves_no_trace_in_the_other(target: Target, other: Target, receiver: Receiver) -> None:
    with other.unchanged():
        before = other.get("/v1/usage")["stats"]
        populate(target, receiver.url)
        assert other.get("/v1/usage")["stats"] == before
        assert other.get("/v1/webhooks") is None


@pytest.fixture
def controlled(target: Target) -> Target:
    if not target.control:
        pytest.skip("this server has no /_sim")
    return target


def test_time_moves_for_one_key_only(controlled: Target, other: Target) -> None:
    before = other.get("/_sim/clock")["now"]
    start = controlled.get("/_sim/clock")["now"]
    controlled.post("/_sim/clock/advance", {"seconds": 3600})
    assert controlled.get("/_sim/clock")["now"] > start
    assert other.get("/_sim/clock")["now"] == before


def test_the_journal_of_one_key_does_not_tell_of_the_other(
    controlled: Target, other: Target, receiver: Receiver
) -> None:
    ids = populate(controlled, receiver.url)
    told = other.request("GET", "/_sim/journal").text
    assert controlled.get("/_sim/journal", kind="call.")["entries"]
    assert [v for v in (*ids.values(), controlled.key) if v in told] == []


def test_a_reset_empties_one_key_only(controlled: Target, other: Target, receiver: Receiver) -> None:
    populate(controlled, receiver.url)
    populate(other, receiver.url)
    with other.unchanged():
        controlled.post("/_sim/reset")
        assert [controlled.all(url) for url in LISTS] == [[]] * len(LISTS)


def test_a_text_to_another_keys_number_finds_nobody(controlled: Target, other: Target, receiver: Receiver) -> None:
    number = controlled.get(f"/v1/numbers/{populate(controlled, receiver.url)['number_id']}")["phoneNumber"]
    with controlled.unchanged():
        text = other.request("POST", "/_sim/messages", json={"from": PERSON, "to": number, "body": "hi"})
        call = other.request("POST", "/_sim/calls", json={"from": PERSON, "to": number})
        assert (text.status_code, call.status_code) == (404, 404)


# -- two simulators ----------------------------------------------------------------------------------------------


def one_more(keys: tuple[str, ...], seed: int) -> Iterator[Target]:
    simulator = build_simulator(Settings(api_keys=keys, clock=ClockMode.MANUAL, seed=seed))
    with ServerThread(build_app(simulator)) as running, httpx.Client(base_url=running.url, timeout=PATIENCE) as http:
        yield Target(http, list(keys), ours=True)


@pytest.fixture
def first() -> Iterator[Target]:
    yield from one_more(("sk_live_same",), seed=1)


@pytest.fixture
def second() -> Iterator[Target]:
    yield from one_more(("sk_live_same",), seed=1)


def test_two_simulators_in_one_process_never_meet(first: Target, second: Target, receiver: Receiver) -> None:
    with second.unchanged():
        populate(first, receiver.url)
        first.post("/_sim/clock/advance", {"seconds": 60})
    assert second.get("/_sim/clock")["now"] < first.get("/_sim/clock")["now"]


def test_two_simulators_with_one_seed_make_the_same_world(first: Target, second: Target, receiver: Receiver) -> None:
    assert populate(first, receiver.url) == populate(second, receiver.url)
    assert first.all("/v1/numbers") == second.all("/v1/numbers")
