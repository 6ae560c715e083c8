from __future__ import annotations

import pytest

from simulator.domain.calls import Direction
from simulator.domain.messages import PAST_TENSE, TAPBACKS, Channel
from simulator.errors import BadRequest, NotFound
from simulator.world import numbers, reactions, threads
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    apple_line,
    make_world,
    new_number,
    refused,
    text_group,
    text_in,
    text_out,
    whatsapp_line,
)

EMOJI = ["👍", "❤️", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "1️⃣", "‼️"]


@pytest.mark.parametrize("kind", [*TAPBACKS, *EMOJI])
def test_a_reaction_of_ours_stands_on_the_message(kind: str) -> None:
    world = make_world()
    number = apple_line(world)
    message, _ = text_in(world, number)
    after_it, reaction = reactions.send(world, message.id, kind, after(seconds=5))
    assert threads.get_message(world, message.id) == after_it
    assert after_it.reactions == (reaction,)
    assert (reaction.kind, reaction.from_number) == (kind, number.phone_number)
    assert (reaction.direction, reaction.at) == (Direction.OUTBOUND, after(seconds=5))


@pytest.mark.parametrize("kind", TAPBACKS)
def test_older_clients_name_tapbacks_in_the_past(kind: str) -> None:
    world = make_world()
    message, _ = text_in(world, apple_line(world))
    assert reactions.send(world, message.id, PAST_TENSE[kind], NOW)[1].kind == kind


@pytest.mark.parametrize("kind", ["", "smile", "👍👍", "1", "👍 nice", "\ufe0f"])
def test_what_is_no_reaction_is_refused(kind: str) -> None:
    world = make_world()
    message, _ = text_in(world, apple_line(world))
    refused(world, lambda: reactions.send(world, message.id, kind, NOW), BadRequest, "is no reaction")


def test_a_line_may_have_tapbacks_only() -> None:
    world = make_world(emoji_reactions="off")
    message, _ = text_in(world, apple_line(world))
    assert reactions.send(world, message.id, "love", NOW)[1].kind == "love"
    refused(world, lambda: reactions.send(world, message.id, "👍", NOW), BadRequest, "cannot be used on this line")


def test_each_party_has_one_reaction_at_a_time() -> None:
    world = make_world()
    number = apple_line(world)
    message, _ = text_out(world, number)
    reactions.send(world, message.id, "laugh", NOW)
    reactions.receive(world, message.id, "like", NOW)
    changed, _ = reactions.receive(world, message.id, "love", NOW)
    assert [(r.kind, r.from_number) for r in changed.reactions] == [("laugh", number.phone_number), ("love", CALLER)]


def test_reactions_are_no_activity_and_are_in_the_journal() -> None:
    world = make_world()
    number = apple_line(world)
    first, conversation = text_in(world, number)
    _, newest = text_in(world, number, sender=OTHER_CALLER)
    reactions.send(world, first.id, "love", NOW)
    reactions.receive(world, first.id, "like", NOW)
    assert threads.conversations(world) == [newest, conversation]
    assert [(e.kind, e.data) for e in world.journal.since()][-2:] == [
        ("reaction.sent", {"message_id": first.id, "reaction": "love", "from": number.phone_number}),
        ("reaction.received", {"message_id": first.id, "reaction": "like", "from": CALLER}),
    ]


def test_reactions_of_ours_are_for_imessage() -> None:
    world = make_world()
    sms, _ = text_in(world, new_number(world))
    whatsapp, _ = text_in(world, whatsapp_line(world), channel=Channel.WHATSAPP)
    green, _ = text_in(world, apple_line(world), channel=Channel.SMS)
    for message in (sms, whatsapp, green):
        refused(world, lambda m=message: reactions.send(world, m.id, "love", NOW), BadRequest, "are for iMessage")
    refused(world, lambda: reactions.send(world, "msg_x", "love", NOW), NotFound, "'msg_x'")


def test_people_react_on_imessage_and_with_emoji_on_whatsapp() -> None:
    world = make_world()
    number = whatsapp_line(world)
    whatsapp, _ = text_in(world, number, channel=Channel.WHATSAPP)
    assert reactions.receive(world, whatsapp.id, "👍", NOW)[1].kind == "👍"
    sms, _ = text_in(world, number, channel=Channel.SMS)
    refused(world, lambda: reactions.receive(world, whatsapp.id, "love", NOW), BadRequest, "no reaction on WhatsApp")
    refused(world, lambda: reactions.receive(world, sms.id, "love", NOW), BadRequest, "only iMessage and WhatsApp")


def test_in_a_group_a_member_reacts() -> None:
    world = make_world()
    number = apple_line(world)
    message, _ = text_group(world, number)
    assert reactions.receive(world, message.id, "love", NOW, from_number=OTHER_CALLER)[1].from_number == OTHER_CALLER
    stranger = "+14155550159"
    refused(world, lambda: reactions.receive(world, message.id, "love", NOW), BadRequest, "say from whom")
    refused(world, lambda: reactions.receive(world, message.id, "love", NOW, from_number=stranger), BadRequest, "only")


def test_nobody_else_reacts_in_a_conversation_of_two() -> None:
    world = make_world()
    message, _ = text_out(world, apple_line(world))
    assert reactions.receive(world, message.id, "love", NOW, from_number="415 555 0150")[1].from_number == CALLER
    refused(
        world, lambda: reactions.receive(world, message.id, "love", NOW, from_number=OTHER_CALLER), BadRequest, "only"
    )


def test_a_released_number_reacts_no_more() -> None:
    world = make_world()
    number = apple_line(world)
    message, _ = text_in(world, number)
    numbers.release(world, number.id, NOW)
    refused(world, lambda: reactions.send(world, message.id, "love", NOW), BadRequest, "was released")
