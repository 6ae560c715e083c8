"""The signature on every webhook request: bytes in, text out, nothing else.

The key is the whole endpoint secret, prefix included, as UTF-8: it is never base64-decoded.
"""

from __future__ import annotations

import hmac
from typing import Final

TOLERANCE: Final = 300  # seconds either side; what the official SDK accepts by default


def sign(secret: str, timestamp: int | str, body: bytes, *, content: str = "timestamp_body") -> str:
    """Make the value of `X-Webhook-Signature`.

    `content` is the value of the policy `signature_content`: `timestamp_body` signs "{timestamp}." and then the body,
    `body` signs the body alone, as the oldest documentation has it.
    """
    if content == "timestamp_body":
        body = b"%s.%s" % (str(timestamp).encode(), body)
    elif content != "body":
        raise ValueError(f"cannot sign {content!r}: the signed content is timestamp_body or body")
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def verify(
    secret: str,
    timestamp: int | str,
    body: bytes,
    signature: str,
    now: float | None = None,
    tolerance: float = TOLERANCE,
    *,
    content: str = "timestamp_body",
) -> bool:
    """Say whether a request is genuine and, when `now` (unix seconds) is given, fresh.

    `timestamp` and `signature` may be header values straight off the wire, whatever they hold: anything that is not
    what we would have sent is False, never an error.
    """
    sent_at = _seconds(timestamp)
    if sent_at is None:
        return False
    expected = sign(secret, timestamp, body, content=content).encode()
    if not hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass")):
        return False
    return now is None or abs(now - sent_at) <= tolerance


def _seconds(timestamp: int | str) -> int | None:
    """Read a header's unix seconds; only plain decimal digits count (int() would also take "1_0" and " 10")."""
    text = str(timestamp)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None
