from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, MessageStatus
from simulator.domain.numbers import PhoneNumber
from simulator.domain.whatsapp import MessageTemplate, TemplateStatus, WhatsAppConnection
from simulator.errors import BadRequest, Forbidden, NotFound, PaymentRequired, RateLimited
from simulator.world import agents, carrier, limits, messages, money, threads
from simulator.world.world import World
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    apple_line,
    make_world,
    new_agent,
    new_line,
    new_number,
    refused,
    text_group,
    text_in,
    text_out,
    whatsapp_line,
)

PICTURE = "https://files.example.com/cat.png"


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
    message, conversation = text_out(world, number, "On its way")
    assert (message.direction, message.status) == (Direction.OUTBOUND, MessageStatus.SENT)
    assert (message.from_number, message.to_number) == (number.phone_number, CALLER)
    assert message.conversation_id == conversation.id


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
    assert threads.get_conversation(world, conversation.id) == conversation


def test_a_conversation_follows_its_number_to_another_agent() -> None:
    world = make_world()
    first, number = new_line(world, "a")
    second = new_agent(world, "b")
    _, before = text_in(world, number)
    agents.attach(world, second.id, number.id)
    assert threads.conversations(world, first.id) == [before]
    _, conversation = text_in(world, number)
    assert threads.conversations(world, second.id) == [conversation]
    assert threads.conversations(world, first.id) == []


def test_a_text_to_a_number_without_an_agent_is_stored() -> None:
    world = make_world()
    message, conversation = text_in(world, new_number(world))
    assert (message.agent_id, conversation.agent_id) == (None, None)


@pytest.mark.parametrize(
    ("channel", "media", "kept"),
    [
        (Channel.SMS, (), Channel.SMS),
        (Channel.SMS, (PICTURE,), Channel.MMS),
        (Channel.RCS, (PICTURE,), Channel.RCS),
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


def test_a_person_may_be_an_apple_id_on_an_imessage_line() -> None:
    world = make_world()
    number = apple_line(world)
    sent, conversation = text_out(world, number, "hi", "Ada@Example.com")
    received, same = text_in(world, number, "hello", "ada@example.com")
    assert (sent.to_number, received.from_number) == ("ada@example.com", "ada@example.com")
    assert (sent.channel, received.channel, same.id) == (Channel.IMESSAGE, Channel.IMESSAGE, conversation.id)


@pytest.mark.parametrize("address", ["@", "a@b", "a b@c.de", "a@b@c.de", "ä@c.de", f"{'a' * 250}@c.de"])
def test_what_is_no_address_is_refused(address: str) -> None:
    world = make_world()
    number = apple_line(world)
    refused(world, lambda: text_out(world, number, "x", address), BadRequest, "not an e-mail address")


@pytest.mark.parametrize("line", [new_number, apple_line])
def test_a_short_code_is_texted_by_sms_from_any_line(line: Any) -> None:
    world = make_world()
    number = line(world)
    sent, conversation = text_out(world, number, "YES", "40404")
    received, same = text_in(world, number, "Your code is 1234", "40404")
    assert (sent.to_number, sent.channel, received.from_number, received.channel) == (
        "40404",
        Channel.SMS,
        "40404",
        Channel.SMS,
    )
    assert same.id == conversation.id


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


# -- channels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "channel", "party", "why"),
    [
        (new_number, Channel.IMESSAGE, CALLER, "gets no iMessage"),
        (new_number, Channel.WHATSAPP, CALLER, "connect the number to WhatsApp"),
        (new_number, Channel.SMS, "ada@example.com", "e-mail addresses need an iMessage number"),
        (new_number, None, "ada@example.com", "gets no iMessage"),
        (apple_line, Channel.SMS, "ada@example.com", "e-mail addresses need an iMessage number"),
        (apple_line, Channel.IMESSAGE, "40404", "short code 40404 has no iMessage"),
        (whatsapp_line, Channel.WHATSAPP, "40404", "use sms"),
    ],
)
def test_nothing_comes_in_that_the_line_or_the_sender_cannot_do(
    line: Any, channel: Channel | None, party: str, why: str
) -> None:
    world = make_world()
    number = line(world)
    refused(world, lambda: text_in(world, number, "x", party, channel=channel), BadRequest, why)


@pytest.mark.parametrize(
    ("line", "channel", "party", "why"),
    [
        (new_number, Channel.IMESSAGE, CALLER, "it sends on sms, mms"),
        (new_number, Channel.WHATSAPP, CALLER, "it sends on sms, mms"),
        (apple_line, Channel.SMS, CALLER, "it sends on imessage"),
        (apple_line, Channel.IMESSAGE, "40404", "short code 40404 has no iMessage"),
        (new_number, Channel.MMS, CALLER, "without media_urls"),
        (new_number, None, "ada@example.com", "e-mail addresses need an iMessage number"),
        (whatsapp_line, Channel.WHATSAPP, "40404", "use sms"),
    ],
)
def test_nothing_goes_out_that_the_line_or_the_recipient_cannot_do(
    line: Any, channel: Channel | None, party: str, why: str
) -> None:
    world = make_world()
    number = line(world)
    refused(world, lambda: text_out(world, number, "x", party, channel=channel), BadRequest, why)


def test_an_imessage_line_gets_imessages_unless_somebody_has_no_iphone() -> None:
    world = make_world()
    number = apple_line(world)
    assert text_in(world, number)[0].channel is Channel.IMESSAGE
    assert text_in(world, number, channel=Channel.SMS)[0].channel is Channel.SMS


def test_whoever_wrote_by_whatsapp_last_is_answered_there() -> None:
    world = make_world()
    number = whatsapp_line(world)
    assert text_out(world, number)[0].channel is Channel.SMS
    text_in(world, number, channel=Channel.WHATSAPP)
    assert text_out(world, number)[0].channel is text_out(world, number)[0].channel is Channel.WHATSAPP
    assert text_out(world, number, channel=Channel.SMS)[0].channel is Channel.SMS
    text_in(world, number, channel=Channel.SMS)
    assert text_out(world, number)[0].channel is Channel.SMS


def test_several_pictures_by_imessage_are_several_messages_and_the_words_come_with_the_first() -> None:
    world = make_world()
    number = apple_line(world)
    pictures = tuple(f"https://files.example.com/{n}.jpg" for n in range(3))
    target, _ = text_out(world, number)
    came = messages.receive_all(
        world,
        from_number=CALLER,
        to_number=number.phone_number,
        body="look",
        media_urls=pictures,
        reply_to_message_id=target.id,
        now=NOW,
    )
    assert [(m.body, m.media_urls, m.reply_to_message_id) for m, _ in came] == [
        ("look", pictures[:1], target.id),
        ("", pictures[1:2], None),
        ("", pictures[2:], None),
    ]
    assert came[-1][1].message_count == 4
    assert len({m.id for m, _ in came}) == 3


# -- replies and extras ------------------------------------------------------------------------------------------


def test_a_reply_is_linked_only_where_the_channel_links_it() -> None:
    world = make_world()
    sms, apple = new_number(world), apple_line(world)
    on_sms, _ = text_in(world, sms)
    on_apple, _ = text_in(world, apple)
    green, _ = text_in(world, apple, channel=Channel.SMS)
    failed, _ = text_out(world, apple)
    carrier.mark_failed(world, failed.id, "no", None, NOW)
    assert [
        text_out(world, number, reply_to_message_id=parent)[0].reply_parent_unresolved
        for number, parent in (
            (apple, on_apple.id), (apple, None), (sms, on_sms.id), (apple, green.id), (apple, failed.id),
        )
    ] == [False, None, True, True, True]  # fmt: skip


def test_people_reply_to_a_message_where_the_channel_has_replies() -> None:
    world = make_world()
    number = apple_line(world)
    question, _ = text_out(world, number, "Eight?")
    assert text_in(world, number, "Yes", reply_to_message_id=question.id)[0].reply_to_message_id == question.id
    for channel, target, error in (
        (Channel.SMS, question.id, BadRequest),
        (Channel.IMESSAGE, "msg_x", NotFound),
    ):

        def reply(channel: Channel = channel, target: str = target) -> object:
            return text_in(world, number, "No", channel=channel, reply_to_message_id=target)

        refused(world, reply, error, "repl")


def test_a_send_style_is_for_imessage() -> None:
    world = make_world()
    assert text_out(world, apple_line(world), send_style="confetti")[0].send_style == "confetti"
    (sent,) = [e.data for e in world.journal.since() if e.kind == "message.sent"]
    assert sent["send_style"] == "confetti"
    sms = new_number(world)
    refused(world, lambda: text_out(world, sms, send_style="confetti"), BadRequest, "'confetti' is for iMessage only")


BUTTONS = {"type": "buttons", "buttons": [{"id": "1", "title": "Yes"}]}


def test_buttons_go_under_a_body_on_whatsapp() -> None:
    world = make_world()
    number = whatsapp_line(world)
    sent, _ = text_out(world, number, "Coming?", channel=Channel.WHATSAPP, content=BUTTONS)
    assert (sent.channel, sent.content) == (Channel.WHATSAPP, BUTTONS)
    refused(world, lambda: text_out(world, number, "Coming?", content=BUTTONS), BadRequest, "set channel to whatsapp")
    refused(
        world,
        lambda: text_out(world, number, "", media_urls=(PICTURE,), channel=Channel.WHATSAPP, content=BUTTONS),
        BadRequest,
        "needs a body",
    )


def connected(world: World, status: TemplateStatus) -> PhoneNumber:
    number = whatsapp_line(world)
    world.whatsapp_connections["wa_1"] = WhatsAppConnection(
        id="wa_1", waba_id="1", connected_at=NOW, number_ids=(number.id,)
    )
    world.message_templates["1"] = MessageTemplate(
        id="1", connection_id="wa_1", name="hi", language="en_US", category="UTILITY", created_at=NOW, status=status
    )
    return number


def template(name: str = "hi", **more: Any) -> dict[str, Any]:
    return {"channel": Channel.WHATSAPP, "content": {"type": "template", "template": {"name": name, **more}}}


def test_an_approved_template_needs_no_body() -> None:
    world = make_world()
    number = connected(world, TemplateStatus.APPROVED)
    assert text_out(world, number, "", **template())[0].body == ""
    assert text_out(world, number, "", **template(language="en_US"))[0].body == ""


@pytest.mark.parametrize(
    ("status", "wanted", "why"),
    [
        (TemplateStatus.PENDING, template(), "'hi' cannot be sent .* it is PENDING"),
        (TemplateStatus.APPROVED, template("bye"), "'bye' .* does not exist"),
        (TemplateStatus.APPROVED, template(language="de"), "'hi' in de .* does not exist"),
    ],
)
def test_only_approved_templates_of_the_numbers_own_connection_can_be_sent(
    status: TemplateStatus, wanted: dict[str, Any], why: str
) -> None:
    world = make_world()
    number, stranger = connected(world, status), whatsapp_line(world)
    refused(world, lambda: text_out(world, number, "", **wanted), BadRequest, why)
    refused(world, lambda: text_out(world, stranger, "", **template()), BadRequest, "does not exist")


# -- what else stands in the way of a text -----------------------------------------------------------------------


def test_no_sms_goes_out_unregistered_where_the_policy_asks_for_registration() -> None:
    world = make_world(registration_gate="on")
    sms, apple = new_number(world), apple_line(world)
    refused(world, lambda: text_out(world, sms), Forbidden, "not registered for 10DLC")
    refused(world, lambda: text_out(world, sms, media_urls=(PICTURE,)), Forbidden, "not registered for 10DLC")
    assert text_in(world, sms)[0].channel is Channel.SMS
    assert text_out(world, apple)[0].channel is Channel.IMESSAGE


def test_segments_are_paid_for_both_ways() -> None:
    world = make_world()
    number = new_number(world)
    money.fill(world, 10, NOW)
    text_out(world, number, "x" * 161)
    text_in(world, number)
    assert money.balance(world) == 40_000  # micro-dollars: three segments at two cents
    text_out(world, number, "x" * 161)
    refused(world, lambda: text_out(world, number), PaymentRequired, "Insufficient balance")


def test_an_imessage_line_texts_so_many_people_first_in_a_day() -> None:
    world = make_world()
    number = apple_line(world)
    limits.change(world, NOW, daily_new_contacts=3)
    text_out(world, number)
    text_group(world, number, CALLER, OTHER_CALLER)
    text_out(world, number)
    refused(world, lambda: text_out(world, number, receiver=OTHER_CALLER), RateLimited, "3 of 3 new contacts")
    text_in(world, number, sender=OTHER_CALLER)
    assert text_out(world, number, receiver=OTHER_CALLER, now=after(minutes=1))[0].to_number == OTHER_CALLER
