"""Request bodies: read as far as they may go, and what the journal keeps of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

from pydantic_core import from_json

from simulator.domain.masking import masked, masked_tools
from simulator.errors import ApiError, BodyTooLarge

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

LONGEST_BODY_KEPT: Final = 4096  # bytes of a request; the journal keeps a hundred thousand of them
MOST_BRACKETS_KEPT: Final = 200  # a body with more may be nested deeper than whoever reads the journal can follow


class ClientGone(Exception):
    """The client went away before its body was complete; nobody is left to answer."""


def shown(raw: bytes) -> dict[str, Any]:
    """What the journal keeps of a request's body: its JSON, its text when it is none, its size when it is too long."""
    if not raw:
        return {}
    if len(raw) > LONGEST_BODY_KEPT:
        return {"body_bytes": len(raw)}
    shown = masked(raw.decode("utf-8", "replace"))
    if raw.count(b"[") + raw.count(b"{") <= MOST_BRACKETS_KEPT:
        with suppress(ValueError):
            body = from_json(shown, allow_inf_nan=False)
            return {"body": masked_tools(body) if '"headers"' in shown else body}
    return {"body": shown}


async def read(receive: Receive, declared: bytes | None, limit: int) -> bytes:
    """Collect the request body, and stop as soon as it is over the limit."""
    if declared is not None and declared.isdigit() and (len(declared) > len(str(limit)) + 2 or int(declared) > limit):
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
    raise ClientGone


def _too_large(limit: int) -> ApiError:
    return BodyTooLarge(
        f"the request body is over the limit of {limit} bytes (Settings.max_body, but for /_sim/import)"
    )
