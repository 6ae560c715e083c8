"""A voice handler that answers as a test tells it, examined in process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import CaseResult, Report
from simulator.testing.opening import Session
from simulator.testing.options import Options as AccountOptions

STREAM = "application/x-ndjson"

Event = dict[str, Any]
Answer = Callable[[Event], Response | Awaitable[Response]]


def is_turn(event: Event) -> bool:
    """Whether a caller waits for an answer."""
    return bool(event["event"] == "agent.message" and event["channel"] == "voice")


def streamed(*lines: str | bytes | float, kind: str = STREAM) -> Response:
    """A stream of these lines; a number is a pause in seconds."""

    async def chunks() -> AsyncIterator[bytes]:
        for line in lines:
            if isinstance(line, float):
                await asyncio.sleep(line)
            else:
                yield line if isinstance(line, bytes) else line.encode() + b"\n"

    return StreamingResponse(chunks(), media_type=kind)


class Told:
    """Examines handlers, each in an account of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def report(self, turn: Answer, *numbers: str, other: Answer | None = None) -> Report:
        """Play these cases against a handler that answers turns with `turn`, and the rest with `other`, or 200."""

        async def webhook(request: Request) -> Response:
            event = await request.json()
            if not is_turn(event) and other is None:
                return Response()
            answer = turn(event) if other is None or is_turn(event) else other(event)
            return answer if isinstance(answer, Response) else await answer

        app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])
        with self._session.open(AccountOptions()) as account:
            place = account._place
            target = Target(url=place.mount(app) + "/webhook", secret=account.secret)
            return place.conduct(lambda sim: examine(sim, account.api_key, target, Options(numbers=numbers)))

    def result(self, turn: Answer, number: str, other: Answer | None = None) -> CaseResult:
        """Play one case; see `report`."""
        return self.report(turn, number, other=other).result(number)
