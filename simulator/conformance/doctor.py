"""The signature doctor: which mistake a handler makes that rejects a good delivery, or accepts a bad one."""

from __future__ import annotations

from simulator.conformance.results import Diagnosis
from simulator.conformance.schemes import Scheme
from simulator.conformance.session import Session


async def diagnose(session: Session) -> tuple[Diagnosis, Scheme | None] | None:
    """See what the handler takes. None: what the contract says. The scheme is None when it takes nothing known."""
    event = await session.platform.text()
    exchange = await session.prober.send(session.request_for(event.id, event.name, event.raw))
    if exchange.ok:
        return None
    return Diagnosis(mistake=f"a good delivery is answered with {exchange}", scheme=""), None
