from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain import masking
from simulator.domain.masking import HIDDEN, masked, masked_headers, masked_tools


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sk_live_0123456789abcdef", "sk_live_0123***"),
        ("sk-proj-abcdefghijkl", "sk-proj-abcd***"),
        ("whsec_abcdefghijkl!", "whsec_abcd***!"),
        ("/v1/agents/sk_test_0123456789", "/v1/agents/sk_test_0123***"),
        ("Authorization: Bearer abcdefgh.ijkl-mnop==", "Authorization: Bearer abcd***"),
        ("https://me:hunter2@example.com/", "https://me:***@example.com/"),
        ("https://example.com/x?a=1&api_key=abc&b=2", "https://example.com/x?a=1&api_key=***&b=2"),
        ("https://example.com/x?token=abc", "https://example.com/x?token=***"),
        ('{"apiKey": "sk_live_0123456789abcdef"}', '{"apiKey": "sk_live_0123***"}'),
    ],
)
def test_the_rest_of_a_credential_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Where is my order 4521?",
        "a risk-free desk_top task_live_now",
        "the bearer of this letter",
        "Bearer {{token}}",
        "https://example.com/x?token={{token}}",
        "https://example.com/x?monkey=4&a=b",
        "http://127.0.0.1:3000/a@b",
        "http://127.0.0.1:3000/webhook",
        "agt_0123456789abcdef0123",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert masked(text) == text


def test_headers_that_carry_credentials_show_their_names_only() -> None:
    headers = {"X-Api-Key": "hunter2", "cookie": "a=b", "X-Who": "Ann", "Authorization": "Bearer {{token}}"}
    assert masked_headers(headers) == {**headers, "X-Api-Key": HIDDEN, "cookie": HIDDEN}


def test_tools_are_masked_wherever_they_stand() -> None:
    tool = {"name": "t", "url": "http://a.test/?key=x", "headers": {"X-Token": "x", "X-No": None}, "n": [1, None]}
    hidden = {**tool, "url": "http://a.test/?key=***", "headers": {"X-Token": HIDDEN, "X-No": None}}
    assert masked_tools({"customTools": [tool], "headers": None}) == {"customTools": [hidden], "headers": None}


@given(st.text(max_size=200))
def test_nothing_is_masked_twice(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@given(st.text(alphabet="abcdef0123456789_-ABC", min_size=8, max_size=40), st.text(max_size=20))
def test_a_key_is_never_whole_whatever_stands_around_it(rest: str, around: str) -> None:
    key = f"sk_live_{rest}"
    assert key not in masked(f"{around} {key} {around}")


words = st.sampled_from(
    [
        "sk",
        "SK",
        "\u017fk",
        "p\u212a",
        "rk",
        "whsec",
        "_",
        "-",
        "live",
        "Bearer",
        "BEARER ",
        "://",
        "a:b@",
        "?key=",
        "&Token=",
    ]
)


@given(st.lists(words | st.text("abcAK \u017f\u212a0129", max_size=8), max_size=12).map("".join))
def test_no_credential_is_without_a_hint(text: str) -> None:
    found = masking._CREDENTIAL.search(text)
    assert (masked(text) != text) is (found is not None and found[0] != f"{found[found.lastgroup or 0]}{HIDDEN}")
