"""The whole application in the test's own event loop, spoken to over ASGI; handlers stay on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.runtime.runner import Runner
from simulator.settings import DEFAULT_API_KEY, Settings

BASE_URL = "http://127.0.0.1:8787"


class Platform:
    """A client of one account, with the few calls that every story begins with."""

    def __init__(self, client: httpx.AsyncClient, runner: Runner) -> None:
        self.client = client
        self.runner = runner

    async def ask(self, method: str, path: str, expect: int = 200, **kwargs: Any) -> Any:
        answer = await self.client.request(method, path, **kwargs)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, expect: int = 200, **params: Any) -> Any:
        return await self.ask("GET", path, expect, params=params)

    async def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        return await self.ask("POST", path, expect, json={} if body is None else body)

    async def line(self, webhook: str | None, **agent: Any) -> tuple[str, str]:
        """An agent with a number and, if given, the account's webhook: (agent id, phone number)."""
        made = await self.post("/v1/agents", {"name": "Support", **agent})
        number = await self.post("/v1/numbers", {"areaCode": "415", "agentId": made["id"]})
        if webhook is not None:
            await self.post("/v1/webhooks", {"url": webhook})
        return made["id"], number["phoneNumber"]

    async def journal(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = (await self.get("/_sim/journal", kind=kind))["entries"]
        return entries


@asynccontextmanager
async def platform(clock: ClockMode = ClockMode.AUTO, **settings: Any) -> AsyncIterator[Platform]:
    """Build the application, talk to it, and stop it with nothing left in flight."""
    simulator = build_simulator(Settings(clock=clock, **settings))
    transport = httpx.ASGITransport(app=build_app(simulator))
    headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    try:
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers, timeout=60) as client:
            runner = simulator.runner_for(DEFAULT_API_KEY)
            assert runner is not None
            yield Platform(client, runner)
    finally:
        await simulator.stop()
