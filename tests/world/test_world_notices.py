from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.calls import Call, Direction, Party
from simulator.domain.messages import Channel
from simulator.domain.webhooks import EventType, Notice
from simulator.errors import BadRequest
from simulator.world import agents, calls, contacts, notices, reactions
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    apple_line,
    dial_in,
    dial_out,
    hang_up,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    snapshot,
    speak,
    text_in,
    text_out,
)


def events(told: list[Notice]) -> list[str]:
    return [notice.event_type.value for notice in told]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("inbound", {Direction.INBOUND}),
        ("all", {Direction.INBOUND, Direction.OUTBOUND, Direction.WEB}),
        ("off", set()),
    ],
)
def test_the_policy_decides_which_calls_tell_that_they_started(policy: str, told: set[Direction]) -> None:
    world = make_world(call_started_event=policy)
    call = dial_in(world, new_line(world)[1])
    for direction in Direction:
        started = notices.for_call_started(world, replace(call, direction=direction), NOW)
        assert events(started) == (["call.started"] if direction in told else [])


@pytest.mark.parametrize("old", ["on", "off"])
@pytest.mark.parametrize("new", ["on", "off"])
def test_the_end_of_a_call_is_told_under_its_old_name_its_new_one_or_both(old: str, new: str) -> None:
    world = make_world(call_ended_event=old, agent_call_ended_event=new)
    call = hang_up(world, dial_in(world, new_line(world)[1]))
    expected = ["call.ended"] * (old == "on") + ["agent.call_ended"] * (new == "on")
    assert events(notices.for_call_ended(world, call, NOW)) == expected


def test_a_calls_event_carries_the_call_and_what_was_said() -> None:
    world = make_world()
    agent, number = new_line(world)
    call = dial_in(world, number)
    speak(world, call, "Hello", Party.AGENT)
    ended = hang_up(world, call)
    notice = notices.for_call_ended(world, ended, after(seconds=3))[0]
    assert (notice.event_type, notice.at, notice.channel) == (EventType.CALL_ENDED, after(seconds=3), Channel.VOICE)
    assert (notice.agent_id, notice.call, notice.state, notice.message) == (agent.id, ended, None, None)
    assert [entry.content for entry in notice.history] == ["Hello"]


def turn(world: World, call: Call, transcript: str) -> Notice:
    return notices.for_turn(
        world, calls.get(world, call.id), transcript=transcript, confidence=0.9, turn_id="2", now=after(seconds=4)
    )


def test_a_turn_carries_what_was_just_said() -> None:
    world = make_world()
    agent, number = new_line(world)
    call = dial_in(world, number)
    notice = turn(world, call, "Where is my order?")
    assert (notice.event_type, notice.channel, notice.agent_id) == (EventType.AGENT_MESSAGE, Channel.VOICE, agent.id)
    assert (notice.transcript, notice.confidence, notice.turn_id) == ("Where is my order?", 0.9, "2")
    assert (notice.call, notice.state, notice.at, notice.history) == (call, None, after(seconds=4), ())


@pytest.mark.parametrize("outbound", [False, True])
def test_a_humans_words_come_in_and_the_agents_go_out_whoever_dialled(outbound: bool) -> None:
    world = make_world()
    agent, number = new_line(world)
    new_endpoint(world)
    call = dial_out(world, agent) if outbound else dial_in(world, number)
    speak(world, call, "Acme", Party.AGENT, now=after(seconds=1))
    speak(world, call, "Hi", now=after(seconds=2))
    history = turn(world, call, "Hi").history
    assert [(e.content, e.direction, e.channel, e.at, e.message_id) for e in history] == [
        ("Acme", Direction.OUTBOUND, Channel.VOICE, after(seconds=1), None),
        ("Hi", Direction.INBOUND, Channel.VOICE, after(seconds=2), None),
    ]


def test_the_current_utterance_is_in_the_history_unless_the_policy_says_no() -> None:
    world = make_world(history_includes_current="off")
    call = dial_in(world, new_line(world)[1])
    assert turn(world, call, "").history == ()
    speak(world, call, "Acme", Party.AGENT)
    assert [e.content for e in turn(world, call, "").history] == ["Acme"]
    speak(world, call, "Hi")
    assert [e.content for e in turn(world, call, "Hi").history] == ["Acme"]
    assert [e.content for e in turn(world, call, "12#").history] == ["Acme", "Hi"]
    speak(world, call, "Hi", Party.AGENT)
    assert [e.content for e in turn(world, call, "Hi").history] == ["Acme", "Hi", "Hi"]


@settings(deadline=None)
@given(spoken=st.integers(0, 30), limit=st.none() | st.integers(0, 50))
def test_a_calls_history_is_cut_to_what_the_endpoint_wants(spoken: int, limit: int | None) -> None:
    world = make_world()
    call = dial_in(world, new_line(world)[1])
    if limit is not None:
        new_endpoint(world, context_limit=limit)
    for number in range(spoken):
        speak(world, call, str(number))
    lines = [str(number) for number in range(spoken)]
    wanted = 10 if limit is None else limit
    assert [e.content for e in turn(world, call, "x").history] == (lines[-wanted:] if wanted else [])


@settings(deadline=None)
@given(texts=st.integers(1, 15), limit=st.none() | st.integers(0, 20), current=st.booleans())
def test_a_texts_history_is_cut_to_what_the_endpoint_wants(texts: int, limit: int | None, current: bool) -> None:
    world = make_world(history_includes_current="on" if current else "off")
    _, number = new_line(world)
    if limit is not None:
        new_endpoint(world, context_limit=limit)
    for body in range(texts):
        message, _ = text_in(world, number, str(body))
    lines = [str(body) for body in range(texts if current else texts - 1)]
    wanted = 10 if limit is None else limit
    notice = notices.for_message_received(world, message, NOW)[0]
    assert [e.content for e in notice.history] == (lines[-wanted:] if wanted else [])


def test_the_agents_own_endpoint_sets_its_limit() -> None:
    world = make_world()
    agent, number = new_line(world)
    new_endpoint(world, context_limit=9)
    new_endpoint(world, agent, context_limit=1)
    for body in "abc":
        message, _ = text_in(world, number, body)
    assert [e.content for e in notices.for_message_received(world, message, NOW)[0].history] == ["c"]


def test_an_inbound_text_is_told_to_the_agent_and_to_the_account() -> None:
    world = make_world()
    agent, number = new_line(world)
    message, conversation = text_in(world, number)
    told = notices.for_message_received(world, message, after(seconds=1))
    assert events(told) == ["agent.message", "message.received"]
    for notice in told:
        assert (notice.agent_id, notice.channel, notice.at) == (agent.id, Channel.SMS, after(seconds=1))
        assert (notice.message, notice.conversation, notice.call) == (message, conversation, None)


def test_the_older_event_of_an_inbound_text_can_be_switched_off() -> None:
    world = make_world(message_received_event="off")
    message, _ = text_in(world, new_line(world)[1])
    assert events(notices.for_message_received(world, message, NOW)) == ["agent.message"]


def test_an_agent_whose_messaging_is_off_is_not_told() -> None:
    world = make_world()
    message, _ = text_in(world, new_line(world, enable_messaging=False)[1])
    assert events(notices.for_message_received(world, message, NOW)) == ["message.received"]


def test_a_text_to_a_number_without_an_agent_is_told_without_one() -> None:
    world = make_world()
    message, _ = text_in(world, new_number(world))
    told = notices.for_message_received(world, message, NOW)
    assert [(n.event_type.value, n.agent_id) for n in told] == [("agent.message", None), ("message.received", None)]


def test_the_agent_may_be_gone_by_the_time_a_text_is_told() -> None:
    world = make_world()
    agent, number = new_line(world, enable_messaging=False)
    message, _ = text_in(world, number)
    agents.delete(world, agent.id, NOW)
    assert "agent.message" in events(notices.for_message_received(world, message, NOW))


@pytest.mark.parametrize(("policy", "told"), [("on", ["message.sent"]), ("off", [])])
def test_the_policy_decides_whether_an_outbound_text_is_told(policy: str, told: list[str]) -> None:
    world = make_world(message_sent_event=policy)
    message, _ = text_out(world, new_line(world)[1])
    assert events(notices.for_message_sent(world, message, NOW)) == told


def test_a_texts_state_is_the_metadata_of_its_conversation() -> None:
    world = make_world()
    _, number = new_line(world)
    message, conversation = text_in(world, number)
    assert notices.for_message_received(world, message, NOW)[0].state is None
    world.conversations[conversation.id] = replace(conversation, metadata={"step": 2})
    assert notices.for_message_received(world, message, NOW)[0].state == {"step": 2}


def test_a_text_is_told_with_what_it_answers_and_whose_number_it_came_from() -> None:
    world = make_world()
    number = apple_line(world)
    ann = contacts.create(world, CALLER, "Ann", now=NOW)
    question, _ = text_out(world, number)
    answer, _ = text_in(world, number, reply_to_message_id=question.id)
    (first, *_) = notices.for_message_received(world, answer, NOW)
    assert (first.parent, first.contact) == (question, ann)
    (sent,) = notices.for_message_sent(world, question, NOW)
    assert (sent.parent, sent.contact) == (None, ann)
    (ended, *_) = notices.for_call_ended(world, hang_up(world, dial_in(world, new_line(world)[1])), NOW)
    assert ended.contact == ann


def test_a_group_text_is_told_with_its_sender_and_the_names_of_members() -> None:
    world = make_world()
    ann = contacts.create(world, CALLER, "Ann", now=NOW)
    message, conversation = text_in(world, apple_line(world), members=[OTHER_CALLER])
    (first, *_) = notices.for_message_received(world, message, NOW)
    assert (first.contact, first.conversation, first.names) == (ann, conversation, {CALLER: "Ann"})


def test_a_reaction_is_told_to_whoever_has_the_number_now() -> None:
    world = make_world()
    first, second = new_agent(world, "a"), new_agent(world, "b")
    number = apple_line(world, first)
    message, conversation = text_out(world, number)
    text_in(world, number, "thanks")
    message, reaction = reactions.receive(world, message.id, "love", NOW)
    agents.attach(world, second.id, number.id)
    (told,) = notices.for_reaction(world, message, reaction, after(seconds=1))
    assert (told.event_type, told.channel, told.at) == (EventType.AGENT_REACTION, Channel.IMESSAGE, after(seconds=1))
    assert (told.agent_id, told.message, told.reaction) == (second.id, message, reaction)
    assert (told.conversation and told.conversation.id, [e.content for e in told.history]) == (
        conversation.id,
        ["hello", "thanks"],
    )


def test_a_reaction_follows_no_message_so_the_whole_history_is_told() -> None:
    world = make_world(history_includes_current="off")
    message, _ = text_out(world, apple_line(world))
    message, reaction = reactions.receive(world, message.id, "love", NOW)
    assert [e.content for e in notices.for_reaction(world, message, reaction, NOW)[0].history] == ["hello"]


@pytest.mark.parametrize(
    ("contract", "policies", "messaging", "told"),
    [
        ("all", {}, True, ["agent.reaction"]),
        ("all", {}, False, []),
        ("all", {"agent_reaction_event": "off"}, True, []),
        ("2026-03", {}, True, []),
        ("2026-07", {}, True, ["agent.reaction"]),
    ],
)
def test_the_policy_and_the_agent_decide_whether_a_reaction_is_told(
    contract: str, policies: dict[str, str], messaging: bool, told: list[str]
) -> None:
    world = make_world(contract, **policies)
    message, _ = text_out(world, apple_line(world, new_agent(world, enable_messaging=messaging)))
    message, reaction = reactions.receive(world, message.id, "love", NOW)
    assert events(notices.for_reaction(world, message, reaction, NOW)) == told


def test_a_test_is_a_fictional_text_that_leaves_no_trace() -> None:
    world = make_world()
    endpoint = new_endpoint(world)
    before = {**snapshot(world), "entropy": None}
    notice = notices.for_test(world, endpoint, agent_id=None, from_=None, to=None, message=None, channel=None, now=NOW)
    assert {**snapshot(world), "entropy": None} == before
    assert (notice.test, notice.state, notice.event_type) == (True, {"testMode": True}, EventType.AGENT_MESSAGE)
    assert notice.message is not None
    assert (notice.message.body, notice.channel) == ("Test message", Channel.SMS)
    assert notice.message.from_number.startswith("+141555501")
    assert notice.message.to_number.startswith("+141555501")
    assert [e.content for e in notice.history] == ["Test message"]


def test_a_test_goes_to_the_agents_first_number() -> None:
    world = make_world()
    agent, number = new_line(world)
    new_number(world, agent)
    notice = notices.for_test(world, new_endpoint(world), agent_id=agent.id, now=NOW)
    assert notice.agent_id == agent.id
    assert notice.message is not None
    assert (notice.message.to_number, notice.message.number_id) == (number.phone_number, number.id)


def test_a_test_may_be_dressed_up() -> None:
    world = make_world()
    notice = notices.for_test(
        world, new_endpoint(world, context_limit=0), agent_id=None,
        from_="ada@example.com", to="415 555 0150", message="", channel=Channel.IMESSAGE, now=NOW,
    )  # fmt: skip
    assert notice.message is not None
    assert (notice.message.from_number, notice.message.to_number) == ("ada@example.com", CALLER)
    assert (notice.message.body, notice.channel, notice.history) == ("", Channel.IMESSAGE, ())
    with pytest.raises(BadRequest, match="'nonsense'"):
        notices.for_test(world, new_endpoint(world), agent_id=None, from_="nonsense", now=NOW)


def test_tests_do_not_shift_the_ids_of_real_messages() -> None:
    plain, tested = make_world(), make_world()
    for world in (plain, tested):
        new_endpoint(world)
    first = notices.for_test(tested, tested.endpoints[None], agent_id=None, now=NOW)
    second = notices.for_test(tested, tested.endpoints[None], agent_id=None, now=NOW)
    assert first.message is not None
    assert second.message is not None
    assert first.message.id != second.message.id
    ids = [text_in(world, new_number(world))[0].id for world in (plain, tested)]
    assert ids[0] == ids[1]
