from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.serving.operation import Operation
from simulator.serving.routing import Router
from tests.helpers.api import platform_operations


def nothing(_ctx: Any, _query: Any, _body: Any) -> None:
    return None


def row(method: str, path: str, name: str | None = None) -> Operation:
    return Operation(id=name or f"{method} {path}", method=method, path=path, tag="t", summary="s", handler=nothing)


def found(router: Router, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    match = router.match(method, path)
    return None if match is None or match.route is None else (match.route.operation.id, dict(match.path))


NUMBERS = Router(
    [
        row("GET", "/v1/numbers"),
        row("GET", "/v1/numbers/available"),
        row("GET", "/v1/numbers/{number_id}"),
        row("DELETE", "/v1/numbers/{number_id}"),
        row("GET", "/v1/numbers/{number_id}/messages"),
        row("GET", "/{room}/numbers/lost/{other}"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/numbers", ("GET /v1/numbers", {})),
        ("GET", "/v1/numbers/num_1", ("GET /v1/numbers/{number_id}", {"number_id": "num_1"})),
        ("GET", "/v1/numbers/available", ("GET /v1/numbers/available", {})),
        ("DELETE", "/v1/numbers/available", ("DELETE /v1/numbers/{number_id}", {"number_id": "available"})),
        (
            "GET",
            "/v1/numbers/available/messages",
            ("GET /v1/numbers/{number_id}/messages", {"number_id": "available"}),
        ),
        ("GET", "/v1/numbers/lost/messages", ("GET /v1/numbers/{number_id}/messages", {"number_id": "lost"})),
        ("GET", "/v1/numbers/lost/x", ("GET /{room}/numbers/lost/{other}", {"room": "v1", "other": "x"})),
    ],
)
def test_a_literal_wins_over_a_parameter_and_the_rest_of_the_path_still_decides(
    method: str, path: str, expected: tuple[str, dict[str, str]]
) -> None:
    assert found(NUMBERS, method, path) == expected


@pytest.mark.parametrize(
    "path", ["/", "", "/v1", "/v1/numbers/", "//v1/numbers", "/v1//numbers", "/v1/numbers/a/b", "/v1/numbers//messages"]
)
def test_what_nobody_serves_is_not_found(path: str) -> None:
    assert NUMBERS.match("GET", path) is None


def test_a_served_path_with_another_method_names_the_methods_it_has() -> None:
    match = NUMBERS.match("PUT", "/v1/numbers/num_1")
    assert match is not None
    assert match.route is None
    assert match.allowed == ("DELETE", "GET")


def test_a_literal_path_names_its_own_methods_and_not_those_of_the_ids_it_could_be() -> None:
    match = NUMBERS.match("PUT", "/v1/numbers/available")
    assert match is not None
    assert match.allowed == ("GET",)


@pytest.mark.parametrize(
    ("encoded", "plain"),
    [
        ("%2B1415", "+1415"),
        ("+1415", "+1415"),
        ("a%2Fb", "a/b"),
        ("a%20b", "a b"),
        ("%E2%82%AC", "€"),
        ("100%", "100%"),
    ],
)
def test_a_segment_is_decoded_after_the_path_was_cut(encoded: str, plain: str) -> None:
    assert found(NUMBERS, "GET", f"/v1/numbers/{encoded}/messages") == (
        "GET /v1/numbers/{number_id}/messages",
        {"number_id": plain},
    )


def test_bytes_that_are_not_utf8_do_no_harm() -> None:
    assert found(NUMBERS, "GET", "/v1/numbers/%ff") == ("GET /v1/numbers/{number_id}", {"number_id": "\ufffd"})


def test_two_operations_on_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        Router([row("GET", "/a/{x}"), row("GET", "/a/{y}")])


def test_every_row_of_the_api_is_reached_by_its_own_template() -> None:
    router = Router(platform_operations())
    for operation in platform_operations():
        match = router.match(operation.method, operation.path.replace("{", "").replace("}", ""))
        assert match is not None
        assert match.route is not None
        assert match.route.operation is operation


SEGMENTS = st.sampled_from(["a", "b", "{p}"])
TEMPLATES = st.lists(st.lists(SEGMENTS, min_size=1, max_size=4).map(tuple), unique=True, max_size=8)


def naive(templates: list[tuple[str, ...]], path: list[str]) -> tuple[str, ...] | None:
    fitting = [
        t for t in templates if len(t) == len(path) and all(s in ("{p}", p) for s, p in zip(t, path, strict=True))
    ]
    return min(fitting, key=lambda t: tuple(s == "{p}" for s in t), default=None)


@given(TEMPLATES, st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4))
def test_the_tree_agrees_with_trying_every_template(templates: list[tuple[str, ...]], path: list[str]) -> None:
    named = {t: "/" + "/".join(f"{{p{at}}}" if s == "{p}" else s for at, s in enumerate(t)) for t in templates}
    router = Router([row("GET", template, template) for template in named.values()])
    expected = naive(templates, path)
    match = found(router, "GET", "/" + "/".join(path))
    assert (match and match[0]) == (expected and named[expected])
