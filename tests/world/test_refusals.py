"""A refused command names what is wrong and changes nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from simulator.domain.agents import Agent, CustomTool
from simulator.domain.calls import Call, DisconnectionReason, Party, Utterance
from simulator.domain.numbers import PhoneNumber
from simulator.domain.webhooks import Delivery, DeliveryStatus
from simulator.errors import ApiError, BadRequest, CarrierFailed, Conflict, Forbidden, NotFound
from simulator.world import agents, calls, hosted, messages, numbers, people, threads, webhooks
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    HANDLER,
    NOW,
    after,
    attempt,
    dial_in,
    dial_out,
    hang_up,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    owe,
    snapshot,
    speak,
    text_in,
    text_out,
)


@dataclass(frozen=True)
class Office:
    """A world with one of everything."""

    world: World
    agent: Agent
    number: PhoneNumber
    hosted: Agent
    hosted_number: PhoneNumber
    idle: Agent
    spare: PhoneNumber
    released: PhoneNumber
    live: Call
    ended: Call
    delivery: Delivery


def furnished() -> Office:
    world = make_world(hosted_without_prompt="refuse")
    agent, number = new_line(world)
    hosted, hosted_number = new_line(world, "Hosted", voice_mode="hosted", system_prompt="Be kind")
    spare, released = new_number(world), new_number(world)
    numbers.release(world, released.id, NOW)
    message, _ = text_in(world, number)
    live = dial_in(world, number)
    calls.connect(world, live.id, NOW)
    speak(world, live, "Hello")
    people.put(world, CALLER)
    return Office(
        world=world,
        agent=agent,
        number=number,
        hosted=hosted,
        hosted_number=hosted_number,
        idle=new_agent(world, "Idle"),
        spare=spare,
        released=released,
        live=live,
        ended=hang_up(world, dial_in(world, number)),
        delivery=owe(world, message, new_endpoint(world)),
    )


def tool(name: str) -> CustomTool:
    return CustomTool(name=name, description="", url=HANDLER)


def utterance() -> Utterance:
    return Utterance(id="tr_1", party=Party.REMOTE, text="too late", at=NOW)


def ring(office: Office, to: str, caller: str = CALLER, max_live: int = 99) -> Call:
    return calls.receive(office.world, from_number=caller, to_number=to, max_live=max_live, now=NOW)


def text(office: Office, to: str, body: str = "hi", sender: str = CALLER) -> object:
    return messages.receive(office.world, from_number=sender, to_number=to, body=body, now=NOW)


REFUSED: list[tuple[str, type[ApiError], str, Callable[[Office], object]]] = [
    ("agent with a blank name", BadRequest, "needs a name", lambda o: new_agent(o.world, " ")),
    ("hosted agent without prompt", BadRequest, "'Hal'", lambda o: new_agent(o.world, "Hal", voice_mode="hosted")),
    ("agent with a bad transfer number", BadRequest, "'12'", lambda o: new_agent(o.world, transfer_number="12")),
    ("agent with twin tools", BadRequest, "'pay'", lambda o: new_agent(o.world, custom_tools=[tool("pay")] * 2)),
    ("unknown agent", NotFound, "'agt_x'", lambda o: agents.get(o.world, "agt_x")),
    ("update of an unknown agent", NotFound, "'agt_x'", lambda o: agents.update(o.world, "agt_x", {}, NOW)),
    ("update to a blank name", BadRequest, "name", lambda o: agents.update(o.world, o.agent.id, {"name": ""}, NOW)),
    ("delete of an unknown agent", NotFound, "'agt_x'", lambda o: agents.delete(o.world, "agt_x", NOW)),
    ("attach to an unknown agent", NotFound, "'agt_x'", lambda o: agents.attach(o.world, "agt_x", o.spare.id)),
    ("attach of an unknown number", NotFound, "'num_x'", lambda o: agents.attach(o.world, o.agent.id, "num_x")),
    ("attach of a released one", BadRequest, "released", lambda o: agents.attach(o.world, o.agent.id, o.released.id)),
    ("detach from an unknown agent", NotFound, "'agt_x'", lambda o: agents.detach(o.world, "agt_x", o.number.id)),
    ("detach of an unknown number", NotFound, "'num_x'", lambda o: agents.detach(o.world, o.agent.id, "num_x")),
    ("detach of a loose number", NotFound, "not attached", lambda o: agents.detach(o.world, o.agent.id, o.spare.id)),
    ("detach from the wrong agent", NotFound, "not attached", lambda o: agents.detach(o.world, o.idle.id, o.number.id)),
    ("numbers of an unknown agent", NotFound, "'agt_x'", lambda o: agents.numbers_of(o.world, "agt_x")),
    ("unknown country", BadRequest, "'XX'", lambda o: new_number(o.world, country="XX")),
    ("area code abroad", BadRequest, "'415'", lambda o: new_number(o.world, country="GB", area_code="415")),
    ("area code of letters", BadRequest, "'4x5'", lambda o: new_number(o.world, area_code="4x5")),
    ("area code in other digits", BadRequest, "'٤١٥'", lambda o: new_number(o.world, area_code="٤١٥")),
    ("area code of another country", Conflict, "416", lambda o: new_number(o.world, area_code="416")),
    ("number of an odd type", BadRequest, "'fax'", lambda o: new_number(o.world, type="fax")),
    ("imessage type of an sms number", BadRequest, "'blue'", lambda o: new_number(o.world, imessage_type="blue")),
    ("number that has expired", BadRequest, "passed", lambda o: new_number(o.world, expires_at=after(days=-1))),
    ("number for an unknown agent", NotFound, "'agt_x'", lambda o: numbers.buy(o.world, agent_id="agt_x", now=NOW)),
    ("unknown number", NotFound, "'num_x'", lambda o: numbers.get(o.world, "num_x")),
    ("release of an unknown number", NotFound, "'num_x'", lambda o: numbers.release(o.world, "num_x", NOW)),
    ("second release", BadRequest, "released already", lambda o: numbers.release(o.world, o.released.id, NOW)),
    ("call from a bad number", BadRequest, "'x'", lambda o: ring(o, o.number.phone_number, "x")),
    ("call to a bad number", BadRequest, "'x'", lambda o: ring(o, "x")),
    ("call to nobody", NotFound, "+14155550199", lambda o: ring(o, "+14155550199")),
    ("call to a released number", NotFound, "was released", lambda o: ring(o, o.released.phone_number)),
    ("call to a loose number", BadRequest, "no agent", lambda o: ring(o, o.spare.phone_number)),
    ("call to oneself", BadRequest, "itself", lambda o: ring(o, o.number.phone_number, o.number.phone_number)),
    ("one inbound call too many", Conflict, "are live", lambda o: ring(o, o.number.phone_number, max_live=1)),
    ("outbound call of nobody", NotFound, "'agt_x'", lambda o: calls.place_outbound(
        o.world, agent_id="agt_x", to_number=CALLER, max_live=9, now=NOW)),
    ("outbound call without a number", BadRequest, "no number", lambda o: dial_out(o.world, o.idle)),
    ("outbound call from nothing", NotFound, "'num_x'", lambda o: dial_out(o.world, o.agent, from_number_id="num_x")),
    ("outbound call from a released number", BadRequest, "was released", lambda o: dial_out(
        o.world, o.agent, from_number_id=o.released.id)),
    ("outbound call from a loose number", BadRequest, "no agent", lambda o: dial_out(
        o.world, o.agent, from_number_id=o.spare.id)),
    ("outbound call from another's number", BadRequest, "another agent", lambda o: dial_out(
        o.world, o.agent, from_number_id=o.hosted_number.id)),
    ("outbound call to the police", Forbidden, "911", lambda o: dial_out(o.world, o.agent, "911")),
    ("outbound call to a bad number", BadRequest, "'x'", lambda o: dial_out(o.world, o.agent, "x")),
    ("outbound call to oneself", BadRequest, "itself", lambda o: dial_out(o.world, o.agent, o.number.phone_number)),
    ("script of no agent", NotFound, "'agt_x'", lambda o: hosted.put_lines(o.world, "agt_x", (), NOW)),
    ("one outbound call too many", Conflict, "are live", lambda o: dial_out(o.world, o.agent, max_live=1)),
    ("unknown call", NotFound, "'call_x'", lambda o: calls.get(o.world, "call_x")),
    ("connect of a connected call", Conflict, "since", lambda o: calls.connect(o.world, o.live.id, NOW)),
    ("connect of an ended call", Conflict, "user_hangup", lambda o: calls.connect(o.world, o.ended.id, NOW)),
    ("speech in an ended call", Conflict, "user_hangup", lambda o: calls.append_utterance(
        o.world, o.ended.id, utterance())),
    ("second end", Conflict, "it ended (user_hangup)", lambda o: calls.finish(
        o.world, o.ended.id, DisconnectionReason.API_HANGUP, NOW)),
    ("calls of an unknown agent", NotFound, "'agt_x'", lambda o: calls.listing(o.world, agent_id="agt_x")),
    ("calls of an unknown number", NotFound, "'num_x'", lambda o: calls.listing(o.world, number_id="num_x")),
    ("text from a bad number", BadRequest, "'x'", lambda o: text(o, o.number.phone_number, sender="x")),
    ("text to a bad number", BadRequest, "'x'", lambda o: text(o, "x")),
    ("text to nobody", NotFound, "+14155550199", lambda o: text(o, "+14155550199")),
    ("text to a released number", NotFound, "was released", lambda o: text(o, o.released.phone_number)),
    ("empty text", BadRequest, "empty", lambda o: text(o, o.number.phone_number, "")),
    ("text to oneself", BadRequest, "itself", lambda o: text(
        o, o.number.phone_number, sender=o.number.phone_number)),
    ("text from a group", BadRequest, "'grp_1'", lambda o: text(o, o.number.phone_number, sender="grp_1")),
    ("outbound text of nobody", BadRequest, "no sender", lambda o: messages.send(
        o.world, to_number=CALLER, body="x", now=NOW)),
    ("outbound text of an unknown agent", NotFound, "'agt_x'", lambda o: messages.send(
        o.world, agent_id="agt_x", to_number=CALLER, body="x", now=NOW)),
    ("outbound text of an agent without number", BadRequest, "no number", lambda o: messages.send(
        o.world, agent_id=o.idle.id, to_number=CALLER, body="x", now=NOW)),
    ("outbound text from a foreign number", BadRequest, CALLER, lambda o: messages.send(
        o.world, from_number=CALLER, to_number=CALLER, body="x", now=NOW)),
    ("outbound text from a released number", BadRequest, "was released", lambda o: text_out(o.world, o.released)),
    ("outbound text to no address", BadRequest, "'a@b'", lambda o: text_out(o.world, o.number, receiver="a@b")),
    ("outbound text to the police", Forbidden, "911", lambda o: text_out(o.world, o.number, receiver="911")),
    ("outbound text to a bad number", BadRequest, "'x'", lambda o: text_out(o.world, o.number, receiver="x")),
    ("outbound text to oneself", BadRequest, "itself", lambda o: text_out(
        o.world, o.number, receiver=o.number.phone_number)),
    ("empty outbound text", BadRequest, "empty", lambda o: text_out(o.world, o.number, "")),
    ("too many pictures", BadRequest, "21", lambda o: text_out(o.world, o.number, media_urls=[HANDLER] * 21)),
    ("reply to nothing", NotFound, "'msg_x'", lambda o: text_out(o.world, o.number, reply_to_message_id="msg_x")),
    ("messages of an unknown number", NotFound, "'num_x'", lambda o: threads.for_number(o.world, "num_x")),
    ("messages after an unknown one", NotFound, "'msg_x'", lambda o: threads.for_number(
        o.world, o.number.id, after="msg_x")),
    ("conversations of an unknown agent", NotFound, "'agt_x'", lambda o: threads.conversations(o.world, "agt_x")),
    ("unknown conversation", NotFound, "'conv_x'", lambda o: threads.get_conversation(o.world, "conv_x")),
    ("messages of an unknown conversation", NotFound, "'conv_x'", lambda o: threads.messages_of(o.world, "conv_x", 9)),
    ("webhook of an unknown agent", NotFound, "'agt_x'", lambda o: webhooks.set_endpoint(
        o.world, "agt_x", url=HANDLER, now=NOW)),
    ("webhook taken from an unknown agent", NotFound, "'agt_x'", lambda o: webhooks.remove_endpoint(o.world, "agt_x")),
    ("deliveries of an unknown agent", NotFound, "'agt_x'", lambda o: webhooks.listing(
        o.world, agent_id="agt_x", now=NOW)),
    ("attempt of an unknown delivery", NotFound, "'del_x'", lambda o: webhooks.record_attempt(
        o.world, "del_x", attempt(), DeliveryStatus.SUCCESS, None)),
    ("text that the carrier does not take", CarrierFailed, "does not take", lambda o: text_out(
        o.world, o.number, receiver="+12125550128")),
    ("person who answers oddly", BadRequest, "'maybe'", lambda o: people.put(o.world, CALLER, answer="maybe")),
    ("person who rings backwards", BadRequest, "-1 s", lambda o: people.put(
        o.world, CALLER, ring=timedelta(seconds=-1))),
    ("person who hangs up before answering", BadRequest, "-1 s", lambda o: people.put(
        o.world, CALLER, patience=timedelta(seconds=-1))),
    ("person without a phone", BadRequest, "'x'", lambda o: people.put(o.world, "x")),
]  # fmt: skip


@pytest.mark.parametrize(("error", "says", "command"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_refused_command_says_why_and_changes_nothing(
    error: type[ApiError], says: str, command: Callable[[Office], object]
) -> None:
    office = furnished()
    before = snapshot(office.world)
    with pytest.raises(ApiError) as refused:
        command(office)
    assert refused.value.status == error.status, refused.value
    assert says in refused.value.detail
    assert snapshot(office.world) == before
