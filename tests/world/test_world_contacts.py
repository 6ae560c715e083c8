from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.domain.contacts import Contact
from simulator.errors import BadRequest, Conflict, InvalidPhoneNumber, NotFound
from simulator.world import contacts
from simulator.world.world import World
from tests.helpers.world import NOW, after, make_world, snapshot

ANN = "+14155552671"
BOB = "+14155552672"


def known(world: World, number: str = ANN, name: str = "Ann", **fields: Any) -> Contact:
    return contacts.create(world, number, name, now=NOW, **fields)


def test_a_contact_is_kept_under_its_normalised_number() -> None:
    world = make_world()
    contact = known(world, "(415) 555-2671", email="ann@example.com", notes="met in May")
    assert (contact.phone_number, contact.name) == (ANN, "Ann")
    assert (contact.email, contact.notes) == ("ann@example.com", "met in May")
    assert (contact.created_at, contact.updated_at) == (NOW, NOW)
    assert contacts.get(world, contact.id) == contact == contacts.by_number(world, ANN)
    assert contacts.by_number(world, BOB) is None


@pytest.mark.parametrize(
    ("number", "name", "error", "why"),
    [
        ("415-555-2671", "Other", Conflict, "has the number"),
        (BOB, "  ", BadRequest, "cannot be called"),
        ("nobody", "Bob", InvalidPhoneNumber, "'nobody' is not a phone number"),
    ],
)
def test_a_refused_contact_changes_nothing(number: str, name: str, error: type[Exception], why: str) -> None:
    world = make_world()
    known(world)
    before = snapshot(world)
    with pytest.raises(error, match=why):
        known(world, number, name)
    assert snapshot(world) == before


def test_only_what_is_given_changes() -> None:
    world = make_world()
    contact = known(world, email="ann@example.com", notes="old")
    changed = contacts.update(world, contact.id, {"name": "Anna", "notes": None}, after(hours=1))
    assert (changed.name, changed.email, changed.notes) == ("Anna", "ann@example.com", None)
    assert (changed.created_at, changed.updated_at, changed.phone_number) == (NOW, after(hours=1), ANN)


def test_a_contact_that_moves_is_found_under_its_new_number_only() -> None:
    world = make_world()
    contact = known(world)
    moved = contacts.update(world, contact.id, {"phone_number": "415 555 2672"}, NOW)
    assert contacts.by_number(world, BOB) == moved
    assert contacts.by_number(world, ANN) is None
    assert known(world).id != contact.id


def test_a_contact_may_keep_its_own_number() -> None:
    world = make_world()
    contact = known(world)
    assert contacts.update(world, contact.id, {"phone_number": ANN}, NOW) == contact


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"phone_number": BOB}, Conflict), ({"name": ""}, BadRequest), ({"phone_number": "x", "name": "A"}, BadRequest)],
)
def test_a_refused_change_changes_nothing(changes: dict[str, str], error: type[Exception]) -> None:
    world = make_world()
    contact = known(world)
    known(world, BOB, "Bob")
    before = snapshot(world)
    with pytest.raises(error):
        contacts.update(world, contact.id, changes, after(hours=1))
    assert snapshot(world) == before


def test_a_deleted_contact_leaves_its_number_free() -> None:
    world = make_world()
    contact = known(world)
    contacts.delete(world, contact.id)
    assert contacts.by_number(world, ANN) is None
    for use in (contacts.get, contacts.delete):
        with pytest.raises(NotFound, match=contact.id):
            use(world, contact.id)
    assert known(world).id != contact.id


@pytest.mark.parametrize(
    ("search", "names"),
    [
        (None, ["Zoë O'Hara", "Bob", "Ann Bobson"]),
        ("  ", ["Zoë O'Hara", "Bob", "Ann Bobson"]),
        ("BOB", ["Bob", "Ann Bobson"]),
        ("zoË", ["Zoë O'Hara"]),
        ("+1415", ["Bob", "Ann Bobson"]),
        ("52672", ["Bob"]),
        ("(415) 555-2671", ["Ann Bobson"]),
        ("415x", []),
        ("-", []),
        ("%", []),
    ],
)
def test_contacts_are_found_by_part_of_name_or_number_newest_first(search: str | None, names: list[str]) -> None:
    world = make_world()
    for number, name in ((ANN, "Ann Bobson"), (BOB, "Bob"), ("+442079460000", "Zoë O'Hara")):
        known(world, number, name)
    assert [c.name for c in contacts.listing(world, search)] == names


@given(st.text(min_size=1).filter(str.strip), st.data())
def test_any_part_of_a_name_finds_it_in_any_case(name: str, data: st.DataObject) -> None:
    world = make_world()
    known(world, name=name)
    begin = data.draw(st.integers(0, len(name) - 1))
    part = name[begin : data.draw(st.integers(begin + 1, len(name)))]
    assert len(contacts.listing(world, part)) == 1
    assert len(contacts.listing(world, part.casefold())) == 1


class AddressBook(RuleBasedStateMachine):
    """Whatever is done, numbers stay unique and are found under what the list says."""

    @initialize()
    def open(self) -> None:
        self.world = make_world()
        self.model: dict[str, str] = {}  # id -> number

    @rule(number=st.sampled_from([ANN, BOB, "+14155552673"]))
    def create(self, number: str) -> None:
        if number in self.model.values():
            with pytest.raises(Conflict):
                known(self.world, number)
        else:
            self.model[known(self.world, number).id] = number

    @rule(number=st.sampled_from([ANN, BOB, "+14155552673"]), data=st.data())
    def move(self, number: str, data: st.DataObject) -> None:
        if self.model:
            contact_id = data.draw(st.sampled_from(sorted(self.model)))
            if number in (n for other, n in self.model.items() if other != contact_id):
                with pytest.raises(Conflict):
                    contacts.update(self.world, contact_id, {"phone_number": number}, NOW)
            else:
                contacts.update(self.world, contact_id, {"phone_number": number}, NOW)
                self.model[contact_id] = number

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if self.model:
            contact_id = data.draw(st.sampled_from(sorted(self.model)))
            contacts.delete(self.world, contact_id)
            del self.model[contact_id]

    @invariant()
    def the_index_agrees(self) -> None:
        assert {c.id: c.phone_number for c in contacts.listing(self.world)} == self.model
        assert self.world.contact_ids == {number: contact_id for contact_id, number in self.model.items()}


test_numbers_stay_unique = AddressBook.TestCase
