"""Where the platform sends its events while a handler is examined: an application that keeps them.

The platform is the simulator. It makes every event itself, with ids that its API knows; the cases change them, and send
them to the handler. A voice turn is held until the case has an answer for it, so its call goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.conformance.events import Event
from simulator.errors import UsageError

PATIENCE: Final = 20.0  # seconds of the loop's time until an event of ours must be here
SILENCE: Final = b'{"text": ""}'
GOODBYE: Final = b'{"text": "", "hangup": true}'

Message = MutableMapping[str, Any]


@dataclass(slots=True, eq=False)
class Arrived:
    """An event that the platform has sent; `answer` is set for a voice turn, and awaited by its call."""

    event: Event
    answer: asyncio.Future[tuple[str, bytes]] | None


class Intake:
    """An ASGI application; one event loop."""

    def __init__(self) -> None:
        self._arrived: list[Arrived] = []
        self._news = asyncio.Event()
        self._held: set[asyncio.Future[tuple[str, bytes]]] = set()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Take one event."""
        if scope["type"] != "http":
            return
        raw = b""
        while True:
            message = await receive()
            raw += message.get("body", b"")
            if not message.get("more_body"):
                break
        kind, body = await self._take_in(scope, raw)
        head = [(b"content-type", kind.encode("latin-1", "replace")), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def _take_in(self, scope: Message, raw: bytes) -> tuple[str, bytes]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = json.loads(raw)
        event = Event(headers["x-webhook-id"], headers["x-webhook-event"], body, raw)
        turn = event.name == "agent.message" and event.channel == "voice"
        answer: asyncio.Future[tuple[str, bytes]] | None = asyncio.get_running_loop().create_future() if turn else None
        self._arrived.append(Arrived(event, answer))
        self._news.set()
        if answer is None:
            return "application/json", b""
        self._held.add(answer)
        try:
            return await answer
        finally:
            self._held.discard(answer)

    async def next(self, wanted: Callable[[Event], bool], what: str) -> Arrived:
        """The first event that has not been asked for and is `wanted`. Raises UsageError when none comes."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for arrived in self._arrived:
                        if wanted(arrived.event):
                            self._arrived.remove(arrived)
                            return arrived
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise UsageError(f"the simulated platform sent no {what} within {PATIENCE:g} s") from None

    def let_go(self) -> None:
        """Forget what has come, and end every call whose turn is held."""
        self._arrived.clear()
        for answer in self._held:
            if not answer.done():
                answer.set_result(("application/json", GOODBYE))
