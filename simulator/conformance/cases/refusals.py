"""What the cases of group 1 share: requests that are wrong in one respect only, and refusals that prove something.

A handler that expects another way of signing refuses everything that the contract says, so its refusals say nothing.
Therefore what must be refused is made of what the handler does take, which the doctor has found out.
"""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.requests import request
from simulator.conformance.schemes import CONTRACT, Scheme
from simulator.conformance.verdicts import Level

STALE: Final = 600.0  # seconds; twice what is allowed
ALL_REFUSED: Final = "the handler refuses good deliveries too (see case 1.1), so a refusal proves nothing"
UNKNOWN: Final = (
    "the handler's secret is not known, so it has to refuse whatever we send: give --secret or --secret-file"
)
ONLY_UNSIGNED: Final = "the handler takes only what is not signed (see case 1.4), so a refusal proves nothing"
TURNS_REFUSED: Final = "the handler refuses good events of this kind too, so a refusal proves nothing"


def taken(bench: Bench) -> Scheme:
    """The way of signing that the handler takes; the contract's where it takes none."""
    return bench.session.scheme if bench.session.scheme.signs else CONTRACT


def needs_taking(bench: Bench) -> None:
    """Skip a case about good deliveries that would only repeat case 1.1."""
    if not bench.session.accepts:
        bench.skip("the handler takes no event at all: see case 1.1")
    if not bench.session.scheme.signs:
        bench.skip(ONLY_UNSIGNED)


def needs_proof(bench: Bench) -> None:
    """Skip a case about refusals where whatever is signed is refused."""
    if not bench.session.accepts:
        bench.skip(ALL_REFUSED if bench.session.secret_known else UNKNOWN)
    if not bench.session.scheme.signs:
        bench.skip(ONLY_UNSIGNED)


def stamped(bench: Bench, event: Event, stamp: str, scheme: Scheme | None = None, note: str = "") -> Request:
    """A request that is signed with a timestamp as it is written here, whatever that is."""
    made = request(scheme or taken(bench), bench.session.secret, event.id, event.name, event.raw, stamp)
    return made.but(note=note)


def now(bench: Bench) -> int:
    """Unix seconds."""
    return int(bench.session.wall())


def again(event: Event, number: int) -> Event:
    """The same payload as one more delivery: cheaper than another call, whose turn would hold the platform's clock."""
    return event.renamed(f"{event.id}_{number}")


async def refuses(
    bench: Bench, *wrong: Request, level: Level = Level.MUST, control: Request | None = None
) -> list[Exchange]:
    """Send what has to be refused, each for what its note says.

    `control` is a good request of the same kind. If that is refused too, or any good one is, the case is skipped.
    """
    exchanges = [await bench.send(each) for each in wrong]
    held = [bench.refused(exchange, level, exchange.request.note or "the request") for exchange in exchanges]
    if not all(held):
        return exchanges
    needs_proof(bench)
    if control is not None:
        status = (await bench.send(control, until=lambda exchange: exchange.status is not None)).status
        if not 200 <= (status or 0) <= 299:
            bench.skip(TURNS_REFUSED)
    return exchanges
