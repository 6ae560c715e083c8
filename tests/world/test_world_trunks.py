from __future__ import annotations

from typing import Any

import pytest

from simulator.domain.trunks import AllowedIp, OriginationUri
from simulator.errors import ApiError, BadRequest, NotFound
from simulator.world import trunks
from tests.helpers.world import NOW, make_world, snapshot


def test_trunks_repeat_for_a_seed_and_differ_from_each_other() -> None:
    first, second = make_world(), make_world()
    made = [trunks.create(first, NOW) for _ in range(3)]
    assert made == [trunks.create(second, NOW) for _ in range(3)]
    for part in ("id", "termination_sip_uri", "name"):
        assert len({getattr(trunk, part) for trunk in made}) == 3
    assert len({trunk.credential.password for trunk in made}) == 3
    assert len({trunk.credential.username for trunk in made}) == 3


def test_trunks_are_listed_newest_first() -> None:
    world = make_world()
    made = [trunks.create(world, NOW) for _ in range(3)]
    assert trunks.listing(world) == made[::-1]


def test_rotating_changes_the_credentials_and_nothing_else() -> None:
    world = make_world()
    before = trunks.update(world, trunks.create(world, NOW).id, {"name": "Office", "transfers": "none"})
    after = trunks.rotate(world, before.id, NOW)
    assert after.credential.username != before.credential.username
    assert after.credential.password != before.credential.password
    assert (after.name, after.transfers, after.termination_sip_uri) == ("Office", "none", before.termination_sip_uri)


def test_a_change_leaves_the_rest_alone() -> None:
    world = make_world()
    made = trunks.create(world, NOW)
    uris = (OriginationUri(sip_uri="sip:pbx.example.com:5061;transport=tls", priority=1),)
    changed = trunks.update(world, made.id, {"origination_uris": uris})
    assert (changed.origination_uris, changed.name, changed.credential) == (uris, made.name, made.credential)
    networks = (AllowedIp(cidr="203.0.113.0/24"), AllowedIp(cidr="2001:db8::/32"))
    assert trunks.update(world, made.id, {"allowed_ips": networks}).origination_uris == uris
    assert trunks.get(world, made.id).allowed_ips == networks


@pytest.mark.parametrize("uri", ["", "pbx.example.com", "http://pbx.example.com", "sip:", "sip: pbx", "sip:a b"])
def test_an_address_that_is_no_sip_uri_is_refused(uri: str) -> None:
    refuse({"origination_uris": (OriginationUri(sip_uri=uri),)})


@pytest.mark.parametrize("uri", ["sip:pbx.example.com", "sips:me@pbx.example.com:5061", "sip:[2001:db8::1]:5060"])
def test_sip_uris_are_taken(uri: str) -> None:
    world = make_world()
    changes = {"origination_uris": (OriginationUri(sip_uri=uri),)}
    assert trunks.update(world, trunks.create(world, NOW).id, changes).origination_uris[0].sip_uri == uri


@pytest.mark.parametrize("cidr", ["", "everywhere", "203.0.113.1/24", "203.0.113.0/33"])
def test_a_network_that_is_none_is_refused(cidr: str) -> None:
    refuse({"allowed_ips": (AllowedIp(cidr=cidr),)})


def test_a_blank_name_is_refused() -> None:
    refuse({"name": " "})


def refuse(changes: dict[str, Any]) -> None:
    world = make_world()
    made = trunks.create(world, NOW)
    before = snapshot(world)
    with pytest.raises(BadRequest):
        trunks.update(world, made.id, changes)
    assert snapshot(world) == before


def test_a_deleted_trunk_is_unknown_to_every_command() -> None:
    world = make_world()
    gone = trunks.create(world, NOW)
    trunks.delete(world, gone.id, NOW)
    before = snapshot(world)
    for command in (
        lambda: trunks.get(world, gone.id),
        lambda: trunks.update(world, gone.id, {"name": "X"}),
        lambda: trunks.rotate(world, gone.id, NOW),
        lambda: trunks.delete(world, gone.id, NOW),
    ):
        with pytest.raises(NotFound, match=gone.id):
            command()
    assert snapshot(world) == before


def test_there_is_an_end_to_trunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trunks, "MAX_TRUNKS", 1)
    world = make_world()
    trunks.create(world, NOW)
    before = snapshot(world)
    with pytest.raises(ApiError, match="delete one"):
        trunks.create(world, NOW)
    assert snapshot(world) == before
