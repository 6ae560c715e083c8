from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.whatsapp import MessageTemplate, TemplateStatus
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.wire.whatsapp import TemplateIn
from simulator.world import templates, whatsapp
from simulator.world.world import World
from tests.helpers.world import NOW, make_world, snapshot


def connected() -> tuple[World, str]:
    world = make_world()
    return world, whatsapp.connect(world, code="AQD", now=NOW).id


def propose(world: World, connection: str, **fields: Any) -> MessageTemplate:
    body = TemplateIn.model_validate({"name": "welcome", "category": "UTILITY", "language": "en_US", **fields})
    return templates.create(world, connection, body.fields(), NOW)


def test_a_template_begins_pending_with_metas_words_in_capitals() -> None:
    world, connection = connected()
    made = propose(world, connection, category="marketing", parameter_format="named")
    assert (made.status, made.category, made.parameter_format) == (TemplateStatus.PENDING, "MARKETING", "NAMED")
    assert made.id.isdigit()
    assert templates.get(world, made.id) == made


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Welcome"},
        {"name": ""},
        {"name": "a" * 513},
        {"name": "a b"},
        {"language": "english"},
        {"language": ""},
        {"category": "SPAM"},
        {"parameter_format": "ANY"},
        {"components": ["BODY"]},
        {"components": [{"text": "hi"}]},
    ],
)
def test_what_meta_refuses_is_refused_and_changes_nothing(wrong: dict[str, Any]) -> None:
    world, connection = connected()
    before = snapshot(world)
    with pytest.raises(BadRequest):
        propose(world, connection, **wrong)
    assert snapshot(world) == before


@pytest.mark.parametrize("language", ["de", "en_US", "pt_BR", "zh_CN", "fil"])
def test_every_language_has_the_name_once(language: str) -> None:
    world, connection = connected()
    propose(world, connection, language=language)
    before = snapshot(world)
    with pytest.raises(Conflict, match=language):
        propose(world, connection, language=language)
    assert snapshot(world) == before
    assert propose(world, connection, language="it")
    assert propose(world, whatsapp.connect(world, code="AQD", now=NOW).id, language=language)


def test_a_decision_is_final() -> None:
    world, connection = connected()
    made = propose(world, connection)
    decided = templates.decide(world, made.id, approved=False, reason="INVALID_FORMAT", now=NOW)
    assert (decided.status, decided.rejected_reason) == (TemplateStatus.REJECTED, "INVALID_FORMAT")
    before = snapshot(world)
    with pytest.raises(BadRequest, match="REJECTED"):
        templates.decide(world, made.id, approved=True, now=NOW)
    with pytest.raises(NotFound, match="404404"):
        templates.decide(world, "404404", approved=True, now=NOW)
    assert snapshot(world) == before


def test_templates_are_found_by_each_of_their_words() -> None:
    world, connection = connected()
    first = propose(world, connection)
    second = propose(world, connection, name="sale", category="MARKETING", language="de")
    templates.decide(world, first.id, approved=True, now=NOW)
    first = templates.get(world, first.id)

    def found(**filters: str) -> list[MessageTemplate]:
        return templates.listing(world, connection, filters)

    assert found() == [second, first]
    assert found(name="sale") == found(category="marketing") == found(language="de") == [second]
    assert found(status="approved") == found(status="APPROVED", language="en_us") == [first]
    assert found(name="sale", status="APPROVED") == []


def test_another_connections_templates_are_never_shown_or_deleted() -> None:
    world, connection = connected()
    other = whatsapp.connect(world, code="AQD", now=NOW).id
    mine = propose(world, connection)
    assert templates.listing(world, other, {}) == []
    with pytest.raises(NotFound):
        templates.delete(world, other, "welcome", None, NOW)
    assert templates.get(world, mine.id) == mine


def test_deleting_by_name_takes_every_language_and_with_an_id_one() -> None:
    world, connection = connected()
    english, german, french = (propose(world, connection, language=code) for code in ("en", "de", "fr"))
    assert templates.delete(world, connection, "welcome", german.id, NOW) == (german,)
    with pytest.raises(NotFound, match=german.id):
        templates.delete(world, connection, "welcome", german.id, NOW)
    assert templates.delete(world, connection, "welcome", None, NOW) == (english, french)
    before = snapshot(world)
    with pytest.raises(NotFound, match="welcome"):
        templates.delete(world, connection, "welcome", None, NOW)
    assert snapshot(world) == before


def test_templates_go_with_their_connection() -> None:
    world, connection = connected()
    made = propose(world, connection)
    whatsapp.disconnect(world, connection, NOW)
    with pytest.raises(NotFound):
        templates.get(world, made.id)
    for command in (
        lambda: propose(world, connection),
        lambda: templates.listing(world, connection, {}),
        lambda: templates.delete(world, connection, "welcome", None, NOW),
    ):
        with pytest.raises(NotFound, match=connection):
            command()


def test_a_connection_has_room_for_so_many_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MAX_TEMPLATES", 1)
    world, connection = connected()
    propose(world, connection)
    with pytest.raises(BadRequest, match="delete one"):
        propose(world, connection, name="other")
