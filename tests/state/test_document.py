from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import __version__
from simulator.state.codec import Unreadable
from simulator.state.document import STATE, WORLD, read, write

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_is_read(content: Any) -> None:
    assert read(WORLD, write(WORLD, content)) == content
    assert read(STATE, write(STATE, content).encode()) == content


def test_the_envelope_says_what_is_inside() -> None:
    document = json.loads(write(WORLD, {"a": 1}))
    assert list(document) == ["format", "version", "made_by", "checksum", "world"]
    assert document["format"] == "agentphone-simulator world"
    assert (document["version"], document["made_by"]) == (1, f"agentphone-simulator {__version__}")


def test_each_record_has_a_line() -> None:
    text = write(WORLD, {"world": {"agents": [{"id": "a"}, {"id": "b"}], "empty": []}})
    assert '\n"agents": [\n{"id": "a"},\n{"id": "b"}\n],\n"empty": []\n' in text


@given(JSON, st.booleans())
def test_another_program_may_write_it_again(content: Any, ascii_only: bool) -> None:
    document = json.loads(write(WORLD, content))
    assert read(WORLD, json.dumps(document, sort_keys=True, indent=3, ensure_ascii=ascii_only)) == content


def test_whole_numbers_are_the_same_with_and_without_a_point() -> None:
    text = write(WORLD, {"a": 1.0, "b": [2]})
    assert read(WORLD, text.replace("1.0", "1").replace("[\n2\n]", "[2.0]")) == {"a": 1, "b": [2]}


GOOD = write(WORLD, {"world": {"agents": [{"id": "agt_1", "name": "Support"}]}})


@pytest.mark.parametrize("end", range(len(GOOD) - 2))
def test_a_file_that_was_cut_off_is_refused(end: int) -> None:
    with pytest.raises(Unreadable, match="not JSON, or not all of it"):
        read(WORLD, GOOD[:end])


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_a_changed_character_is_noticed_or_means_nothing(place: int, character: str) -> None:
    damaged = GOOD[:place] + character + GOOD[place + 1 :]
    try:
        content = read(WORLD, damaged)
    except Unreadable:
        return
    assert content == read(WORLD, GOOD)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_document_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(WORLD, data)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD.replace("Support", "Sales"), "was changed or damaged after it was written"),
        (GOOD.replace('"version": 1', '"version": 2'), "in version 2, and agentphone-simulator .* reads up to 1"),
        (GOOD.replace('"version": 1', '"version": 0'), "its version should be a whole number"),
        (GOOD.replace('"version": 1', '"version": true'), "its version should be a whole number"),
        (GOOD.replace("agentphone-simulator world", "someone's world"), 'its format is "someone\'s world"'),
        (write(STATE, {}), "it is a agentphone-simulator state, not a .* world: start `serve --state` with it"),
        (GOOD.replace('"checksum"', '"checksun"'), "checksum or world is missing"),
        (write(WORLD, {"name": "\ud800"}), "holds '.ud800', half a character"),
        ("{}", "it does not say so in a field `format`"),
        ("[]", "it does not say so"),
        ('{"format": 5}', "it does not say so"),
        ("[" * 100_000, "nested deeper|not JSON"),
        ('{"format": NaN}', "NaN is no number"),
        ("1" * 5000, "not JSON"),
        ("", "not JSON"),
    ],
)
def test_the_reason_is_said(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(WORLD, text)


def test_depth_within_the_content_is_no_crash() -> None:
    deep = (
        '{"format": "agentphone-simulator world", "version": 1, "checksum": "x", "world": '
        + "[" * 900
        + "]" * 900
        + "}"
    )
    with pytest.raises(Unreadable):
        read(WORLD, deep)
