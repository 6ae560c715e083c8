from __future__ import annotations

import pytest

from simulator.errors import Forbidden, Unauthorized
from simulator.serving.gate import Gate, bearer, unknown_key


def passes(value: str, *allowed: str) -> bool:
    """Whether the gate lets it through, twice: the second time from memory. What has a scheme is an `Origin`."""
    gate, header = Gate(allowed), "Origin" if "://" in value else "Host"
    try:
        gate.check(header, value.encode("latin-1"))
        gate.check(header, value.encode("latin-1"))
    except Forbidden as error:
        assert "--allow-origin" in error.detail
        return False
    return True


@pytest.mark.parametrize(
    "value",
    [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:8787",
        "127.8.9.10",
        "[::1]",
        "[::1]:80",
        "http://localhost:3000",
        "https://127.0.0.1",
    ],
)
def test_loopback_is_ours(value: str) -> None:
    assert passes(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "null",
        "evil.test",
        "testserver",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "evil.test/127.0.0.1",
        "127.0.0.1@evil.test",
        "http://localhost@evil.test",
        "http://evil.test#localhost",
        "192.168.0.1",
        "0.0.0.0:8787",
        "[::2]",
        "[::1",
        "localhost:port",
        "127.0.0.1/",
        "localhost.",
        "127.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "user@localhost",
        "127.0.0.1, evil.test",
        "file://",
        "file://localhost",
        "moz-extension://localhost",
        "http://localhost/",
    ],
)
def test_anything_else_is_refused(value: str) -> None:
    assert not passes(value)


@pytest.mark.parametrize(
    ("allowed", "value", "expected"),
    [
        ("box.test", "box.test", True),
        ("box.test", "BOX.test:8787", True),
        ("box.test", "https://box.test", True),
        ("box.test", "sub.box.test", False),
        ("box.test:8787", "box.test:8787", True),
        ("box.test:8787", "box.test:80", False),
        ("https://box.test", "https://box.test", True),
        ("https://box.test", "http://box.test", False),
        ("https://box.test", "box.test:8787", True),
        ("*", "anything at all", True),
    ],
)
def test_a_value_named_by_the_user_passes(allowed: str, value: str, expected: bool) -> None:
    assert passes(value, allowed) is expected


@pytest.mark.parametrize(
    ("header", "value"), [("Host", "http://127.0.0.1"), ("Origin", "127.0.0.1"), ("Origin", "null")]
)
def test_a_header_has_its_own_shape(header: str, value: str) -> None:
    with pytest.raises(Forbidden, match=header):
        Gate(()).check(header, value.encode())


def test_the_values_that_passed_are_remembered_up_to_a_bound() -> None:
    gate = Gate(())
    for port in range(1, 1000):
        gate.check("Host", f"localhost:{port}".encode())
    assert len(gate._ours) <= 256


@pytest.mark.parametrize("header", [b"Bearer key", b"bearer key", b"BEARER   key  ", b" Bearer key"])
def test_the_key_follows_the_scheme(header: bytes) -> None:
    assert bearer(header) == "key"


@pytest.mark.parametrize("header", [None, b"", b"Bearer", b"Bearer ", b"Bearer  ", b"Basic a2V5", b"key"])
def test_without_a_key_the_answer_names_the_header(header: bytes | None) -> None:
    with pytest.raises(Unauthorized, match="Bearer") as refused:
        bearer(header)
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("key", ["sk_live_very_secret_indeed", "short", "k", "12345678"])
def test_an_unknown_key_is_never_shown_whole(key: str) -> None:
    detail = unknown_key(key).detail
    assert f"{key!r}" not in detail
    assert repr(key[: min(8, len(key) // 2)]) in detail
