from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.ids import PREFIXES
from simulator.world.entropy import Entropy

KINDS = st.sampled_from(sorted(set(PREFIXES) - {"secret"}))
SEEDS = st.integers()


@given(SEEDS, KINDS)
def test_an_id_is_its_kinds_prefix_and_twenty_hex_digits(seed: int, kind: str) -> None:
    made = Entropy(seed).new_id(kind)
    assert re.fullmatch(re.escape(PREFIXES[kind]) + "[0-9a-f]{20}", made)


@given(SEEDS, st.lists(KINDS))
def test_ids_never_repeat(seed: int, kinds: list[str]) -> None:
    entropy = Entropy(seed)
    made = [entropy.new_id(kind) for kind in kinds]
    assert len(set(made)) == len(made)


@given(SEEDS, st.lists(KINDS), KINDS)
def test_one_more_object_of_a_kind_shifts_no_other_kind(seed: int, kinds: list[str], extra: str) -> None:
    plain, disturbed = Entropy(seed), Entropy(seed)
    disturbed.new_id(extra)
    for kind in kinds:
        one, other = plain.new_id(kind), disturbed.new_id(kind)
        assert (one == other) == (kind != extra)


@given(SEEDS, st.lists(KINDS, min_size=1))
def test_the_same_seed_makes_the_same_ids(seed: int, kinds: list[str]) -> None:
    one, other = Entropy(seed), Entropy(seed)
    assert [one.new_id(k) for k in kinds] == [other.new_id(k) for k in kinds]


@given(st.lists(SEEDS, unique=True, min_size=2))
def test_different_seeds_make_different_ids(seeds: list[int]) -> None:
    assert len({Entropy(seed).new_id("agent") for seed in seeds}) == len(seeds)


def test_an_id_of_an_unknown_kind_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        Entropy(1).new_id("unicorn")


@given(SEEDS)
def test_a_secret_has_the_documented_prefix_and_at_least_32_hex_digits(seed: int) -> None:
    entropy = Entropy(seed)
    first, second = entropy.secret(), entropy.secret()
    assert re.fullmatch("whsec_[0-9a-f]{32,}", first)
    assert first != second


@given(SEEDS, st.text())
def test_a_roll_is_at_least_0_and_below_1(seed: int, kind: str) -> None:
    assert 0 <= Entropy(seed).roll(kind) < 1


def test_rolls_of_a_kind_differ_and_fill_the_range() -> None:
    entropy = Entropy(3)
    rolls = [entropy.roll("jitter") for _ in range(2000)]
    assert len(set(rolls)) == len(rolls)
    assert 0.45 < sum(rolls) / len(rolls) < 0.55
    assert min(rolls) < 0.01
    assert max(rolls) > 0.99


def test_a_pick_tries_until_something_is_accepted() -> None:
    drawn: list[int] = []

    def third(draw: int) -> str | None:
        drawn.append(draw)
        return "yes" if len(drawn) == 3 else None

    assert Entropy(1).pick("x", third, 10) == "yes"
    assert len(set(drawn)) == 3


def test_a_pick_that_found_nothing_uses_nothing_up() -> None:
    tried, fresh = Entropy(1), Entropy(1)
    assert tried.pick("x", lambda _: None, 10) is None
    assert tried.pick("x", str, 1) == fresh.pick("x", str, 1)


def test_the_next_pick_draws_something_else() -> None:
    entropy = Entropy(1)
    assert entropy.pick("x", str, 1) != entropy.pick("x", str, 1)


@given(SEEDS, st.integers(0, 5))
def test_a_look_ahead_sees_what_is_picked_later_and_uses_nothing_up(seed: int, ahead: int) -> None:
    entropy = Entropy(seed)
    seen = [entropy.peek("x", at, str, 1) for at in range(ahead + 1)]
    assert seen == [entropy.pick("x", str, 1) for _ in range(ahead + 1)]
