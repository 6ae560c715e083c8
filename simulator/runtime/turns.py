"""One voice turn on the wire: POST, then hand on every piece of the reply the moment it is here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, Outcome, OutcomeKind
from simulator.engine.call_states import TurnEnd
from simulator.engine.delivery import answered
from simulator.engine.events import CallEvent, ReplyBytes, ReplyEnded, ReplyFailed, ReplyStarted
from simulator.runtime.deliver import Sender, cause_of, network_errors
from simulator.runtime.lines import lines_of
from simulator.runtime.order import at_once

NOT_SENT = "not sent"  # how every refusal of runtime.hosts begins


@dataclass(slots=True)
class Turn:
    """One turn request on the wire. A hosted call's turns are asked of nobody, and have no delivery."""

    id: str
    delivery: Delivery | None
    opened_at: datetime
    attempted_at: datetime
    task: asyncio.Task[None] | None = None
    http_status: int | None = None
    error: str | None = None
    body: bytearray = field(default_factory=bytearray)
    closed: bool = False


async def post_turn(
    sender: Sender,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    turn_id: str,
    feed: Callable[[CallEvent], None],
    in_turn: Callable[[], Awaitable[None]] = at_once,
) -> None:
    """POST a turn and feed its reply as events: ReplyStarted, ReplyBytes …, then ReplyEnded or ReplyFailed.

    Pieces are fed as they arrive, cut wherever the network cut them, and at the ends of lines: what follows from two
    chunks does not depend on whether they came together. `in_turn` waits until news may be fed. How much is too much
    and how long is too long is the engine's to say; it says so by having this task cancelled, which closes the
    connection at once. `feed` may do that itself, from inside the call; what has already arrived may still be fed then,
    but nothing more is read.
    """
    response = await sender.open(url, headers, body)
    if isinstance(response, Outcome):
        await in_turn()
        feed(ReplyFailed(turn_id, response.error or "the request failed"))
        return
    try:
        await in_turn()
        feed(ReplyStarted(turn_id, response.status, response.headers.get("Content-Type", "")))
        while piece := await response.content.readany():
            await in_turn()
            for line in lines_of(piece):
                feed(ReplyBytes(turn_id, line))
        await in_turn()
    except network_errors() as error:
        response.close()
        await in_turn()
        feed(ReplyFailed(turn_id, cause_of(error)))
    except BaseException:
        response.close()
        raise
    else:
        response.release()
        feed(ReplyEnded(turn_id))


def text_of(data: bytes) -> str:
    """What somebody reads who looks at the bytes of a reply."""
    return data.decode("utf-8", "replace")


def outcome_of(turn: Turn, how: str, policies: Policies) -> Outcome:
    """What a voice turn's delivery record says, given how the turn ended."""
    if how == TurnEnd.TIMED_OUT:
        late = "no byte of a reply within the webhook's timeout"
        return Outcome(kind=OutcomeKind.TIMED_OUT, http_status=turn.http_status, error=late)
    if turn.http_status is not None:
        outcome = answered(turn.http_status, text_of(bytes(turn.body)), policies)
        return replace(outcome, error=turn.error or outcome.error)
    if turn.error is None and how == TurnEnd.INTERRUPTED:
        return Outcome(kind=OutcomeKind.INTERRUPTED, error="the caller spoke before the handler answered")
    if turn.error is None:
        return Outcome(kind=OutcomeKind.UNREACHABLE, error="the call ended before the handler answered")
    refused = turn.error.startswith(NOT_SENT)
    return Outcome(kind=OutcomeKind.REFUSED if refused else OutcomeKind.UNREACHABLE, error=turn.error)
