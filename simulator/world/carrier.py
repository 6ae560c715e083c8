"""What becomes of a text after it was handed over: the recipient's carrier decides, a moment later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from simulator.domain.calls import Direction
from simulator.domain.faults import CARRIER
from simulator.domain.messages import NOT_TAKEN, UNCONFIRMED, Channel, Message, MessageStatus, TextOutcome
from simulator.errors import BadRequest, CarrierFailed
from simulator.world import contents, faults, people, threads
from simulator.world.world import World

DELIVERY_TIME: Final = timedelta(seconds=1)  # between the send and what the carrier says; about what one takes
WHATSAPP_WINDOW: Final = timedelta(hours=24)  # after somebody's text, in which they may be sent anything
WINDOW_CLOSED: Final = TextOutcome(
    status=MessageStatus.FAILED,
    failure_reason="more than 24 hours have passed since the recipient's last WhatsApp message: send a template",
    code="131047",  # Meta's own
)
OPTED_OUT: Final = TextOutcome(
    status=MessageStatus.FAILED,
    failure_reason="the recipient has opted out: they texted STOP to this number",
    code="OPTED_OUT",
)
STOP_WORDS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS: Final = frozenset({"START", "UNSTOP", "YES"})
HELP_WORDS: Final = frozenset({"HELP", "INFO"})
HELP_ANSWER: Final = "{number}: reply STOP to get no more texts from this number, START to get them again."
_BY_CARRIER: Final = frozenset({Channel.SMS, Channel.MMS})
_RECEIPTS: Final = frozenset({Channel.IMESSAGE, Channel.WHATSAPP, Channel.RCS})


def outcome(world: World, message: Message) -> TextOutcome:
    """Say what becomes of an outbound text; in a group, what becomes of it at the first member whom it fails."""
    if message.fate is not None:
        return message.fate
    conversation = world.conversations[message.conversation_id]
    if message.channel in _BY_CARRIER and (message.number_id, conversation.participant) in world.opted_out:
        return OPTED_OUT
    if (
        message.channel is Channel.WHATSAPP
        and not contents.is_template(message.content)
        and not _window_open(world, message)
    ):
        return WINDOW_CLOSED
    recipients = conversation.group.members if conversation.group else (conversation.participant,)
    outcomes = [people.text_outcome(world, recipient) for recipient in recipients]
    return next((o for o in outcomes if o.status is not MessageStatus.DELIVERED), outcomes[0])


def check_taken(world: World, recipients: Iterable[str]) -> None:
    """Raise CarrierFailed when the carrier of one of them takes no texts. Call it before anything is written."""
    for recipient in recipients:
        result = people.text_outcome(world, recipient)
        if result.code == NOT_TAKEN:
            why = result.failure_reason or "the carrier reported an error"
            raise CarrierFailed(
                f"nothing was sent to {recipient}: {why}; try again later",
                code=world.policies["carrier_error_code"],
                type="carrier_error",
            )


def hand_over(world: World, message_id: str, now: datetime) -> Message:
    """A text is on its way, and a fault may settle what becomes of it."""
    message = world.messages[message_id]
    if not world.faults:
        return message
    subject = {"from": message.from_number, "to": message.to_number, "channel": message.channel.value}
    kinds = ("undelivered", "delayed")
    struck = faults.strike(world, CARRIER, subject, now, kinds, message_id=message.id)
    if struck is None:
        return message
    fate = replace(outcome(world, message), delay=struck.span)
    if struck.fault == "undelivered":
        fate = TextOutcome(status=MessageStatus.FAILED, failure_reason=struck["reason"], code=struck["code"])
    return _write(world, replace(message, fate=fate))


def is_unconfirmed(world: World, message: Message) -> bool:
    """Whether nobody can say what became of the text just handed over; it is then never settled by itself."""
    return outcome(world, message).code == UNCONFIRMED


def delivery_time(world: World, message: Message) -> timedelta:
    """Say how long it takes until the carrier knows what became of the text."""
    delay = outcome(world, message).delay
    return DELIVERY_TIME if delay is None else delay


def settle(world: World, message_id: str, now: datetime) -> Message:
    """Let the carrier say what became of a text that is still `sent`; `sent` is also a thing it can say."""
    message = threads.get_message(world, message_id)
    if message.status is not MessageStatus.SENT:
        return message
    result = outcome(world, message)
    if result.status is MessageStatus.DELIVERED:
        return mark_delivered(world, message_id, now)
    if result.status is MessageStatus.FAILED:
        return mark_failed(world, message_id, result.failure_reason, result.code, now)
    return message


def mark_delivered(world: World, message_id: str, now: datetime) -> Message:
    """Say that an outbound text has arrived, whatever was said before. Raises NotFound and BadRequest."""
    message = _outbound(world, message_id)
    world.journal.append("message.delivered", now, message_id=message_id)
    return _write(
        world,
        replace(
            message,
            status=MessageStatus.DELIVERED,
            delivered_at=now,
            read_at=None,
            failure_reason=None,
            error_code=None,
        ),
    )


def mark_read(world: World, message_id: str, now: datetime) -> Message:
    """Say that the recipient has seen an outbound text, which then has arrived too. Raises NotFound and BadRequest."""
    message = _outbound(world, message_id)
    if message.channel not in _RECEIPTS:
        raise BadRequest(f"{message_id} cannot be seen to be read: {message.channel.value} has no read receipts")
    if message.status is not MessageStatus.DELIVERED:
        message = mark_delivered(world, message_id, now)
    world.journal.append("message.read", now, message_id=message_id)
    return _write(world, replace(message, read_at=now))


def mark_failed(world: World, message_id: str, reason: str | None, code: str | None, now: datetime) -> Message:
    """Say that an outbound text has failed, whatever was said before. Raises NotFound and BadRequest."""
    message = _outbound(world, message_id)
    world.journal.append("message.failed", now, message_id=message_id, failure_reason=reason, error_code=code)
    return _write(
        world,
        replace(
            message,
            status=MessageStatus.FAILED,
            failure_reason=reason,
            error_code=code,
            delivered_at=None,
            read_at=None,
        ),
    )


def help_answer(world: World, number_id: str, body: str) -> str | None:
    """Say what somebody between the two parties answers to HELP, when the policy says so; None for all other texts."""
    if not world.policies.on("carrier_help") or body.strip().upper() not in HELP_WORDS:
        return None
    return HELP_ANSWER.format(number=world.numbers[number_id].phone_number)


def heed(world: World, number_id: str, sender: str, body: str, now: datetime) -> None:
    """Take note of STOP, START and HELP, when the policies say that somebody between the two parties does.

    The answer to HELP is none of the account's messages: it is not charged, told or listed, and only the journal and
    the sender see it.
    """
    answer = help_answer(world, number_id, body)
    if answer is not None:
        world.journal.append("carrier.answered", now, number_id=number_id, recipient=sender, body=answer)
    if not world.policies.on("carrier_opt_out"):
        return
    word, key = body.strip().upper(), (number_id, sender)
    if word in STOP_WORDS and key not in world.opted_out:
        world.opted_out[key] = None
        world.journal.append("recipient.opted_out", now, number_id=number_id, recipient=sender)
    elif word in START_WORDS and key in world.opted_out:
        del world.opted_out[key]
        world.journal.append("recipient.opted_in", now, number_id=number_id, recipient=sender)


def _outbound(world: World, message_id: str) -> Message:
    message = threads.get_message(world, message_id)
    if message.direction is not Direction.OUTBOUND:
        raise BadRequest(f"{message_id} has no delivery status: it came in, and only texts that went out have one")
    return message


def _write(world: World, message: Message) -> Message:
    world.messages[message.id] = message
    return message


def _window_open(world: World, message: Message) -> bool:
    """Whether the recipient wrote by WhatsApp in the 24 hours before the text went out."""
    opened = message.at - WHATSAPP_WINDOW
    for earlier in threads.newest_first(world, message.conversation_id):
        if earlier.at <= opened:
            return False
        wrote = earlier.direction is Direction.INBOUND and earlier.channel is Channel.WHATSAPP
        if wrote and earlier.sequence < message.sequence:
            return True
    return False
