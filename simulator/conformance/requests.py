"""From an event to the request that carries it, headers and signature as the platform makes them."""

from __future__ import annotations

from simulator.conformance.exchange import Request
from simulator.conformance.schemes import EVENT, ID, Scheme
from simulator.runtime.deliver import USER_AGENT


def request(scheme: Scheme, secret: str, delivery_id: str, name: str, raw: bytes, at: int | str) -> Request:
    """Make one. `at` is the moment of signing in unix seconds, or the timestamp as it is written."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        ID: delivery_id,
        EVENT: name,
        **scheme.prove(secret, at, raw, delivery_id),
    }
    return Request(headers, raw)
