"""The official Python SDK, both clients, through every promised operation, against a server on a real socket."""

from __future__ import annotations

import inspect
import io
import wave
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
from tests.helpers.registration import brand
from tests.helpers.webhook_receiver import Received, Receiver, Reply, say

pytestmark = pytest.mark.anyio
PERSON: Final = "+14155552671"
SDK: Final = frozenset({"agentphone.client", "agentphone.async_client"})


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
    (delivery,) = await sdk.agents.list_webhook_deliveries(agent.id, limit=1)
    assert (delivery.id, delivery.status) == (desk.hook.received[-1].headers["x-webhook-id"], "success")
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
    desk.outside.settle()  # what the first text says of the conversation is on its way already
    changed = await sdk.conversations.update(thread, metadata={"step": "party size"})
    assert (changed.id, changed.metadata) == (thread, {"step": "party size"})
    desk.outside.text(PERSON, number.phone_number, "Four of us")
    desk.outside.settle()
    states = [verified(r, hook.secret).conversation_state for r in desk.hook.of("agent.message")]
    assert states == [None, {"step": "party size"}]


async def test_a_group_is_opened_texted_again_and_renamed(desk: Desk) -> None:
    sdk = desk.sdk
    agent = await sdk.agents.create(name="Support")
    number = await sdk.numbers.buy(agent_id=agent.id, type="imessage")
    hook = await sdk.webhooks.set(desk.hook.url)
    first = await sdk.messages.send(agent_id=agent.id, recipients=[PERSON, "ann@example.com"], body="Dinner?")
    group = first["to_number"]
    again = await sdk.messages.send(from_number=number.phone_number, to_number=group, body="At eight?")
    came = desk.outside.send(
        "POST",
        "/_sim/messages",
        {
            "from": PERSON,
            "to": number.phone_number,
            "body": "Yes",
            "group": {"id": group},
            "reply_to_message_id": again["id"],
        },
    )
    desk.outside.settle()
    event = verified(desk.hook.of("agent.message")[0], hook.secret)
    assert (event.data.from_number, event.data.sender_identifier, event.data.group["groupId"]) == (group, PERSON, group)
    assert event.data.raw["replyTo"]["message"] == "At eight?"
    assert (await sdk.conversations.update(came["conversation_id"], group_name="Dinner")).group_name == "Dinner"
    shown = await sdk.conversations.get(first["conversation_id"])
    assert (shown.is_group, shown.group_id, shown.participant) == (True, group, group)
    assert [(m.body, m.sender_identifier, m.status) for m in shown.messages] == [
        ("Dinner?", None, "delivered"), ("At eight?", None, "delivered"), ("Yes", PERSON, "received"),
    ]  # fmt: skip
    assert (shown.messages[-1].reply_to.message_id, shown.capabilities.send_channel) == (again["id"], "imessage")


async def test_texts_are_reacted_to_both_ways(desk: Desk) -> None:
    sdk = desk.sdk
    agent = await sdk.agents.create(name="Support")
    number = await sdk.numbers.buy(agent_id=agent.id, type="imessage")
    hook = await sdk.webhooks.set(desk.hook.url)
    received = desk.outside.text(PERSON, number.phone_number, "See you")
    made = await sdk.messages.react(received["message_id"], "love")
    sent = await sdk.messages.send(
        number_id=number.id, to_number=PERSON, body="Bye", send_style="slam", reply_to_message_id=received["message_id"]
    )
    desk.outside.send("POST", f"/_sim/messages/{sent['id']}/reactions", {"reaction": "laugh"})
    desk.outside.settle()
    event = verified(desk.hook.of("agent.reaction")[0], hook.secret)
    assert (event.channel, event.data.reaction_type, event.data.message_id) == ("imessage", "laugh", sent["id"])
    shown = await sdk.conversations.get_messages(received["conversation_id"])
    assert (made["message_id"], sent["reply_parent_unresolved"]) == (received["message_id"], False)
    rows = (await sdk.conversations.get(received["conversation_id"])).messages
    assert [[(r.reaction_type, r.direction) for r in m.reactions] for m in rows] == [
        [("love", "outbound")], [("laugh", "inbound")],
    ]  # fmt: skip
    assert [m.id for m in shown.data] == [m.id for m in reversed(rows)]


async def test_typing_and_a_background_are_shown(desk: Desk) -> None:
    sdk = desk.sdk
    number = await sdk.numbers.buy(type="imessage")
    thread = desk.outside.text(PERSON, number.phone_number, "Hello?")["conversation_id"]
    assert (await sdk.conversations.send_typing(thread))["status"] == "sent"
    shown = await sdk.conversations.set_background(thread, "https://files.example.com/sea.png")
    assert (shown["hasBackground"], shown["changed"]) == (True, True)
    for _ in range(2):
        assert await sdk.conversations.delete_background(thread) == {}


async def test_a_text_that_nobody_confirms_is_not_taken_for_a_failure(desk: Desk) -> None:
    _, number = await desk.agent_with_number()
    with pytest.raises(AgentPhoneError, match="DELIVERY_UNCONFIRMED") as unsure:
        await desk.sdk.messages.send(number_id=number.id, to_number="+14155550125", body="hi")
    assert unsure.value.status == 409
    (kept,) = (await desk.sdk.numbers.get_messages(number.id)).data
    assert (kept.body, kept.status) == ("hi", "sent")


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


async def told(stream: Any) -> list[tuple[str, Any]]:
    """What a stream of either client yields until it is closed."""
    items = [item async for item in stream] if inspect.isasyncgen(stream) else list(await stream)
    return [(item["event"], item["data"]) for item in items]


async def test_a_web_call_is_made_joined_and_found(desk: Desk) -> None:
    sdk = desk.sdk
    agent = await sdk.agents.create(name="Support", begin_message="Hello")
    await sdk.webhooks.set(desk.hook.url)
    made = await sdk.calls.create_web_call(agent.id, metadata={"cart": 7}, variables={"name": "Ann"})
    joining = {"access_token": made["accessToken"], "script": ["Where is it?"], "wait": True}
    desk.outside.send("POST", "/_sim/calls/web/join", joining)
    call = await sdk.calls.get(made["callId"])
    assert (call.direction, call.status, call.from_number, call.to_number) == ("web", "completed", "", "")
    assert [t.response for t in call.transcripts] == [None, "You said: Where is it?"]
    for found in (await sdk.calls.list(type="web"), await sdk.calls.list(direction="web")):
        assert [c.id for c in found.data] == [call.id]
    assert (await sdk.calls.list(type="pstn")).total == 0


async def test_a_finished_calls_stream_is_its_transcript(desk: Desk) -> None:
    _, number = await desk.agent_with_number(begin_message="Hello")
    await desk.sdk.webhooks.set(desk.hook.url)
    call_id = desk.outside.call(PERSON, number.phone_number, "Any news?")["call_id"]
    events = await told(desk.sdk.calls.stream_transcript(call_id))
    assert [name for name, _ in events] == ["connected", "turn", "turn", "turn", "ended"]
    written = (await desk.sdk.calls.get_transcript(call_id))["transcript"]
    assert [data for name, data in events if name == "turn"] == written
    assert events[-1][1]["durationSeconds"] == (await desk.sdk.calls.get(call_id)).duration_seconds
    with pytest.raises(NotFoundError):
        await told(desk.sdk.calls.stream_transcript("call_of_nobody"))


async def test_a_recording_is_downloaded(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    await sdk.webhooks.set(desk.hook.url)
    call = await sdk.calls.get(desk.outside.call(PERSON, number.phone_number, "Any news?")["call_id"])
    recording = await sdk.calls.get_recording(call.id)
    assert (recording.content_type, call.recording_available) == ("audio/wav", True)
    assert call.recording_url == f"{desk.server.url}/v1/calls/{call.id}/recording"
    with wave.open(io.BytesIO(bytes(recording))) as file:
        assert round(file.getnframes() / file.getframerate()) == call.duration_seconds
    unrecorded = await sdk.calls.make(agent.id, PERSON, disable_recording=True)
    desk.outside.settle()
    with pytest.raises(NotFoundError, match="disableRecording"):
        await sdk.calls.get_recording(unrecorded.id)


async def test_a_hosted_call_is_made_without_a_webhook(desk: Desk) -> None:
    agent, _ = await desk.agent_with_number()
    desk.outside.send("PUT", "/_sim/hosted", {"lines": ["A table for {{name}}, please.", {"action": "hangup"}]})
    desk.outside.send("PUT", f"/_sim/people/{PERSON}", {"script": ["Speaking?", "Gladly"]})
    made = await desk.sdk.calls.make(agent.id, PERSON, system_prompt="Book a table", variables={"name": "Ann"})
    talked = await desk.sdk.calls.make_conversation(agent.id, PERSON, topic="Book", initial_greeting="Good day")
    desk.outside.settle()
    first, second = [await desk.sdk.calls.get(call.id) for call in (made, talked)]
    assert [t.response for t in first.transcripts] == [None, "A table for Ann, please.", None]
    assert (first.status, second.transcripts[0].transcript) == ("completed", "Good day")
    assert second.transcripts[1].response == "A table for {{name}}, please."


async def test_an_agent_becomes_hosted_and_is_billed_and_heard_like_any_other(desk: Desk) -> None:
    agent, number = await desk.agent_with_number()
    await desk.sdk.webhooks.set(desk.hook.url)
    await desk.sdk.agents.update(agent.id, voice_mode="hosted", system_prompt="Be kind", begin_message="Hi")
    call = desk.outside.call(PERSON, number.phone_number, "Hello")
    desk.outside.settle()
    turns = (await desk.sdk.calls.get(call["call_id"])).transcripts
    assert turns[1].response == "This is the simulated voice of Support. I was told: Be kind I heard: Hello"
    sent = [received.json["event"] for received in desk.hook.received]
    assert sorted(sent) == ["agent.call_ended", "call.ended", "call.started"]


# -- who and where -----------------------------------------------------------------------------------------------


async def test_numbers_are_searched_and_the_first_one_shown_is_the_next_one_sold(desk: Desk) -> None:
    shown = await desk.sdk.numbers.available(area_code="212", state="NY", country="US", limit=2)
    assert [(n.state, n.area_code) for n in shown] == [("NY", "212")] * 2
    assert (await desk.sdk.numbers.buy(area_code="212")).phone_number == shown[0].phone_number
    assert (await desk.sdk.numbers.available(city="Novato", zip="94945"))[0].city == "Novato"


async def test_numbers_are_looked_up(desk: Desk) -> None:
    found = await desk.sdk.numbers.lookup([PERSON, "+14155550121"])
    assert [(n.phone_number, n.line_type, n.country) for n in found] == [
        (PERSON, "mobile", "US"), ("+14155550121", "landline", "US"),
    ]  # fmt: skip


async def test_a_contact_card_is_put_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    number = await sdk.numbers.buy(type="imessage")
    card = await sdk.numbers.set_contact_card(number.id, "Ada", "King", avatar_url="https://example.com/a.png")
    assert (card["firstName"], card["lastName"], card["hasAvatar"]) == ("Ada", "King", True)
    assert await sdk.numbers.get_contact_card(number.id) == card
    assert await sdk.numbers.delete_contact_card(number.id) == {}
    with pytest.raises(NotFoundError, match="has no contact card"):
        await sdk.numbers.get_contact_card(number.id)


async def test_a_contact_is_made_found_changed_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    ann = await sdk.contacts.create(PERSON, "Ann", email="ann@example.com")
    await sdk.contacts.create("+14155552672", "Bob")
    changed = await sdk.contacts.update(ann.id, name="Anna", notes="Likes tea")
    assert (changed.name, changed.email, changed.notes) == ("Anna", "ann@example.com", "Likes tea")
    assert await sdk.contacts.get(ann.id) == changed
    found = await sdk.contacts.list(search="ANN")
    assert ([c.id for c in found.data], found.total, found.has_more) == ([ann.id], 1, False)
    with pytest.raises(AgentPhoneError, match=ann.id):
        await sdk.contacts.create("(415) 555-2671", "Ann again")
    assert await sdk.contacts.delete(ann.id) == {}
    assert [c.name for c in (await sdk.contacts.list()).data] == ["Bob"]


async def test_capabilities_need_an_imessage_line(desk: Desk) -> None:
    with pytest.raises(AgentPhoneError, match="no active iMessage number"):
        await desk.sdk.contacts.get_capabilities(PERSON)
    await desk.sdk.numbers.buy(type="imessage")
    told = await desk.sdk.contacts.get_capabilities(PERSON)
    assert (told["phoneNumber"], told["capabilities"]) == (PERSON, {"imessage": True, "sms": True})


async def test_a_location_is_refreshed_and_read_again(desk: Desk) -> None:
    sdk = desk.sdk
    for latitude in (37.77, 37.79):
        desk.outside.send("PUT", f"/_sim/people/{PERSON}/location", {"latitude": latitude, "longitude": -122.4})
    before = await sdk.location.get(PERSON)
    assert (await sdk.location.refresh()).poll_after_seconds == 20
    desk.outside.settle()
    after = await sdk.location.get(PERSON)
    assert (before.latitude, after.latitude, after.status) == (37.77, 37.79, "live")
    assert after.last_updated - before.last_updated >= 15_000


async def test_feedback_is_submitted_and_kept(desk: Desk) -> None:
    await desk.sdk.feedback.submit("idea", "Ring thrice", request_id="req_1", tags=["voice"])
    (kept,) = desk.outside.send("GET", "/_sim/feedback")["data"]
    assert (kept["category"], kept["note"], kept["request_id"], kept["tags"]) == (
        "idea", "Ring thrice", "req_1", ["voice"],
    )  # fmt: skip


# -- registration, trunks, codes, WhatsApp -----------------------------------------------------------------------


async def test_a_registration_is_filed_changed_and_approved(desk: Desk) -> None:
    sdk = desk.sdk
    desk.outside.send("PUT", "/_sim/clock", {"mode": "manual"})
    assert (await sdk.registration.get_status())["campaign_status"] == "none"
    taken = await sdk.registration.register(**brand())
    assert (taken["ok"], taken["fee_cents"], taken["sub_account_id"]) == (True, 2500, None)
    changed = await sdk.registration.update(brand_name="Engines", use_cases=["marketing"])
    assert (changed["brand"]["brand_name"], changed["campaign"]["use_cases"]) == ("Engines", ["marketing"])
    assert (await sdk.registration.get())["campaign_status"] == "pending"
    desk.outside.send("POST", "/_sim/registration", {"decision": "approve"})
    status = await sdk.registration.get_status()
    assert (status["campaign_status"], status["stage"]) == ("approved", None)
    with pytest.raises(AgentPhoneError, match="approved"):
        await sdk.registration.update(volume="high")


async def test_a_trunk_is_made_changed_rotated_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    made = await sdk.sip_trunks.create()
    password = made.credentials[0].password
    kept = await sdk.sip_trunks.get(made.id)
    assert (kept.credentials[0].password, kept.credentials[0].password_last4) == (None, password[-4:])
    origination = {"uris": [{"sip_uri": "sip:pbx.example.com", "priority": 1}]}
    changed = await sdk.sip_trunks.update(made.id, name="Office", transfers="sip", origination=origination)
    assert (changed.name, changed.transfers) == ("Office", "sip")
    assert [(u.sip_uri, u.priority) for u in changed.origination_uris] == [("sip:pbx.example.com", 1)]
    rotated = await sdk.sip_trunks.update(made.id)
    assert rotated.credentials[0].password not in (None, password)
    assert [t.id for t in await sdk.sip_trunks.list()] == [made.id]
    await sdk.sip_trunks.delete(made.id)
    with pytest.raises(NotFoundError, match=made.id):
        await sdk.sip_trunks.get(made.id)


async def test_a_number_is_verified_with_the_code_that_was_texted(desk: Desk) -> None:
    sent = (await desk.sdk.verification.send_verification(PERSON))["verification_id"]
    code = desk.outside.send("GET", "/_sim/verifications")["verifications"][0]["code"]
    wrong = await desk.sdk.verification.check_verification(sent, "no code")
    assert wrong == {"result": "incorrect", "attempts_remaining": 2}
    assert (await desk.sdk.verification.check_verification(sent, code))["result"] == "ok"
    assert (await desk.sdk.verification.check_verification(sent, code))["result"] == "already_verified"
    with pytest.raises(NotFoundError, match="ver_nope"):
        await desk.sdk.verification.check_verification("ver_nope", code)


async def test_a_number_is_connected_to_whatsapp_and_disconnected(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    connection = (await sdk.whatsapp.whatsapp_connect("AQD", waba_id="104"))["id"]
    available = (await sdk.whatsapp.whatsapp_available_numbers(connection))["data"]
    assert [n["number_id"] for n in available] == [number.id]
    await sdk.whatsapp.whatsapp_connect_number(connection, available[0]["phone_number_id"], agent_id=agent.id)
    status = await sdk.whatsapp.whatsapp_status()
    assert [n["number_id"] for n in status["connections"][0]["numbers"]] == [number.id]
    assert (await sdk.numbers.get(number.id)).whatsapp_enabled is True
    await sdk.whatsapp.whatsapp_disconnect(connection)
    assert (await sdk.whatsapp.whatsapp_status())["connected"] is False
    assert (await sdk.numbers.get(number.id)).whatsapp_enabled is False


async def test_a_whatsapp_template_is_proposed_approved_and_deleted(desk: Desk) -> None:
    sdk = desk.sdk
    connection = (await sdk.whatsapp.whatsapp_connect("AQD"))["id"]
    body = [{"type": "BODY", "text": "Your table is ready"}]
    made = await sdk.whatsapp.whatsapp_create_template(connection, "table_ready", "UTILITY", components=body)
    assert (made["language"], made["components"]) == ("en_US", body)
    desk.outside.settle()
    found = await sdk.whatsapp.whatsapp_list_templates(connection, name="table_ready", status="APPROVED")
    assert [t["id"] for t in found["data"]] == [made["id"]]
    await sdk.whatsapp.whatsapp_delete_template(connection, "table_ready", hsm_id=made["id"])
    assert (await sdk.whatsapp.whatsapp_list_templates(connection))["data"] == []


async def test_an_account_that_signs_up_works_with_its_new_key_at_once(desk: Desk) -> None:
    email = f"{type(desk.sdk).__name__.lower()}@example.com"
    with Outside(desk.server.url, desk.server.first_key) as first:
        asked = first.send("POST", "/v0/agent/sign-up", {"human_email": email, "agent_name": "Front desk"})
        codes = first.send("GET", "/_sim/verifications")["verifications"]
        code = next(c["code"] for c in codes if c["verification_id"] == asked["verification_id"])
        body = {"verification_id": asked["verification_id"], "otp_code": code}
        account = first.send("POST", "/v0/agent/verify", body)
    async with AsyncAgentPhone(account["api_key"], desk.server.url) as newcomer:
        agent = await newcomer.agents.get(account["agent_id"])
        assert (agent.name, agent.voice_mode) == ("Front desk", "hosted")
        sent = await newcomer.messages.send(agent_id=agent.id, to_number=PERSON, body="Hello")
        assert sent["from_number"] == account["phone_number"]


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


async def test_usage_is_broken_down_by_number_and_by_agent(desk: Desk) -> None:
    sdk = desk.sdk
    agent, number = await desk.agent_with_number()
    desk.outside.text(PERSON, number.phone_number, "hi")
    (by_number,) = await sdk.usage.get_by_number()
    assert (by_number["numberId"], by_number["agentName"], by_number["messages"]) == (number.id, agent.name, 1)
    for used in (await sdk.usage.get_by_agent(), await sdk.usage.get_by_agent("year")):
        (row,) = used["data"]
        assert (row["agentId"], row["messages"], row["calls"], row["isOrphan"]) == (agent.id, 1, 0, False)
    assert used["period"] == "year"


async def test_a_sub_account_is_opened_renamed_and_closed(desk: Desk) -> None:
    sdk = desk.sdk
    branch = await sdk.sub_accounts.create(name="Branch")
    assert [row["id"] for row in await sdk.sub_accounts.list()] == [branch["id"]]
    assert (await sdk.sub_accounts.update(branch["id"], name="Shop"))["name"] == "Shop"
    await sdk.sub_accounts.delete(branch["id"])
    assert await sdk.sub_accounts.list() == []


async def test_a_wrong_key_is_an_authentication_error(desk: Desk) -> None:
    async with AsyncAgentPhone("sk_live_wrong", desk.server.url) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.agents.list()


async def test_a_wrong_signature_does_not_pass_the_sdks_check(desk: Desk) -> None:
    await desk.sdk.webhooks.set(desk.hook.url)
    await desk.sdk.webhooks.test()
    with pytest.raises(Exception, match="Invalid webhook signature"):
        verified(desk.hook.received[0], "whsec_of_somebody_else")


def methods_of(client: object) -> set[str]:
    """Every method of every resource, as "resource.method"."""
    resources = {n: r for n, r in vars(client).items() if not n.startswith("_") and type(r).__module__ in SDK}
    return {
        f"{name}.{method}"
        for name, resource in resources.items()
        for method, _ in inspect.getmembers(resource, inspect.ismethod)
        if not method.startswith("_")
    }


@pytest.mark.parametrize("client", [AgentPhone("sk_live_any"), AsyncAgentPhone("sk_live_any")], ids=["sync", "async"])
def test_every_method_of_the_client_is_driven_here(client: object) -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    methods = methods_of(client)
    assert len(methods) > 75
    assert {m for m in methods if f"sdk.{m}(" not in source} == set()
