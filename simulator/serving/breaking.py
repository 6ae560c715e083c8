"""Answers whose connection breaks: before they begin, or while they are being sent."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from simulator.runtime.deliver import reset
from simulator.serving.dispatch import Receive, Response, Scope, Send, disconnected


class Enough(Exception):
    """Raised by what sends an answer when the connection is to break there."""


class Severed:
    """An answer that ends in a broken connection when it raises Enough. Without any (None) the connection is reset."""

    def __init__(self, response: Response | None) -> None:
        self.status_code = 0 if response is None else response.status_code
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is to be sent, then break."""
        if self._response is None:
            await sever(receive, send, at_once=True)
            return
        try:
            await self._response(scope, receive, send)
        except Enough:
            await sever(receive, send, at_once=False)


class Half:
    """The head of an answer, and half of the body that it announces; of one without a length, what comes first."""

    def __init__(self, response: Response) -> None:
        self.status_code = response.status_code
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send that much, and raise Enough."""
        left: int | None = None

        async def passing(message: MutableMapping[str, Any]) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                length = dict(message.get("headers", ())).get(b"content-length")
                left = None if length is None else int(length) // 2
                await send(message)
                return
            body = message.get("body", b"")
            await send({**message, "body": body[:left], "more_body": True})
            left = 0 if left is None else left - len(body)
            if left <= 0 or not message.get("more_body", False):
                raise Enough

        await self._response(scope, receive, passing)


async def sever(receive: Receive, send: Send, *, at_once: bool) -> None:
    """Break the client's connection: `at_once` by a TCP reset, else by closing it when what was sent has left.

    Behind uvicorn that is done to its transport. Whoever passes answers on to a server may do it by a method `sever` of
    their own, beside the one that sends. A client in the same process has neither, and gets the exception.
    """
    carrier = getattr(send, "__self__", None)
    onward = getattr(carrier, "sever", None)
    if onward is not None:
        await onward(at_once=at_once)
        return
    transport = getattr(carrier, "transport", None)
    if transport is None:
        raise ConnectionResetError("the connection was broken off by a fault rule")
    if at_once:
        reset(transport)
    else:
        transport.close()
    await disconnected(receive)
