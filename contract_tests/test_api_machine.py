"""Random lists of commands, sent over HTTP and told to a model; in the end the account must look like the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contract_tests import strategies
from contract_tests.facts import SHAPES, missing_or_wrong
from contract_tests.model import ACCOUNT, OK, Model
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver

PEOPLE: Final = st.sampled_from(["+14155552671", "+12125552672"])
COMMANDS: Final = (
    *("create agent", "patch agent", "switch agent", "delete agent"),
    *("buy number", "release number", "attach", "detach", "set webhook", "delete webhook"),
    *("call out", "call in", "text out", "text in") * 2,
    *("group out", "add contact", "change contact", "delete contact"),
    *("open sub-account", "rename sub-account", "close sub-account"),
    *("time passes", "look"),
)
# Custom tools come back with their defaults filled in; tests/api looks at them. The voice mode has rules of its own.
PATCHES: Final = strategies.body(SHAPES["UpdateAgentRequest"], without=frozenset({"customTools", "voiceMode"}))


# Deleted agents and released numbers stay among those to choose from, so that commands on them are tried too.
AN_AGENT: Final = st.runner().flatmap(lambda machine: st.sampled_from([*machine.model.agents, *machine.model.dead]))
A_NUMBER: Final = st.runner().flatmap(lambda machine: st.sampled_from([*machine.model.numbers]))


class AccountMachine(RuleBasedStateMachine):
    """Opens with two agents and four numbers, so that nearly every command has something to act on."""

    target: Target
    receiver: Receiver

    @initialize()
    def open_account(self) -> None:
        self.account = self.target.fresh()
        self.hooks = f"/{uuid4()}"  # everything this account's webhooks are sent comes to a path of its own
        self.model = Model()
        self.can_control = self.account.control
        if self.can_control:
            self.account.post("/_sim/reset")
            self.account.request("PUT", "/_sim/clock", json={"mode": "manual"})
        self.set_webhook(agent=None, limit=10)
        for name in ("First", "Second"):
            self.create_agent(body={"name": name}, hosted=False)
        first, second = self.model.agents
        for agent in (first, first, second, None):
            self.buy_number(area="415", agent=agent, imessage=agent is None)
        self.add_contact("+14155552671", "Ann")
        self.open_sub_account("Branch")

    def send(self, method: str, url: str, body: Any, refusals: Iterable[int]) -> Any:
        """Send a command; the answer, or None when it was refused as it had to be, without a trace."""
        parts = {} if body is None else {"json": body}
        if not refusals:
            answer = self.account.request(method, url, **parts)
            assert answer.is_success, f"{method} {url} {body}: {answer.status_code} {answer.text}"
            return answer.json() if answer.content else {}
        with self.account.unchanged():
            answer = self.account.request(method, url, **parts)
        assert answer.status_code in refusals, f"{method} {url} {body}: {answer.status_code} {answer.text}"
        assert answer.json()["detail"]
        return None

    # One rule with every command, because Hypothesis leaves whole rules out of most of its lists, and what is worth
    # finding needs several kinds: a number that changes hands between two texts, a webhook that goes during a call.
    @rule(
        what=st.sampled_from(COMMANDS),
        agent=AN_AGENT,
        number=A_NUMBER,
        named=st.booleans(),
        person=PEOPLE,
        words=strategies.NAMES,
        fields=PATCHES,
        limit=st.integers(1, 50),
    )
    def command(
        self,
        what: str,
        agent: str,
        number: str,
        named: bool,
        person: str,
        words: str,
        fields: dict[str, Any],
        limit: int,
    ) -> None:
        """Do one thing; `named` says whether an optional agent or number is named."""
        match what:
            case "create agent":
                self.create_agent({**fields, "name": words}, hosted=limit % 4 == 0)
            case "patch agent":
                self.patch_agent(agent, fields)
            case "switch agent":
                self.switch_voice_mode(agent, hosted=limit % 4 == 0, greeting=named)
            case "delete agent":
                self.delete_agent(agent)
            case "buy number":
                self.buy_number("415" if limit % 2 else "416", agent if named else None, imessage=limit % 3 == 0)
            case "release number":
                self.release_number(number)
            case "attach":
                self.attach(agent, number)
            case "detach":
                self.detach(self.model.numbers[number].agent or agent if named else agent, number)
            case "set webhook":
                self.set_webhook(agent if named else None, limit)
            case "delete webhook":
                self.delete_webhook(agent if named else None)
            case "call out":
                self.call_somebody(agent, number if named else None, person)
            case "group out":
                self.text_a_group(number, words)
            case "add contact":
                self.add_contact(person, words)
            case "change contact":
                self.change_contact(picked(self.model.contacts, limit), person, words)
            case "delete contact":
                self.delete_contact(picked(self.model.contacts, limit))
            case "open sub-account":
                self.open_sub_account(words)
            case "rename sub-account":
                self.rename_sub_account(picked(self.model.sub_accounts, limit), words)
            case "close sub-account":
                self.close_sub_account(picked(self.model.sub_accounts, limit))
            case "text out":
                self.text_somebody(agent, number if named else None, person, words)
            case "call in" if self.can_control:
                self.somebody_calls(number, person)
            case "text in" if self.can_control:
                self.somebody_texts(number, person, words)
            case "time passes" if self.can_control:
                self.time_passes()
            case "look":
                self.look_at_everything(1 + limit % 4)

    # -- agents --------------------------------------------------------------------------------------------------

    def create_agent(self, body: dict[str, Any], hosted: bool) -> None:
        body = {**body, "voiceMode": "hosted"} if hosted else body
        self.model.make_agent(self.account.post("/v1/agents", body)["id"], body)

    def patch_agent(self, agent: str, changes: dict[str, Any]) -> None:
        self.send("PATCH", f"/v1/agents/{agent}", changes, self.model.patch_agent(agent, changes))

    def switch_voice_mode(self, agent: str, hosted: bool, greeting: bool) -> None:
        self.patch_agent(agent, {"voiceMode": "hosted", "systemPrompt": "Sell", "beginMessage": "Hi"})
        if not hosted:
            self.patch_agent(agent, {"voiceMode": "webhook"} | ({"beginMessage": "Hello"} if greeting else {}))

    def delete_agent(self, agent: str) -> None:
        left = self.model.delete_agent(agent)
        answer = self.send("DELETE", f"/v1/agents/{agent}", None, {404} if left is None else OK)
        assert answer is None or answer["unassignedNumbers"] == left

    # -- numbers -------------------------------------------------------------------------------------------------

    def buy_number(self, area: str, agent: str | None, imessage: bool) -> None:
        refusals = self.model.must_exist(agent)
        body = {"areaCode": area, "country": "CA" if area == "416" else "US", "agentId": agent}
        body |= {"type": "imessage"} if imessage else {}
        made = self.send("POST", "/v1/numbers", body, refusals)
        if made is not None:
            assert made["phoneNumber"].startswith(f"+1{area}")
            assert made["phoneNumber"] not in [n.phone for n in self.model.numbers.values()]
            self.model.buy(made["id"], made["phoneNumber"], agent, imessage)

    def release_number(self, number: str) -> None:
        answer = self.send("DELETE", f"/v1/numbers/{number}", None, self.model.release(number))
        assert answer is None or answer["status"] == "released"

    def attach(self, agent: str, number: str) -> None:
        self.send("POST", f"/v1/agents/{agent}/numbers", {"numberId": number}, self.model.attach(agent, number))

    def detach(self, agent: str, number: str) -> None:
        self.send("DELETE", f"/v1/agents/{agent}/numbers/{number}", None, self.model.detach(agent, number))

    # -- webhooks ------------------------------------------------------------------------------------------------

    def set_webhook(self, agent: str | None, limit: int) -> None:
        url = self.receiver.url_of(f"{self.hooks}/{agent or ACCOUNT}")
        body = {"url": url, "contextLimit": limit, "timeout": limit + 5}
        hook = self.send("POST", self._webhook(agent), body, self.model.must_exist(agent))
        if hook is not None:
            assert {name: hook[name] for name in body} == body
            assert hook["secret"] not in self.model.secrets
            self.model.set_webhook(agent, hook)

    def delete_webhook(self, agent: str | None) -> None:
        refusals = self.model.must_exist(agent)
        if refusals or self.model.own_webhook(agent) is not None:
            self.send("DELETE", self._webhook(agent), None, refusals)
        if not refusals:
            self.model.set_webhook(agent, None)

    def _webhook(self, agent: str | None) -> str:
        return f"/v1/agents/{agent}/webhook" if agent else "/v1/webhooks"

    # -- calls and texts -----------------------------------------------------------------------------------------

    def call_somebody(self, agent: str, number: str | None, person: str) -> None:
        body = {"agentId": agent, "toNumber": person} | ({"fromNumberId": number} if number else {})
        call = self.send("POST", "/v1/calls", body, self.model.may_call(agent, number))
        if call is not None:
            used = number or self.model.agents[agent].numbers[0]
            assert (call["status"], call["direction"], call["toNumber"]) == ("in-progress", "outbound", person)
            assert call["fromNumber"] == self.model.numbers[used].phone
            self.model.start_call(call["id"], used, "outbound")

    def somebody_calls(self, number: str, person: str) -> None:
        refusals = self.model.may_be_called(number)
        to = self.model.numbers[number].phone
        call = self.send("POST", "/_sim/calls", {"from": person, "to": to}, refusals)
        if call is not None:
            self.model.start_call(call["call_id"], number, "inbound")

    def text_somebody(self, agent: str, number: str | None, person: str, body: str) -> None:
        text = {"to_number": person, "body": body} | ({"number_id": number} if number else {"agent_id": agent})
        used = number or self.model.sender(agent)
        sent = self.send("POST", "/v1/messages", text, self.model.may_send(used))
        if sent is not None and used is not None:
            assert (sent["from_number"], sent["to_number"]) == (self.model.numbers[used].phone, person)
            self.model.text(used, person, "outbound", body, (sent["id"], sent["conversation_id"]), person)

    def text_a_group(self, number: str, body: str) -> None:
        people = ["+14155552671", "+12125552672"]
        refusals = self.model.may_send_to_group(number)
        text = {"number_id": number, "recipients": people, "body": body}
        sent = self.send("POST", "/v1/messages", text, refusals)
        if sent is not None:
            assert sent["to_number"].startswith("grp_")
            ids = (sent["id"], sent["conversation_id"])
            self.model.text(number, frozenset(people), "outbound", body, ids, sent["to_number"])

    def somebody_texts(self, number: str, person: str, body: str) -> None:
        text = {"from": person, "to": self.model.numbers[number].phone, "body": body}
        got = self.send("POST", "/_sim/messages", text, {404} if self.model.numbers[number].released else OK)
        if got is not None:
            self.model.text(number, person, "inbound", body, (got["message_id"], got["conversation_id"]), person)

    # -- contacts and sub-accounts -------------------------------------------------------------------------------

    def add_contact(self, person: str, name: str) -> None:
        body = {"phoneNumber": person, "name": name}
        made = self.send("POST", "/v1/contacts", body, self.model.may_be_added(person))
        if made is not None:
            self.model.contacts[made["id"]] = {k: made[k] for k in body}
            assert self.model.contacts[made["id"]] == body

    def change_contact(self, contact: str, person: str, name: str) -> None:
        body = {"phoneNumber": person, "name": name}
        if self.send("PATCH", f"/v1/contacts/{contact}", body, self.model.may_change(contact, person)) is not None:
            self.model.contacts[contact] = body

    def delete_contact(self, contact: str) -> None:
        self.send("DELETE", f"/v1/contacts/{contact}", None, OK if contact in self.model.contacts else {404})
        self.model.contacts.pop(contact, None)

    def open_sub_account(self, name: str) -> None:
        self.model.sub_accounts[self.send("POST", "/v1/sub-accounts", {"name": name}, OK)["id"]] = name

    def rename_sub_account(self, sub_account: str, name: str) -> None:
        known = sub_account in self.model.sub_accounts
        self.send("PATCH", f"/v1/sub-accounts/{sub_account}", {"name": name}, OK if known else {404})
        if known:
            self.model.sub_accounts[sub_account] = name

    def close_sub_account(self, sub_account: str) -> None:
        known = self.model.sub_accounts.pop(sub_account, None) is not None
        self.send("DELETE", f"/v1/sub-accounts/{sub_account}", None, OK if known else {404})

    # -- time ----------------------------------------------------------------------------------------------------

    def time_passes(self) -> None:
        self.account.post("/_sim/clock/run_until_idle")
        self.model.end_every_call()
        stats = self.account.get("/v1/webhooks/deliveries/stats", hours=168)
        assert (stats["pending"], stats["failed"]) == (0, 0)
        assert {name: row["total"] for name, row in stats["byEventType"].items()} == dict(self.model.events())
        assert stats["total"] == stats["success"] == self.model.owed.total()
        came = (r for r in self.receiver.received if r.path.startswith(self.hooks))
        assert Counter((r.path.rpartition("/")[2], r.event) for r in came) == self.model.owed

    # -- reading -------------------------------------------------------------------------------------------------

    @invariant()
    def usage_counts_what_was_done(self) -> None:
        usage = self.account.get("/v1/usage")
        assert usage["numbers"]["used"] == len(self.model.active())
        assert usage["stats"]["totalMessages"] == sum(len(n.texts) for n in self.model.numbers.values())
        assert usage["stats"]["totalCalls"] == len(self.model.calls)

    def look_at_everything(self, limit: int) -> None:
        for url, ids in self.model.newest_first():
            self._lists(url, limit, ids)
        assert self.account.get("/v1/webhooks") == self.model.hook
        for look, ids in (
            (self._look_at_agent, self.model.agents),
            (self._look_at_deleted_agent, self.model.dead),
            (self._look_at_number, self.model.numbers),
            (self._look_at_call, self.model.calls),
        ):
            for record_id in ids:
                look(record_id)
        self._look_at_conversations()
        self._look_at_names()
        self._filter_calls()

    def _lists(self, url: str, limit: int, ids: list[str]) -> None:
        assert [row["id"] for row in self.account.all(url, limit)] == ids, url

    def _look_at_agent(self, agent: str) -> None:
        expected, shown = self.model.agents[agent], self.account.get(f"/v1/agents/{agent}")
        assert {k: shown[k] for k in expected.shown} == expected.shown
        assert [n["id"] for n in shown["numbers"]] == expected.numbers
        assert self.account.get(f"/v1/agents/{agent}/webhook") == expected.hook
        self._lists(f"/v1/agents/{agent}/conversations", 2, self.model.conversations_of(agent))
        self._lists(f"/v1/agents/{agent}/calls", 2, self.model.calls_where(agent=agent))

    def _look_at_deleted_agent(self, agent: str) -> None:
        for tail in ("", "/calls", "/conversations", "/webhook"):
            assert self.account.request("GET", f"/v1/agents/{agent}{tail}").status_code == httpx.codes.NOT_FOUND

    def _look_at_number(self, number: str) -> None:
        expected, shown = self.model.numbers[number], self.account.get(f"/v1/numbers/{number}")
        status = "released" if expected.released else "active"
        assert (shown["phoneNumber"], shown["status"], shown["agentId"]) == (expected.phone, status, expected.agent)
        messages = self.account.get(f"/v1/numbers/{number}/messages", limit=200)
        assert [m["id"] for m in messages["data"]] == expected.texts[::-1]
        self._lists(f"/v1/numbers/{number}/calls", 2, self.model.calls_where(number=number))

    def _look_at_call(self, call_id: str) -> None:
        call, shown = self.model.calls[call_id], self.account.get(f"/v1/calls/{call_id}")
        assert list(missing_or_wrong(SHAPES["Call"], shown)) == []
        assert (shown["agentId"], shown["direction"]) == (call.agent, call.direction)
        assert shown["status"] == call.status
        assert (shown["endedAt"] is None) == (call.status == "in-progress")

    def _look_at_conversations(self) -> None:
        for thread in self.model.threads.values():
            shown = self.account.get(f"/v1/conversations/{thread.id}", message_limit=100)
            assert (shown["participant"], shown["phoneNumberId"]) == (thread.participant, thread.number)
            assert [(m["direction"], m["body"]) for m in shown["messages"]] == thread.bodies
            assert (shown["messageCount"], shown["agentId"]) == (len(thread.bodies), thread.agent)

    def _look_at_names(self) -> None:
        for contact, fields in self.model.contacts.items():
            shown = self.account.get(f"/v1/contacts/{contact}")
            assert {k: shown[k] for k in fields} == fields
        subs = {row["id"]: row["name"] for row in self.account.all("/v1/sub-accounts")}
        assert subs == self.model.sub_accounts

    def _filter_calls(self) -> None:
        for direction in ("inbound", "outbound"):
            for status in ("in-progress", "completed", "failed"):
                page = self.account.get("/v1/calls", direction=direction, status=status, limit=100)
                wanted = self.model.calls_where(direction=direction, status=status)
                assert ([c["id"] for c in page["data"]], page["total"]) == (wanted, len(wanted))

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.look_at_everything(limit=3)
            if self.can_control:
                self.time_passes()
                self.look_at_everything(limit=100)


def picked(records: Iterable[str], at: int) -> str:
    """One of the ids, or one that nobody has."""
    ids = [*records, "nobody_has_this_id"]
    return ids[at % len(ids)]


def test_an_account_is_what_its_commands_made_it(server: Target, receiver: Receiver) -> None:
    if not server.ours and not server.control:
        pytest.skip("needs accounts that start empty")

    class Machine(AccountMachine):
        target = server

    Machine.receiver = receiver
    run_state_machine_as_test(Machine, settings=settings(max_examples=50, stateful_step_count=30))
