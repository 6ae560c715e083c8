"""The official Python SDK, both clients, through every promised operation, against a server on a real socket."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from agentphone import (
    AgentPhone,
    AgentPhoneError,
    AsyncAgentPhone,
    AuthenticationError,
    NotFoundError,
    WebhookEvent,
    construct_event,
)

from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.webhook_receiver import Received, Receiver, Reply, say

pytestmark = pytest.mark.anyio
PERSON: Final = "+14155552671"
# Methods of operations that answer 501 until they are simulated.
NOT_YET: Final = frozenset(
    {
        *("agents.list_webhook_deliveries", "calls.create_web_call", "calls.get_recording"),
        *("calls.stream_transcript", "conversations.delete_background"),
        *("conversations.send_typing", "conversations.set_background", "messages.react"),
        *("numbers.available", "numbers.delete_contact_card", "numbers.get_contact_card", "numbers.lookup"),
        *("numbers.set_contact_card", "usage.get_by_agent", "usage.get_by_number"),
    }
)


class Patient:
    """The synchronous client with methods that can be awaited, so that one story drives both clients."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not callable(found):
            return Patient(found)

        async def call(*args: Any, **named: Any) -> Any:
            return found(*args, **named)

        return call


@dataclass(frozen=True)
class Desk:
    """What a developer has in front of them: an SDK client, a webhook handler, and a phone to try things with."""

    sdk: Any
    outside: Outside
    hook: Receiver
    server: Live

    async def agent_with_number(self, **fields: Any) -> tuple[Any, Any]:
        agent = await self.sdk.agents.create(name="Support", **fields)
        return agent, await self.sdk.numbers.buy(agent_id=agent.id)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as running:
        yield running


def answer(request: Received) -> Reply:
    """A handler that repeats what it hears on the phone, and takes everything else silently."""
    event = request.json
    if event["event"] == "agent.message" and event["channel"] == "voice":
        return say(f"You said: {event['data']['transcript']}")
    return Reply()


@pytest.fixture(params=["sync", "async"])
async def desk(request: pytest.FixtureRequest, server: Live, anyio_backend: str) -> AsyncIterator[Desk]:
    key = server.new_key()
    with Receiver(answer) as hook, Outside(server.url, key) as outside:
        if request.param == "sync":
            with AgentPhone(key, server.url) as client:
                yield Desk(Patient(client), outside, hook, server)
        else:
            async with AsyncAgentPhone(key, server.url) as client:
                yield Desk(client, outside, hook, server)


def verified(request: Received, secret: str) -> WebhookEvent:
    """The event, after the SDK's own check of signature and time."""
    headers = request.headers
    return construct_event(request.body, headers["x-webhook-signature"], secret, headers["x-webhook-timestamp"])


# -- agents ------------------------------------------------------------------------------------------------------


async def test_an_agent_is_made_found_changed_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    first = await sdk.agents.create(name="First")
    made = await sdk.agents.create(
        name="Second", description="Sells", voice_mode="hosted", system_prompt="Sell!", begin_message="Hi",
        voice="nova", model_tier="max", transfer_number="+14155552672", voicemail_message="Call back",
        stt_mode="accurate", ambient_sound="office", denoising_mode="noise-and-background-speech-cancellation",
        max_silence_ms=20_000, enable_messaging=False, enable_backchannel=False, interruption_sensitivity=0.25,
        voice_speed=1.5, language="fr-FR",
    )  # fmt: skip
    assert await sdk.agents.get(made.id) == made
    assert (made.language, made.voice_speed, made.max_silence_ms, made.transfer_number) == (
        "fr-FR", 1.5, 20_000, "+14155552672",
    )  # fmt: skip
    listed = await sdk.agents.list()
    assert ([a.id for a in listed.data], listed.total, listed.has_more) == ([made.id, first.id], 2, False)
    assert [a.id for a in (await sdk.agents.list(limit=1, offset=1)).data] == [first.id]


async def test_only_the_given_fields_of_an_agent_change(desk: Desk) -> None:
    made = await desk.sdk.agents.create(name="Support", description="Helps", begin_message="Hello", voice="nova")
    changed = await desk.sdk.agents.update(made.id, name="Sales", max_silence_ms=30_000)
    assert (changed.name, changed.max_silence_ms) == ("Sales", 30_000)
    assert (changed.description, changed.begin_message, changed.voice) == ("Helps", "Hello", "nova")
    assert await desk.sdk.agents.get(made.id) == changed


async def test_a_deleted_agent_is_gone_and_its_number_stays(desk: Desk) -> None:
    agent, number = await desk.agent_with_number()
    gone = await desk.sdk.agents.delete(agent.id)
    assert (gone["success"], gone["unassignedNumbers"]) == (True, [number.id])
    assert (await desk.sdk.numbers.get(number.id)).agent_id is None
    with pytest.raises(NotFoundError, match=agent.id):
        await desk.sdk.agents.get(agent.id)


async def test_the_voice_of_a_new_agent_is_in_the_catalogue(desk: Desk) -> None:
    agent = await desk.sdk.agents.create(name="Support")
    voices = await desk.sdk.agents.list_voices()
    assert agent.voice in [v["voice_id"] for v in voices]
    assert len({v["voice_id"] for v in voices}) == len(voices)


# -- numbers -----------------------------------------------------------------------------------------------------


async def test_a_number_is_bought_attached_detached_and_released(desk: Desk) -> None:
    sdk = desk.sdk
    agent = await sdk.agents.create(name="Support")
    number = await sdk.numbers.buy(area_code="212", external_id="crm-7")
    assert number.phone_number.startswith("+1212")
    assert (number.agent_id, number.external_id, number.status) == (None, "crm-7", "active")
    assert (await sdk.numbers.update(number.id, external_id="crm-8")).external_id == "crm-8"
    await sdk.agents.attach_number(agent.id, number.id)
    assert [n.id for n in (await sdk.agents.get(agent.id)).numbers] == [number.id]
    assert (await sdk.numbers.get(number.id)).agent_id == agent.id
    await sdk.agents.detach_number(agent.id, number.id)
    assert (await sdk.agents.get(agent.id)).numbers == []
    assert (await sdk.numbers.release(number.id))["status"] == "released"
    assert (await sdk.numbers.get(number.id)).status == "released"
    assert (await sdk.numbers.list()).data == []


async def test_numbers_are_listed_newest_first_and_page_by_page(desk: Desk) -> None:
    bought = [await desk.sdk.numbers.buy() for _ in range(3)]
    first = await desk.sdk.numbers.list(limit=2)
    rest = await desk.sdk.numbers.list(limit=2, offset=2)
    assert [n.id for n in first.data + rest.data] == [n.id for n in reversed(bought)]
    assert (first.has_more, rest.has_more, first.total) == (True, False, 3)


# -- webhooks ----------------------------------------------------------------------------------------------------


async def test_the_accounts_webhook_is_set_tested_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    assert await sdk.webhooks.get() is None
    old = await sdk.webhooks.set(desk.hook.url)
    new = await sdk.webhooks.set(desk.hook.url, context_limit=3, timeout=9)
    assert (new.context_limit, new.timeout, new.id) == (3, 9, old.id)
    assert new.secret != old.secret
    assert await sdk.webhooks.get() == new
    tried = await sdk.webhooks.test(from_=PERSON, to="+14155552672", message="Ping", channel="imessage")
    assert (tried["success"], tried["statusCode"]) == (True, 200)
    event = verified(desk.hook.received[-1], new.secret)
    assert (event.test, event.channel, event.data.message, event.data.from_number) == (True, "imessage", "Ping", PERSON)
    await sdk.webhooks.delete()
    assert await sdk.webhooks.get() is None


async def test_an_agents_webhook_is_set_tested_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    agent = await sdk.agents.create(name="Support")
    assert await sdk.agents.get_webhook(agent.id) is None
    hook = await sdk.agents.set_webhook(agent.id, desk.hook.url, context_limit=0, timeout=5)
    assert await sdk.agents.get_webhook(agent.id) == hook
    assert (await sdk.agents.test_webhook(agent.id))["success"] is True
    event = verified(desk.hook.received[-1], hook.secret)
    assert (event.test, event.agent_id, event.recent_history) == (True, agent.id, [])
    await sdk.agents.delete_webhook(agent.id)
    assert await sdk.agents.get_webhook(agent.id) is None


async def test_an_agents_own_webhook_gets_its_events_and_the_accounts_does_not(desk: Desk) -> None:
    agent, number = await desk.agent_with_number()
    await desk.sdk.webhooks.set(desk.hook.url)
    with Receiver() as own:
        hook = await desk.sdk.agents.set_webhook(agent.id, own.url)
        desk.outside.text(PERSON, number.phone_number, "hi")
        desk.outside.settle()
        assert {verified(r, hook.secret).event for r in own.received} == {"agent.message", "message.received"}
    assert desk.hook.received == []


async def test_every_delivery_is_listed_and_counted(desk: Desk) -> None:
    _, number = await desk.agent_with_number()
    await desk.sdk.webhooks.set(desk.hook.url)
    desk.outside.text(PERSON, number.phone_number, "hi")
    desk.outside.settle()
    deliveries = await desk.sdk.webhooks.list_deliveries()
    assert {d.id for d in deliveries} == {r.headers["x-webhook-id"] for r in desk.hook.received}
    assert {(d.status, d.http_status, d.attempt_count, d.channel) for d in deliveries} == {("success", 200, 1, "sms")}
    assert len(await desk.sdk.webhooks.list_deliveries(limit=1, offset=1, hours=1)) == 1
    stats = await desk.sdk.webhooks.get_delivery_stats(hours=1)
    assert (stats.total, stats.success, stats.failed, stats.pending, stats.success_rate) == (2, 2, 0, 0, 100)
    assert set(stats.by_event_type) == {"agent.message", "message.received"}
    ever = await desk.sdk.webhooks.get_all_time_stats()
    assert ever == {"total": 2, "success": 2, "failed": 0, "successRate": 100.0}


# -- texts -------------------------------------------------------------------------------------------------------


async def test_a_text_comes_in_and_is_answered(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    hook = await sdk.webhooks.set(desk.hook.url)
    received = desk.outside.text(PERSON, number.phone_number, "Are you open?")
    desk.outside.settle()
    event = verified(desk.hook.of("agent.message")[0], hook.secret)
    assert (event.agent_id, event.data.message, event.data.from_number) == (agent.id, "Are you open?", PERSON)
    assert event.data.message_id == received["message_id"]

    sent = await sdk.messages.send(agent_id=agent.id, to_number=PERSON, body="Until six")
    assert (sent["from_number"], sent["conversation_id"]) == (number.phone_number, received["conversation_id"])
    desk.outside.settle()
    told = verified(desk.hook.of("message.sent")[0], hook.secret)
    assert [h.content for h in told.recent_history] == ["Are you open?", "Until six"]


async def test_texts_are_read_by_number_by_conversation_and_by_agent(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    for body in ("one", "two"):
        desk.outside.text(PERSON, number.phone_number, body)
    sent = await sdk.messages.send(number_id=number.id, to_number=PERSON, body="three")
    messages = await sdk.numbers.get_messages(number.id)
    assert [(m.body, m.direction) for m in messages.data] == [
        ("three", "outbound"), ("two", "inbound"), ("one", "inbound"),
    ]  # fmt: skip
    assert (messages.data[0].id, messages.data[1].from_number) == (sent["id"], PERSON)
    older = await sdk.numbers.get_messages(number.id, limit=1, before=sent["id"])
    assert ([m.body for m in older.data], older.has_more) == (["two"], True)

    (listed,) = (await sdk.conversations.list()).data
    assert (listed.participant, listed.message_count, listed.last_message_preview) == (PERSON, 3, "three")
    assert [c.id for c in (await sdk.agents.list_conversations(agent.id)).data] == [listed.id]
    whole = await sdk.conversations.get(listed.id, message_limit=2)
    assert [m.body for m in whole.messages] == ["two", "three"]
    page = await sdk.conversations.get_messages(listed.id, limit=1, before=sent["id"])
    assert ([m.body for m in page.data], page.has_more) == (["two"], True)


async def test_what_a_conversation_remembers_comes_back_with_its_next_text(desk: Desk) -> None:
    sdk = desk.sdk
    _, number = await desk.agent_with_number()
    hook = await sdk.webhooks.set(desk.hook.url)
    thread = desk.outside.text(PERSON, number.phone_number, "Book a table")["conversation_id"]
    changed = await sdk.conversations.update(thread, metadata={"step": "party size"})
    assert (changed.id, changed.metadata) == (thread, {"step": "party size"})
    desk.outside.text(PERSON, number.phone_number, "Four of us")
    desk.outside.settle()
    states = [verified(r, hook.secret).conversation_state for r in desk.hook.of("agent.message")]
    assert states == [None, {"step": "party size"}]


# -- calls -------------------------------------------------------------------------------------------------------


async def test_somebody_calls_and_talks_with_the_handler(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number(begin_message="Acme, hello!")
    hook = await sdk.webhooks.set(desk.hook.url)
    call_id = desk.outside.call(PERSON, number.phone_number, "Where is my order?", "Thanks")["call_id"]
    desk.outside.settle()

    call = await sdk.calls.get(call_id)
    assert (call.status, call.direction, call.from_number, call.agent_id) == ("completed", "inbound", PERSON, agent.id)
    rows = [(t.transcript, t.response) for t in call.transcripts]
    assert rows == [
        ("Acme, hello!", None),
        ("Where is my order?", "You said: Where is my order?"),
        ("Thanks", "You said: Thanks"),
    ]
    transcript = await sdk.calls.get_transcript(call_id)
    assert [(t["transcript"], t["response"]) for t in transcript["data"]] == rows
    events = [verified(r, hook.secret) for r in desk.hook.received]
    assert [e.data.transcript for e in events if e.event == "agent.message"] == ["Where is my order?", "Thanks"]
    assert sorted(e.event for e in events) == [
        "agent.call_ended", "agent.message", "agent.message", "call.ended", "call.started",
    ]  # fmt: skip


async def test_the_agent_calls_somebody_who_answers(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    await sdk.webhooks.set(desk.hook.url)
    desk.outside.send("PUT", f"/_sim/people/{PERSON}", {"script": ["Who is this?"]})
    made = await sdk.calls.make(agent.id, PERSON, initial_greeting="Good day", from_number_id=number.id, voice="nova")
    assert (made.status, made.from_number, made.to_number) == ("in-progress", number.phone_number, PERSON)
    ended = desk.outside.send("GET", f"/v1/calls/{made.id}", wait="true")
    assert (ended["status"], ended["lastTranscriptSnippet"]) == ("completed", "You said: Who is this?")
    assert [t.transcript for t in (await sdk.calls.get(made.id)).transcripts] == ["Good day", "Who is this?"]


async def test_a_call_to_a_busy_line_is_busy(desk: Desk) -> None:
    agent, _ = await desk.agent_with_number()
    await desk.sdk.webhooks.set(desk.hook.url)
    desk.outside.send("PUT", f"/_sim/people/{PERSON}", {"answer": "busy"})
    made = await desk.sdk.calls.make(agent.id, PERSON)
    desk.outside.settle()
    call = await desk.sdk.calls.get(made.id)
    assert (call.status, call.duration_seconds, call.transcripts) == ("busy", 0, [])


async def test_a_live_call_is_ended_once(desk: Desk) -> None:
    _, number = await desk.agent_with_number()
    await desk.sdk.webhooks.set(desk.hook.url)
    live = desk.outside.send("POST", "/_sim/calls", {"from": PERSON, "to": number.phone_number})["call_id"]
    assert (await desk.sdk.calls.end(live))["status"] == "in-progress"
    ended = await desk.sdk.calls.get(live)
    assert (ended.status, ended.ended_at is None) == ("completed", False)
    with pytest.raises(AgentPhoneError, match="api_hangup") as refused:
        await desk.sdk.calls.end(live)
    assert refused.value.status == 409


async def test_calls_are_listed_by_account_agent_and_number_and_filtered(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    await sdk.webhooks.set(desk.hook.url)
    inbound = desk.outside.call(PERSON, number.phone_number, "Hello")["call_id"]
    outbound = (await sdk.calls.make(agent.id, "+12125552672")).id
    desk.outside.settle()
    for page in (
        await sdk.calls.list(),
        await sdk.agents.list_calls(agent.id),
        await sdk.numbers.list_calls(number.id),
    ):
        assert ([c.id for c in page.data], page.total, page.has_more) == ([outbound, inbound], 2, False)
    assert [c.id for c in (await sdk.calls.list(direction="inbound")).data] == [inbound]
    assert [c.id for c in (await sdk.calls.list(search="2125552672")).data] == [outbound]
    assert (await sdk.calls.list(status="failed")).total == 0
    assert (await sdk.calls.list(type="web")).total == 0


async def test_a_hosted_call_is_refused_by_name_and_not_made_up(desk: Desk) -> None:
    agent, _ = await desk.agent_with_number()
    await desk.sdk.webhooks.set(desk.hook.url)
    with pytest.raises(AgentPhoneError) as refused:
        await desk.sdk.calls.make(agent.id, PERSON, system_prompt="Book a table", variables={"name": "Ann"})
    with pytest.raises(AgentPhoneError) as refused_too:
        await desk.sdk.calls.make_conversation(agent.id, PERSON, topic="Book a table")
    assert (refused.value.status, refused_too.value.status) == (501, 501)
    assert (await desk.sdk.calls.list()).total == 0


# -- usage and errors --------------------------------------------------------------------------------------------


async def test_usage_counts_what_was_done(desk: Desk) -> None:
    sdk = desk.sdk
    _, number = await desk.agent_with_number()
    await sdk.webhooks.set(desk.hook.url)
    desk.outside.text(PERSON, number.phone_number, "hi")
    desk.outside.call(PERSON, number.phone_number, "Hello")
    desk.outside.settle()
    sent = len(desk.hook.received)
    usage = await sdk.usage.get()
    assert (usage.numbers.used, usage.stats.total_messages, usage.stats.calls_last_24h) == (1, 1, 1)
    assert (usage.stats.successful_webhook_deliveries, usage.stats.failed_webhook_deliveries) == (sent, 0)
    days = await sdk.usage.get_daily(days=7)
    assert (days.days, len(days.data)) == (7, 7)
    assert (days.data[-1].messages, days.data[-1].calls, days.data[-1].webhooks) == (1, 1, sent)
    months = await sdk.usage.get_monthly(months=3)
    assert [(m.messages, m.calls) for m in months.data] == [(0, 0), (0, 0), (1, 1)]


async def test_a_wrong_key_is_an_authentication_error(desk: Desk) -> None:
    async with AsyncAgentPhone("sk_live_wrong", desk.server.url) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.agents.list()


async def test_a_wrong_signature_does_not_pass_the_sdks_check(desk: Desk) -> None:
    await desk.sdk.webhooks.set(desk.hook.url)
    await desk.sdk.webhooks.test()
    with pytest.raises(Exception, match="Invalid webhook signature"):
        verified(desk.hook.received[0], "whsec_of_somebody_else")


def test_every_method_of_a_promised_operation_is_driven_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    with AgentPhone("sk_live_any") as client:
        resources = {
            name: getattr(client, name) for name in ("agents", "numbers", "calls", "messages", "conversations")
        }
        resources |= {"webhooks": client.webhooks, "usage": client.usage}
        methods = {
            f"{name}.{method}"
            for name, resource in resources.items()
            for method, _ in inspect.getmembers(resource, inspect.ismethod)
            if not method.startswith("_")
        }
    assert methods >= NOT_YET
    assert {m for m in methods - NOT_YET if f"sdk.{m}(" not in source} == set()
