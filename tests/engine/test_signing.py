from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulator.engine.signing import TOLERANCE, sign, verify

SECRET = "whsec_kf83hs0d"
BODY = b'{"event":"agent.message"}'
AT = 1_767_625_200


def test_the_timestamp_and_the_body_are_signed_with_the_whole_secret() -> None:
    by_hand = hmac.new(b"whsec_kf83hs0d", b'1767625200.{"event":"agent.message"}', hashlib.sha256).hexdigest()
    assert sign(SECRET, AT, BODY) == f"sha256={by_hand}"


def test_the_oldest_content_is_the_body_alone() -> None:
    by_hand = hmac.new(b"whsec_kf83hs0d", BODY, hashlib.sha256).hexdigest()
    assert sign(SECRET, AT, BODY, content="body") == f"sha256={by_hand}"


def test_an_unknown_content_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="timestamp_body or body"):
        sign(SECRET, AT, BODY, content="svix")


def test_a_timestamp_may_be_a_number_or_a_header() -> None:
    assert sign(SECRET, AT, BODY) == sign(SECRET, str(AT), BODY)
    assert verify(SECRET, str(AT), BODY, sign(SECRET, AT, BODY))


@pytest.mark.parametrize("age", [-TOLERANCE, -1, 0, 1, TOLERANCE])
def test_a_request_within_the_tolerance_is_fresh(age: int) -> None:
    assert verify(SECRET, AT, BODY, sign(SECRET, AT, BODY), now=AT + age)


@pytest.mark.parametrize("age", [-TOLERANCE - 1, TOLERANCE + 0.5, 10**9])
def test_a_request_outside_the_tolerance_is_a_replay(age: float) -> None:
    signature = sign(SECRET, AT, BODY)
    assert not verify(SECRET, AT, BODY, signature, now=AT + age)
    assert verify(SECRET, AT, BODY, signature, now=AT + age, tolerance=abs(age))
    assert verify(SECRET, AT, BODY, signature)


@pytest.mark.parametrize("timestamp", ["", "abc", "1_767_625_200", " 1767625200", "1767625200.0", "-5", "1" * 30, "١"])
def test_a_timestamp_that_is_no_plain_number_is_not_genuine(timestamp: str) -> None:
    assert not verify(SECRET, timestamp, BODY, sign(SECRET, timestamp, BODY), now=AT)
    assert not verify(SECRET, timestamp, BODY, sign(SECRET, timestamp, BODY))


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=abc", "ключ", "\udcff", "sha256=" + "0" * 64])
def test_a_signature_that_we_did_not_make_is_not_genuine(signature: str) -> None:
    assert not verify(SECRET, AT, BODY, signature, now=AT)


def test_the_scheme_and_the_case_of_the_digits_matter() -> None:
    signature = sign(SECRET, AT, BODY)
    assert not verify(SECRET, AT, BODY, signature.removeprefix("sha256="))
    assert not verify(SECRET, AT, BODY, signature.upper())


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 2**40), st.binary())
def test_what_is_signed_is_genuine_under_both_contents(secret: str, timestamp: int, body: bytes) -> None:
    for content in ("timestamp_body", "body"):
        signature = sign(secret, timestamp, body, content=content)
        assert verify(secret, timestamp, body, signature, now=timestamp, content=content)


@given(st.binary(min_size=1), st.data())
def test_a_changed_byte_is_noticed(body: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]
    assert not verify(SECRET, AT, changed, sign(SECRET, AT, body))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_another_secret_is_noticed(other: str) -> None:
    assume(other != SECRET)
    assert not verify(other, AT, BODY, sign(SECRET, AT, BODY))


def test_another_timestamp_is_noticed_unless_only_the_body_is_signed() -> None:
    assert not verify(SECRET, AT + 1, BODY, sign(SECRET, AT, BODY))
    assert verify(SECRET, AT + 1, BODY, sign(SECRET, AT, BODY, content="body"), content="body")
