from __future__ import annotations

import pytest

from simulator.domain.findings import FindingKind
from simulator.engine.chunks import MAX_SAMPLE, Chunk, Problem
from simulator.engine.replies import (
    MAX_LINE,
    MAX_REPLY,
    JsonDecoder,
    NdjsonDecoder,
    RefusalDecoder,
    ReplyDecoder,
    decoder_for,
)

BLANK_LINE = b" " * 1023 + b"\n"


def pull(decoder: ReplyDecoder, *pieces: bytes, end: bool = False) -> list[Chunk | Problem]:
    for piece in pieces:
        decoder.feed(piece)
    if end:
        decoder.end()
    return list(iter(decoder.next_chunk, None))


def kind(item: Chunk | Problem) -> FindingKind:
    assert isinstance(item, Problem)
    return item.kind


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize(
    "content_type",
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "APPLICATION/X-NDJSON ; charset=UTF-8"],
)
def test_ndjson_is_known_by_its_content_type(content_type: str, status: int) -> None:
    assert isinstance(decoder_for(status, content_type), NdjsonDecoder)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", ";", "application/x-ndjson-not"])
def test_anything_else_is_read_as_one_object(content_type: str) -> None:
    assert isinstance(decoder_for(200, content_type), JsonDecoder)


@pytest.mark.parametrize("status", [100, 199, 300, 307, 404, 500, 599])
def test_a_status_outside_2xx_is_a_refusal(status: int) -> None:
    assert isinstance(decoder_for(status, "application/x-ndjson"), RefusalDecoder)


def test_a_line_comes_out_with_its_newline_and_not_before() -> None:
    decoder = NdjsonDecoder()
    assert pull(decoder, b'{"text": "Hi", "interim": true}') == []
    assert decoder.pending == b'{"text": "Hi", "interim": true}'
    assert pull(decoder, b"\n") == [Chunk(raw=b'{"text": "Hi", "interim": true}', text="Hi", interim=True)]
    assert decoder.pending == b""


def test_nothing_comes_out_of_no_bytes() -> None:
    assert [pull(decoder, b"") for decoder in (NdjsonDecoder(), JsonDecoder(""), RefusalDecoder(500))] == [[], [], []]


def test_a_decoder_has_nothing_to_add_after_its_end() -> None:
    for decoder in (NdjsonDecoder(), JsonDecoder(""), RefusalDecoder(500)):
        assert len(pull(decoder, b'{"text": "Hi"}', end=True)) == 1
        assert pull(decoder) == []


def test_a_json_reply_waits_for_its_end() -> None:
    decoder = JsonDecoder("application/json")
    assert pull(decoder, b'{"text": "Hi"}\n') == []
    assert decoder.pending == b'{"text": "Hi"}\n'
    assert pull(decoder, end=True) == [Chunk(raw=b'{"text": "Hi"}', text="Hi")]


def test_interim_outside_ndjson_is_final_and_names_the_type() -> None:
    (chunk,) = pull(JsonDecoder("text/plain"), b'{"text": "Hi", "interim": true}', end=True)
    assert isinstance(chunk, Chunk)
    assert not chunk.interim
    assert "`interim` means nothing in a reply of type 'text/plain'" in chunk.problems[0].message


def test_the_first_line_after_the_final_chunk_comes_out_when_it_is_whole() -> None:
    decoder = NdjsonDecoder()
    pull(decoder, b'{"text": "Hi"}\n')
    assert pull(decoder, b"\n  more") == []
    (problem,) = pull(decoder, b" words\r\nand more")
    assert problem == Problem(kind(problem), problem.message, b"more words")
    assert kind(problem) is FindingKind.TEXT_AFTER_FINAL
    assert pull(decoder, b"\nand more\n", end=True) == []
    assert decoder.pending == b""


def test_a_long_line_after_the_final_chunk_comes_out_when_there_is_enough_to_show() -> None:
    decoder = NdjsonDecoder()
    pull(decoder, b'{"text": "Hi"}\n')
    assert pull(decoder, b"x" * (MAX_SAMPLE - 1)) == []
    (problem,) = pull(decoder, b"xx")
    assert isinstance(problem, Problem)
    assert problem.sample == b"x" * MAX_SAMPLE


def test_a_line_over_the_limit_ends_the_reply() -> None:
    decoder = NdjsonDecoder()
    assert pull(decoder, b"x" * MAX_LINE) == []
    (problem,) = pull(decoder, b"x")
    assert kind(problem) is FindingKind.REPLY_TOO_LONG
    assert problem == Problem(kind(problem), problem.message, b"x" * MAX_SAMPLE)
    assert "a line of the reply is longer than 65536 bytes" in problem.message
    assert pull(decoder, b'\n{"text": "Hi"}\n', end=True) == []


def test_a_line_of_just_the_limit_is_read() -> None:
    start = b'{"text": "Hi", "pad": "'
    line = start + b"x" * (MAX_LINE - len(start) - 2) + b'"}'
    (chunk,) = pull(NdjsonDecoder(), line + b"\n")
    assert isinstance(chunk, Chunk)
    assert chunk.text == "Hi"


@pytest.mark.parametrize("extra", [b"x", b"{}\n", b"\n"])
def test_a_stream_over_the_limit_ends_the_reply(extra: bytes) -> None:
    decoder = NdjsonDecoder()
    assert pull(decoder, BLANK_LINE * (MAX_REPLY // 1024)) == []
    (problem,) = pull(decoder, extra)
    assert kind(problem) is FindingKind.REPLY_TOO_LONG
    assert problem == Problem(FindingKind.REPLY_TOO_LONG, "the reply is longer than 1048576 bytes: say less", b"")


def test_a_stream_of_just_the_limit_is_read() -> None:
    line = b'{"text": "Hi"}'.rjust(1023) + b"\n"
    decoder = NdjsonDecoder()
    (chunk,) = pull(decoder, BLANK_LINE * (MAX_REPLY // 1024 - 1) + line)
    assert isinstance(chunk, Chunk)


def test_a_whole_body_over_the_limit_is_refused_and_forgotten() -> None:
    decoder = JsonDecoder("application/json")
    assert pull(decoder, b" " * MAX_REPLY) == []
    (problem,) = pull(decoder, b" ")
    assert kind(problem) is FindingKind.REPLY_TOO_LONG
    assert decoder.pending == b""
    assert pull(decoder, b"x" * MAX_REPLY, end=True) == []


def test_a_refusal_shows_the_body_at_its_end() -> None:
    decoder = RefusalDecoder(503)
    assert pull(decoder, b"busy", b", come back " + b"later" * 1000) == []
    (problem,) = pull(decoder, end=True)
    assert problem == Problem(
        FindingKind.REPLY_HTTP_ERROR,
        "the handler answered 503, and nothing is spoken: a turn needs a 2xx status",
        (b"busy, come back " + b"later" * 1000)[:MAX_SAMPLE],
    )


def test_a_refusal_without_end_is_not_waited_for() -> None:
    decoder = RefusalDecoder(500)
    assert pull(decoder, b"x" * MAX_REPLY) == []
    assert [kind(item) for item in pull(decoder, b"x")] == [FindingKind.REPLY_HTTP_ERROR]
    assert decoder.pending == b"x" * MAX_SAMPLE


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"oops\n", "a line of the reply is not JSON (Expecting value: line 1 column 1 (char 0))"),
        (b"NaN\n", "a line of the reply is not JSON (NaN is not a JSON value)"),
        (b'["hi"]\n', "a line of the reply is an array: write one JSON object per line"),
        (b"1.5\n", "a line of the reply is a number"),
        (b"null\n", "a line of the reply is null"),
        (b'{"interim": true, "text": ""}', "the reply ended without a final chunk"),
        (b"", 'the reply is empty: answer with a JSON object, {"text": ""} to say nothing'),
    ],
)
def test_a_problem_says_what_is_wrong_and_what_to_do(body: bytes, told: str) -> None:
    problem = pull(NdjsonDecoder(), body, end=True)[-1]
    assert isinstance(problem, Problem)
    assert told in problem.message
    assert ": " in problem.message
