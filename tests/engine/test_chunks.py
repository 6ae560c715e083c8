from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.findings import FindingKind
from simulator.engine.chunks import MAX_DEPTH, MAX_SAMPLE, Chunk, parse_json, understand
from tests.helpers.engine import unhurried


def read(text: str | bytes) -> Chunk:
    raw = text.encode() if isinstance(text, str) else text
    return understand(parse_json(raw), raw)


def kinds(chunk: Chunk) -> list[FindingKind]:
    return [problem.kind for problem in chunk.problems]


def only_message(chunk: Chunk) -> str:
    (problem,) = chunk.problems
    return problem.message


def test_text_is_what_is_spoken() -> None:
    assert read('{"text": "Hello"}') == Chunk(raw=b'{"text": "Hello"}', text="Hello")


def test_space_around_the_text_is_not_spoken() -> None:
    assert read('{"text": " Hello there \\n"}').text == "Hello there"


def test_every_field_at_once() -> None:
    chunk = read('{"text": "Bye", "interim": true, "digits": "1*#", "action": "transfer", "hangup": true}')
    assert (chunk.text, chunk.interim, chunk.digits, chunk.transfer, chunk.hangup) == ("Bye", True, "1*#", True, True)
    assert chunk.problems == ()


def test_the_action_can_hang_up() -> None:
    chunk = read('{"action": "hangup"}')
    assert chunk.hangup
    assert not chunk.transfer


@pytest.mark.parametrize("name", ["digits", "press_digit", "dtmf"])
def test_digits_have_aliases(name: str) -> None:
    assert read(json.dumps({name: "42"})) == Chunk(raw=json.dumps({name: "42"}).encode(), digits="42")


def test_digits_win_over_an_alias_that_differs() -> None:
    chunk = read('{"dtmf": "3", "press_digit": "2", "digits": "1"}')
    assert chunk.digits == "1"
    assert kinds(chunk) == [FindingKind.DIGITS_CONFLICT]
    assert only_message(chunk).startswith("`digits` '1', `press_digit` '2', `dtmf` '3' say different things")


def test_press_digit_wins_over_dtmf() -> None:
    assert read('{"dtmf": "3", "press_digit": "2"}').digits == "2"


def test_aliases_that_agree_are_no_conflict() -> None:
    assert read('{"dtmf": "1", "digits": "1"}').problems == ()


@pytest.mark.parametrize("digits", ["1w2", "1,2", "A", "+1", "1 2", "١", "1\\n"])
def test_what_is_not_on_a_keypad_cannot_be_pressed(digits: str) -> None:
    chunk = read(f'{{"text": "Hi", "digits": "{digits}"}}')
    assert (chunk.text, chunk.digits) == ("Hi", "")
    assert kinds(chunk) == [FindingKind.DIGITS_INVALID]


def test_an_invalid_digits_field_does_not_fall_back_on_its_alias() -> None:
    chunk = read('{"digits": "x", "dtmf": "1"}')
    assert chunk.digits == ""
    assert kinds(chunk) == [FindingKind.DIGITS_CONFLICT, FindingKind.DIGITS_INVALID]


def test_empty_digits_count_as_absent() -> None:
    assert read('{"digits": "", "dtmf": "1"}') == Chunk(raw=b'{"digits": "", "dtmf": "1"}', digits="1")
    assert kinds(read('{"digits": ""}')) == [FindingKind.NOTHING_TO_SAY]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("text", "5", "`text` is a number and was ignored: it must be a string"),
        ("text", "1.5e3", "`text` is a number and was ignored: it must be a string"),
        ("text", "true", "`text` is a boolean and was ignored: it must be a string"),
        ("text", '["hi"]', "`text` is an array and was ignored: it must be a string"),
        ("text", '{"en": "hi"}', "`text` is an object and was ignored: it must be a string"),
        ("interim", '"true"', "`interim` is a string and was ignored: it must be a boolean"),
        ("interim", "1", "`interim` is a number and was ignored: it must be a boolean"),
        ("hangup", '"yes"', "`hangup` is a string and was ignored: it must be a boolean"),
        ("hangup", "1", "`hangup` is a number and was ignored: it must be a boolean"),
        ("action", "{}", "`action` is an object and was ignored: it must be a string"),
        ("digits", "12", "`digits` is a number and was ignored: it must be a string"),
        ("press_digit", "1", "`press_digit` is a number and was ignored: it must be a string"),
        ("dtmf", "[1]", "`dtmf` is an array and was ignored: it must be a string"),
    ],
)
def test_a_field_of_the_wrong_type_is_ignored_and_named(field: str, value: str, told: str) -> None:
    body = f'{{"{field}": {value}}}'
    chunk = read(body)
    assert kinds(chunk) == [FindingKind.FIELD_WRONG_TYPE]
    assert only_message(chunk) == told
    assert chunk == Chunk(raw=body.encode(), problems=chunk.problems)
    assert chunk.problems[0].sample == body.encode()


def test_a_null_field_counts_as_absent() -> None:
    chunk = read('{"text": "Hi", "interim": null, "hangup": null, "action": null, "digits": null, "dtmf": null}')
    assert (chunk.text, chunk.problems) == ("Hi", ())


@pytest.mark.parametrize("action", ["Transfer", "end_call", ""])
def test_an_unknown_action_is_ignored_and_named(action: str) -> None:
    chunk = read(json.dumps({"text": "Hi", "action": action}))
    assert (chunk.hangup, chunk.transfer) == (False, False)
    assert kinds(chunk) == [FindingKind.ACTION_UNKNOWN]
    assert only_message(chunk) == f"`action` '{action}' does not exist and was ignored: it can be transfer or hangup"


def test_a_long_value_is_cut_in_a_message() -> None:
    assert len(only_message(read(json.dumps({"action": "é" * 10_000})))) < 300


def test_unknown_fields_are_ignored() -> None:
    assert read('{"text": "Hi", "voice": "Polly.Amy", "send_message": {"body": "x"}, "transfer": true}').problems == ()


@pytest.mark.parametrize("body", ['{"text": ""}', '{"text": " "}', '{"text": "", "interim": true}'])
def test_empty_text_is_a_way_to_say_nothing(body: str) -> None:
    chunk = read(body)
    assert (chunk.text, chunk.problems) == ("", ())


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("{}", "nothing"),
        ('{"interim": true}', "'interim'"),
        ('{"hangup": false}', "'hangup'"),
        ('{"text": null}', "'text'"),
        ('{"message": "Hi", "to": "you"}', "'message', 'to'"),
        ('{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6}', "'1', '2', '3', '4', '5'"),
    ],
)
def test_an_object_that_does_nothing_is_reported_with_the_names_it_has(body: str, names: str) -> None:
    chunk = read(body)
    assert kinds(chunk) == [FindingKind.NOTHING_TO_SAY]
    assert only_message(chunk) == f"a chunk does nothing, it has {names}: give text, digits, action or hangup"


def test_markup_is_stripped_and_shown() -> None:
    chunk = read('{"text": "Let me look. <tool_call>{}</tool_call>"}')
    assert chunk.text == "Let me look."
    assert kinds(chunk) == [FindingKind.MARKUP_STRIPPED]
    assert chunk.problems[0].sample == b"Let me look. <tool_call>{}</tool_call>"


def test_half_a_character_is_replaced_so_that_the_text_can_be_written_down() -> None:
    assert read('{"text": "a\\ud83d b"}').text == "a\ufffd b"
    assert read('{"text": "a\\ud83d\\ude00 b"}').text == "a😀 b"


def test_of_doubled_keys_the_last_wins() -> None:
    assert read('{"text": "one", "text": "two"}').text == "two"


def test_a_sample_is_cut() -> None:
    chunk = read(json.dumps({"text": 1, "pad": "x" * 5000}))
    assert len(chunk.problems[0].sample) == MAX_SAMPLE


@pytest.mark.parametrize("body", ["NaN", "[Infinity]", '{"text": -Infinity}', "{'text': 1}", "{", '"\t"', "{} {}", ""])
def test_what_is_not_json_raises_value_error(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(body.encode())


@pytest.mark.parametrize("data", [b'{"text": "\xff"}', b'{"text": "\xed\xa0\x80"}', b"\xff\xfe{\x00}\x00"])
def test_what_is_not_utf8_raises_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        parse_json(data)


def test_a_number_may_be_as_long_as_it_likes() -> None:
    assert parse_json(b'{"n": ' + b"9" * 20_000 + b', "x": 1e999999}') == {"n": 0, "x": 0}


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_depth_is_limited(opening: str) -> None:
    for depth in (50_000, 5_000):
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            parse_json((opening * depth).encode())


def test_as_deep_as_the_limit_is_fine() -> None:
    assert parse_json(("[" * MAX_DEPTH + "]" * MAX_DEPTH).encode())
    with pytest.raises(ValueError, match="deep"):
        parse_json(("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).encode())


def test_brackets_inside_strings_and_beside_each_other_are_not_depth() -> None:
    text = "[" * 1000 + '\\"' + "{" * 1000
    assert parse_json(f'{{"text": "{text}"}}'.encode()) == {"text": text.replace("\\", "")}
    assert len(parse_json(b"[" + b"[]," * 1000 + b"[]]")) == 1001


def test_a_megabyte_of_escapes_is_measured_at_once() -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(b'{"text": "' + b"\\[" * 500_000)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["text", "interim", "hangup", "action", "digits", "press_digit", "dtmf", "other"]


@unhurried
@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON))
def test_any_object_is_understood_somehow(fields: dict[str, Any]) -> None:
    chunk = read(json.dumps(fields))
    assert chunk.text == chunk.text.strip()
    assert set(chunk.digits) <= set("0123456789*#")
    assert all(len(problem.sample) <= MAX_SAMPLE and problem.message for problem in chunk.problems)
    assert (
        chunk.text
        or chunk.digits
        or chunk.hangup
        or chunk.transfer
        or chunk.problems
        or fields.get("text", 0) is not None
    )


@unhurried
@given(st.binary() | st.text(alphabet='{}[]",:\\ntrue 1').map(str.encode))
def test_any_bytes_are_json_or_raise_value_error(data: bytes) -> None:
    try:
        parse_json(data)
    except ValueError:
        return
    json.loads(data.decode())
