from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.webhooks import DeliveryStatus
from simulator.world.tally import NumberCount, Series
from tests.helpers.world import (
    NOW,
    after,
    dial_in,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    owe,
    past_call,
    settle,
    text_in,
    text_out,
)

INSTANTS = st.integers(-50, 50).map(lambda seconds: after(seconds=seconds))


@given(st.lists(st.tuples(INSTANTS, st.integers(0, 9)), max_size=40), INSTANTS, INSTANTS)
def test_a_series_agrees_with_adding_up_by_hand_in_whatever_order_it_came(
    amounts: list[tuple[datetime, int]], start: datetime, end: datetime
) -> None:
    series = Series()
    for at, amount in amounts:
        series.add(at, amount)
    start, end = min(start, end), max(start, end)
    assert series.total == sum(amount for _, amount in amounts)
    assert series.after(start) == sum(amount for at, amount in amounts if at > start)
    assert series.between(start, end) == sum(amount for at, amount in amounts if start <= at < end)


def test_texts_are_counted_for_the_account_the_agent_and_the_number() -> None:
    world = make_world()
    agent, number = new_line(world)
    text_in(world, number, "x" * 161)
    text_out(world, number)
    text_in(world, new_number(world, type="imessage"), "nobody's")
    assert (world.tally.whole.messages.total, world.tally.whole.segments.total) == (3, 3)
    assert world.tally.agents[agent.id].messages.total == 2
    assert world.tally.agents[None].messages.total == 1
    assert world.tally.numbers[number.id] == NumberCount(messages=2)


def test_a_call_counts_once_and_its_talking_time_when_it_has_ended() -> None:
    world = make_world()
    agent, number = new_line(world)
    call = dial_in(world, number)
    world.store_call(replace(call, connected_at=after(seconds=2)))
    assert (world.tally.whole.calls.total, world.tally.whole.voice.total) == (1, 0)
    ended = replace(call, connected_at=after(seconds=2), ended_at=after(seconds=5))
    world.store_call(ended)
    world.store_call(replace(ended, voice="nova"))
    assert (world.tally.whole.calls.total, world.tally.whole.voice.total) == (1, 3_000_000)
    assert world.tally.agents[agent.id].voice.total == 3_000_000
    assert world.tally.numbers[number.id] == NumberCount(calls=1)


def test_talking_time_lies_where_the_call_started_even_when_a_later_one_ended_first() -> None:
    world = make_world()
    _, number = new_line(world)
    first = dial_in(world, number)
    past_call(world, number, started=after(hours=1), lasting=timedelta(minutes=1))
    world.store_call(replace(first, connected_at=NOW, ended_at=after(hours=2)))
    voice = world.tally.whole.voice
    assert (voice.between(NOW, after(hours=1)), voice.total) == (7200 * 10**6, 7260 * 10**6)


def test_a_delivery_counts_once_under_what_has_become_of_it() -> None:
    world = make_world()
    endpoint, number = new_endpoint(world, new_agent(world)), new_number(world)
    settle(world, owe(world, text_in(world, number)[0], endpoint))
    owe(world, text_in(world, number)[0], endpoint)
    outcomes = world.tally.outcomes
    assert world.tally.deliveries.total == 2
    assert (outcomes[DeliveryStatus.SUCCESS], outcomes[DeliveryStatus.PENDING]) == (1, 1)
