from __future__ import annotations

import gc
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.journal import Entry, Journal
from tests.helpers.world import NOW

KINDS = ("turn", "turn.opened", "turn.closed", "turning", "call.placed", "call.ended", "finding")


def filled(limit: int, count: int) -> Journal:
    journal = Journal(limit)
    for number in range(1, count + 1):
        journal.append(KINDS[number % len(KINDS)], NOW, number=number)
    return journal


def numbers(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


def test_entries_are_numbered_from_one() -> None:
    journal = Journal(10)
    assert journal.append("call.placed", NOW, call_id="call_1") == 1
    assert journal.append("call.ended", NOW) == journal.last_seq == 2
    assert journal.since()[0] == Entry(1, NOW, "call.placed", {"call_id": "call_1"})


def test_data_may_be_called_kind_or_at() -> None:
    journal = Journal(10)
    journal.append("finding", NOW, kind="reply_empty", at="noon")
    (entry,) = journal.since()
    assert entry.kind == "finding"
    assert entry.data == {"kind": "reply_empty", "at": "noon"}


@given(
    limit=st.integers(1, 40), count=st.integers(0, 120), after=st.integers(-5, 130), most=st.none() | st.integers(0, 50)
)
def test_reading_on_gives_exactly_what_a_list_would(limit: int, count: int, after: int, most: int | None) -> None:
    journal = filled(limit, count)
    kept = list(range(1, count + 1))[-limit:]
    expected = [number for number in kept if number > after]
    assert numbers(journal.since(after, None, most)) == expected[:most]
    assert journal.dropped == count - len(kept)
    assert len(journal) == len(kept)


@given(limit=st.integers(1, 40), count=st.integers(0, 120))
def test_every_kept_entry_is_the_one_that_was_written(limit: int, count: int) -> None:
    assert all(entry.data == {"number": entry.seq} for entry in filled(limit, count).since())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, set(KINDS)),
        ("", set(KINDS)),
        (" , ", set(KINDS)),
        ("turn", {"turn", "turn.opened", "turn.closed"}),
        ("turn.", {"turn", "turn.opened", "turn.closed"}),
        ("turn.opened", {"turn.opened"}),
        ("tur", set()),
        ("finding", {"finding"}),
        ("call, finding", {"call.placed", "call.ended", "finding"}),
        ("call.ended,turn.closed", {"call.ended", "turn.closed"}),
    ],
)
def test_a_kind_is_exact_or_the_first_words_of_one(wanted: str | None, found: set[str]) -> None:
    assert {entry.kind for entry in filled(100, 50).since(0, wanted)} == found


def test_the_limit_counts_matching_entries_only() -> None:
    journal = filled(100, 50)
    assert numbers(journal.since(0, "finding", 2)) == numbers(journal.since(0, "finding"))[:2]


def test_reading_near_the_end_touches_only_what_is_read() -> None:
    class Counting(list[Any]):
        reads = 0

        def __getitem__(self, index: Any) -> Any:
            Counting.reads += 1
            return super().__getitem__(index)

    journal = filled(5_000, 12_000)
    journal._ring = Counting(journal._ring)
    assert numbers(journal.since(11_997)) == [11_998, 11_999, 12_000]
    assert Counting.reads == 3


def test_a_hook_sees_every_entry_until_it_is_taken_off() -> None:
    journal, seen = Journal(2), []
    remove = journal.on_append(seen.append)
    journal.on_append(lambda entry: None)
    for number in range(3):
        journal.append("x", NOW, number=number)
    remove()
    remove()
    journal.append("x", NOW)
    assert seen == [Entry(number + 1, NOW, "x", {"number": number}) for number in range(3)]


def test_a_bell_rings_for_every_entry() -> None:
    journal, rung = Journal(2), []
    journal.on_growth(lambda: rung.append(journal.last_seq))
    for _ in range(3):
        journal.append("x", NOW)
    assert rung == [1, 2, 3]


@pytest.mark.skipif(not hasattr(gc, "is_tracked"), reason="this Python does not say")
def test_the_garbage_collector_does_not_look_at_what_is_kept() -> None:
    journal = filled(100, 50)
    for _ in range(2):  # it notices as it comes by: first the data, then the entry
        gc.collect()
    assert not any(map(gc.is_tracked, journal._ring))


def test_what_is_read_is_the_readers_own() -> None:
    journal = filled(10, 1)
    journal.since()[0].data["number"] = 7  # type: ignore[index]
    assert journal.since()[0].data == {"number": 1}


def test_a_hook_may_take_itself_off() -> None:
    journal, seen = Journal(10), []

    def once(entry: Entry) -> None:
        seen.append(entry.seq)
        remove()

    remove = journal.on_append(once)
    journal.append("x", NOW)
    journal.append("x", NOW)
    assert seen == [1]


def test_data_is_kept_as_json_values() -> None:
    journal = Journal(1)
    journal.append(
        "x", NOW, raw=b"ok \xff", due=NOW, delay=timedelta(milliseconds=1500), many=(b"a", [1, None]), map={"k": b"v"}
    )
    (entry,) = journal.since()
    assert json.loads(json.dumps(entry.data)) == {
        "raw": "ok �",
        "due": "2026-01-05T15:00:00+00:00",
        "delay": 1.5,
        "many": ["a", [1, None]],
        "map": {"k": "v"},
    }


def test_what_is_not_json_is_refused_and_nothing_is_written() -> None:
    journal = Journal(1)
    with pytest.raises(TypeError, match="JSON values, not object"):
        journal.append("x", NOW, thing=object())
    assert journal.last_seq == 0


def test_a_journal_without_room_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="got a limit of 0"):
        Journal(0)


def test_the_newest_entry_of_a_kind_is_found_by_what_it_says() -> None:
    journal = Journal(limit=3)
    for number in (1, 2, 1, 2):
        journal.append("call.placed", NOW, call_id=number)
    assert [e.seq if (e := journal.newest("call.placed", call_id=n)) else None for n in (1, 2, 3)] == [3, 4, None]
    journal.append("call.placed.x", NOW, call_id=3)
    journal.append("call", NOW, call_id=3)
    assert journal.newest("call.placed", call_id=3) is None
    assert journal.newest("call.placed", call_id=1) is None  # forgotten
