"""One voice turn on the wire: POST, then hand on every piece of the reply the moment it is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.domain.webhooks import Outcome
from simulator.engine.events import CallEvent, ReplyBytes, ReplyEnded, ReplyFailed, ReplyStarted
from simulator.runtime.deliver import Sender, cause_of, network_errors


async def post_turn(
    sender: Sender,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    turn_id: str,
    feed: Callable[[CallEvent], None],
) -> None:
    """POST a turn and feed its reply as events: ReplyStarted, ReplyBytes …, then ReplyEnded or ReplyFailed.

    Pieces are fed as they arrive, cut wherever the network cut them. How much is too much and how long is too long is
    the engine's to say; it says so by having this task cancelled, which closes the connection at once. `feed` may do
    that itself, from inside the call; what has already arrived may still be fed then, but nothing more is read.
    """
    response = await sender.open(url, headers, body)
    if isinstance(response, Outcome):
        feed(ReplyFailed(turn_id, response.error or "the request failed"))
        return
    try:
        feed(ReplyStarted(turn_id, response.status, response.headers.get("Content-Type", "")))
        while piece := await response.content.readany():
            feed(ReplyBytes(turn_id, piece))
    except network_errors() as error:
        response.close()
        feed(ReplyFailed(turn_id, cause_of(error)))
    except BaseException:
        response.close()
        raise
    else:
        response.release()
        feed(ReplyEnded(turn_id))
