from __future__ import annotations

import json

import pytest

from simulator.control.models import DialIn
from simulator.errors import NotFound, RateLimited, RequestInvalid
from simulator.serving.errors import dump, render, shape_error
from simulator.serving.parsing import parse_body


def test_a_refusal_has_its_status_headers_and_detail() -> None:
    status, headers, body = render(RateLimited("slow down", headers={"Retry-After": "1"}))
    assert (status, headers, json.loads(body)) == (429, {"Retry-After": "1"}, {"detail": "slow down"})


def test_shape_errors_are_a_list() -> None:
    status, _, body = render(shape_error(("query", "limit"), "too small", "greater_than"))
    assert status == 422
    assert json.loads(body) == {"detail": [{"loc": ["query", "limit"], "msg": "too small", "type": "greater_than"}]}


def test_details_of_a_coded_error_are_kept() -> None:
    _, _, body = render(NotFound("no", code="C", details=[{"field": "url"}]))
    assert json.loads(body)["error"]["details"] == [{"field": "url"}]


def test_half_a_surrogate_pair_cannot_break_the_answer() -> None:
    assert json.loads(dump({"a": ["\ud800", {"\udfff": "b"}, 1]})) == {"a": ["?", {"?": "b"}, 1]}


def test_a_misspelt_step_is_found_where_it_is() -> None:
    body = b'{"from": "+14155550150", "to": "+14155550151", "script": ["hi", {"sya": "hello"}]}'
    with pytest.raises(RequestInvalid) as refused:
        parse_body(DialIn, body, required=True)
    assert ["body", "script", 1, "StepIn", "sya"] in [error["loc"] for error in refused.value.errors]
