from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, MessageStatus
from simulator.errors import BadRequest, Forbidden, NotFound, NotSimulated
from simulator.world import agents, messages
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    make_world,
    new_agent,
    new_line,
    new_number,
    text_in,
    text_out,
)

PICTURE = "http://127.0.0.1/cat.png"


def test_an_inbound_text_is_received_from_the_other_party() -> None:
    world = make_world()
    agent, number = new_line(world)
    message, conversation = text_in(world, number, "Where is my order?", "(415) 555-0150")
    assert (message.direction, message.status, message.channel) == (
        Direction.INBOUND,
        MessageStatus.RECEIVED,
        Channel.SMS,
    )
    assert (message.from_number, message.to_number) == (CALLER, number.phone_number)
    assert (message.body, message.at, message.agent_id) == ("Where is my order?", NOW, agent.id)
    assert (message.conversation_id, message.number_id) == (conversation.id, number.id)


def test_an_outbound_text_is_sent_to_the_other_party() -> None:
    world = make_world()
    _, number = new_line(world)
    message, conversation = text_out(world, number, "On its way", send_style="confetti")
    assert (message.direction, message.status) == (Direction.OUTBOUND, MessageStatus.SENT)
    assert (message.from_number, message.to_number) == (number.phone_number, CALLER)
    assert (message.send_style, message.conversation_id) == ("confetti", conversation.id)


def test_texts_both_ways_share_one_conversation_per_pair_of_numbers() -> None:
    world = make_world()
    one, two = new_number(world), new_number(world)
    _, first = text_in(world, one)
    _, again = text_out(world, one)
    _, other_party = text_in(world, one, sender=OTHER_CALLER)
    _, other_number = text_in(world, two)
    assert first.id == again.id
    assert len({first.id, other_party.id, other_number.id}) == len(world.conversations) == 3


def test_a_conversation_keeps_up_with_its_latest_message() -> None:
    world = make_world()
    number = new_number(world)
    _, opened = text_in(world, number, "one")
    message, conversation = text_out(world, number, "x" * 250, now=after(minutes=1), media_urls=(PICTURE,))
    assert (conversation.participant, conversation.phone_number) == (CALLER, number.phone_number)
    assert (conversation.created_at, conversation.last_message_at) == (NOW, after(minutes=1))
    assert (opened.message_count, conversation.message_count) == (1, 2)
    assert conversation.last_message_preview == "x" * messages.PREVIEW_LENGTH
    assert (conversation.last_sequence, conversation.channel) == (message.sequence, Channel.MMS)
    assert messages.get_conversation(world, conversation.id) == conversation


def test_a_conversation_follows_its_number_to_another_agent() -> None:
    world = make_world()
    first, number = new_line(world, "a")
    second = new_agent(world, "b")
    _, before = text_in(world, number)
    agents.attach(world, second.id, number.id)
    assert messages.conversations(world, first.id) == [before]
    _, conversation = text_in(world, number)
    assert messages.conversations(world, second.id) == [conversation]
    assert messages.conversations(world, first.id) == []


def test_a_text_to_a_number_without_an_agent_is_stored() -> None:
    world = make_world()
    message, conversation = text_in(world, new_number(world))
    assert (message.agent_id, conversation.agent_id) == (None, None)


@pytest.mark.parametrize(
    ("channel", "media", "kept"),
    [
        (Channel.SMS, (), Channel.SMS),
        (Channel.SMS, (PICTURE,), Channel.MMS),
        (Channel.IMESSAGE, (PICTURE,), Channel.IMESSAGE),
        (Channel.WHATSAPP, (), Channel.WHATSAPP),
    ],
)
def test_an_sms_with_media_is_an_mms(channel: Channel, media: tuple[str, ...], kept: Channel) -> None:
    world = make_world()
    message, _ = text_in(world, new_number(world), channel=channel, media_urls=list(media))
    assert (message.channel, message.media_urls) == (kept, media)


@pytest.mark.parametrize(
    ("type_", "media", "channel"),
    [("sms", (), Channel.SMS), ("sms", (PICTURE,), Channel.MMS), ("imessage", (PICTURE,), Channel.IMESSAGE)],
)
def test_the_line_decides_the_channel_of_what_it_sends(type_: str, media: tuple[str, ...], channel: Channel) -> None:
    world = make_world()
    assert text_out(world, new_number(world, type=type_), media_urls=media)[0].channel is channel


def test_a_picture_needs_no_words() -> None:
    world = make_world()
    number = new_number(world, type="imessage")
    assert text_in(world, number, "", media_urls=(PICTURE,))[0].body == ""
    assert text_out(world, number, "", media_urls=(PICTURE,) * 20)[0].media_urls == (PICTURE,) * 20


def test_the_sender_is_from_number_then_number_id_then_the_agents_first_number() -> None:
    world = make_world()
    agent, first = new_line(world)
    second, third = new_number(world, agent), new_number(world)

    def sender(**named: str) -> str:
        return messages.send(world, to_number=CALLER, body="x", now=NOW, **named)[0].number_id

    assert sender(agent_id=agent.id) == first.id
    assert sender(agent_id=agent.id, number_id=second.id) == second.id
    assert sender(agent_id=agent.id, number_id=second.id, from_number=third.phone_number) == third.id


def test_a_sender_that_ranks_lower_must_still_exist() -> None:
    world = make_world()
    number = new_number(world)
    for slip in ({"agent_id": "agt_x"}, {"number_id": "num_x"}):
        with pytest.raises(NotFound, match="_x"):
            messages.send(world, from_number=number.phone_number, to_number=CALLER, body="x", now=NOW, **slip)


@pytest.mark.parametrize("number", ["911", "+1 988", "411"])
def test_service_numbers_cannot_be_texted(number: str) -> None:
    world = make_world()
    with pytest.raises(Forbidden, match="emergency or service number"):
        text_out(world, new_number(world), receiver=number)


@pytest.mark.parametrize(
    ("party", "kind"), [("grp_1", "groups"), ("ada@example.com", "e-mail addresses"), ("40404", "short codes")]
)
def test_what_is_not_a_telephone_is_refused_by_name(party: str, kind: str) -> None:
    world = make_world()
    number = new_number(world)
    for exchange in (text_in, text_out):
        with pytest.raises(NotSimulated, match=kind) as refused:
            exchange(world, number, "x", party)
        assert party in refused.value.detail


def test_a_reply_names_a_message_of_the_same_conversation() -> None:
    world = make_world()
    number = new_number(world)
    question, _ = text_in(world, number)
    answer, _ = text_out(world, number, reply_to_message_id=question.id)
    assert answer.reply_to_message_id == question.id
    elsewhere, _ = text_in(world, number, sender=OTHER_CALLER)
    for target in (elsewhere.id, "msg_x"):
        with pytest.raises(NotFound, match=f"reply target not found: message '{target}'"):
            text_out(world, number, reply_to_message_id=target)


def test_a_carousel_has_no_words() -> None:
    world = make_world()
    with pytest.raises(BadRequest, match="carousel of 2"):
        text_out(world, new_number(world, type="imessage"), "look", media_urls=(PICTURE, PICTURE))
    assert text_out(world, new_number(world), "look", media_urls=(PICTURE, PICTURE))[0].channel is Channel.MMS


def test_a_numbers_messages_come_newest_first_and_are_its_own() -> None:
    world = make_world()
    one, two = new_number(world), new_number(world)
    wanted = [text_in(world, one)[0], text_out(world, one, receiver=OTHER_CALLER)[0], text_in(world, one)[0]]
    text_in(world, two)
    assert messages.for_number(world, one.id) == wanted[::-1]
    assert messages.for_number(world, new_number(world).id) == []


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=8), st.none() | st.integers(-1, 6), st.none() | st.integers(-1, 6))
def test_instants_bound_a_numbers_messages_exclusively(
    minutes: list[int], before: int | None, later: int | None
) -> None:
    world = make_world()
    number = new_number(world)
    for minute in sorted(minutes):
        text_in(world, number, str(minute), now=after(minutes=minute))

    def bound(minute: int | None) -> datetime | None:
        return None if minute is None else after(minutes=minute)

    found = messages.for_number(world, number.id, bound(before), bound(later))
    assert [int(m.body) for m in found] == sorted(
        (m for m in minutes if (before is None or m < before) and (later is None or m > later)), reverse=True
    )


def test_message_ids_bound_a_numbers_messages_even_at_the_same_instant() -> None:
    world = make_world()
    number = new_number(world)
    sent = [text_in(world, number, str(n))[0] for n in range(5)]
    assert messages.for_number(world, number.id, before=sent[3].id, after=sent[0].id) == [sent[2], sent[1]]
    with pytest.raises(NotFound, match="msg_x"):
        messages.for_number(world, number.id, before="msg_x")


def test_conversations_are_listed_most_recent_activity_first() -> None:
    world = make_world()
    one, two, three = (new_number(world) for _ in range(3))
    for number in (one, two, three, one, two):
        text_in(world, number)
    assert [c.number_id for c in messages.conversations(world)] == [two.id, one.id, three.id]


def test_the_last_messages_of_a_conversation_come_oldest_first() -> None:
    world = make_world()
    number = new_number(world)
    for body in "abcd":
        _, conversation = text_in(world, number, body)
        text_in(world, number, body.upper(), OTHER_CALLER)
    assert [m.body for m in messages.messages_of(world, conversation.id, 3)] == ["b", "c", "d"]
    assert [m.body for m in messages.messages_of(world, conversation.id, 50)] == ["a", "b", "c", "d"]


@settings(deadline=None)
@given(count=st.integers(1, 8), limit=st.integers(0, 10), current=st.booleans())
def test_history_is_the_newest_lines_up_to_the_limit(count: int, limit: int, current: bool) -> None:
    world = make_world()
    number = new_number(world)
    for body in range(count):
        _, conversation = text_in(world, number, str(body))
    lines = [str(body) for body in range(count)]
    if not current:
        lines.pop()
    history = messages.history(world, conversation.id, limit, current)
    assert [entry.content for entry in history] == (lines[-limit:] if limit else [])


def test_a_line_of_history_says_which_way_how_and_when() -> None:
    world = make_world()
    number = new_number(world)
    message, conversation = text_out(world, number, "hello", now=after(hours=1))
    (entry,) = messages.history(world, conversation.id, 10, True)
    assert (entry.content, entry.direction, entry.channel) == ("hello", Direction.OUTBOUND, Channel.SMS)
    assert (entry.at, entry.message_id) == (after(hours=1), message.id)


def test_texts_are_in_the_journal() -> None:
    world = make_world()
    number = new_number(world)
    received, conversation = text_in(world, number, "hi")
    sent, _ = text_out(world, number, "hello", now=after(seconds=1))
    ours = number.phone_number
    assert [(e.kind, e.at, e.data) for e in world.journal.since()] == [
        (
            "message.received",
            NOW,
            {"message_id": received.id, "conversation_id": conversation.id, "from": CALLER, "to": ours, "body": "hi"},
        ),
        (
            "message.sent",
            after(seconds=1),
            {"message_id": sent.id, "conversation_id": conversation.id, "from": ours, "to": CALLER, "body": "hello"},
        ),
    ]


def test_a_conversations_messages_lie_strictly_between_the_cursors_newest_first() -> None:
    world = make_world()
    _, number = new_line(world)
    sent = [text_in(world, number, f"{index}", CALLER)[0] for index in range(4)]
    text_in(world, number, "somebody else's", OTHER_CALLER)
    conversation = sent[0].conversation_id
    assert messages.in_conversation(world, conversation) == sent[::-1]
    assert messages.in_conversation(world, conversation, before=sent[3].id, after=sent[0].id) == [sent[2], sent[1]]
    with pytest.raises(NotFound, match="conv_none"):
        messages.in_conversation(world, "conv_none")


def test_metadata_changes_nothing_but_itself() -> None:
    world = make_world()
    _, number = new_line(world)
    _, before = text_in(world, number, "hi", CALLER)
    after_change = messages.set_metadata(world, before.id, {"step": 1})
    assert (after_change.metadata, replace(after_change, metadata=None)) == ({"step": 1}, before)
    with pytest.raises(NotFound, match="conv_none"):
        messages.set_metadata(world, "conv_none", None)
