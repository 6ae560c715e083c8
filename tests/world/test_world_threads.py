from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel
from simulator.errors import NotFound
from simulator.world import threads
from tests.helpers.world import (
    CALLER,
    OTHER_CALLER,
    after,
    make_world,
    new_line,
    new_number,
    text_in,
    text_out,
)


def test_a_numbers_messages_come_newest_first_and_are_its_own() -> None:
    world = make_world()
    one, two = new_number(world), new_number(world)
    wanted = [text_in(world, one)[0], text_out(world, one, receiver=OTHER_CALLER)[0], text_in(world, one)[0]]
    text_in(world, two)
    assert threads.for_number(world, one.id) == wanted[::-1]
    assert threads.for_number(world, new_number(world).id) == []


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

    found = threads.for_number(world, number.id, bound(before), bound(later))
    assert [int(m.body) for m in found] == sorted(
        (m for m in minutes if (before is None or m < before) and (later is None or m > later)), reverse=True
    )


def test_message_ids_bound_a_numbers_messages_even_at_the_same_instant() -> None:
    world = make_world()
    number = new_number(world)
    sent = [text_in(world, number, str(n))[0] for n in range(5)]
    assert threads.for_number(world, number.id, before=sent[3].id, after=sent[0].id) == [sent[2], sent[1]]
    with pytest.raises(NotFound, match="msg_x"):
        threads.for_number(world, number.id, before="msg_x")


def test_conversations_are_listed_most_recent_activity_first() -> None:
    world = make_world()
    one, two, three = (new_number(world) for _ in range(3))
    for number in (one, two, three, one, two):
        text_in(world, number)
    assert [c.number_id for c in threads.conversations(world)] == [two.id, one.id, three.id]


def test_the_last_messages_of_a_conversation_come_oldest_first() -> None:
    world = make_world()
    number = new_number(world)
    for body in "abcd":
        _, conversation = text_in(world, number, body)
        text_in(world, number, body.upper(), OTHER_CALLER)
    assert [m.body for m in threads.messages_of(world, conversation.id, 3)] == ["b", "c", "d"]
    assert [m.body for m in threads.messages_of(world, conversation.id, 50)] == ["a", "b", "c", "d"]


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
    history = threads.history(world, conversation.id, limit, current)
    assert [entry.content for entry in history] == (lines[-limit:] if limit else [])


def test_a_line_of_history_says_which_way_how_and_when() -> None:
    world = make_world()
    number = new_number(world)
    message, conversation = text_out(world, number, "hello", now=after(hours=1))
    (entry,) = threads.history(world, conversation.id, 10, True)
    assert (entry.content, entry.direction, entry.channel) == ("hello", Direction.OUTBOUND, Channel.SMS)
    assert (entry.at, entry.message_id) == (after(hours=1), message.id)


def test_a_conversations_messages_lie_strictly_between_the_cursors_newest_first() -> None:
    world = make_world()
    _, number = new_line(world)
    sent = [text_in(world, number, f"{index}", CALLER)[0] for index in range(4)]
    text_in(world, number, "somebody else's", OTHER_CALLER)
    conversation = sent[0].conversation_id
    assert threads.in_conversation(world, conversation) == sent[::-1]
    assert threads.in_conversation(world, conversation, before=sent[3].id, after=sent[0].id) == [sent[2], sent[1]]
    with pytest.raises(NotFound, match="conv_none"):
        threads.in_conversation(world, "conv_none")


def test_metadata_changes_nothing_but_itself() -> None:
    world = make_world()
    _, number = new_line(world)
    _, before = text_in(world, number, "hi", CALLER)
    after_change = threads.set_metadata(world, before.id, {"step": 1})
    assert (after_change.metadata, replace(after_change, metadata=None)) == ({"step": 1}, before)
    with pytest.raises(NotFound, match="conv_none"):
        threads.set_metadata(world, "conv_none", None)
