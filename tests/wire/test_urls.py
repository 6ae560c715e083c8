from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import BadRequest
from simulator.wire.urls import webhook_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hook?x=1&y=%20",
        "http://127.0.0.1:9000/webhook",
        "http://localhost",
        "http://[::1]:8080/",
        "http://my_service:80/hook",
        "HTTP://EXAMPLE.COM/",
        "https://bücher.example/ü",
        "http://example.com.",
    ],
)
def test_http_addresses_are_accepted_as_they_are(url: str) -> None:
    assert webhook_url(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "should start with"),
        ("example.com/hook", "should start with"),
        ("ftp://example.com", "should start with"),
        ("javascript:alert(1)", "should start with"),
        ("//example.com", "should start with"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("http://:80/", "names no host"),
        ("http://a..b/", "names no host"),
        ("http://a b/", "white space"),
        ("http://a.test/\r\nX: y", "control"),
        ("http://a.test/\x00", "control"),
        ("http://a.test\\@b.test", "backslash"),
        ("http://user:pass@a.test/", "password"),
        ("http://user@a.test/", "user name"),
        ("http://a.test/#top", "fragment"),
        ("http://a.test:0/", "names no host"),
        ("http://a.test:99999/", "ort"),
        ("http://a.test:port/", "ort"),
        ("http://[::1/", "IPv6"),
        ("http://" + "a" * 64 + ".test/", "names no host"),
        ("http://a.test/" + "x" * 2048, "longer"),
    ],
)
def test_a_bad_address_is_a_coded_refusal_that_says_why(url: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason) as refused:
        webhook_url(url)
    assert (refused.value.code, refused.value.type) == ("VALIDATION_ERROR_URL", "validation_error")
    assert len(refused.value.detail) < 500


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://a.test:", "http://["]))
def test_no_text_does_anything_else(text: str, start: str) -> None:
    try:
        assert webhook_url(start + text) == start + text
    except BadRequest as error:
        assert error.code == "VALIDATION_ERROR_URL"
