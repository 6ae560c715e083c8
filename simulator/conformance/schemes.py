"""Ways to sign a webhook, as data: the contract's, and what a handler may expect instead. Pure functions, no I/O.

A signature is made in steps: of the body its form, with the timestamp its content, by the key its digest, then written.
Each step is a field of `Scheme`, so that a wrong way differs from the contract only where somebody was mistaken.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from simulator.conformance.events import compact

ID: Final = "X-Webhook-ID"
EVENT: Final = "X-Webhook-Event"
TIMESTAMP: Final = "X-Webhook-Timestamp"
SIGNATURE: Final = "X-Webhook-Signature"
SECRET_PREFIX: Final = "whsec_"

Key = Callable[[str], bytes]  # from the secret
Form = Callable[[bytes], bytes]  # from the body as it is sent
Content = Callable[[str, str, bytes], bytes]  # from the timestamp, the delivery id, and a form of the body
Written = Callable[[bytes], str]  # from the digest


# -- keys ------------------------------------------------------------------------------------------------------------


def whole(secret: str) -> bytes:
    """The secret as it was handed out."""
    return secret.encode("utf-8", "surrogatepass")


def stripped(secret: str) -> bytes:
    """The secret without its prefix."""
    return whole(secret.removeprefix(SECRET_PREFIX))


def decoded(secret: str) -> bytes:
    """What follows the prefix, read as base64; other characters are passed over, as lenient decoders do."""
    text = re.sub(r"[^A-Za-z0-9+/]", "", secret.removeprefix(SECRET_PREFIX).translate(URL_SAFE))
    if len(text) % 4 == 1:
        text = text[:-1]
    return base64.b64decode(text + "=" * (-len(text) % 4))


URL_SAFE: Final = str.maketrans("-_", "+/")


def always(text: str) -> Key:
    """The same key, whatever the secret is."""
    return lambda _secret: text.encode()


def around(before: str, after: str) -> Key:
    """The secret with something that clings to it."""
    return lambda secret: before.encode() + whole(secret) + after.encode()


# -- forms of the body -------------------------------------------------------------------------------------------------


def as_sent(body: bytes) -> bytes:
    """The bytes that are on the wire."""
    return body


def parsed_and_written(body: bytes, write: Callable[[Any], bytes]) -> bytes:
    """The body, read as JSON and written again; what is no JSON stays as it is."""
    try:
        return write(json.loads(body))
    except (ValueError, RecursionError):
        return body


def compact_json(body: bytes) -> bytes:
    """As `JSON.stringify` writes it."""
    return parsed_and_written(body, compact)


def python_json(body: bytes) -> bytes:
    """As `json.dumps` writes it: a blank after each comma and colon, and only ASCII."""
    return parsed_and_written(body, lambda value: json.dumps(value).encode())


def sorted_json(body: bytes) -> bytes:
    """As `json.dumps` writes it with sorted keys."""
    return parsed_and_written(body, lambda value: json.dumps(value, sort_keys=True).encode())


def compact_sorted_json(body: bytes) -> bytes:
    """Sorted keys, and nothing between the tokens."""
    return parsed_and_written(body, lambda value: json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


# -- contents ----------------------------------------------------------------------------------------------------------


def timestamp_dot_body(timestamp: str, _id: str, body: bytes) -> bytes:
    """The contract's."""
    return b"%s.%s" % (timestamp.encode(), body)


def body_alone(_timestamp: str, _id: str, body: bytes) -> bytes:
    """The oldest documentation's: the time of signing is not covered."""
    return body


def id_timestamp_body(timestamp: str, delivery_id: str, body: bytes) -> bytes:
    """Standard Webhooks'."""
    return b"%s.%s.%s" % (delivery_id.encode(), timestamp.encode(), body)


def timestamp_and_body(timestamp: str, _id: str, body: bytes) -> bytes:
    """Nothing between the two."""
    return timestamp.encode() + body


def timestamp_colon_body(timestamp: str, _id: str, body: bytes) -> bytes:
    """A colon between the two."""
    return b"%s:%s" % (timestamp.encode(), body)


def slack_content(timestamp: str, _id: str, body: bytes) -> bytes:
    """Slack's, with the version in front."""
    return b"v0:%s:%s" % (timestamp.encode(), body)


# -- how a digest is written -------------------------------------------------------------------------------------------


def lower_hex(digest: bytes) -> str:
    """Hexadecimal, as the contract has it."""
    return digest.hex()


def upper_hex(digest: bytes) -> str:
    """Hexadecimal in capitals."""
    return digest.hex().upper()


def in_base64(digest: bytes) -> str:
    """Base64, padded."""
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way to sign; the defaults are the contract's. `mistake` says what somebody did who expects it, "" for that.

    `signature_header` is None where nothing is signed. `prefix` may name the timestamp as "{timestamp}".
    """

    name: str
    mistake: str = ""
    mend: str = ""
    key: Key = whole
    form: Form = as_sent
    content: Content = timestamp_dot_body
    digest: str = "sha256"
    written: Written = lower_hex
    prefix: str = "sha256="
    per_second: int = 1  # units of the timestamp
    signature_header: str | None = SIGNATURE
    timestamp_headers: tuple[str, ...] = (TIMESTAMP,)
    id_headers: tuple[str, ...] = ()  # besides X-Webhook-ID, which every request has

    @property
    def signs(self) -> bool:
        """Whether there is a signature at all."""
        return self.signature_header is not None

    def prove(self, secret: str, at: int | str, body: bytes, delivery_id: str = "") -> dict[str, str]:
        """The headers that prove where a request comes from. `at`: unix seconds, or the timestamp as it is written."""
        stamp = at if isinstance(at, str) else str(at * self.per_second)
        headers = dict.fromkeys(self.id_headers, delivery_id) | dict.fromkeys(self.timestamp_headers, stamp)
        if self.signature_header is not None:
            content = self.content(stamp, delivery_id, self.form(body))
            digest = hmac.digest(self.key(secret), content, self.digest)
            headers[self.signature_header] = self.prefix.replace("{timestamp}", stamp) + self.written(digest)
        return headers

    def forged(self, change: Callable[[str], str]) -> Scheme:
        """The same way of signing, with something done to every digest after it was written."""
        return replace(self, written=lambda digest: change(self.written(digest)))


CONTRACT: Final = Scheme(name="contract")


def spoilt(digest: str) -> str:
    """A written digest of which one character is another."""
    place = len(digest) // 2
    return digest[:place] + ("1" if digest[place] == "0" else "0") + digest[place + 1 :]
