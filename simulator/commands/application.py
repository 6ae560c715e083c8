"""Whom the commands send webhooks to: a handler that runs already, or an application that is started for them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from simulator.commands.child import Child, ChildFailed
from simulator.errors import UsageError

PATIENCE: Final = 30.0  # real seconds until an application must have started, or a handler's port must answer


def host_of(url: str) -> str:
    """The host of a URL; "" when it is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def knock(url: str) -> None:
    """See whether anybody listens there: otherwise every turn of every scenario would fail with the same words."""
    try:
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        address = ("", 0)
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not address[0]:
        raise UsageError(f"--handler {url!r} is no URL: write one like http://127.0.0.1:3000/webhook")
    try:
        socket.create_connection(address, PATIENCE).close()
    except OSError as error:
        raise UsageError(f"no handler at {url} ({error.strerror or error}): start it first, or use --app") from error


@contextmanager
def application(app: str, path: str, base_url: str, *, api_key: str, secret: str) -> Iterator[str]:
    """Run an ASGI application in a process of its own; the URL that its webhooks go to."""
    env = {
        "AGENTPHONE_BASE_URL": base_url,
        "AGENTPHONE_API_KEY": api_key,
        "AGENTPHONE_WEBHOOK_SECRET": secret,
        "NO_PROXY": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
    with Child([sys.executable, "-m", "simulator.commands.host", app], env=env) as child:
        try:
            url = child.wait_for_line(r"^listening on (\S+)$", PATIENCE)[1]
        except ChildFailed as error:
            raise UsageError(f"--app {app} did not start: {error}") from error
        yield f"{url}/{path.lstrip('/')}"
