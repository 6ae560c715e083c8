from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from simulator.world.world import Chain
from tests.helpers.world import make_world, new_line, snapshot, text_in


@given(st.lists(st.sampled_from("abc")))
def test_a_chain_reads_back_what_was_added_under_each_key(keys: list[str]) -> None:
    chain = Chain()
    for number, key in enumerate(keys):
        chain.add(key, str(number))
    for key in "abcd":
        expected = [str(number) for number, k in enumerate(keys) if k == key]
        assert list(chain.newest_first(key)) == expected[::-1]


def test_a_chain_is_walked_no_further_than_needed() -> None:
    chain = Chain()
    for number in range(1000):
        chain.add("a", str(number))
    del chain.previous["997"]
    assert list(islice(chain.newest_first("a"), 3)) == ["999", "998", "997"]


def test_two_worlds_never_meet() -> None:
    one, other = make_world(), make_world()
    untouched = snapshot(other)
    text_in(one, new_line(one)[1])
    assert snapshot(other) == untouched


def test_the_same_commands_make_the_same_world() -> None:
    one, other = make_world(), make_world()
    for world in (one, other):
        text_in(world, new_line(world)[1])
    assert {**snapshot(one), "policies": None} == {**snapshot(other), "policies": None}
    assert one.journal.since() == other.journal.since()


def test_sequence_numbers_only_grow() -> None:
    world = make_world()
    assert [world.next_sequence() for _ in range(3)] == [1, 2, 3]
