from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.conformance.reading import Reply, read_reply
from simulator.domain.findings import FindingKind
from simulator.engine.replies import MAX_LINE

STREAM = "application/x-ndjson"


def line(text: str, **fields: Any) -> bytes:
    return json.dumps({"text": text, **fields}).encode() + b"\n"


def read(*pieces: tuple[float, bytes], status: int = 200, kind: str = STREAM, complete: bool = True) -> Reply:
    return read_reply(status, kind, pieces, complete=complete)


def test_each_chunk_has_the_moment_at_which_its_line_was_complete() -> None:
    first, last = line("One moment.", interim=True), line("It was shipped.")
    reply = read((0.1, first[:10]), (0.4, first[10:] + last[:5]), (2.0, last[5:]))
    assert [(at, chunk.text) for at, chunk in reply.chunks] == [(0.4, "One moment."), (2.0, "It was shipped.")]
    assert (reply.first_word_at, reply.longest_gap) == (0.4, 1.6)


def test_a_single_object_is_there_when_the_answer_is_complete() -> None:
    reply = read((0.1, b'{"text":'), (0.5, b' "Hello."}'), kind="application/json")
    assert [(at, chunk.text) for at, chunk in reply.chunks] == [(0.5, "Hello.")]
    assert reply.longest_gap == 0.0


def test_the_last_line_needs_no_newline_when_the_answer_is_complete() -> None:
    said = line("Hello.").rstrip()
    assert read((0.0, said)).text == "Hello."
    assert read((0.0, said), complete=False).chunks == ()


def test_what_broke_off_is_not_missing_its_end() -> None:
    begun = line("One moment.", interim=True)
    assert read((0.0, begun), complete=False).problems == ()
    assert read((0.0, begun)).kinds == {FindingKind.MISSING_FINAL}


def test_the_first_chunk_that_is_not_interim_is_final() -> None:
    reply = read((0.0, line("One.", interim=True) + line("Two.") + line("Three.")))
    assert reply.final is not None
    assert reply.final.text == "Two."
    assert reply.kinds == {FindingKind.TEXT_AFTER_FINAL}
    assert reply.text == "One. Two."


def test_a_reply_without_a_final_chunk_has_none() -> None:
    assert read((0.0, line("One.", interim=True))).final is None


def test_the_first_word_is_not_the_first_chunk_when_that_says_nothing() -> None:
    reply = read((0.1, line("", interim=True)), (0.9, line("Hello.")))
    assert reply.first_word_at == 0.9
    assert read((0.1, line(""))).first_word_at is None


@pytest.mark.parametrize(
    ("body", "understood", "acts"),
    [
        (b'{"text": "Hello."}', True, True),
        (b'{"text": ""}', True, False),
        (b'{"digits": "1"}', True, True),
        (b'{"hangup": true}', True, True),
        (b'{"action": "transfer"}', True, True),
        (b'{"message": "Hello."}', False, False),
        (b'{"text": null}', False, False),
        (b"{}", False, False),
        (b'{"text": 4521}', True, False),
        (b'"Hello."', False, False),
        (b"Hello.", False, False),
        (b"", False, False),
    ],
)
def test_what_is_understood_and_what_does_something(body: bytes, understood: bool, acts: bool) -> None:
    reply = read((0.0, body), kind="application/json")
    assert (reply.understood, reply.acts) == (understood, acts)


@pytest.mark.parametrize("status", [0, 199, 302, 404, 500])
def test_a_refusal_is_not_spoken(status: int) -> None:
    reply = read((0.0, line("Hello.")), status=status)
    assert reply.chunks == ()
    assert reply.kinds == {FindingKind.REPLY_HTTP_ERROR}


FRAGMENTS = st.sampled_from(
    [
        line("Ja, gern."),
        line("One moment.", interim=True),
        line("Bye.", hangup=True, interim=True),
        '{"text": "Grüße 🌍", "interim": true}\n'.encode(),
        b'{"text": "no newline", "interim": true}',
        b'{"text": 4, "digits": "x", "dtmf": "1", "interim": true}\n',
        b'{"text": "<think>hm</think> Yes.", "interim": true}\r\n',
        b'{\n  "text": "pretty",\n  "interim": true\n}\n',
        b'data: {"text": "event"}\n\n',
        b"\xef\xbb\xbf",
        b"\xff\xfe\n",
        b"\n",
        b"  \r\n",
        b"[]\n",
        b"x" * (MAX_LINE + 1),
        b" " * 1_500,
    ]
)
KINDS = st.sampled_from([STREAM, "application/json", "text/event-stream", ""])


def cut(body: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})
    return [body[start:end] for start, end in pairwise(ends)]


@given(
    st.lists(FRAGMENTS, max_size=6).map(b"".join),
    st.lists(st.integers(0, 200_000), max_size=8),
    st.sampled_from([200, 204, 404]),
    KINDS,
    st.booleans(),
)
@example(line("Yes.") + b" " * 1_500 + line("No."), [60, 1_100], 200, STREAM, True)
def test_what_a_reply_means_does_not_depend_on_where_it_was_cut(
    body: bytes, places: list[int], status: int, kind: str, complete: bool
) -> None:
    whole = read_reply(status, kind, [(0.0, body)], complete=complete)
    parts = list(enumerate(map(bytes, cut(body, places))))
    pieces = read_reply(status, kind, [(float(at), part) for at, part in parts], complete=complete)
    assert [chunk for _, chunk in pieces.chunks] == [chunk for _, chunk in whole.chunks]
    assert pieces.problems == whole.problems
    times = [at for at, _ in pieces.chunks]
    assert times == sorted(times)
    assert set(times) <= {float(at) for at, _ in parts}


@given(st.integers(0, 700), KINDS, st.binary(max_size=300), st.booleans())
def test_no_bytes_are_too_strange_to_be_read(status: int, kind: str, body: bytes, complete: bool) -> None:
    reply = read_reply(status, kind, [(0.0, body)], complete=complete)
    assert reply.chunks or reply.problems or not complete
