"""Sends requests to the handler under examination and takes down what comes back, piece by piece.

Over sockets and in process alike; times are those of the running loop, so they cost nothing on a virtual one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from simulator.conformance.exchange import Ending, Exchange, Request
from simulator.conformance.unpacking import Unpacker
from simulator.domain.webhooks import Outcome
from simulator.runtime.deliver import Sender, cause_of, network_errors
from simulator.runtime.transport import Answer, AppAnswer, Pieces

MOST: Final = 2_097_152  # bytes of an answer that are read; twice the longest reply that the platform takes
LONGEST: Final = 120.0  # seconds that an answer may come in drops: the longest timeout of a webhook

SERVER_ERROR: Final = 500  # from here on, many servers close a connection without saying so: it is not used again

Until = Callable[[Exchange], bool]  # asked after the head and after each piece: is that enough?


class Prober:
    """One handler's URL, and a way to it. `timeout` is in seconds: so long may the next byte take."""

    def __init__(self, sender: Sender, url: str, timeout: float) -> None:
        self.url = url
        self.timeout = timeout
        self._sender = sender
        self._began = asyncio.get_running_loop().time()

    def begin(self) -> None:
        """A case begins: its exchanges are timed from here."""
        self._began = asyncio.get_running_loop().time()

    async def send(
        self,
        request: Request,
        *,
        until: Until | None = None,
        leave_after: float | None = None,
        pause: float = 0.0,
        pieces: Pieces | None = None,
    ) -> Exchange:
        """Send a request and read the answer to its end.

        Hangs up as soon as `until` says so, or after `leave_after` seconds. `pause` is waited before each piece of the
        answer is read. `pieces` cuts the body that is sent. What goes wrong is in the exchange; nothing raises.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        exchange = Exchange(request=request, started_at=began - self._began)
        try:
            async with asyncio.timeout(leave_after):
                await self._converse(exchange, began, until, pause, pieces)
        except TimeoutError:
            exchange.ending = Ending.LEFT
        exchange.ended_at = loop.time() - began
        return exchange

    async def break_off(self, request: Request) -> Exchange:
        """Send half a request and reset the connection; there is no answer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome = await self._sender.break_off(self.url, request.headers, request.body)
        return Exchange(
            request=request,
            ending=Ending.LEFT,
            error=outcome.error,
            started_at=began - self._began,
            ended_at=loop.time() - began,
        )

    async def _converse(
        self, exchange: Exchange, began: float, until: Until | None, pause: float, pieces: Pieces | None
    ) -> None:
        request = exchange.request
        answer: Answer | None = None
        whole = False
        try:
            async with asyncio.timeout(self.timeout):
                opened = await self._sender.open(
                    self.url, request.headers, request.body, method=request.method, pieces=pieces
                )
            if isinstance(opened, Outcome):
                exchange.ending, exchange.error = Ending.BROKEN, opened.error
                return
            answer = opened
            exchange.status, exchange.headers = answer.status, answer.headers
            exchange.head_at = asyncio.get_running_loop().time() - began
            whole = await self._read(exchange, began, answer, until, pause)
        except TimeoutError:
            exchange.ending = Ending.TIMED_OUT
            exchange.error = f"nothing came for {self.timeout:g} s"
        except ValueError as error:
            exchange.ending, exchange.error = Ending.BROKEN, str(error)
        except network_errors() as error:
            exchange.ending, exchange.error = Ending.BROKEN, cause_of(error)
        finally:
            if answer is not None:
                if whole and answer.status < SERVER_ERROR:
                    answer.release()
                else:
                    answer.close()

    async def _read(self, exchange: Exchange, began: float, answer: Answer, until: Until | None, pause: float) -> bool:
        """Read the body; says whether all of it was. Raises ValueError for one that cannot be unpacked."""
        loop = asyncio.get_running_loop()
        unpacker = Unpacker(answer.headers.get("Content-Encoding", "") if isinstance(answer, AppAnswer) else "")
        size = 0
        while True:
            if until is not None and until(exchange):
                exchange.ending = Ending.LEFT
                return False
            if pause:
                await asyncio.sleep(pause)
            async with asyncio.timeout(self.timeout):
                piece = await answer.content.readany()
            if not piece:
                return True
            at = loop.time() - began
            if piece := unpacker.feed(piece, MOST + 1):
                exchange.pieces.append((at, piece))
            size += len(piece)
            if size > MOST or at > LONGEST:
                exchange.ending = Ending.TOO_LONG
                exchange.error = f"it had not ended after {size} bytes and {at:.1f} s"
                return False
