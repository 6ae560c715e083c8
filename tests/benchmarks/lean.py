"""The yardstick: a Starlette application with one route that answers the bytes it is given."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else b'{"status":"ok"}'


async def answer(_request: Request) -> Response:
    return Response(BODY, media_type="application/json")


class Server(uvicorn.Server):
    """Says when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        print(f"ready http://127.0.0.1:{sock.getsockname()[1]}", flush=True)


sock = socket.socket()
sock.bind(("127.0.0.1", 0))
app = Starlette(routes=[Route("/v1/agents/{agent_id}", answer), Route("/_sim/health", answer)])
Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[sock])
