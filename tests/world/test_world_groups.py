from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.messages import Channel
from simulator.errors import BadRequest, Forbidden, NotFound
from simulator.world import agents, messages, parties, threads
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    apple_line,
    make_world,
    new_agent,
    new_number,
    refused,
    text_group,
    text_in,
    text_out,
)

THIRD = "+14155550152"
ADA = "ada@example.com"


def test_recipients_open_a_group_of_which_the_reply_names_the_id() -> None:
    world = make_world()
    number = apple_line(world)
    message, conversation = text_group(world, number, CALLER, "Ada@example.com")
    assert conversation.group is not None
    assert (message.to_number, message.channel) == (conversation.group.id, Channel.IMESSAGE)
    assert conversation.group.id.startswith("grp_")
    assert conversation.participant == conversation.group.id
    assert conversation.group.members == (CALLER, ADA)
    assert (message.from_number, message.sender_identifier) == (number.phone_number, None)


@settings(deadline=None)
@given(st.permutations([CALLER, OTHER_CALLER, THIRD]), st.lists(st.sampled_from([CALLER, THIRD]), max_size=3))
def test_a_group_is_the_set_of_its_members_in_whatever_order(order: list[str], again: list[str]) -> None:
    world = make_world()
    number = apple_line(world)
    _, first = text_group(world, number, CALLER, OTHER_CALLER, THIRD)
    _, second = text_group(world, number, *order, *again)
    came, third = text_in(world, number, sender=order[0], members=order[1:])
    assert first.id == second.id == third.id
    assert came.sender_identifier == order[0]
    _, smaller = text_group(world, number, *order[:2])
    _, other_line = text_group(world, apple_line(world), *order)
    assert len({first.id, smaller.id, other_line.id}) == 3


def test_a_group_is_texted_by_its_id() -> None:
    world = make_world()
    number = apple_line(world)
    _, opened = text_group(world, number)
    message, conversation = text_out(world, number, "again", opened.participant)
    assert (message.to_number, conversation.id, conversation.message_count) == (opened.participant, opened.id, 2)


def test_an_agents_group_is_texted_from_the_number_that_is_in_it() -> None:
    world = make_world()
    agent = new_agent(world)
    new_number(world, agent)
    number = apple_line(world, agent)
    _, opened = text_group(world, number)
    sent, _ = messages.send(world, agent_id=agent.id, to_number=opened.participant, body="hi", now=NOW)
    assert sent.number_id == number.id
    agents.detach(world, agent.id, number.id)
    refused(
        world,
        lambda: messages.send(world, agent_id=agent.id, to_number=opened.participant, body="hi", now=NOW),
        BadRequest,
        f"use \\{number.phone_number}",
    )


@pytest.mark.parametrize(
    ("recipients", "error", "why"),
    [
        ((CALLER, "(415) 555-0150"), BadRequest, "a group of 1 cannot be"),
        (tuple(f"+1415555{n:04d}" for n in range(33)), BadRequest, "a group of 33"),
        ((CALLER, "OURS"), BadRequest, "cannot text itself"),
        ((CALLER, "40404"), BadRequest, "short code 40404 cannot be in a group"),
        ((CALLER, "grp_1"), BadRequest, "'grp_1' is not a phone number"),
        ((CALLER, "nobody@"), BadRequest, "not an e-mail address"),
        ((CALLER, "911"), Forbidden, "emergency"),
    ],
)
def test_a_group_that_cannot_be_is_not_opened(recipients: tuple[str, ...], error: Any, why: str) -> None:
    world = make_world()
    number = apple_line(world)
    people = [number.phone_number if one == "OURS" else one for one in recipients]
    refused(world, lambda: text_group(world, number, *people), error, why)


def test_groups_are_for_imessage_numbers() -> None:
    world = make_world()
    sms, number = new_number(world), apple_line(world)
    refused(world, lambda: text_group(world, sms), BadRequest, "groups need an iMessage number")
    refused(world, lambda: text_in(world, sms, members=[OTHER_CALLER]), BadRequest, "groups need an iMessage number")
    refused(world, lambda: text_group(world, number, channel=Channel.SMS), BadRequest, "it sends on imessage")
    refused(
        world,
        lambda: text_in(world, number, members=[OTHER_CALLER], channel=Channel.SMS),
        BadRequest,
        "groups are for iMessage",
    )


def test_a_group_belongs_to_one_number() -> None:
    world = make_world()
    number, other = apple_line(world), apple_line(world)
    _, opened = text_group(world, number)
    group = opened.participant
    refused(world, lambda: text_out(world, other, "x", group), BadRequest, f"{group} is not one of")
    refused(world, lambda: text_in(world, other, "x", group_id=group), BadRequest, f"{group} is not one of")
    refused(world, lambda: text_out(world, number, "x", "grp_x"), NotFound, "'grp_x' does not exist")
    refused(world, lambda: text_in(world, number, "x", group_id="grp_x"), NotFound, "'grp_x' does not exist")


def test_to_number_and_recipients_exclude_each_other() -> None:
    world = make_world()
    number = apple_line(world)
    refused(world, lambda: text_group(world, number, to_number=CALLER), BadRequest, "cannot both be given")
    refused(
        world, lambda: messages.send(world, number_id=number.id, body="x", now=NOW), BadRequest, "nobody to send to"
    )


def test_only_members_text_a_group() -> None:
    world = make_world()
    number = apple_line(world)
    _, opened = text_group(world, number)
    came, conversation = text_in(world, number, sender=CALLER, group_id=opened.participant)
    assert (came.sender_identifier, conversation.id) == (CALLER, opened.id)
    refused(
        world, lambda: text_in(world, number, sender=THIRD, group_id=opened.participant), BadRequest, "only its members"
    )
    refused(
        world,
        lambda: text_in(world, number, group_id=opened.participant, members=[OTHER_CALLER]),
        BadRequest,
        "cannot both be given",
    )


@pytest.mark.parametrize("policy", ["group", "member"])
def test_the_policy_says_whether_a_group_text_is_from_the_group_or_from_its_member(policy: str) -> None:
    world = make_world(group_sender=policy)
    number = apple_line(world)
    for _ in range(2):  # the first opens the group
        message, conversation = text_in(world, number, members=[OTHER_CALLER, number.phone_number])
        assert message.from_number == (conversation.participant if policy == "group" else CALLER)
        assert (message.sender_identifier, message.to_number) == (CALLER, number.phone_number)


def test_members_may_name_the_group_and_give_it_an_icon() -> None:
    world = make_world()
    number = apple_line(world)
    named = {"group_name": "Team", "group_icon_url": "https://files.example.com/t.png"}
    _, conversation = text_in(world, number, members=[OTHER_CALLER], **named)
    assert conversation.group is not None
    assert (conversation.group.name, conversation.group.icon_url) == tuple(named.values())
    _, later = text_in(world, number, members=[OTHER_CALLER])
    assert later.group == conversation.group
    _, renamed = text_in(world, number, members=[OTHER_CALLER], group_name="Us")
    assert renamed.group == replace(conversation.group, name="Us")
    _, dressed = text_in(world, number, members=[OTHER_CALLER], group_icon_url="https://files.example.com/u.png")
    assert dressed.group == replace(conversation.group, name="Us", icon_url="https://files.example.com/u.png")


def test_a_group_is_renamed_and_nothing_else() -> None:
    world = make_world()
    number = apple_line(world)
    _, group = text_group(world, number)
    _, single = text_out(world, number)
    renamed = parties.rename_group(world, group.id, "Team")
    assert renamed.group is not None
    assert (renamed.group.name, replace(renamed, group=group.group)) == ("Team", group)
    assert threads.conversations(world) == [single, renamed]
    refused(world, lambda: parties.rename_group(world, single.id, "Team"), BadRequest, "is no group")
    refused(world, lambda: parties.rename_group(world, group.id, " "), BadRequest, "give it a name")
