from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.conformance.report import as_json, badge, comparison, junit, page
from simulator.conformance.report.telling import told
from simulator.conformance.results import Report
from simulator.conformance.verdicts import Verdict
from simulator.errors import UsageError
from tests.helpers.conformance_reports import REPORTS, a_big_report, a_report, a_result, a_turn, report_with

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def a_file() -> Any:
    turn = a_turn((0.02, {"text": "One moment.", "interim": True}))
    return json.loads(as_json.render(a_report(a_result(exchanges=(turn,)), a_result("1.4", Verdict.NOT_RUN))))


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in paths(part, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value[path[0]] = put(value[path[0]], path[1:], new)
    return value


PATHS = paths(a_file())


@settings(max_examples=60)
@given(REPORTS)
def test_what_is_written_is_read_as_it_was(report: Report) -> None:
    written = as_json.render(report)
    assert as_json.read(written) == told(report)
    assert as_json.render(as_json.read(written)) == written


@settings(max_examples=25)
@given(REPORTS)
def test_a_report_that_was_read_is_drawn_like_a_fresh_one(report: Report) -> None:
    again = as_json.read(as_json.render(report))
    for render in (page.render, junit.render, badge.render):
        assert render(again) == render(report)
    assert comparison.render([again, report]) == comparison.render([report, again])


def test_the_summary_is_there_for_programs() -> None:
    written = json.loads(as_json.render(a_big_report({"3.2": Verdict.FAIL, "1.4": Verdict.NOT_RUN})))
    assert (written["schema"], written["version"], written["profile"]) == (1, "0.4.0", "all")
    assert written["ok"] is False
    assert written["summary"] == {
        "verdict": "Breaks the contract: 1 of 89 cases fails",
        "cases": 90, "pass": 88, "non_strict": 0, "fail": 1, "informational": 0, "not_run": 1, "failed": ["3.2"],
    }  # fmt: skip


def test_a_report_is_ascii_whatever_was_said() -> None:
    assert as_json.render(report_with("é \ud800 \x1b")).isascii()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("\ud800", "is no JSON"),
        ("[]", "is no conformance report"),
        ('{"version": 1, "scenarios": []}', "is no conformance report"),
        (json.dumps({"kind": as_json.KIND}), "does not say its schema"),
        (json.dumps({"kind": as_json.KIND, "schema": True}), "does not say its schema"),
        (json.dumps({"kind": as_json.KIND, "schema": 2}), "has schema 2 that is newer than 1"),
        (json.dumps({"kind": as_json.KIND, "schema": 1}), "is damaged: target: Field required"),
    ],
)
def test_what_is_no_report_of_ours_is_refused_with_the_way_out(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=r"^b\.json ") as raised:
        as_json.read(text, "b.json")
    assert says in str(raised.value)
    assert str(raised.value).endswith(("conform URL --report FOLDER`", "the simulator that wrote it"))


def test_a_damaged_report_is_refused_with_the_place() -> None:
    damaged = put(a_file(), ("cases", 0, "verdict"), "maybe")
    with pytest.raises(UsageError, match=r"damaged: cases\.0\.verdict: "):
        as_json.read(json.dumps(damaged))


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "1e999", "-1", "1e300"])
def test_a_length_that_cannot_be_drawn_is_refused(seconds: str) -> None:
    with pytest.raises(UsageError, match="seconds"):
        as_json.read(as_json.render(a_report()).replace('"seconds": 5.21', f'"seconds": {seconds}'))


@pytest.mark.parametrize("seconds", ['"5.21"', "true", "null", "[]"])
def test_a_number_is_a_number(seconds: str) -> None:
    with pytest.raises(UsageError, match="damaged: seconds: "):
        as_json.read(as_json.render(a_report()).replace('"seconds": 5.21', f'"seconds": {seconds}'))


@pytest.mark.parametrize("size", [-1, 2**70, 1.5])
def test_a_count_that_counts_nothing_is_refused(size: float) -> None:
    damaged = put(a_file(), ("cases", 0, "exchanges", 0, "request", "content", "size"), size)
    with pytest.raises(UsageError, match=r"content\.size: "):
        as_json.read(json.dumps(damaged))


def test_a_body_that_is_no_base64_is_refused() -> None:
    damaged = put(a_file(), ("cases", 0, "exchanges", 0, "request", "content", "base64"), "?")
    with pytest.raises(UsageError, match="base64"):
        as_json.read(json.dumps(damaged))


def test_fields_that_are_not_known_yet_are_passed_over() -> None:
    assert as_json.read(json.dumps({**a_file(), "colour": "green"})).name == "shop"


@settings(max_examples=60)
@given(JSON | st.text(max_size=20).map(str))
def test_anything_else_is_refused(value: Any) -> None:
    for text in (json.dumps(value), value if isinstance(value, str) else ""):
        with pytest.raises(UsageError):
            as_json.read(text)


@settings(max_examples=60)
@given(st.sampled_from(PATHS), JSON | st.sampled_from([10**5000, 2**70, -1, "3." + "9" * 5000, "\u202e", "??"]))
def test_a_report_with_anything_anywhere_is_refused_or_can_be_drawn(path: tuple[Any, ...], value: Any) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        text = json.dumps(put(a_file(), path, value))
    finally:
        sys.set_int_max_str_digits(before)
    try:
        record = as_json.read(text)
    except UsageError as refused:
        assert len(str(refused)) < 1000
        return
    for render in (page.render, junit.render, badge.render, as_json.render):
        assert render(record).encode()
    assert comparison.render([record, record])
