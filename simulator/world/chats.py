"""What a conversation shows besides its messages: what can be done in it, who types, the picture behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from simulator.domain.messages import Background, Capabilities, Channel, Conversation, ConversationView
from simulator.domain.numbers import NumberStatus
from simulator.errors import BadRequest
from simulator.world import channels, contacts, threads
from simulator.world.world import World


def view(world: World, conversation: Conversation) -> ConversationView:
    """Look up what belongs to a conversation when it is shown."""
    names = {}
    for member in conversation.group.members if conversation.group else ():
        contact = contacts.by_number(world, member)
        if contact is not None:
            names[member] = contact.name
    return ConversationView(conversation=conversation, capabilities=capabilities(world, conversation), names=names)


def capabilities(world: World, conversation: Conversation) -> Capabilities:
    """Say what can be done in a conversation, as things stand with its number."""
    number = world.numbers[conversation.number_id]
    if number.status is NumberStatus.RELEASED:
        return Capabilities(
            send_channel=None,
            send_disabled_reason=f"{number.phone_number} was released",
            channels=(),
            media_channels=(),
            reactions=False,
            emoji_reactions=False,
        )
    spoken = (Channel.IMESSAGE,) if conversation.group else channels.spoken_by(number)
    apple = Channel.IMESSAGE in spoken
    return Capabilities(
        send_channel=Channel.IMESSAGE if conversation.group else channels.by_default(world, number, conversation),
        send_disabled_reason=None,
        channels=spoken,
        media_channels=tuple(channel for channel in spoken if channel is not Channel.SMS),
        reactions=apple,
        emoji_reactions=apple and world.policies.on("emoji_reactions"),
    )


def show_typing(world: World, conversation_id: str, now: datetime) -> Conversation:
    """Let the other end see that something is being written. Raises NotFound, and BadRequest off iMessage."""
    conversation = _on_imessage(world, conversation_id, "a typing indicator")
    world.journal.append("typing.shown", now, conversation_id=conversation_id)
    return conversation


def set_background(
    world: World, conversation_id: str, image_url: str, now: datetime
) -> tuple[Conversation, Background, bool]:
    """Put a picture behind a conversation, replacing the one before; False when it is that one already.

    The picture is not fetched. Raises NotFound, and BadRequest off iMessage.
    """
    conversation = _on_imessage(world, conversation_id, "a background")
    before = conversation.background
    if before is not None and before.image_url == image_url:
        return conversation, before, False
    version = conversation.background_version + 1
    background = Background(id=world.entropy.new_id("background"), version=version, image_url=image_url)
    conversation = replace(conversation, background=background, background_version=version)
    world.conversations[conversation_id] = conversation
    world.journal.append("background.set", now, conversation_id=conversation_id, image_url=image_url)
    return conversation, background, True


def remove_background(world: World, conversation_id: str, now: datetime) -> Conversation:
    """Take the picture away; nothing happens when there is none. Raises NotFound, and BadRequest off iMessage."""
    conversation = _on_imessage(world, conversation_id, "a background")
    if conversation.background is None:
        return conversation
    conversation = replace(conversation, background=None, background_version=conversation.background_version + 1)
    world.conversations[conversation_id] = conversation
    world.journal.append("background.removed", now, conversation_id=conversation_id)
    return conversation


def _on_imessage(world: World, conversation_id: str, what: str) -> Conversation:
    conversation = threads.get_conversation(world, conversation_id)
    number = world.numbers[conversation.number_id]
    if not number.imessage:
        raise BadRequest(f"{conversation_id} cannot have {what}: {number.phone_number} is an sms line, not iMessage")
    if number.status is NumberStatus.RELEASED:
        raise BadRequest(f"{conversation_id} cannot have {what}: {number.phone_number} was released")
    return conversation
