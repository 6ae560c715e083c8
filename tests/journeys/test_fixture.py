"""The fixture as a team uses it: the official SDK and the sample handlers, in process and over sockets alike."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulator.testing import SECRET, Account
from tests.helpers.processes import HANDLERS, ROOMY

MODULES = ("simple_starlette", "streaming_fastapi", "tools_flask")
BOTH = pytest.mark.parametrize(
    "place",
    [
        pytest.param("in_process", marks=pytest.mark.agentphone(sockets=False)),
        pytest.param("sockets", marks=pytest.mark.agentphone(sockets=True)),
    ],
)
Load = Callable[[str], Any]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a sample handler as its own directory's program, and forget it again."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(HANDLERS))

    def app(name: str) -> Any:
        receiving = importlib.import_module("receiving")
        receiver = receiving.Receiver(None, env={"AGENTPHONE_WEBHOOK_SECRET": SECRET})
        return importlib.import_module(name).build_app(receiver)

    yield app
    for name in set(sys.modules) - before:
        if str(HANDLERS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@BOTH
@pytest.mark.parametrize("name", MODULES)
def test_a_sample_handler_holds_a_call(agentphone: Account, place: str, name: str, load: Load) -> None:
    agentphone.webhook(load(name), **ROOMY)
    agentphone.number(agentphone.agent("Acme", begin_message="Acme, hello!"), "415")
    call = agentphone.call(["Where is order 4521?", "Thank you, goodbye."])
    assert (call.reason, call.findings) == ("agent_hangup", ())
    greeting, answer, goodbye = call.said
    assert (greeting, goodbye) == ("Acme, hello!", "Thanks for calling. Goodbye!")
    assert "4521 shipped yesterday" in answer
    agentphone.assert_said("4521 shipped", call)
    agentphone.assert_delivered("agent.message", times=2)
    agentphone.assert_no_findings()
    assert list(agentphone.errors) == []


@BOTH
def test_a_handler_answers_a_text_through_the_api(
    agentphone: Account, place: str, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTPHONE_BASE_URL", agentphone.base_url)
    monkeypatch.setenv("AGENTPHONE_API_KEY", agentphone.api_key)
    agentphone.webhook(load("simple_starlette"), **ROOMY)
    agentphone.text("Where is order 4521?")
    sent = agentphone.wait_for("message.sent", within="1m", patience=20, body={"contains": "4521 shipped"})
    assert sent["to"] == "+14155550150"
    agentphone.assert_requested("POST /v1/messages", to_number="+14155550150")


@BOTH
def test_the_official_sdk_makes_a_call_that_a_person_answers(agentphone: Account, place: str, load: Load) -> None:
    agentphone.webhook(load("simple_starlette"), **ROOMY)
    agentphone.person("+14155550177", script=["Who is calling?", "Thanks, goodbye"])
    client = agentphone.client()
    agent = client.agents.create(name="Support")
    client.numbers.buy(area_code="415", agent_id=agent.id)
    made = client.calls.make(agent_id=agent.id, to_number="+14155550177", initial_greeting="Hi, it is Acme.")
    call = agentphone.call_result(made.id)
    assert (call.said[0], call.heard) == ("Hi, it is Acme.", ("Who is calling?", "Thanks, goodbye"))
    assert client.calls.get(made.id).status == "completed"


@BOTH
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_async_sdk_and_an_async_test_share_a_world(agentphone: Account, place: str, load: Load) -> None:
    client = agentphone.async_client()
    await agentphone.aio.webhook(load("streaming_fastapi"), **ROOMY)
    agent = await client.agents.create(name="Support")
    await client.numbers.buy(area_code="415", agent_id=agent.id)
    number = (await client.numbers.list()).data[0].phone_number
    call = await agentphone.aio.call(["Where is order 4521?", "goodbye"], to=number)
    assert call.reason == "agent_hangup"
    assert (await client.calls.get(call.id)).status == "completed"
    await client.close()


@BOTH
def test_a_phone_barges_in_on_a_sample_handler(agentphone: Account, place: str, load: Load) -> None:
    agentphone.webhook(load("streaming_fastapi"), **ROOMY)
    with agentphone.dial() as phone:
        phone.ask("Where is order 4521?")
        assert "Goodbye" in phone.barge_in("Never mind, goodbye", after="500ms")
        assert phone.ended
    assert phone.result().reason == "agent_hangup"
    assert agentphone.journal.last("barge_in", call_id=phone.id) is not None
