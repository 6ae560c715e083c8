from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.limits import Limit
from simulator.domain.messages import Channel
from simulator.domain.money import CENT, DOLLAR, PRICES, Entry, Item, price_of_call
from simulator.domain.registration import FEES, RegistrationType
from simulator.errors import PaymentRequired
from simulator.world import agents, limits, money, numbers, recordings, verification
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    after,
    dial_in,
    dial_out,
    hang_up,
    make_world,
    new_endpoint,
    new_line,
    new_number,
    past_call,
    snapshot,
)


def rich(cents: Limit = 500) -> World:
    world = make_world()
    limits.change(world, NOW, balance_cents=cents)
    return world


def last(world: World) -> Entry:
    return next(reversed(world.ledger.values()))


def test_nothing_costs_anything_and_nothing_is_written_while_money_is_off() -> None:
    world = make_world()
    past_call(world, new_line(world)[1], started=NOW, lasting=timedelta(hours=1))
    before = snapshot(world)
    money.require(world, Item.REGISTRATION)
    money.require_call(world)
    money.require_text(world, Channel.SMS, "hi")
    money.charge(world, Item.REGISTRATION, NOW)
    money.charge_text(world, Channel.SMS, "hi", NOW)
    money.charge_call(world, next(iter(world.calls.values())), NOW)
    assert (money.balance(world), snapshot(world)) == (None, before)


def test_what_is_charged_is_in_the_ledger_and_off_the_balance() -> None:
    world = rich(500)
    money.charge(world, Item.NUMBER, NOW, about="num_1")
    money.charge(world, Item.LOOKUP, after(seconds=1), 3)
    assert money.balance(world) == 2 * DOLLAR - 27_000
    number, looked_up = world.ledger.values()
    assert (number.item, number.amount, number.balance, number.about) == (Item.NUMBER, -3 * DOLLAR, 2 * DOLLAR, "num_1")
    assert (looked_up.quantity, looked_up.amount, looked_up.at) == (3, -27_000, after(seconds=1))
    assert [e.data["item"] for e in world.journal.since(0, "money.charged")] == ["number", "lookup"]


@pytest.mark.parametrize("item", Item)
def test_what_the_balance_does_not_cover_is_refused_to_the_last_micro_dollar(item: Item) -> None:
    price = PRICES[item].amount
    world = rich(-(-price // CENT))
    money.require(world, item)
    world = rich(max(0, (price - 1) // CENT))
    before = snapshot(world)
    with pytest.raises(PaymentRequired, match="Insufficient balance") as refused:
        money.require(world, item)
    assert (refused.value.status, refused.value.code) == (402, "INSUFFICIENT_BALANCE")
    assert snapshot(world) == before


def test_the_price_list_is_the_documented_one() -> None:
    cents = {item.value: price.amount / CENT for item, price in PRICES.items()}
    assert cents == {
        "number": 300,
        "voice_webhook": 13,
        "voice_hosted": 22,
        "denoising": 0.5,
        "sms_segment": 2,
        "lookup": 0.9,
        "verification": 5,
        "registration": 2500,
        "registration_high_volume": 7000,
        "recording": 500,
    }


def test_the_documented_balance_is_the_credit_of_a_new_account() -> None:
    assert money.balance(rich("documented")) == 5 * DOLLAR


def test_the_balance_can_be_set_at_any_time_and_says_so() -> None:
    world = rich(0)
    money.fill(world, 700, NOW)
    assert (money.balance(world), last(world).item, last(world).amount) == (7 * DOLLAR, None, 7 * DOLLAR)
    money.fill(world, 100, NOW)
    assert (money.balance(world), last(world).amount) == (1 * DOLLAR, -6 * DOLLAR)
    money.fill(world, None, NOW)
    assert (money.balance(world), len(world.ledger)) == (None, 2)


# -- calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "hosted", "strong", "micros"),
    [
        (0, False, False, 0),
        (0.2, False, False, CENT),
        (1, False, False, CENT),
        (4, False, False, CENT),
        (5, False, False, 10_834),
        (60, False, False, 13 * CENT),
        (60.001, False, False, 132_167),
        (60, True, False, 22 * CENT),
        (60, False, True, 135_000),
        (3600, True, True, 60 * 225_000),
    ],
)
def test_a_call_costs_its_begun_seconds_and_a_cent_at_least(
    seconds: float, hosted: bool, strong: bool, micros: int
) -> None:
    assert price_of_call(timedelta(seconds=seconds), hosted=hosted, strong_denoising=strong) == micros


@given(st.integers(0, 7_200_000), st.integers(0, 7_200_000), st.booleans())
def test_a_longer_call_is_never_cheaper_and_cutting_one_never_saves(a: int, b: int, hosted: bool) -> None:
    def price(milliseconds: int) -> int:
        return price_of_call(timedelta(milliseconds=milliseconds), hosted=hosted, strong_denoising=False)

    assert price(a) <= price(a + b) <= price(a) + price(b)


def test_a_call_is_charged_when_it_has_ended_with_what_its_agent_has_on() -> None:
    world = rich()
    agent, number = new_line(world)
    call = past_call(world, number, started=NOW, lasting=timedelta(minutes=2))
    entry = last(world)
    assert (entry.item, entry.quantity, entry.amount, entry.about) == (
        Item.VOICE_WEBHOOK, 120, -26 * CENT, call.id,
    )  # fmt: skip
    agents.update(world, agent.id, {"denoising_mode": money.STRONG_DENOISING}, NOW)
    past_call(world, number, started=NOW, lasting=timedelta(minutes=2))
    assert last(world).amount == -27 * CENT


def test_a_call_that_nobody_answers_is_free() -> None:
    world = rich()
    call = dial_in(world, new_line(world)[1])
    hang_up(world, call, now=after(seconds=30))
    assert last(world).item is Item.NUMBER


def test_a_call_may_overdraw_the_account_and_the_next_is_refused() -> None:
    world = rich()
    new_endpoint(world)
    agent, number = new_line(world)
    money.fill(world, 1, NOW)
    past_call(world, number, started=NOW, lasting=timedelta(minutes=1))
    assert money.balance(world) == -12 * CENT
    with pytest.raises(PaymentRequired, match=r"call needs \$0\.01 and \$-0\.1200 is left"):
        dial_out(world, agent)
    assert len(world.calls) == 1


# -- whatever costs money ----------------------------------------------------------------------------------------


def test_a_number_is_paid_for_when_it_is_bought_unless_it_is_a_gift() -> None:
    world = rich(300)
    numbers.buy(world, gift=True, now=NOW)
    number = new_number(world)
    assert (money.balance(world), last(world).about) == (0, number.id)
    with pytest.raises(PaymentRequired, match="number"):
        new_number(world)
    assert len(world.numbers) == 2


def test_a_verification_is_paid_for_when_it_succeeds_and_refused_when_it_could_not_be() -> None:
    world = rich(5)
    sent = verification.send(world, CALLER, NOW)
    verification.check(world, sent.id, "wrong", NOW)
    assert money.balance(world) == 5 * CENT
    verification.check(world, sent.id, sent.code, NOW)
    assert (money.balance(world), last(world).about) == (0, sent.id)
    with pytest.raises(PaymentRequired, match="verification"):
        verification.send(world, CALLER, NOW)


def test_the_recording_add_on_is_paid_for_once() -> None:
    world = rich(600)
    recordings.enable(world, NOW)
    recordings.enable(world, NOW)
    assert (money.balance(world), last(world).item) == (1 * DOLLAR, Item.RECORDING)
    poor = rich(499)
    with pytest.raises(PaymentRequired, match="recording"):
        recordings.enable(poor, NOW)
    assert poor.recording_since is None


@pytest.mark.parametrize("kind", RegistrationType)
def test_the_fee_of_a_registration_is_what_the_price_list_says(kind: RegistrationType) -> None:
    item = Item.REGISTRATION_HIGH_VOLUME if kind is RegistrationType.HIGH_VOLUME else Item.REGISTRATION
    assert PRICES[item].amount == FEES[kind] * CENT


# -- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "body", "recipients", "cents"),
    [
        (Channel.SMS, "hi", 1, 2),
        (Channel.SMS, "x" * 161, 1, 4),
        (Channel.SMS, "ж" * 71, 3, 12),
        (Channel.MMS, "", 1, 2),
        (Channel.IMESSAGE, "x" * 500, 1, 0),
        (Channel.WHATSAPP, "hi", 1, 0),
    ],
)
def test_a_text_costs_its_segments_to_every_recipient(channel: Channel, body: str, recipients: int, cents: int) -> None:
    world = rich(cents)
    money.require_text(world, channel, body, recipients)
    money.charge_text(world, channel, body, NOW, "msg_1", recipients)
    assert money.balance(world) == 0
    if cents:
        with pytest.raises(PaymentRequired):
            money.require_text(rich(cents - 1), channel, body, recipients)


@given(st.lists(st.tuples(st.sampled_from(Item), st.integers(0, 5)), max_size=30))
def test_the_balance_is_always_the_opening_one_and_the_sum_of_the_ledger(charges: list[tuple[Item, int]]) -> None:
    world = rich(123)
    for item, quantity in charges:
        money.charge(world, item, NOW, quantity)
    assert money.balance(world) == 123 * CENT + sum(entry.amount for entry in world.ledger.values())
    assert all(entry.quantity for entry in world.ledger.values())
