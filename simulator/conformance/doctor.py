"""The signature doctor: which mistake a handler makes that rejects a good delivery.

`look` is asked before the first case. It sends a good text; if that is not taken it tries the ways of signing that
handlers are known to expect, and the first that is taken is the one that the rest of the examination goes on with.
What a handler takes that it should not is known only afterwards: see `symptoms`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from simulator.conformance.events import Event
from simulator.conformance.exchange import Ending, Exchange
from simulator.conformance.mistakes import UNKEYED, UNSIGNED, pairs, scheme_with, singles
from simulator.conformance.requests import request
from simulator.conformance.results import Diagnosis
from simulator.conformance.schemes import CONTRACT, Scheme, spoilt
from simulator.conformance.session import Session

LONGEST: Final = 20.0  # seconds of the loop's time that schemes are tried
REFUSALS: Final = (400, 401, 403)
BUSY: Final = 429
REDIRECTS: Final = range(300, 400)

# Answers that say nothing about signatures, and what they say.
PLACES: Final = {
    404: ("The handler answers 404: is the path right?", "Give the URL that the webhook is served at, path and all."),
    405: ("The handler answers 405: it takes no POST at this path.", "Serve the webhook with POST."),
    410: ("The handler answers 410: it says that it is gone.", "Give the URL that the webhook is served at."),
    BUSY: ("The handler answers 429: it limits how fast it is asked.", "Do not limit the platform's requests."),
}
OTHER_SECRET: Final = "The handler refuses a correctly signed delivery, and whatever else is known to be expected."
GIVE_SECRET: Final = (
    "Most likely it has another secret than the one given here: compare the two, and restart the handler "
    "after a change."
)
UNSIGNED_TOO: Final = "The handler takes requests without a signature, and refuses correctly signed ones."
NOT_KNOWN: Final = "Its secret is not known here, so that it has to: give it with --secret or --secret-file."
LOOK: Final = "See what the handler's own log says."


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor saw. `scheme` is what the handler takes; None when it is nothing known."""

    scheme: Scheme | None
    diagnosis: Diagnosis | None = None  # None: it takes what the contract says


async def look(session: Session) -> Finding:
    """See what a handler takes."""
    good = await _send(session, CONTRACT)
    if good.ok:
        return Finding(CONTRACT)
    told = f"signed as the contract says: {good}"
    reason = _reason(good, session)
    if reason is not None:
        return Finding(None, Diagnosis(mistake=reason[0], mend=reason[1], scheme="", evidence=(told,)))
    wrong = await _send(session, CONTRACT.forged(spoilt))
    evidence = (told, f"with one wrong digit in the signature: {wrong}")
    if wrong.ok:
        mistake = (
            "The handler refuses the right signature and takes a wrong one: the comparison is the wrong way round."
        )
        return Finding(None, Diagnosis(mistake=mistake, mend="Refuse when they differ.", scheme="", evidence=evidence))
    if session.secret_known and wrong.status in REFUSALS and good.status != wrong.status:
        mistake = f"The handler takes the signature, and then answers the event with {good}: it fails behind that."
        return Finding(None, Diagnosis(mistake=mistake, mend=LOOK, scheme="", evidence=evidence))
    return await _search(session, good.status, evidence)


async def _search(session: Session, status: int | None, evidence: tuple[str, ...]) -> Finding:
    """Try every scheme that may be meant. `status` is what a good delivery is answered with."""
    known = session.secret_known
    schemes = chain(singles(), pairs()) if known else iter([scheme_with(mistake) for mistake in UNKEYED])
    found, tried = await _first_taken(session, schemes)
    if found is not None:
        return _adopt(
            found, found.mistake, *evidence, f"signed otherwise ({found.name}): taken; with one wrong digit: not"
        )
    unsigned = await _send(session, UNSIGNED)
    if unsigned.ok:
        return _adopt(UNSIGNED, UNSIGNED_TOO if known else UNSIGNED.mistake, *evidence, "without a signature: taken")
    evidence = (*evidence, f"in {tried} other ways, and without a signature: refused")
    mistake, mend = OTHER_SECRET, GIVE_SECRET
    if unsigned.status == BUSY:
        mistake, mend = PLACES[BUSY]
    elif not known:
        mistake, mend = "", NOT_KNOWN
    elif status not in REFUSALS:
        mistake, mend = f"The handler answers {status}, whatever it is sent, and however it is signed.", LOOK
    return Finding(None, Diagnosis(mistake=mistake, mend=mend, scheme="", evidence=evidence))


def _adopt(scheme: Scheme, mistake: str, *evidence: str) -> Finding:
    return Finding(scheme, Diagnosis(mistake=mistake, mend=scheme.mend, scheme=scheme.name, evidence=evidence))


async def _first_taken(session: Session, schemes: Iterator[Scheme]) -> tuple[Scheme | None, int]:
    """The first scheme that a handler takes, and takes for its signature; how many were tried.

    One event serves for all of them. What is taken is tried again with new events, once right and once wrong: it may
    have been taken because it was known already, or because this handler asks for no signature where it looks.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST
    event, tried = await session.plain(), 0
    for scheme in schemes:
        if loop.time() >= until:
            break
        tried += 1
        exchange = await _carry(session, scheme, event)
        if exchange.status is None or exchange.status == BUSY:
            break
        if not exchange.ok:
            continue
        if (await _send(session, scheme)).ok and not (await _send(session, scheme.forged(spoilt))).ok:
            return scheme, tried
    return None, tried


async def _send(session: Session, scheme: Scheme) -> Exchange:
    """A new text, signed in some way."""
    return await _carry(session, scheme, await session.plain())


async def _carry(session: Session, scheme: Scheme, event: Event) -> Exchange:
    made = request(scheme, session.secret, event.id, event.name, event.raw, int(session.wall()))
    return await session.prober.send(made)


def _reason(good: Exchange, session: Session) -> tuple[str, str] | None:
    """Why a delivery is not taken that has nothing to do with its signature, and what to do; None for nothing such."""
    url, status = session.prober.url, good.status
    if status is None or not good.complete:
        return _broken(good, url)
    if status in REDIRECTS:
        to = good.headers.get("Location", "nowhere")
        return (
            f"The handler redirects to {to}: the platform follows no redirect.",
            "Register the URL that the redirect leads to; often it is a slash at the end, or https.",
        )
    return PLACES.get(status)


def _broken(good: Exchange, url: str) -> tuple[str, str]:
    error = good.error or good.ending.value
    if "refused" in error and "connection" in error.lower():
        return f"Nothing listens at {url}.", "Start the handler, or give the port that it listens at."
    if "TLS" in error:
        return f"No TLS connection can be made to {url}: {error}.", "Mend the certificate, or use http on this machine."
    if good.ending is Ending.TIMED_OUT:
        return f"The handler does not answer: {error}.", "Acknowledge a text at once, and do the work afterwards."
    return f"There is no whole answer from {url}: {error}.", "See whether the handler runs, and what its log says."
