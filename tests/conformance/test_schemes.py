from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.conformance.mistakes import DIALECTS, MISTAKES, UNSIGNED, pairs, scheme_with, singles
from simulator.conformance.schemes import (
    CONTRACT,
    SIGNATURE,
    TIMESTAMP,
    Scheme,
    always,
    compact_json,
    decoded,
    python_json,
    spoilt,
)
from simulator.engine.signing import sign

SECRET = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw"  # "secret-of-the-tests" after the prefix, unpadded
AT = 1_767_625_200
BODY = '{"event":"agent.message","data":{"z":1,"a":"ü"}}'.encode()
ID = "del_msg_1_num_2"
STAMPED = b"1767625200." + BODY


def sha256(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def by_contract(key: bytes, content: bytes) -> str:
    return "sha256=" + sha256(key, content).hex()


WHOLE = SECRET.encode()
PYTHON = rb'{"event": "agent.message", "data": {"z": 1, "a": "\u00fc"}}'
SORTED = rb'{"data": {"a": "\u00fc", "z": 1}, "event": "agent.message"}'
COMPACT_SORTED = rb'{"data":{"a":"\u00fc","z":1},"event":"agent.message"}'
RIGHT = by_contract(WHOLE, STAMPED)
SVIX = "v1," + base64.b64encode(sha256(b"secret-of-the-tests", b"del_msg_1_num_2." + STAMPED)).decode()
VECTORS: dict[str, dict[str, str]] = {
    "body only": {SIGNATURE: by_contract(WHOLE, BODY)},
    "re-serialised JSON": {SIGNATURE: by_contract(WHOLE, b"1767625200." + PYTHON)},
    "re-serialised sorted JSON": {SIGNATURE: by_contract(WHOLE, b"1767625200." + SORTED)},
    "re-serialised compact sorted JSON": {SIGNATURE: by_contract(WHOLE, b"1767625200." + COMPACT_SORTED)},
    "secret without whsec_": {SIGNATURE: by_contract(b"c2VjcmV0LW9mLXRoZS10ZXN0cw", STAMPED)},
    "base64-decoded secret": {SIGNATURE: by_contract(b"secret-of-the-tests", STAMPED)},
    "empty secret": {SIGNATURE: by_contract(b"", STAMPED)},
    "secret None": {SIGNATURE: by_contract(b"None", STAMPED)},
    "secret undefined": {SIGNATURE: by_contract(b"undefined", STAMPED)},
    "secret and newline": {SIGNATURE: by_contract(WHOLE + b"\n", STAMPED)},
    "quoted secret": {SIGNATURE: by_contract(b'"' + WHOLE + b'"', STAMPED)},
    "base64 digest": {SIGNATURE: base64.b64encode(sha256(WHOLE, STAMPED)).decode()},
    "base64 digest after sha256=": {SIGNATURE: "sha256=" + base64.b64encode(sha256(WHOLE, STAMPED)).decode()},
    "no sha256=": {SIGNATURE: sha256(WHOLE, STAMPED).hex()},
    "upper-case digest": {SIGNATURE: "sha256=" + sha256(WHOLE, STAMPED).hex().upper()},
    "prefix v1=": {SIGNATURE: "v1=" + sha256(WHOLE, STAMPED).hex()},
    "milliseconds": {SIGNATURE: by_contract(WHOLE, b"1767625200000." + BODY), TIMESTAMP: "1767625200000"},
    "no dot": {SIGNATURE: by_contract(WHOLE, b"1767625200" + BODY)},
    "colon": {SIGNATURE: by_contract(WHOLE, b"1767625200:" + BODY)},
    "delivery id signed": {SIGNATURE: by_contract(WHOLE, b"del_msg_1_num_2." + STAMPED)},
    "SHA-1": {SIGNATURE: "sha1=" + hmac.new(WHOLE, STAMPED, hashlib.sha1).hexdigest()},
    "SHA-512": {SIGNATURE: "sha512=" + hmac.new(WHOLE, STAMPED, hashlib.sha512).hexdigest()},
    "header X-Signature": {"X-Signature": RIGHT, "X-Timestamp": str(AT)},
    "header X-AgentPhone-Signature": {"X-AgentPhone-Signature": RIGHT, "X-AgentPhone-Timestamp": str(AT)},
    "header X-Hub-Signature-256": {"X-Hub-Signature-256": RIGHT},
    "header Webhook-Signature": {"Webhook-Signature": RIGHT, "Webhook-Timestamp": str(AT)},
    "Svix": {"svix-signature": SVIX, "svix-timestamp": str(AT), "svix-id": ID},
    "Standard Webhooks": {"webhook-signature": SVIX, "webhook-timestamp": str(AT), "webhook-id": ID},
    "Stripe": {"Stripe-Signature": f"t={AT},v1={sha256(WHOLE, STAMPED).hex()}"},
    "Stripe's form": {SIGNATURE: f"t={AT},v1={sha256(WHOLE, STAMPED).hex()}"},
    "Slack": {
        "X-Slack-Signature": "v0=" + sha256(WHOLE, b"v0:1767625200:" + BODY).hex(),
        "X-Slack-Request-Timestamp": str(AT),
    },
}
ALL = {scheme.name: scheme for scheme in singles()}

# HMAC fills keys up with zero bytes, so that a key of nothing else is the same as an empty one.
keys = st.binary(min_size=9, max_size=24).filter(any)
secrets = keys.map(lambda raw: "whsec_" + base64.b64encode(raw).decode().rstrip("="))
texts = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
# Two keys that are not in order, so that every way to write JSON is another one.
bodies = texts.map(lambda said: json.dumps({"z": said, "a": [1, 2]}, separators=(",", ":")).encode())
moments = st.integers(1, 2**33)


def test_every_scheme_has_a_vector() -> None:
    assert VECTORS.keys() == ALL.keys()


@pytest.mark.parametrize("name", VECTORS)
def test_a_scheme_signs_as_its_name_says(name: str) -> None:
    headers = ALL[name].prove(SECRET, AT, BODY, ID)
    expected = {TIMESTAMP: str(AT)} | VECTORS[name]
    assert headers == expected


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**40), st.binary())
def test_the_contract_is_what_the_platform_signs(secret: str, at: int, body: bytes) -> None:
    assert CONTRACT.prove(secret, at, body) == {TIMESTAMP: str(at), SIGNATURE: sign(secret, at, body)}


@given(secrets, moments, bodies)
def test_no_two_schemes_agree(secret: str, at: int, body: bytes) -> None:
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for scheme in (CONTRACT, *singles(), UNSIGNED):
        proof = tuple(sorted(scheme.prove(secret, at, body, ID).items()))
        assert seen.setdefault(proof, scheme.name) == scheme.name


@settings(max_examples=20)
@given(secrets, moments, bodies)
def test_a_pair_of_mistakes_is_neither_of_them(secret: str, at: int, body: bytes) -> None:
    alone = [scheme.prove(secret, at, body, ID) for scheme in (CONTRACT, *singles())]
    assert all(pair.prove(secret, at, body, ID) not in alone for pair in pairs())


@given(moments, bodies)
def test_schemes_about_the_prefix_agree_where_there_is_none(at: int, body: bytes) -> None:
    assert ALL["secret without whsec_"].prove("plain", at, body) == CONTRACT.prove("plain", at, body)


@given(secrets, moments, st.binary())
def test_what_is_no_json_is_signed_as_it_is(secret: str, at: int, body: bytes) -> None:
    try:
        json.loads(body)
    except ValueError:
        assert ALL["re-serialised JSON"].prove(secret, at, body) == CONTRACT.prove(secret, at, body)
    else:
        assume(False)


def test_two_mistakes_in_one_scheme_are_both_named() -> None:
    both = next(scheme for scheme in pairs() if scheme.name == "body only + header X-Hub-Signature-256")
    assert both.prove(SECRET, AT, BODY) == {"X-Hub-Signature-256": by_contract(WHOLE, BODY), TIMESTAMP: str(AT)}
    assert "body alone" in both.mistake
    assert "X-Hub-Signature-256" in both.mistake
    assert "raw body" in both.mend
    assert "X-Webhook-Signature" in both.mend


def test_pairs_are_those_that_change_different_things() -> None:
    apart = [(one, two) for one, two in combinations(MISTAKES, 2) if not one.changes.keys() & two.changes.keys()]
    assert {scheme.name for scheme in pairs()} == {f"{one.name} + {two.name}" for one, two in apart}


def test_every_mistake_says_what_it_is_and_how_to_mend_it() -> None:
    for scheme in chain(singles(), pairs(), [UNSIGNED]):
        assert scheme.mistake.startswith("The handler ")
        assert scheme.mistake.endswith(".")
        assert len(scheme.mend) > 10
    assert len({mistake.name for mistake in (*MISTAKES, *DIALECTS)}) == len(MISTAKES) + len(DIALECTS)


def test_a_timestamp_in_words_is_signed_as_it_is_written() -> None:
    for stamp in ("", "NaN", "undefined"):
        headers = scheme_with(MISTAKES[0]).prove(SECRET, stamp, BODY) | CONTRACT.prove(SECRET, stamp, BODY)
        assert headers == {TIMESTAMP: stamp, SIGNATURE: by_contract(WHOLE, stamp.encode() + b"." + BODY)}


@pytest.mark.parametrize("length", range(1, 12))
def test_a_secret_of_any_length_can_be_decoded(length: int) -> None:
    encoded = base64.urlsafe_b64encode(bytes(range(250, 250 - length, -1))).decode().rstrip("=")
    assert decoded("whsec_" + encoded) == bytes(range(250, 250 - length, -1))
    assert decoded(f"whsec_{encoded[:2]} {encoded[2:]}=") == decoded("whsec_" + encoded)
    assert isinstance(decoded("whsec_" + "A" * length), bytes)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_a_spoilt_digest_is_another_one_of_the_same_length(digest: str) -> None:
    wrong = spoilt(digest)
    assert len(wrong) == len(digest)
    assert sum(one != other for one, other in zip(wrong, digest, strict=True)) == 1


@pytest.mark.parametrize("change", [spoilt, str.upper, lambda digest: digest[:32], lambda digest: digest + "00"])
def test_a_forged_scheme_changes_the_digest_and_nothing_else(change: Callable[[str], str]) -> None:
    right, wrong = CONTRACT.prove(SECRET, AT, BODY), CONTRACT.forged(change).prove(SECRET, AT, BODY)
    assert wrong == right | {SIGNATURE: "sha256=" + change(right[SIGNATURE].removeprefix("sha256="))}
    assert wrong != right


def test_nothing_is_signed_without_a_header_for_it() -> None:
    assert UNSIGNED.prove(SECRET, AT, BODY) == {TIMESTAMP: str(AT)}


def test_forms_of_json_are_what_serialisers_write() -> None:
    body = b'{ "b" : [1.0, "\\u00fc"],\n"a":null}'
    assert compact_json(body) == '{"b":[1.0,"ü"],"a":null}'.encode()
    assert python_json(body) == rb'{"b": [1.0, "\u00fc"], "a": null}'
    deep = b"[" * 100_000
    assert python_json(deep) == deep


def test_a_key_may_have_nothing_to_do_with_the_secret() -> None:
    scheme: Scheme = replace(CONTRACT, key=always("x"))
    assert scheme.prove("one", AT, BODY) == scheme.prove("two", AT, BODY)
