from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.domain.messages import UNCONFIRMED, Channel, Message, MessageStatus, TextOutcome
from simulator.domain.numbers import PhoneNumber
from simulator.errors import BadRequest, NotFound
from simulator.world import carrier, people, threads
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    apple_line,
    make_world,
    new_number,
    refused,
    snapshot,
    text_group,
    text_in,
    text_out,
    whatsapp_line,
)

LATER = after(seconds=1)
FAILED = TextOutcome(status=MessageStatus.FAILED, failure_reason="out of reach", code="UNREACHABLE")
LOST = TextOutcome(status=MessageStatus.SENT, code=UNCONFIRMED)


def settled(world: World, number: PhoneNumber, body: str = "hello", **options: Any) -> Message:
    """An outbound text of now, after the carrier has spoken."""
    message, _ = text_out(world, number, body, **options)
    return carrier.settle(world, message.id, LATER)


def test_a_text_arrives_unless_somebody_is_known_not_to_get_it() -> None:
    world = make_world()
    number = new_number(world)
    sent, _ = text_out(world, number)
    assert (sent.status, sent.delivered_at) == (MessageStatus.SENT, None)
    arrived = carrier.settle(world, sent.id, LATER)
    assert (arrived.status, arrived.delivered_at, arrived.failure_reason) == (MessageStatus.DELIVERED, LATER, None)
    assert threads.get_message(world, sent.id) == arrived
    assert [e.kind for e in world.journal.since()][-1] == "message.delivered"


def test_a_failed_text_says_why() -> None:
    world = make_world()
    number = new_number(world)
    people.put(world, CALLER, texts=FAILED)
    failed = settled(world, number)
    assert (failed.status, failed.failure_reason, failed.error_code) == (
        MessageStatus.FAILED,
        "out of reach",
        "UNREACHABLE",
    )
    (entry,) = [e for e in world.journal.since() if e.kind == "message.failed"]
    assert entry.data == {"message_id": failed.id, "failure_reason": "out of reach", "error_code": "UNREACHABLE"}


def test_of_an_unconfirmed_text_nobody_ever_hears_again() -> None:
    world = make_world()
    number = new_number(world)
    people.put(world, CALLER, texts=LOST)
    message, _ = text_out(world, number)
    fine, _ = text_out(world, number, receiver=OTHER_CALLER)
    assert carrier.is_unconfirmed(world, message)
    assert not carrier.is_unconfirmed(world, fine)
    assert carrier.settle(world, message.id, LATER) == message


def test_what_is_settled_is_not_settled_again() -> None:
    world = make_world()
    message = settled(world, new_number(world))
    people.put(world, CALLER, texts=FAILED)
    before = snapshot(world)
    assert carrier.settle(world, message.id, after(hours=1)) == message
    assert snapshot(world) == before


def test_a_group_text_fares_as_it_does_at_the_first_member_whom_it_fails() -> None:
    world = make_world()
    number = apple_line(world)
    message, _ = text_group(world, number)
    assert carrier.outcome(world, message).status is MessageStatus.DELIVERED
    people.put(world, OTHER_CALLER, texts=FAILED)
    assert carrier.outcome(world, message) == FAILED


def test_a_status_can_be_forced_again_and_again() -> None:
    world = make_world()
    message, _ = text_out(world, apple_line(world))
    failed = carrier.mark_failed(world, message.id, "no route", "X1", NOW)
    assert (failed.status, failed.failure_reason, failed.error_code) == (MessageStatus.FAILED, "no route", "X1")
    read = carrier.mark_read(world, message.id, LATER)
    assert (read.status, read.delivered_at, read.read_at) == (MessageStatus.DELIVERED, LATER, LATER)
    assert (read.failure_reason, read.error_code) == (None, None)
    again = carrier.mark_failed(world, message.id, None, None, LATER)
    assert (again.status, again.delivered_at, again.read_at) == (MessageStatus.FAILED, None, None)


def test_reading_keeps_the_instant_of_delivery() -> None:
    world = make_world()
    message = settled(world, apple_line(world))
    read = carrier.mark_read(world, message.id, after(hours=1))
    assert (read.delivered_at, read.read_at) == (LATER, after(hours=1))


def test_only_what_went_out_has_a_delivery_status() -> None:
    world = make_world()
    number = new_number(world)
    received, _ = text_in(world, number)
    sent, _ = text_out(world, number)
    refused(world, lambda: carrier.mark_delivered(world, received.id, NOW), BadRequest, "it came in")
    refused(world, lambda: carrier.mark_failed(world, received.id, None, None, NOW), BadRequest, "it came in")
    refused(world, lambda: carrier.mark_read(world, sent.id, NOW), BadRequest, "sms has no read receipts")
    refused(world, lambda: carrier.mark_read(world, "msg_x", NOW), NotFound, "'msg_x'")


# -- the WhatsApp window -----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 48 * 60))
@example(24 * 60 - 1)
@example(24 * 60)
def test_whatsapp_takes_anything_for_a_day_after_the_recipients_last_message(minutes: int) -> None:
    world = make_world()
    number = whatsapp_line(world)
    text_in(world, number, channel=Channel.WHATSAPP)
    sent = settled(world, number, channel=Channel.WHATSAPP, now=NOW + timedelta(minutes=minutes))
    assert sent.status is (MessageStatus.DELIVERED if minutes < 24 * 60 else MessageStatus.FAILED)
    assert sent.error_code == (None if minutes < 24 * 60 else "131047")


@pytest.mark.parametrize("channel", [None, Channel.SMS])
def test_only_a_whatsapp_message_opens_the_window(channel: Channel | None) -> None:
    world = make_world()
    number = whatsapp_line(world)
    if channel is not None:
        text_in(world, number, channel=channel)
    text_out(world, number, channel=Channel.WHATSAPP)
    assert settled(world, number, channel=Channel.WHATSAPP).error_code == "131047"


def test_what_comes_in_later_opens_no_window_for_what_was_sent_before() -> None:
    world = make_world()
    number = whatsapp_line(world)
    message, _ = text_out(world, number, channel=Channel.WHATSAPP)
    text_in(world, number, channel=Channel.WHATSAPP)
    assert carrier.settle(world, message.id, LATER).error_code == "131047"


# -- opting out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["STOP", " stop\n", "Unsubscribe", "QUIT"])
def test_by_policy_stop_makes_later_texts_to_that_person_fail(word: str) -> None:
    world = make_world(carrier_opt_out="on")
    number, other_line = new_number(world), new_number(world)
    text_in(world, number, word)
    assert settled(world, number).error_code == "OPTED_OUT"
    assert settled(world, number, receiver=OTHER_CALLER).status is MessageStatus.DELIVERED
    assert settled(world, other_line).status is MessageStatus.DELIVERED


def test_start_lets_texts_through_again() -> None:
    world = make_world(carrier_opt_out="on")
    number = new_number(world)
    for word in ("STOP", "STOP", "start"):
        text_in(world, number, word)
    assert settled(world, number).status is MessageStatus.DELIVERED
    told = [e.kind for e in world.journal.since() if e.kind.startswith("recipient.")]
    assert told == ["recipient.opted_out", "recipient.opted_in"]


@pytest.mark.parametrize(("policy", "word"), [("off", "STOP"), ("on", "please stop"), ("on", "HELP")])
def test_nobody_is_opted_out_by_anything_else(policy: str, word: str) -> None:
    world = make_world(carrier_opt_out=policy)
    number = new_number(world)
    text_in(world, number, word)
    assert world.opted_out == {}
    assert settled(world, number).status is MessageStatus.DELIVERED


@pytest.mark.parametrize("channel", [Channel.IMESSAGE, Channel.SMS])
def test_imessages_are_no_carriers_business(channel: Channel) -> None:
    world = make_world(carrier_opt_out="on")
    number = apple_line(world)
    text_in(world, number, "STOP", channel=channel)
    assert (world.opted_out == {}) == (channel is Channel.IMESSAGE)
    assert settled(world, number).status is MessageStatus.DELIVERED


def test_start_without_a_stop_changes_nothing() -> None:
    world = make_world(carrier_opt_out="on")
    text_in(world, new_number(world), "START")
    assert world.opted_out == {}
