"""Requests to webhook handlers that go wrong on purpose: what is sent instead, and how.

What is sent is bytes: the receiver sees the fault on the wire. Whatever takes time takes simulated time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, Outcome, OutcomeKind, WebhookEndpoint
from simulator.engine.delivery import answered
from simulator.engine.events import CallEvent, ReplyBytes, ReplyEnded, ReplyFailed, ReplyStarted
from simulator.engine.spoil import Break, Part, Pause, Spoiler
from simulator.runtime.deliver import Sender, cause_of, network_errors
from simulator.runtime.lines import lines_of
from simulator.runtime.pacer import Pacer
from simulator.runtime.transport import Pieces
from simulator.world.faults import Struck

SIGNATURE: Final = "X-Webhook-Signature"
BROKEN: Final = "connection broke in the middle of the answer"

# Makes the headers of a request; the number is how many seconds ago it was signed.
Sign = Callable[[Delivery, WebhookEndpoint, float], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A request as it is sent, byte for byte."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def write(struck: Struck | None, delivery: Delivery, endpoint: WebhookEndpoint, sign: Sign) -> Letter:
    """The request that is sent for a delivery, with what the fault does to its signature and its body."""
    age, body = 0.0, delivery.body
    fault = None if struck is None else struck.fault
    if fault == "stale_timestamp" and struck is not None:
        age = float(struck["seconds"])
    elif fault == "bad_signature":
        endpoint = replace(endpoint, secret=f"{endpoint.secret}_of_somebody_else")
    elif fault == "malformed_json":
        body = body[: len(body) // 2]
    headers = sign(replace(delivery, body=body), endpoint, age)
    if fault == "missing_signature":
        del headers[SIGNATURE]
    elif fault == "tampered_body":
        body = b'{"tampered":true,' + body[1:]
    return Letter(endpoint.url, headers, body)


def unsent(struck: Struck, policies: Policies) -> Outcome | None:
    """The outcome of an attempt for which nothing is sent at all, or None."""
    if struck.fault == "refuse":
        return Outcome(kind=OutcomeKind.UNREACHABLE, error="connection refused")
    return answered(int(struck["status"]), None, policies) if struck.fault == "status" else None


async def attempt(sender: Sender, pacer: Pacer, letter: Letter, struck: Struck, gate: Gate | None = None) -> Outcome:
    """Send a letter as the fault has it sent, and read the answer."""
    if struck.fault == "reset":
        return await sender.break_off(letter.url, letter.headers, letter.body)
    return await sender.attempt(letter.url, letter.headers, letter.body, pieces_of(pacer, struck, gate))


def pieces_of(pacer: Pacer, struck: Struck, gate: Gate | None = None) -> Pieces | None:
    """The pieces in which a fault has a body sent; None for one piece."""
    if gate is not None:
        return gate.pieces
    return _dribbling(pacer, struck) if struck.fault == "slow_send" else None


def _dribbling(pacer: Pacer, struck: Struck) -> Pieces:
    work, count = asyncio.current_task(), int(struck["pieces"])
    pause = struck.span / (count - 1)

    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        for number in range(count):
            if number:
                # The HTTP client writes in a task of its own; what has to wait is the attempt.
                await pacer.sleep(pause, work)
            yield body[number * len(body) // count : (number + 1) * len(body) // count]

    return pieces


class Gate:
    """Two requests that are complete at the same time: each keeps its last byte until the other is there."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._waiting = 0

    async def pieces(self, body: bytes) -> AsyncIterator[bytes]:
        """A body whose last byte waits."""
        yield body[:-1]
        self._waiting += 1
        if self._waiting == 2:
            self._open.set()
        await self._open.wait()
        yield body[-1:]

    def leave(self) -> None:
        """One of the two has ended; whoever is left waits for nobody."""
        self._open.set()


async def post_turn(
    sender: Sender, pacer: Pacer, letter: Letter, struck: Struck, turn_id: str, feed: Callable[[CallEvent], None],
    gate: Gate | None = None,
) -> None:  # fmt: skip
    """POST a voice turn that a fault has struck; its reply is fed as by `turns.post_turn`."""
    in_turn = pacer.order.turn
    if struck.fault == "late":
        await pacer.sleep(struck.span)
    if struck.fault == "refuse":
        await in_turn()
        feed(ReplyFailed(turn_id, "connection refused"))
        return
    if struck.fault == "status":
        await in_turn()
        feed(ReplyStarted(turn_id, int(struck["status"]), ""))
        feed(ReplyEnded(turn_id))
        return
    if struck.fault == "reset":
        outcome = await sender.break_off(letter.url, letter.headers, letter.body)
        await in_turn()
        feed(ReplyFailed(turn_id, outcome.error or "the request failed"))
        return
    response = await sender.open(letter.url, letter.headers, letter.body, pieces=pieces_of(pacer, struck, gate))
    if isinstance(response, Outcome):
        await in_turn()
        feed(ReplyFailed(turn_id, response.error or "the request failed"))
        return
    kind = response.headers.get("Content-Type", "")
    spoiler = Spoiler(struck.fault, struck.rule.spec.parameters, kind)
    try:
        await in_turn()
        feed(ReplyStarted(turn_id, response.status, kind))
        whole = True
        while whole and (piece := await response.content.readany()):
            whole = await _pass_on(spoiler.feed(piece), pacer, turn_id, feed)
        whole = whole and await _pass_on(spoiler.end(), pacer, turn_id, feed)
        await in_turn()
    except network_errors() as error:
        response.close()
        await in_turn()
        feed(ReplyFailed(turn_id, cause_of(error)))
    except BaseException:
        response.close()
        raise
    else:
        if whole:
            response.release()
            feed(ReplyEnded(turn_id))
        else:
            response.close()
            feed(ReplyFailed(turn_id, BROKEN))


async def _pass_on(parts: Iterator[Part], pacer: Pacer, turn_id: str, feed: Callable[[CallEvent], None]) -> bool:
    """Feed what is left of some bytes, cut at the ends of lines; False when the connection is to break there."""
    for part in parts:
        match part:
            case Pause():
                await pacer.sleep(part.length)
            case Break():
                return False
            case _:
                await pacer.order.turn()
                for line in lines_of(part):
                    feed(ReplyBytes(turn_id, line))
    return True
