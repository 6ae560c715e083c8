from __future__ import annotations

import pytest

from simulator.conformance.address import read_address
from simulator.errors import UsageError
from simulator.runtime.hosts import allowed


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("http://127.0.0.1:3000/webhook", "127.0.0.1"),
        (" https://Acme.example/hook ", "acme.example"),
        ("http://[::1]:3000/", "::1"),
        ("http://localhost:3000/webhook?agent=7", "localhost"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
    ],
)
def test_whoever_names_a_host_may_send_there(typed: str, host: str) -> None:
    address = read_address(typed)
    assert (address.host, address.url) == (host, typed.strip())
    assert allowed(address.url, (address.host,)) is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is no URL"),
        ("nonsense", "is no URL"),
        ("localhost:3000", "is no URL"),
        ("ftp://127.0.0.1/", "is no URL"),
        ("http:///webhook", "is no URL"),
        ("http://[::1/", "is no URL"),
        ("http://127.0.0.1:99999/", "is no URL"),
        ("http://me:pass@127.0.0.1/", "a user or a password"),
        ("http://@127.0.0.1/", "a user or a password"),
        ("http://127.0.0.1/#top", "has a fragment"),
        ("http://127.0.0.1/#", "has a fragment"),
        ("http://2130706433/", "no plain IPv4 address"),
    ],
)
def test_what_cannot_be_sent_to_is_refused_in_one_line(typed: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        read_address(typed)
    assert "\n" not in str(refused.value)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        read_address("http://me:hunter2@127.0.0.1/")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [("http://127.0.0.1/a", "http://127.0.0.1/a"), ("http://127.0.0.1/a?token=x", "http://127.0.0.1/a?…")],
)
def test_a_query_which_may_hold_a_token_is_not_shown(url: str, shown: str) -> None:
    address = read_address(url)
    assert (address.shown, address.private) == (shown, shown != url)
