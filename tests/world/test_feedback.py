from __future__ import annotations

import pytest

from simulator.errors import BadRequest
from simulator.world import feedback
from tests.helpers.world import NOW, after, make_world, snapshot


def test_feedback_is_kept_oldest_first() -> None:
    world = make_world()
    first = feedback.submit(world, "bug", "It rings twice", request_id="req_1", url="u", tags=["a", "a"], now=NOW)
    second = feedback.submit(world, "idea", "Ring thrice", now=after(hours=1))
    assert feedback.listing(world) == [first, second]
    assert (first.category, first.note, first.request_id, first.url, first.tags, first.at) == (
        "bug", "It rings twice", "req_1", "u", ("a", "a"), NOW,
    )  # fmt: skip
    assert (second.request_id, second.url, second.tags) == (None, None, ())
    assert [e.kind for e in world.journal.since(0)] == ["feedback.submitted"] * 2


@pytest.mark.parametrize(("category", "note", "missing"), [(" ", "x", "category"), ("bug", "\n", "note")])
def test_feedback_that_says_nothing_is_refused(category: str, note: str, missing: str) -> None:
    world = make_world()
    before = snapshot(world)
    with pytest.raises(BadRequest, match=f"give a {missing}"):
        feedback.submit(world, category, note, now=NOW)
    assert snapshot(world) == before
