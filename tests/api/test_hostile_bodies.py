"""Whatever JSON arrives, every operation with a body answers below 500, and a refusal changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.api import Api, platform_operations
from tests.helpers.registration import application

WORDS = st.sampled_from(
    ["", "\x00", "\ud800", "911", "+14155550150", "http://127.0.0.1:1", "US", "415", "hosted", "x" * 300, "en-US", "é"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3) | WORDS, v, max_size=3),
    max_leaves=6,
)
SERVED = platform_operations()
WRITES = [o for o in SERVED if o.body is not None]


def fields_of(operation: Any) -> list[str]:
    return [field.alias or name for name, field in operation.body.model_fields.items()]


def bodies(operation: Any) -> st.SearchStrategy[Any]:
    known = st.dictionaries(st.sampled_from(fields_of(operation)), VALUES, max_size=6)
    plausible = known.map(lambda some: {**starting_point(operation.id), **some})
    return known | plausible | VALUES


def starting_point(operation_id: str) -> dict[str, Any]:
    return {
        "createAgent": {"name": "A"},
        "createOutboundCall": {"agentId": "AGENT", "toNumber": "+14155550150"},
        "createWebCall": {"agentId": "AGENT", "metadata": {"a": [1]}},
        "sendMessage": {"agent_id": "AGENT", "to_number": "+14155550150", "body": "hi"},
        "sendReaction": {"reaction": "love"},
        "setChatBackground": {"image_url": "https://files.example.com/sea.png"},
        "createOrUpdateWebhook": {"url": "http://127.0.0.1:1"},
        "registerA2P": application(),
        "sendVerification": {"phone_number": "+14155550150"},
        "checkVerification": {"verification_id": "VERIFICATION", "code": "123456"},
        "whatsappConnect": {"code": "AQD"},
        "whatsappCreateTemplate": {"name": "welcome", "category": "UTILITY", "language": "en_US"},
        "agentSignUp": {"human_email": "ada@example.com"},
        "createContact": {"phoneNumber": "+14155550150", "name": "Ann"},
        "submitFeedback": {"category": "idea", "note": "Ring thrice"},
        "updateVoiceRouting": {"method": "agent"},
    }.get(operation_id, {})


def everything(api: Api) -> tuple[dict[str, Any], ...]:
    world = api.world
    return tuple(
        map(
            dict,
            (
                world.agents,
                world.numbers,
                world.calls,
                world.messages,
                world.conversations,
                world.contacts,
                world.cards,
                world.feedback,
                world.registrations,
                world.trunks,
                world.verifications,
                world.whatsapp_connections,
                world.message_templates,
                world.sign_ups,
                world.sub_accounts,
            ),
        )
    )


def path_of(operation: Any, **ids: str) -> str:
    """The operation's path with these ids; every other parameter becomes an id that nobody has."""
    return str(operation.path.format_map(defaultdict(lambda: "nothing_has_this_id", ids)))


async def hostile(operation: Any, body: Any) -> None:
    api = Api()
    agent_id, number_id = await api.line()
    await api.post("/v1/webhooks", {"url": "http://127.0.0.1:1"})
    await api.post(f"/v1/agents/{agent_id}/webhook", {"url": "http://127.0.0.1:1"})
    apple = await api.post("/v1/numbers", {"type": "imessage"})
    sent = await api.post("/v1/messages", {"number_id": apple["id"], "to_number": "+14155550150", "body": "hi"})
    thread, message = sent["conversation_id"], sent["id"]
    sent = await api.post("/v1/verify/send", {"phone_number": "+14155550150"})
    connection_id = (await api.post("/integrations/whatsapp/connect", {"code": "AQD"}))["id"]
    text = json.dumps(body).replace('"AGENT"', json.dumps(agent_id))
    text = text.replace('"VERIFICATION"', json.dumps(sent["verification_id"]))
    before = everything(api)
    answer = await api.send(
        operation.method,
        path_of(
            operation,
            agent_id=agent_id,
            conversation_id=thread,
            message_id=message,
            number_id=number_id,
            connection_id=connection_id,
        ),
        content=text.encode(),
    )
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    if answer.status_code >= 400:
        assert answer.json()["detail"]
        assert everything(api) == before


@pytest.mark.parametrize("operation", WRITES, ids=lambda o: o.id)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_hostile_json_is_answered_below_500(operation: Any, data: st.DataObject) -> None:
    asyncio.run(hostile(operation, data.draw(bodies(operation))))


READS = [o for o in SERVED if o.query is not None]


@pytest.mark.parametrize("operation", READS, ids=lambda o: o.id)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_hostile_queries_are_answered_below_500(operation: Any, data: st.DataObject) -> None:
    assert operation.query is not None
    names = [field.alias or name for name, field in operation.query.model_fields.items()]
    values = st.text(max_size=6) | WORDS.filter(lambda w: w.isprintable()) | st.integers().map(str)
    query = data.draw(st.dictionaries(st.sampled_from(names), values.map(clean), max_size=3))

    async def ask() -> None:
        api = Api()
        agent_id, number_id = await api.line()
        path = path_of(operation, agent_id=agent_id, number_id=number_id)
        answer = await api.send(operation.method, path, params=query)
        assert answer.status_code < 500, answer.text

    asyncio.run(ask())


def clean(text: str) -> str:
    """What a client can put into a URL at all."""
    return text.encode("utf-8", "replace").decode()
