"""What may be in a text, and on which channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulator.domain.messages import Channel
from simulator.domain.numbers import PhoneNumber
from simulator.domain.whatsapp import TemplateStatus
from simulator.errors import BadRequest
from simulator.world.world import World

MAX_MEDIA: Final = 20  # the documented size of a carousel


def check(body: str, media_urls: Sequence[str], content: Mapping[str, Any] | None = None) -> None:
    """Raise BadRequest for a text with nothing in it, or with too much."""
    if not body and not media_urls and not is_template(content):
        raise BadRequest("the text is empty: give a body or media_urls")
    if len(media_urls) > MAX_MEDIA:
        raise BadRequest(f"{len(media_urls)} media URLs are too many: give at most {MAX_MEDIA}")


def check_extras(
    world: World,
    number: PhoneNumber,
    channel: Channel,
    body: str,
    media_urls: Sequence[str],
    content: Mapping[str, Any] | None,
    send_style: str | None,
) -> None:
    """Raise BadRequest for what only another channel has."""
    if channel is Channel.IMESSAGE and len(media_urls) > 1 and body:
        raise BadRequest(f"a carousel of {len(media_urls)} media URLs needs an empty body: send the text by itself")
    if send_style is not None and channel is not Channel.IMESSAGE:
        raise BadRequest(
            f"send_style {send_style!r} is for iMessage only, and {number.phone_number} sends this on {channel.value}: "
            "leave it out"
        )
    if content is None:
        return
    kind = content["type"]
    if channel is not Channel.WHATSAPP:
        raise BadRequest(f"{kind} is for WhatsApp only, and this goes out on {channel.value}: set channel to whatsapp")
    if is_template(content):
        _check_template(world, number, content["template"])
    elif not body:
        raise BadRequest(f"{kind} needs a body to stand under: give one")


def is_template(content: Mapping[str, Any] | None) -> bool:
    """Whether this is a message that may open a conversation on WhatsApp."""
    return content is not None and content["type"] == "template"


def _check_template(world: World, number: PhoneNumber, wanted: Mapping[str, Any]) -> None:
    """Only what Meta has approved for a connection of this number can be sent."""
    connected = {c.id for c in world.whatsapp_connections.values() if number.id in c.number_ids}
    name, language = wanted["name"], wanted.get("language")
    known = [t for t in world.message_templates.values() if t.connection_id in connected and t.name == name]
    if isinstance(language, str):
        known = [t for t in known if t.language == language]
    if not any(t.status is TemplateStatus.APPROVED for t in known):
        state = f"is {known[0].status.value}" if known else "does not exist"
        which = f"{name!r} in {language}" if isinstance(language, str) else f"{name!r}"
        raise BadRequest(f"template {which} cannot be sent from {number.phone_number}: it {state}")
