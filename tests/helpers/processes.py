"""Sample handlers and simulators as real processes on free ports, known to be ready by the line that they print."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.commands.child import Child

HANDLERS = Path(__file__).resolve().parents[2] / "fixtures" / "handlers"
EXPRESS = "express/handler.js"
KEY = "sk_live_simulator"
ROOMY = {"timeout": 120}  # a webhook timeout that a loaded machine keeps, even when time is scaled
PATIENCE = 30.0  # real seconds until a process that prints nothing is given up


def require_express() -> None:
    """Skip the test when Node or Express is missing; in continuous integration that is a failure."""
    if shutil.which("node") is None:
        reason = "node is not installed"
    elif not (HANDLERS / "express" / "node_modules" / "express").is_dir():
        reason = f"express is not installed: run npm install in {HANDLERS / 'express'}"
    else:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Handler:
    """A running sample handler, and a sender that signs what it posts."""

    url: str
    secret: str
    child: Child

    def post(
        self,
        event: object,
        *,
        delivery_id: str = "del_1",
        headers: dict[str, str | bytes] | None = None,
        age: float = 0,
    ) -> httpx.Response:
        """POST an event as the platform would have `age` seconds ago. `headers` replace the right ones."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        timestamp = str(int(time.time() - age))
        digest = hmac.new(self.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        sent = {
            "Content-Type": "application/json",
            "X-Webhook-Signature": f"sha256={digest}",
            "X-Webhook-Timestamp": timestamp,
            "X-Webhook-ID": delivery_id,
            "X-Webhook-Event": "agent.message",
        } | (headers or {})
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            return client.post(self.url, content=body, headers=sent)


@contextmanager
def run_handler(
    name: str, secret_file: Path | None, *, secret: str = "", env: dict[str, str] | None = None
) -> Iterator[Handler]:
    """Start a sample handler by its file name below `fixtures/handlers`."""
    if name == EXPRESS:
        require_express()
    program = "node" if name.endswith(".js") else sys.executable
    argv = [program, str(HANDLERS / name), "--port", "0"]
    if secret_file is not None:
        argv += ["--secret-file", str(secret_file)]
    with Child(argv, env={"NO_PROXY": "127.0.0.1", "AGENTPHONE_WEBHOOK_SECRET": "", **(env or {})}) as child:
        url = child.wait_for_line(r"^listening on (http://127\.0\.0\.1:\d+/webhook)$", PATIENCE)[1]
        yield Handler(url, secret, child)


@dataclass
class Api:
    """A customer of the simulator at `base_url`."""

    base_url: str

    def get(self, path: str) -> Any:
        """GET JSON; anything but 200 fails the test."""
        return self._send("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """POST JSON; anything but 200 fails the test."""
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: Any) -> Any:
        with httpx.Client(base_url=self.base_url, timeout=2 * PATIENCE, trust_env=False) as client:
            response = client.request(method, path, json=body, headers={"Authorization": f"Bearer {KEY}"})
        assert response.status_code == 200, response.text
        return response.json()

    def number(self, **agent: Any) -> str:
        """Create an agent and a number for it."""
        created = self.post("/v1/agents", {"name": "Acme", **agent})
        return str(self.post("/v1/numbers", {"areaCode": "415", "agentId": created["id"]})["phoneNumber"])


@contextmanager
def run_simulator(*options: str) -> Iterator[tuple[str, Child]]:
    """Start `agentphone-simulator serve` on a free port; its base URL, and the process."""
    with Child([sys.executable, "-m", "simulator", "serve", "--port", "0", *options]) as child:
        yield child.wait_for_line(r"^ready (http://\S+)$", PATIENCE)[1], child


def voice(said: str, *, history: list[Any] | None = None) -> dict[str, Any]:
    """A voice turn as the documentation shows it."""
    data = {"callId": "call_1", "numberId": "num_1", "transcript": said, "confidence": 0.95, "direction": "inbound"}
    return {"event": "agent.message", "channel": "voice", "data": data, "recentHistory": history or []}


def text(body: str) -> dict[str, Any]:
    """An inbound text as the documentation shows it."""
    data = {"numberId": "num_1", "from": "+14155550150", "to": "+14155550100", "message": body, "direction": "inbound"}
    return {"event": "agent.message", "channel": "sms", "data": data, "recentHistory": []}
