"""Which channel a text takes: what the line speaks, what the other end can take, and what was asked for."""

from __future__ import annotations

from typing import Final

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, Conversation
from simulator.domain.numbers import PhoneNumber
from simulator.errors import BadRequest
from simulator.world import threads
from simulator.world.parties import is_address, is_short_code
from simulator.world.world import World

TELEPHONY: Final = frozenset({Channel.SMS, Channel.MMS, Channel.RCS})  # what carriers carry
THREADED: Final = frozenset({Channel.IMESSAGE, Channel.WHATSAPP, Channel.RCS})  # where a reply is linked to its parent


def spoken_by(number: PhoneNumber) -> tuple[Channel, ...]:
    """What the line can send on; the first is what it sends on by itself."""
    own = (Channel.IMESSAGE,) if number.imessage else (Channel.SMS, Channel.MMS)
    return (*own, Channel.WHATSAPP) if number.whatsapp_enabled else own


def by_default(world: World, number: PhoneNumber, conversation: Conversation | None) -> Channel:
    """What a text goes out on when nobody chooses: whoever wrote by WhatsApp last is answered there."""
    if number.whatsapp_enabled and conversation is not None:
        said = (m for m in threads.newest_first(world, conversation.id) if m.direction is Direction.INBOUND)
        last = next(said, None)
        if last is not None and last.channel is Channel.WHATSAPP:
            return Channel.WHATSAPP
    return spoken_by(number)[0]


def for_sending(
    world: World,
    number: PhoneNumber,
    party: str,
    conversation: Conversation | None,
    *,
    in_group: bool,
    wanted: Channel | None,
    media: bool,
) -> Channel:
    """Choose what a text to `party` goes out on. Raises BadRequest when the line or the party cannot do it."""
    channel = by_default(world, number, conversation) if wanted is None else wanted
    if is_short_code(party) and wanted is None:
        channel = Channel.SMS  # companies have no iMessage
    elif channel not in spoken_by(number):
        raise BadRequest(
            f"{number.phone_number} cannot send on {channel.value}: it sends on "
            f"{', '.join(spoken.value for spoken in spoken_by(number))}"
        )
    if channel is Channel.MMS and not media:
        raise BadRequest("an mms without media_urls cannot be sent: attach something, or send it as sms")
    channel = Channel.MMS if media and channel is Channel.SMS else channel
    _check_party(party, channel, in_group=in_group)
    return channel


def for_receiving(number: PhoneNumber, sender: str, *, in_group: bool, wanted: Channel | None, media: bool) -> Channel:
    """Say what a text from `sender` comes in on. Raises BadRequest when the line or the sender cannot do it."""
    apple = in_group or is_address(sender) or (number.imessage and not is_short_code(sender))
    channel = (Channel.IMESSAGE if apple else Channel.SMS) if wanted is None else wanted
    if channel is Channel.IMESSAGE and not number.imessage:
        raise BadRequest(f"{number.phone_number} gets no iMessage: it is an sms line, and needs to be of type imessage")
    if channel is Channel.WHATSAPP and not number.whatsapp_enabled:
        raise BadRequest(f"{number.phone_number} gets no WhatsApp: connect the number to WhatsApp first")
    channel = Channel.MMS if media and channel is Channel.SMS else channel
    _check_party(sender, channel, in_group=in_group)
    return channel


def _check_party(party: str, channel: Channel, *, in_group: bool) -> None:
    if channel is Channel.IMESSAGE:
        if is_short_code(party):
            raise BadRequest(f"short code {party} has no iMessage: use sms")
    elif in_group:
        raise BadRequest(f"a group cannot be reached on {channel.value}: groups are for iMessage")
    elif is_address(party):
        raise BadRequest(f"{party!r} cannot be reached on {channel.value}: e-mail addresses need an iMessage number")
    elif is_short_code(party) and channel not in TELEPHONY:
        raise BadRequest(f"short code {party} cannot be reached on {channel.value}: use sms")
