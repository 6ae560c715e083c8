from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.domain.messages import Channel
from simulator.errors import BadRequest, NotFound
from simulator.world import chats, contacts, numbers
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    apple_line,
    make_world,
    new_number,
    refused,
    snapshot,
    text_group,
    text_in,
    whatsapp_line,
)

PICTURE, OTHER_PICTURE = "https://files.example.com/a.png", "https://files.example.com/b.png"


@pytest.mark.parametrize(
    ("line", "send", "channels", "media", "reactions"),
    [
        (new_number, "sms", ["sms", "mms"], ["mms"], False),
        (apple_line, "imessage", ["imessage"], ["imessage"], True),
        (whatsapp_line, "sms", ["sms", "mms", "whatsapp"], ["mms", "whatsapp"], False),
    ],
)
def test_the_line_decides_what_can_be_done(
    line: Callable[[World], numbers.PhoneNumber], send: str, channels: list[str], media: list[str], reactions: bool
) -> None:
    world = make_world()
    _, conversation = text_in(world, line(world))
    able = chats.capabilities(world, conversation)
    assert (able.send_channel, able.send_disabled_reason) == (send, None)
    assert (list(able.channels), list(able.media_channels)) == (channels, media)
    assert (able.reactions, able.emoji_reactions) == (reactions, reactions)


def test_what_can_be_done_follows_the_state_of_things() -> None:
    world = make_world(emoji_reactions="off")
    number = apple_line(world)
    _, conversation = text_in(world, number)
    assert (
        chats.capabilities(world, conversation).reactions,
        chats.capabilities(world, conversation).emoji_reactions,
    ) == (
        True,
        False,
    )
    numbers.release(world, number.id, NOW)
    able = chats.capabilities(world, conversation)
    assert (able.send_channel, able.channels, able.media_channels, able.reactions) == (None, (), (), False)
    assert able.send_disabled_reason == f"{number.phone_number} was released"


def test_a_whatsapp_conversation_goes_on_on_whatsapp() -> None:
    world = make_world()
    _, conversation = text_in(world, whatsapp_line(world), channel=Channel.WHATSAPP)
    assert chats.capabilities(world, conversation).send_channel is Channel.WHATSAPP


def test_members_of_a_group_have_the_names_of_contacts() -> None:
    world = make_world()
    _, conversation = text_group(world, apple_line(world))
    contacts.create(world, CALLER, "Ada", now=NOW)
    contacts.create(world, "+14155550159", "Somebody else", now=NOW)
    assert chats.view(world, conversation).names == {CALLER: "Ada"}


def test_a_background_replaces_the_one_before_and_counts_its_changes() -> None:
    world = make_world()
    _, conversation = text_in(world, apple_line(world))
    _, first, changed = chats.set_background(world, conversation.id, PICTURE, NOW)
    assert (first.version, first.image_url, changed) == (1, PICTURE, True)
    before = snapshot(world)
    assert chats.set_background(world, conversation.id, PICTURE, NOW)[1:] == (first, False)
    assert snapshot(world) == before
    now, second, changed = chats.set_background(world, conversation.id, OTHER_PICTURE, NOW)
    assert (second.version, changed, now.background) == (2, True, second)
    assert second.id != first.id


def test_a_background_is_taken_away_once() -> None:
    world = make_world()
    _, conversation = text_in(world, apple_line(world))
    chats.set_background(world, conversation.id, PICTURE, NOW)
    assert chats.remove_background(world, conversation.id, NOW).background is None
    before = snapshot(world)
    assert chats.remove_background(world, conversation.id, NOW).background is None
    assert snapshot(world) == before
    assert chats.set_background(world, conversation.id, PICTURE, NOW)[1].version == 3
    assert [e.kind for e in world.journal.since() if e.kind.startswith("background")] == [
        "background.set",
        "background.removed",
        "background.set",
    ]


def test_typing_is_shown_and_is_no_activity() -> None:
    world = make_world()
    number = apple_line(world)
    _, conversation = text_in(world, number)
    text_in(world, number, sender=OTHER_CALLER)
    assert chats.show_typing(world, conversation.id, NOW) == conversation
    (entry,) = [e for e in world.journal.since() if e.kind == "typing.shown"]
    assert entry.data == {"conversation_id": conversation.id}
    assert next(iter(world.recent_conversations)) == conversation.id


WAYS: list[Callable[[World, str], object]] = [
    lambda w, c: chats.show_typing(w, c, NOW),
    lambda w, c: chats.set_background(w, c, PICTURE, NOW),
    lambda w, c: chats.remove_background(w, c, NOW),
]


@pytest.mark.parametrize("act", WAYS)
def test_typing_and_backgrounds_are_for_imessage_lines_in_use(act: Callable[[World, str], object]) -> None:
    world = make_world()
    number = apple_line(world)
    _, sms = text_in(world, new_number(world))
    _, gone = text_in(world, number)
    numbers.release(world, number.id, NOW)
    refused(world, lambda: act(world, sms.id), BadRequest, "is an sms line, not iMessage")
    refused(world, lambda: act(world, gone.id), BadRequest, "was released")
    refused(world, lambda: act(world, "conv_x"), NotFound, "'conv_x'")
