"""Every promised operation is asked once, and its real answer is compared with the facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from contract_tests.facts import FACTS, PROMISED, Fact, missing_or_wrong
from contract_tests.target import Target
from tests.helpers.registration import application
from tests.helpers.webhook_receiver import Receiver

PERSON: Final = "+14155552671"
HOOK: Final = "http://127.0.0.1:9/webhook"


@dataclass(frozen=True)
class Account:
    """An account in which every list has at least one row."""

    target: Target
    agent: str
    number: str
    call: str
    conversation: str
    message: str
    sub_account: str
    trunk: str
    connection: str
    contact: str
    hook: str

    def spare_number(self) -> str:
        number: str = self.target.post("/v1/numbers")["id"]
        return number

    def spare_connection(self) -> str:
        connection: str = self.target.post("/integrations/whatsapp/connect", {"code": "AQD"})["id"]
        return connection

    def spare_agent(self) -> str:
        agent: str = self.target.post("/v1/agents", {"name": "Spare"})["id"]
        return agent

    def ask(self, fact: Fact, *, body: Any = None, **ids: str) -> httpx.Response:
        known = {
            "agent_id": self.agent,
            "number_id": self.number,
            "call_id": self.call,
            "conversation_id": self.conversation,
            "message_id": self.message,
            "sub_account_id": self.sub_account,
            "trunk_id": self.trunk,
            "connection_id": self.connection,
            "contact_id": self.contact,
            "phone_number": PERSON,
        }
        parts = {} if fact.method in {"GET", "DELETE"} else {"json": {} if body is None else body}
        return self.target.request(fact.method, fact.url(**known | ids), **parts)


@pytest.fixture(scope="module")
def account(server: Target, receiver: Receiver) -> Account:
    target = server.fresh()
    target.post("/v1/webhooks", {"url": receiver.url})
    agent = target.post("/v1/agents", {"name": "Support", "beginMessage": "Hello!"})["id"]
    number = target.post("/v1/numbers", {"agentId": agent})["id"]
    target.post(f"/v1/agents/{agent}/webhook", {"url": receiver.url})
    target.post("/v1/messages", {"agent_id": agent, "to_number": PERSON, "body": "Your parcel is here"})
    conversation, message = _chat(target)
    branch = target.post("/v1/sub-accounts", {"name": "Branch"})["id"]
    contact = target.post("/v1/contacts", {"phoneNumber": PERSON, "name": "Ann"})["id"]
    trunk = target.post("/v1/sip-trunks")["id"]
    target.patch(f"/v1/sip-trunks/{trunk}", {"origination": {"uris": [{"sip_uri": "sip:pbx.example.com"}]}})
    connection = target.post("/integrations/whatsapp/connect", {"code": "AQD"})["id"]
    target.post("/v1/register", application(create_sub_account=False))
    call = _call(target, agent, number)
    return Account(target, agent, number, call, conversation, message, branch, trunk, connection, contact, receiver.url)


def _chat(target: Target) -> tuple[str, str]:
    """An iMessage group in which something was answered and reacted to: the ids of the conversation and the answer."""
    number = target.post("/v1/numbers", {"type": "imessage"})["id"]
    first = target.post("/v1/messages", {"number_id": number, "recipients": [PERSON, "ann@example.com"], "body": "Hi"})
    answer = {"number_id": number, "to_number": first["to_number"], "body": "?", "reply_to_message_id": first["id"]}
    sent: dict[str, str] = target.post("/v1/messages", answer)
    target.post(f"/v1/messages/{sent['id']}/reactions", {"reaction": "love"})
    return sent["conversation_id"], sent["id"]


def _call(target: Target, agent: str, number: str) -> str:
    """A call in which something was said, where people can be told to call; else one that has just begun."""
    if not target.control:
        begun: str = target.post("/v1/calls", {"agentId": agent, "toNumber": PERSON})["id"]
        return begun
    phone = target.get(f"/v1/numbers/{number}")["phoneNumber"]
    script = {"from": PERSON, "to": phone, "script": ["Where is my parcel?"], "wait": True}
    ended: str = target.post("/_sim/calls", script)["call_id"]
    return ended


def _begun(account: Account) -> str:
    """A call that has not ended yet."""
    call: str = account.target.post("/v1/calls", {"agentId": account.agent, "toNumber": PERSON})["id"]
    return call


def _delete_agent(account: Account) -> httpx.Response:
    agent = account.spare_agent()
    account.target.post("/v1/numbers", {"agentId": agent})
    return account.ask(FACTS["deleteAgent"], agent_id=agent)


def _detach(account: Account) -> httpx.Response:
    number = account.spare_number()
    account.target.post(f"/v1/agents/{account.agent}/numbers", {"numberId": number})
    return account.ask(FACTS["detachNumberFromAgent"], number_id=number)


def _delete_agent_webhook(account: Account) -> httpx.Response:
    agent = account.spare_agent()
    account.target.post(f"/v1/agents/{agent}/webhook", {"url": account.hook})
    return account.ask(FACTS["deleteAgentWebhook"], agent_id=agent)


def _delete_webhook(account: Account) -> httpx.Response:
    answer = account.ask(FACTS["deleteWebhook"])
    account.target.post("/v1/webhooks", {"url": account.hook})
    return answer


def _delete_sub_account(account: Account) -> httpx.Response:
    spare = account.target.post("/v1/sub-accounts", {"name": "Spare"})["id"]
    return account.ask(FACTS["deleteSubAccount"], sub_account_id=spare)


def _unknown_number(account: Account) -> str:
    """A number that is in nobody's address book."""
    return f"+141555526{account.target.get('/v1/contacts')['total']:02d}"


def _create_contact(account: Account) -> httpx.Response:
    return account.ask(FACTS["createContact"], body={"phoneNumber": _unknown_number(account), "name": "Bob"})


def _delete_contact(account: Account) -> httpx.Response:
    spare = account.target.post("/v1/contacts", {"phoneNumber": _unknown_number(account), "name": "Spare"})["id"]
    return account.ask(FACTS["deleteContact"], contact_id=spare)


def _capabilities(account: Account) -> httpx.Response:
    account.target.post("/v1/numbers", {"type": "imessage"})
    return account.target.request("GET", "/v1/contacts/capabilities", params={"phone_number": PERSON})


def _put_card(account: Account) -> httpx.Response:
    return account.ask(FACTS["putContactCard"], body={"firstName": "Ada"})


def _location(account: Account) -> httpx.Response:
    if not account.target.control:
        pytest.skip("nobody can be made to share a location on this server")
    place = {"latitude": 37.77, "longitude": -122.42}
    account.target.request("PUT", f"/_sim/people/{PERSON}/location", json=place)
    return account.ask(FACTS["getLocation"])


def _check_verification(account: Account) -> httpx.Response:
    sent = account.target.post("/v1/verify/send", {"phone_number": PERSON})
    return account.ask(FACTS["checkVerification"], body={**sent, "code": "no code"})


def _connect_number(account: Account) -> httpx.Response:
    connection = account.spare_connection()
    account.spare_number()
    available = account.target.get(f"/integrations/whatsapp/{connection}/available-numbers")["data"]
    body = {"phone_number_id": available[-1]["phone_number_id"]}
    return account.ask(FACTS["whatsappConnectNumber"], body=body, connection_id=connection)


def _create_template(account: Account, connection: str) -> httpx.Response:
    body = {"name": "welcome", "category": "UTILITY", "language": "en_US"}
    return account.ask(FACTS["whatsappCreateTemplate"], body=body, connection_id=connection)


def _delete_template(account: Account) -> httpx.Response:
    connection = account.spare_connection()
    _create_template(account, connection)
    url = FACTS["whatsappDeleteTemplate"].url(connection_id=connection)
    return account.target.request("DELETE", url, params={"name": "welcome"})


def _delete_trunk(account: Account) -> httpx.Response:
    return account.ask(FACTS["deleteSipTrunk"], trunk_id=account.target.post("/v1/sip-trunks")["id"])


# What to ask where an empty body and the ids of the account would not do.
ASK: Final[Mapping[str, Callable[[Account], httpx.Response]]] = {
    "createAgent": lambda a: a.ask(FACTS["createAgent"], body={"name": "Another"}),
    "updateAgent": lambda a: a.ask(FACTS["updateAgent"], body={"description": "Answers"}),
    "deleteAgent": _delete_agent,
    "attachNumberToAgent": lambda a: a.ask(FACTS["attachNumberToAgent"], body={"numberId": a.spare_number()}),
    "detachNumberFromAgent": _detach,
    "deleteNumber": lambda a: a.ask(FACTS["deleteNumber"], number_id=a.spare_number()),
    "createOrUpdateWebhook": lambda a: a.ask(FACTS["createOrUpdateWebhook"], body={"url": a.hook}),
    "createOrUpdateAgentWebhook": lambda a: a.ask(FACTS["createOrUpdateAgentWebhook"], body={"url": a.hook}),
    "deleteWebhook": _delete_webhook,
    "endCall": lambda a: a.ask(FACTS["endCall"], call_id=_begun(a)),
    "updateConversation": lambda a: a.ask(FACTS["updateConversation"], body={"metadata": {"step": 2}}),
    "deleteAgentWebhook": _delete_agent_webhook,
    "createOutboundCall": lambda a: a.ask(
        FACTS["createOutboundCall"], body={"agentId": a.agent, "toNumber": PERSON, "initialGreeting": "Hi"}
    ),
    "createWebCall": lambda a: a.ask(FACTS["createWebCall"], body={"agentId": a.agent}),
    "createSubAccount": lambda a: a.ask(FACTS["createSubAccount"], body={"name": "Another"}),
    "updateSubAccount": lambda a: a.ask(FACTS["updateSubAccount"], body={"name": "Renamed"}),
    "deleteSubAccount": _delete_sub_account,
    "registerA2P": lambda a: a.ask(FACTS["registerA2P"], body=application()),
    "deleteSipTrunk": _delete_trunk,
    "sendVerification": lambda a: a.ask(FACTS["sendVerification"], body={"phone_number": PERSON}),
    "checkVerification": _check_verification,
    "whatsappConnect": lambda a: a.ask(FACTS["whatsappConnect"], body={"code": "AQD"}),
    "whatsappDisconnect": lambda a: a.ask(FACTS["whatsappDisconnect"], connection_id=a.spare_connection()),
    "whatsappConnectNumber": _connect_number,
    "whatsappCreateTemplate": lambda a: _create_template(a, a.spare_connection()),
    "whatsappDeleteTemplate": _delete_template,
    "createContact": _create_contact,
    "updateContact": lambda a: a.ask(FACTS["updateContact"], body={"notes": "Met in May"}),
    "deleteContact": _delete_contact,
    "getContactCapabilities": _capabilities,
    "putContactCard": _put_card,
    "getContactCard": lambda a: (_put_card(a), a.ask(FACTS["getContactCard"]))[1],
    "deleteContactCard": lambda a: (_put_card(a), a.ask(FACTS["deleteContactCard"]))[1],
    "lookupNumbers": lambda a: a.target.request("GET", "/v1/numbers/lookup", params={"phoneNumbers": PERSON}),
    "getLocation": _location,
    "submitFeedback": lambda a: a.ask(FACTS["submitFeedback"], body={"category": "idea", "note": "Ring thrice"}),
    "sendReaction": lambda a: a.ask(FACTS["sendReaction"], body={"reaction": "laugh"}),
    "setChatBackground": lambda a: a.ask(
        FACTS["setChatBackground"], body={"image_url": "https://files.example.com/sea.png"}
    ),
    "sendMessage": lambda a: a.ask(
        FACTS["sendMessage"], body={"number_id": a.number, "to_number": PERSON, "body": "Again"}
    ),
}


SHAPED: Final = tuple(f for f in PROMISED if f.answer)
UNSHAPED: Final = tuple(f for f in PROMISED if not f.answer)


def sent(account: Account, fact: Fact) -> httpx.Response:
    """The answer to one promised operation."""
    answer = ASK[fact.id](account) if fact.id in ASK else account.ask(fact)
    assert answer.status_code == fact.status, answer.text
    return answer


def ask(account: Account, fact: Fact) -> Any:
    """The JSON of the answer to one promised operation."""
    answer = sent(account, fact)
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


@pytest.mark.parametrize("fact", SHAPED, ids=lambda f: f.id)
def test_an_answer_carries_every_documented_field_with_its_type(account: Account, fact: Fact) -> None:
    body = ask(account, fact)
    assert fact.answer is not None
    for row in body if fact.answer_many else [body]:
        assert list(missing_or_wrong(fact.answer, row)) == []


@pytest.mark.parametrize("fact", UNSHAPED, ids=lambda f: f.id)
def test_an_answer_that_is_not_json_is_of_its_documented_type_or_empty(account: Account, fact: Fact) -> None:
    answer = sent(account, fact)
    if fact.media:
        assert answer.headers["content-type"].partition(";")[0] in fact.media
        assert answer.content
    else:
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("fact", [f for f in PROMISED if f.answer and "data" in f.answer.fields], ids=lambda f: f.id)
def test_a_list_of_a_busy_account_has_rows_whose_shape_was_checked(account: Account, fact: Fact) -> None:
    if fact.id == "getCallTranscript" and not account.target.control:
        pytest.skip("nobody can be made to say something on this server")
    assert ask(account, fact)["data"] != []


def test_what_the_python_sdk_needs_is_never_null(account: Account) -> None:
    for fact in SHAPED:
        shape = fact.answer
        assert shape is not None
        body = ask(account, fact)
        rows = body if fact.answer_many else [body]
        if "data" in shape.fields:
            rows, inner = rows[0]["data"], shape.fields["data"].shape
            assert inner is not None
            shape = inner
        missing = [(fact.id, name) for row in rows for name in shape.sdk_needs if row.get(name) is None]
        assert missing == []


def test_a_new_account_answers_with_empty_lists_of_the_right_shape(target: Target) -> None:
    for fact in PROMISED:
        if any(parameter.required for parameter in fact.query()):
            continue
        if fact.method == "GET" and "{" not in fact.path and fact.answer and not fact.answer_nullable:
            body = target.get(fact.path)
            assert list(missing_or_wrong(fact.answer, body)) == [], fact.id


# -- both spellings of what the generations of the documentation call differently ---------------------------------


def test_an_agent_lists_its_numbers_under_both_names(account: Account) -> None:
    agent = account.target.get(f"/v1/agents/{account.agent}")
    assert account.number in [n["id"] for n in agent["numbers"]]
    assert agent["phoneNumbers"] == agent["numbers"]


def test_a_message_names_its_parties_in_every_spelling(account: Account) -> None:
    message = account.target.get(f"/v1/numbers/{account.number}/messages")["data"][0]
    ours = account.target.get(f"/v1/numbers/{account.number}")["phoneNumber"]
    assert {message[k] for k in ("from", "from_", "fromNumber")} == {ours}
    assert {message[k] for k in ("to", "toNumber")} == {PERSON}


def test_deliveries_are_listed_under_both_names_with_the_paging_of_both_generations(account: Account) -> None:
    page = account.target.get("/v1/webhooks/deliveries", limit=1, offset=1)
    assert page["items"] == page["data"]
    assert len(page["items"]) == 1
    assert (page["limit"], page["offset"]) == (1, 1)
    assert page["hasMore"] == (page["total"] > 2)


def test_a_delivery_tells_its_event_and_its_status_twice(account: Account) -> None:
    for delivery in account.target.get("/v1/webhooks/deliveries")["items"]:
        assert delivery["event"] == delivery["eventType"]
        assert delivery["statusCode"] == delivery["httpStatus"]
        assert delivery["success"] == (delivery["status"] == "success")


def test_a_voice_has_an_id_and_a_name_in_both_spellings(account: Account) -> None:
    for voice in account.target.get("/v1/agents/voices")["data"]:
        assert voice["voice_id"] == voice["voiceId"]
        assert voice["voice_name"] == voice["name"]


def test_usage_limits_the_numbers_in_both_generations_words(account: Account) -> None:
    usage = account.target.get("/v1/usage")
    assert usage["plan"]["numberLimit"] == usage["plan"]["limits"]["numbers"] == usage["numbers"]["limit"]
    assert usage["numbers"]["used"] + usage["numbers"]["remaining"] == usage["numbers"]["limit"]


def test_a_conversation_takes_its_message_limit_in_both_spellings(account: Account) -> None:
    url = f"/v1/conversations/{account.conversation}"
    account.target.post("/v1/messages", {"number_id": account.number, "to_number": PERSON, "body": "One more"})
    assert len(account.target.get(url, message_limit=1)["messages"]) == 1
    assert len(account.target.get(url, messageLimit=1)["messages"]) == 1
    assert len(account.target.get(url, message_limit=2, messageLimit=1)["messages"]) == 2


def test_a_webhook_that_is_not_set_is_a_null_and_not_an_error(target: Target) -> None:
    agent = target.post("/v1/agents", {"name": "Quiet"})["id"]
    if target.ours:
        assert target.get("/v1/webhooks") is None
    assert target.get(f"/v1/agents/{agent}/webhook") is None


def test_every_set_of_a_webhook_makes_a_new_secret_for_the_same_endpoint(target: Target) -> None:
    first = target.post("/v1/webhooks", {"url": HOOK})
    second = target.post("/v1/webhooks", {"url": HOOK})
    assert first["id"] == second["id"]
    assert first["secret"] != second["secret"]
    assert target.get("/v1/webhooks") == second


def test_dates_are_utc_with_milliseconds(account: Account) -> None:
    made = account.target.get(f"/v1/agents/{account.agent}")["createdAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made)
