"""Ways to sign a webhook: the contract's, and the wrong ones that handlers are known to expect. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.engine.signing import sign

ID: Final = "X-Webhook-ID"
EVENT: Final = "X-Webhook-Event"
TIMESTAMP: Final = "X-Webhook-Timestamp"
SIGNATURE: Final = "X-Webhook-Signature"

# From secret, unix seconds and body to the headers that prove where a request comes from.
Prove = Callable[[str, int, bytes], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to sign. `mistake` says what somebody did who expects it; "" for the contract's own."""

    name: str
    prove: Prove
    mistake: str = ""
    mend: str = ""


def by_contract(secret: str, at: int, body: bytes) -> Mapping[str, str]:
    """The contract: hex HMAC-SHA256 of "{timestamp}." and the raw body, by the whole secret."""
    return {TIMESTAMP: str(at), SIGNATURE: sign(secret, at, body)}


CONTRACT: Final = Scheme("contract", by_contract)
