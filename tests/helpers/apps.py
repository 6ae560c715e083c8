"""Small applications under test: an ASGI and a WSGI handler that answer alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


def voice(event: dict[str, Any]) -> str | None:
    """What the caller said, of a voice turn; None for every other event."""
    if event["event"] == "agent.message" and event["channel"] == "voice":
        return str(event["data"]["transcript"])
    return None


def orders(event: dict[str, Any]) -> dict[str, Any] | None:
    """Answer a caller: shipped, and goodbye at the end."""
    said = voice(event)
    if said is None:
        return None
    if "bye" in said:
        return {"text": "Goodbye!", "hangup": True}
    return {"text": f"You asked: {said} It has shipped."}


class Recorded:
    """An ASGI application that answers as told and keeps every event it got."""

    def __init__(self, answer: Answer = orders) -> None:
        self.events: list[dict[str, Any]] = []
        self._answer = answer
        self._app = Starlette(routes=[Route("/webhook", self._hook, methods=["POST"])])

    async def _hook(self, request: Request) -> Response:
        event = await request.json()
        self.events.append(event)
        answer = self._answer(event)
        return Response() if answer is None else JSONResponse(answer)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


def wsgi(answer: Answer = orders) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """A WSGI application that answers as told."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        event = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        body = json.dumps(answer(event)).encode()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]

    return app
