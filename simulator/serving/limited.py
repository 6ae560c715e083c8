"""Answers of routes that have a rate limit."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from simulator.world.limits import Allowance

if TYPE_CHECKING:
    from simulator.serving.dispatch import Receive, Response, Scope, Send


class Limited:
    """An answer that says what is left of a rate limit."""

    def __init__(self, response: Response, allowance: Allowance) -> None:
        self.status_code = response.status_code
        self._response = response
        self._headers = [
            (b"x-ratelimit-limit", b"%d" % allowance.limit),
            (b"x-ratelimit-remaining", b"%d" % allowance.remaining),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer with two headers more."""

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
            await send(message)

        await self._response(scope, receive, send_with_headers)
