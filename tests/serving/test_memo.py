from __future__ import annotations

from simulator.serving.memo import Memo


class Record:
    """Something with an identity."""


def test_the_same_record_with_the_same_parts_is_remembered() -> None:
    memo = Memo[Record, tuple[str, ...], str](4)
    record = Record()
    assert memo.get(record, ()) is None
    memo.put(record, ("a",), "made")
    assert memo.get(record, ("a",)) == "made"


def test_other_parts_or_another_record_are_not() -> None:
    memo = Memo[Record, tuple[str, ...], str](4)
    record = Record()
    memo.put(record, ("a",), "made")
    assert memo.get(record, ("b",)) is None
    assert memo.get(Record(), ("a",)) is None


def test_a_full_memo_starts_afresh() -> None:
    memo = Memo[Record, tuple[str, ...], int](2)
    records = [Record() for _ in range(3)]
    for at, record in enumerate(records):
        memo.put(record, (), at)
    assert [memo.get(record, ()) for record in records] == [None, None, 2]
