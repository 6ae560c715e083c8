"""WhatsApp message templates: proposed, reviewed, found, deleted. The rules are Meta's published ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from simulator.domain.whatsapp import CATEGORIES, PARAMETER_FORMATS, MessageTemplate, TemplateStatus
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world.whatsapp import get as get_connection
from simulator.world.whatsapp import new_meta_id
from simulator.world.world import World

MAX_TEMPLATES: Final = 6_000  # of one connection: Meta's limit for a verified business
_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")


def create(world: World, connection_id: str, fields: Mapping[str, Any], now: datetime) -> MessageTemplate:
    """Propose a template from the snake_case `fields` of `MessageTemplate`; its review begins.

    Raises NotFound for an unknown connection, BadRequest for what Meta refuses, Conflict when the connection has the
    name in that language.
    """
    get_connection(world, connection_id)
    checked = _checked(fields)
    own = [t for t in world.message_templates.values() if t.connection_id == connection_id]
    if any((t.name, t.language) == (checked["name"], checked["language"]) for t in own):
        raise Conflict(f"template {checked['name']!r} exists in {checked['language']} already: delete it first")
    if len(own) >= MAX_TEMPLATES:
        raise BadRequest(f"{len(own)} templates are the most a connection may have: delete one first")
    template = MessageTemplate(
        id=new_meta_id(world, "message_template", frozenset(world.message_templates)),
        connection_id=connection_id,
        created_at=now,
        **checked,
    )
    return _store(world, template, "proposed", now)


def listing(world: World, connection_id: str, filters: Mapping[str, str]) -> list[MessageTemplate]:
    """Return the connection's templates that have the values of `filters`, whatever their case; newest first."""
    get_connection(world, connection_id)
    found = (t for t in reversed(world.message_templates.values()) if t.connection_id == connection_id)
    wanted = {name: value.casefold() for name, value in filters.items()}
    return [t for t in found if all(str(getattr(t, name)).casefold() == value for name, value in wanted.items())]


def get(world: World, template_id: str) -> MessageTemplate:
    """Return the template. Raises NotFound naming the id."""
    template = world.message_templates.get(template_id)
    if template is None:
        raise NotFound(f"message template {template_id!r} does not exist in this account")
    return template


def decide(
    world: World, template_id: str, *, approved: bool, reason: str | None = None, now: datetime
) -> MessageTemplate:
    """End the review of a template. Raises BadRequest unless it is pending."""
    template = get(world, template_id)
    if template.status is not TemplateStatus.PENDING:
        raise BadRequest(f"template {template_id!r} cannot be decided: it is {template.status.value}, not PENDING")
    status = TemplateStatus.APPROVED if approved else TemplateStatus.REJECTED
    decided = replace(template, status=status, rejected_reason=None if approved else reason or "NONE")
    return _store(world, decided, status.value.lower(), now)


def delete(
    world: World, connection_id: str, name: str, template_id: str | None, now: datetime
) -> tuple[MessageTemplate, ...]:
    """Delete a template in every language, or the one with that id. Raises NotFound when there is none."""
    get_connection(world, connection_id)
    gone = tuple(
        t
        for t in world.message_templates.values()
        if t.connection_id == connection_id and t.name == name and template_id in (None, t.id)
    )
    if not gone:
        which = f"template {name!r}" if template_id is None else f"template {name!r} with hsm_id {template_id!r}"
        raise NotFound(f"{which} does not exist on connection {connection_id!r}")
    for template in gone:
        del world.message_templates[template.id]
        world.journal.append("whatsapp.template_deleted", now, template_id=template.id, name=template.name)
    return gone


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    name, language = fields["name"], fields["language"]
    if not _NAME.fullmatch(name):
        raise BadRequest(f"template name {name[:100]!r} cannot be: use 1 to 512 of a-z, 0-9 and _")
    if not _LANGUAGE.fullmatch(language):
        raise BadRequest(f"language {language[:100]!r} is none: use a code such as en_US, pt_BR or de")
    return {
        **fields,
        "category": _word(fields["category"], CATEGORIES, "category"),
        "parameter_format": _word(fields["parameter_format"], PARAMETER_FORMATS, "parameter_format"),
        "components": tuple(_component(c) for c in fields["components"]),
    }


def _word(given: str, known: tuple[str, ...], what: str) -> str:
    if given.upper() not in known:
        raise BadRequest(f"{what} {given[:100]!r} does not exist: choose one of {', '.join(known)}")
    return given.upper()


def _component(given: Any) -> Any:
    if not isinstance(given, Mapping) or not isinstance(given.get("type"), str):
        raise BadRequest('every component should be an object with a type, such as {"type": "BODY", "text": "…"}')
    return given


def _store(world: World, template: MessageTemplate, happened: str, now: datetime) -> MessageTemplate:
    world.message_templates[template.id] = template
    world.journal.append(
        f"whatsapp.template_{happened}",
        now,
        template_id=template.id,
        name=template.name,
        language=template.language,
        reason=template.rejected_reason,
    )
    return template
