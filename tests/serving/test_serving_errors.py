from __future__ import annotations

import json

from simulator.errors import NotFound, RateLimited
from simulator.serving.errors import dump, render, shape_error


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
