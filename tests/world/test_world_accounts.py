from __future__ import annotations

import pytest

from simulator.errors import BadRequest, NotFound
from simulator.world import accounts
from tests.helpers.world import NOW, make_world


def test_a_sub_account_has_a_name_that_can_be_read() -> None:
    world = make_world()
    branch = accounts.create(world, "Branch", NOW)
    for blank in ("", "  ", "\n"):
        with pytest.raises(BadRequest, match="give it a name"):
            accounts.create(world, blank, NOW)
        with pytest.raises(BadRequest, match="give it a name"):
            accounts.rename(world, branch.id, blank)
    assert accounts.listing(world) == [branch]


def test_a_refused_sub_account_uses_no_id_up() -> None:
    with_refusal, without = make_world(), make_world()
    with pytest.raises(BadRequest):
        accounts.create(with_refusal, " ", NOW)
    assert accounts.create(with_refusal, "Branch", NOW) == accounts.create(without, "Branch", NOW)


def test_a_deleted_sub_account_is_unknown() -> None:
    world = make_world()
    branch = accounts.create(world, "Branch", NOW)
    assert accounts.delete(world, branch.id, NOW) == branch
    for ask in (accounts.get, lambda w, i: accounts.rename(w, i, "Again"), lambda w, i: accounts.delete(w, i, NOW)):
        with pytest.raises(NotFound, match=branch.id):
            ask(world, branch.id)
    assert [e.kind for e in world.journal.since()] == ["sub_account.opened", "sub_account.closed"]
