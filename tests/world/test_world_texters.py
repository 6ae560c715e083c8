from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.domain.messages import Channel
from simulator.domain.text_threads import Author, TextThread, ThreadStatus
from simulator.engine.thread_script import SendText
from simulator.errors import ApiError, BadRequest, Conflict, NotFound
from simulator.world import numbers, texters
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    apple_line,
    make_world,
    new_line,
    new_number,
    refused,
    text_in,
    text_out,
)

THIRD = "+14155550152"


def begin(world: World, to: str, sender: str = CALLER, **more: Any) -> TextThread:
    return texters.begin(world, from_number=sender, to_number=to, now=NOW, **more)


def told(world: World) -> list[str]:
    return [entry.kind for entry in world.journal.since(kind="thread")]


def test_a_thread_is_written_down_as_it_goes() -> None:
    world = make_world()
    _, number = new_line(world)
    thread = begin(world, number.phone_number)
    texters.note_step(world, thread.id, (0,), "text", NOW)
    (sent,), automatic = texters.send(world, thread.id, SendText("hi"), NOW)
    reply, _ = text_out(world, number, "hello", now=after(seconds=2))
    texters.note_reply(world, thread.id, reply, after(seconds=3))
    thread = texters.finish(world, thread.id, after(days=2))
    assert automatic is None
    assert (thread.status, thread.ended_at) == (ThreadStatus.DONE, after(days=2))
    assert thread.conversation_id == sent.conversation_id == reply.conversation_id
    assert [(t.by, t.body, t.delay) for t in thread.texts] == [
        (Author.PERSON, "hi", None),
        (Author.AGENT, "hello", timedelta(seconds=3)),
    ]
    assert told(world) == ["thread.started", "thread.step", "thread.sent", "thread.reply", "thread.done"]


def test_the_journal_tells_all_there_is_to_know_of_a_reply() -> None:
    world = make_world()
    _, number = new_line(world)
    thread = begin(world, number.phone_number)
    texters.send(world, thread.id, SendText("look", ("https://files.example.com/a.jpg",)), NOW)
    reply, conversation = text_out(world, number, "hello", now=after(seconds=2))
    texters.note_reply(world, thread.id, reply, after(seconds=3))
    sent, came = (world.journal.since(kind=kind)[0] for kind in ("thread.sent", "thread.reply"))
    assert (sent.data["channel"], sent.data["media_urls"]) == ("mms", ["https://files.example.com/a.jpg"])
    assert (came.at, came.data) == (
        after(seconds=3),
        {
            "thread_id": thread.id, "message_id": reply.id, "conversation_id": conversation.id, "by": "agent",
            "body": "hello", "media_urls": [], "channel": "sms", "sent_at": after(seconds=2).isoformat(),
            "delay_seconds": 3.0,
        },
    )  # fmt: skip


def test_a_failure_says_what_was_expected_and_what_was_heard() -> None:
    world = make_world()
    _, number = new_line(world)
    thread = begin(world, number.phone_number)
    texters.fail(world, thread.id, (1, 0, 2), "a reply", "nothing", NOW)
    failure = texters.get(world, thread.id).failure
    assert failure is not None
    assert (failure.place, failure.expected, failure.heard) == ((1, 0, 2), "a reply", "nothing")
    assert world.journal.since(kind="thread.failed")[0].data["step"] == [1, 0, 2]


def test_a_group_is_texted_by_one_of_its_members() -> None:
    world = make_world()
    number = apple_line(world)
    thread = begin(world, number.phone_number, participants=[OTHER_CALLER, THIRD])
    (sent,), _ = texters.send(world, thread.id, SendText("hi all"), NOW)
    assert (sent.sender_identifier, sent.channel) == (CALLER, Channel.IMESSAGE)
    assert texters.pair_of(world, sent) == (number.id, frozenset({CALLER, OTHER_CALLER, THIRD}))
    assert [t.id for t in texters.latest(world, texters.pair_of(world, sent))] == [thread.id]


def test_a_member_reacts_under_their_own_name() -> None:
    world = make_world()
    number = apple_line(world)
    thread = begin(world, number.phone_number)
    texters.send(world, thread.id, SendText("hi"), NOW)
    reply, _ = text_out(world, number, channel=Channel.IMESSAGE)
    _, made = texters.react(world, thread.id, reply.id, "love", NOW)
    assert (made.kind, made.from_number) == ("love", CALLER)
    assert told(world)[-1] == "thread.reacted"


def test_the_last_thread_of_everybody_is_found_by_who_is_in_it() -> None:
    world = make_world()
    number = apple_line(world)
    first, second = (begin(world, number.phone_number, one, participants=[CALLER, THIRD]) for one in (CALLER, THIRD))
    texters.finish(world, first.id, NOW)
    again = begin(world, number.phone_number, CALLER, participants=[THIRD])
    assert [t.id for t in texters.latest(world, (number.id, again.members))] == [second.id, again.id]


def test_nobody_texts_by_two_scripts_at_once() -> None:
    world = make_world()
    _, number = new_line(world)
    thread = begin(world, number.phone_number)
    refused(world, lambda: begin(world, number.phone_number), Conflict, f"by {thread.id} already")
    begin(world, number.phone_number, OTHER_CALLER)
    begin(world, new_number(world).phone_number)


@pytest.mark.parametrize(
    ("to", "sender", "more", "error", "why"),
    [
        ("+14155550999", CALLER, {}, NotFound, "no active number of this account"),
        (None, None, {}, BadRequest, "cannot text itself"),
        (None, "nobody", {}, BadRequest, "nobody"),
        (None, CALLER, {"participants": [OTHER_CALLER]}, BadRequest, "has no groups"),
    ],
)
def test_a_thread_that_cannot_be_is_refused(
    to: str | None, sender: str | None, more: dict[str, Any], error: type[ApiError], why: str
) -> None:
    world = make_world()
    _, number = new_line(world)
    ours = number.phone_number
    refused(world, lambda: begin(world, to or ours, sender or ours, **more), error, why)


def test_a_released_number_cannot_be_texted() -> None:
    world = make_world()
    _, number = new_line(world)
    thread = begin(world, number.phone_number)
    numbers.release(world, number.id, NOW)
    refused(world, lambda: texters.send(world, thread.id, SendText("hi"), NOW), NotFound, "was released")
    refused(world, lambda: texters.get(world, "thread_x"), NotFound, "thread_x")


# -- HELP --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["HELP", " help\n", "Info"])
def test_by_policy_help_is_answered_by_somebody_in_between(word: str) -> None:
    world = make_world(carrier_help="on")
    _, number = new_line(world)
    thread = begin(world, number.phone_number)
    _, automatic = texters.send(world, thread.id, SendText(word), NOW)
    assert automatic is not None
    assert (automatic.by, automatic.delay, automatic.message_id) == (Author.CARRIER, timedelta(), None)
    assert number.phone_number in automatic.body
    assert world.journal.since(kind="carrier")[0].data["body"] == automatic.body
    assert len(world.messages) == 1  # the answer is none of the account's


@pytest.mark.parametrize(("policy", "body"), [("off", "HELP"), ("on", "please help"), ("on", "STOP")])
def test_nothing_else_is_answered(policy: str, body: str) -> None:
    world = make_world(carrier_help=policy, carrier_opt_out="on")
    _, number = new_line(world)
    text_in(world, number, body)
    assert world.journal.since(kind="carrier") == []


def test_help_by_imessage_is_no_carriers_business() -> None:
    world = make_world(carrier_help="on")
    number = apple_line(world)
    thread = begin(world, number.phone_number)
    assert texters.send(world, thread.id, SendText("HELP"), NOW)[1] is None
    assert texters.send(world, thread.id, SendText("HELP", channel="sms"), NOW)[1] is not None
