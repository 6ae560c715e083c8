from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.replies import MAX_LINE, MAX_REPLY
from simulator.engine.spoil import Break, Part, Pause, Spoiler, is_final

NDJSON = "application/x-ndjson; charset=utf-8"
BODY = b'{"text": "One", "interim": true}\n\n{"text": "Two", "interim": true}\n{"text": "Three"}\n'
FIRST, SECOND, THIRD = (BODY.splitlines(keepends=True)[at] for at in (0, 2, 3))


def spoilt(fault: str, pieces: list[bytes], kind: str = NDJSON, **parameters: Any) -> list[Part]:
    spoiler = Spoiler(fault, parameters, kind)
    return [part for piece in pieces for part in spoiler.feed(piece)] + list(spoiler.end())


def heard(parts: list[Part]) -> bytes:
    return b"".join(part for part in parts if isinstance(part, bytes))


def cuts(body: bytes) -> st.SearchStrategy[list[bytes]]:
    """A body in any pieces."""
    places = st.lists(st.integers(0, len(body)), max_size=6).map(sorted)
    return places.map(lambda at: [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)])


@given(cuts(BODY), st.integers(0, len(BODY) + 3))
def test_a_cut_reply_is_its_beginning_however_it_came(pieces: list[bytes], after: int) -> None:
    parts = spoilt("cut", pieces, after_bytes=after)
    assert heard(parts) == BODY[:after]
    assert parts[-1] == Break() and parts.count(Break()) == 1


@given(cuts(BODY), st.integers(0, len(BODY) + 3))
def test_a_stalled_reply_is_whole_with_one_pause_at_its_place(pieces: list[bytes], after: int) -> None:
    parts = spoilt("stall", pieces, after_bytes=after, seconds=2)
    assert heard(parts) == BODY
    pauses = [at for at, part in enumerate(parts) if part == Pause(timedelta(seconds=2))]
    assert len(pauses) == (after < len(BODY))
    assert all(heard(parts[:at]) == BODY[:after] for at in pauses)


@given(cuts(BODY))
def test_a_split_reply_comes_byte_by_byte(pieces: list[bytes]) -> None:
    parts = spoilt("split", pieces)
    assert heard(parts) == BODY and len(parts) == len(BODY)


@given(cuts(BODY))
def test_a_dropped_final_leaves_every_other_line(pieces: list[bytes]) -> None:
    assert heard(spoilt("drop_final", pieces)) == FIRST + b"\n" + SECOND


@given(cuts(BODY.rstrip()))
def test_a_final_without_a_line_end_is_dropped_as_well(pieces: list[bytes]) -> None:
    assert heard(spoilt("drop_final", pieces)) == FIRST + b"\n" + SECOND


@given(cuts(BODY), st.integers(1, 4))
def test_one_garbled_line_is_no_json_and_all_others_are_as_they_were(pieces: list[bytes], line: int) -> None:
    lines = [row for row in heard(spoilt("garble", pieces, line=line)).splitlines(keepends=True) if row.strip()]
    for number, (row, was) in enumerate(zip(lines, [FIRST, SECOND, THIRD], strict=True), 1):
        if number == line:
            with pytest.raises(ValueError, match=r"."):
                json.loads(row)
        else:
            assert row == was


@pytest.mark.parametrize("fault", ["drop_final", "garble"])
def test_a_reply_of_another_type_is_one_object(fault: str) -> None:
    body = json.dumps({"text": "It has\nshipped."}, indent=2).encode()
    left = heard(spoilt(fault, [body[:9], body[9:]], "application/json", **({"line": 1} if fault == "garble" else {})))
    assert left == (b"" if fault == "drop_final" else body[: len(body) // 2])


@pytest.mark.parametrize("fault", ["bad_signature", "duplicate", "late"])
def test_what_is_no_fault_of_the_reply_leaves_it_alone(fault: str) -> None:
    assert spoilt(fault, [BODY[:5], BODY[5:]], seconds=2) == [BODY[:5], BODY[5:]]


@pytest.mark.parametrize(("kind", "most"), [(NDJSON, MAX_LINE), ("application/json", MAX_REPLY)])
def test_what_never_ends_is_not_kept_for_ever(kind: str, most: int) -> None:
    spoiler = Spoiler("drop_final", {}, kind)
    assert heard([part for _ in range(3) for part in spoiler.feed(b"x" * (most // 2 + 1))]) != b""


@pytest.mark.parametrize(
    ("line", "final"),
    [
        (b'{"text": "x"}', True),
        (b'{"text": "x", "interim": false}', True),
        (b'{"text": "x", "interim": true}', False),
        (b"[]", False),
        (b"{", False),
        (b"\xff", False),
    ],
)
def test_a_final_is_an_object_that_is_not_interim(line: bytes, final: bool) -> None:
    assert is_final(line) is final
