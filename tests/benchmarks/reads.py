"""`GET /v1/agents/{id}` through the whole table, against one route answering the same bytes."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import KEY, LEAN, REPEATS, SERVE, medians, process

REQUESTS = 5000  # processor time comes in ticks of 10 ms: a few of them must not matter


def figures() -> Iterator[Figure]:
    with process(SERVE, "ready") as (url, server), tempfile.TemporaryDirectory() as folder:
        made = httpx.post(f"{url}/v1/agents", json={"name": "Support"}, headers=KEY).json()
        path = f"/v1/agents/{made['id']}"
        body = Path(folder, "body")
        body.write_bytes(httpx.get(url + path, headers=KEY).content)
        with process([*LEAN, str(body)], "ready") as (lean_url, lean_server):
            rounds = [
                (server_seconds(url, server, path), server_seconds(lean_url, lean_server, path)) for _ in range(REPEATS)
            ]
    ours, lean = (seconds * 1e6 for seconds in medians(rounds))
    what = "GET /v1/agents/{id}, server time"
    yield Figure(what, ours, "us", yardstick=lean, beside="one route, same bytes", at_least=0.75)


def server_seconds(url: str, child: subprocess.Popen[str], path: str) -> float:
    """The server's own processor time per request, so that the client's cost does not dilute the ratio."""
    tick = os.sysconf("SC_CLK_TCK")

    def spent() -> float:
        fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / tick

    with httpx.Client(base_url=url, headers=KEY) as client:
        for _ in range(50):
            client.get(path).raise_for_status()
        before = spent()
        for _ in range(REQUESTS):
            client.get(path)
        return (spent() - before) / REQUESTS
