from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_tests.replies import TRUST, Reply, cut, load, per_byte, per_line
from simulator.engine.chunks import MAX_SAMPLE, Chunk, Problem
from simulator.engine.effects import NoteChunk, ReportFinding
from simulator.engine.replies import MAX_REPLY, decoder_for
from tests.helpers.engine import JSON, NDJSON, Line

REPLIES = load()
SHORT = [reply for reply in REPLIES if len(reply.body) <= 400]
each_reply = pytest.mark.parametrize("reply", REPLIES, ids=str)


def decoded(pieces: Iterable[bytes], content_type: str, status: int = 200) -> list[Chunk | Problem]:
    """Everything that comes out of a body, pulled after every piece."""
    decoder = decoder_for(status, content_type)
    out: list[Chunk | Problem] = []
    for piece in pieces:
        decoder.feed(piece)
        out += iter(decoder.next_chunk, None)
        assert len(decoder.pending) <= MAX_SAMPLE
    decoder.end()
    out += iter(decoder.next_chunk, None)
    return out


def shown(chunk: Chunk) -> dict[str, Any]:
    """The fields of a chunk that are set, as fixtures give them."""
    names = {field.name for field in fields(Chunk)} - {"raw", "problems"}
    found = {name: getattr(chunk, name) for name in names if getattr(chunk, name)}
    return {"text": ""} | found


def problems(out: list[Chunk | Problem]) -> list[str]:
    found: list[str] = []
    for item in out:
        found += [problem.kind for problem in item.problems] if isinstance(item, Chunk) else [item.kind]
    return found


@each_reply
def test_a_fixture_states_its_source(reply: Reply) -> None:
    assert reply.source
    assert reply.trust in TRUST


def test_fixtures_have_different_names() -> None:
    assert len({(reply.name, reply.content_type) for reply in REPLIES}) == len(REPLIES)


@each_reply
def test_a_reply_is_understood_as_the_fixture_says(reply: Reply) -> None:
    out = decoded([reply.body], reply.content_type, reply.status)
    assert [shown(item) for item in out if isinstance(item, Chunk)] == list(reply.chunks)
    assert problems(out) == list(reply.findings)


@each_reply
def test_it_does_not_matter_whether_lines_or_bytes_arrive_one_by_one(reply: Reply) -> None:
    whole = decoded([reply.body], reply.content_type, reply.status)
    assert decoded(per_line(reply.body), reply.content_type, reply.status) == whole
    if len(reply.body) < 200_000:
        assert decoded(per_byte(reply.body), reply.content_type, reply.status) == whole
    assert decoded([reply.body[:1000], b"", reply.body[1000:]], reply.content_type, reply.status) == whole


@pytest.mark.parametrize("reply", SHORT, ids=str)
def test_it_does_not_matter_where_a_body_is_cut_in_two(reply: Reply) -> None:
    whole = decoded([reply.body], reply.content_type, reply.status)
    for place in range(len(reply.body) + 1):
        assert decoded(cut(reply.body, [place]), reply.content_type, reply.status) == whole


@given(st.data(), st.sampled_from(REPLIES))
def test_it_does_not_matter_where_a_body_is_cut(data: st.DataObject, reply: Reply) -> None:
    places = data.draw(st.lists(st.integers(0, len(reply.body)), max_size=12))
    pieces = cut(reply.body, places)
    assert decoded(pieces, reply.content_type, reply.status) == decoded([reply.body], reply.content_type, reply.status)


FRAGMENTS = [
    b'{"text": "One", "interim": true}',
    b'{"text": "Two"}',
    b'{"text": "\xc3\xa9\xf0\x9f\x98\x80", "interim": true}',
    b"\xef\xbb\xbf",
    b"{",
    b"[1]",
    b"\n",
    b"\r\n",
    b" ",
    b"\xff",
    b"x" * 40_000,
    b"x" * 1100,
    b"\n" * 1100,
]


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=12),
    st.data(),
    st.sampled_from([NDJSON, JSON]),
)
@example([b'{"text": "a"}\n', b" " * 1100, b"x" * 1100, b"\r\n"], None, NDJSON)
@example([b'{"text": "a"}\n', b"x" * 1023, b"\r\nx"], None, NDJSON)
def test_any_bytes_come_out_the_same_however_they_are_cut(
    parts: list[bytes], data: st.DataObject | None, content_type: str
) -> None:
    body = b"".join(parts)
    places = range(len(body)) if data is None else data.draw(st.lists(st.integers(0, len(body)), max_size=12))
    assert decoded(cut(body, places), content_type) == decoded([body], content_type)


@pytest.mark.parametrize("content_type", [NDJSON, JSON, "text/plain"])
def test_a_reply_just_over_the_limit_is_cut_the_same_way_however_it_comes(content_type: str) -> None:
    line = b'{"text": "again", "interim": true}\n'
    body = line * (MAX_REPLY // len(line) + 2)
    whole = decoded([body], content_type)
    assert decoded(cut(body, range(0, len(body), 997)), content_type) == whole
    assert problems(whole) == ["reply_too_long"]


def expect_the_same_of_a_call(reply: Reply, pieces: list[bytes]) -> None:
    line = Line().connect()
    line.open_turn()
    line.reply(*pieces, content_type=reply.content_type, status=reply.status)
    assert [chunk.text for chunk in line.all(NoteChunk)] == [chunk["text"] for chunk in reply.chunks]
    assert line.findings == list(reply.findings)
    assert line.closed == [reply.end]
    assert all(len(finding.sample) <= MAX_SAMPLE for finding in line.all(ReportFinding))


@each_reply
def test_a_call_makes_the_same_of_a_reply(reply: Reply) -> None:
    expect_the_same_of_a_call(reply, [reply.body])
    expect_the_same_of_a_call(reply, per_line(reply.body))


@pytest.mark.parametrize("reply", SHORT, ids=str)
def test_a_call_makes_the_same_of_a_reply_that_comes_byte_by_byte(reply: Reply) -> None:
    expect_the_same_of_a_call(reply, per_byte(reply.body))
