"""The same story in process and over sockets: a place for each, and what to tell there."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.runtime.interfaces import as_asgi
from simulator.runtime.server import ServerThread
from simulator.settings import Settings
from simulator.testing.asking import OverHttp
from simulator.testing.process import InProcess

HANDLERS = Path(__file__).resolve().parents[2] / "fixtures" / "handlers"
SAMPLES = ("simple_starlette", "streaming_fastapi", "tools_flask")
KEY = "sk_live_both_ways"
GRACE = timedelta(seconds=30)  # longer than a busy machine needs
CALLER = "+14155550150"
_loading = threading.Lock()


def sample(name: str) -> Any:
    """The application of a sample handler that checks no signatures."""
    with _loading:
        if str(HANDLERS) not in sys.path:
            sys.path.append(str(HANDLERS))
        receiving = importlib.import_module("receiving")
        return importlib.import_module(name).build_app(receiving.Receiver(None, {}))


def settings(**more: Any) -> Settings:
    return Settings(**{"api_keys": (KEY,), "clock": ClockMode.AUTO, "handler_grace": GRACE, **more})


def in_process(**more: Any) -> InProcess:
    return InProcess(settings(**more))


class OverSockets:
    """An account of a simulator, and the application under test, each behind a real server."""

    def __init__(self, **more: Any) -> None:
        self.simulator = build_simulator(settings(**more))
        self._server = ServerThread(build_app(self.simulator)).start()
        door = OverHttp(self._server.url, KEY)
        opened = door.ask("POST", "/_sim/accounts", {"seed": self.simulator.settings.seed})
        door.close()
        self._http = OverHttp(self._server.url, opened["api_key"])
        self._handlers: list[ServerThread] = []
        self.ask = self._http.ask

    def mount(self, app: Any, host: str = "handler.localhost") -> str:
        handler = ServerThread(as_asgi(app), lifespan="auto").start()
        self._handlers.append(handler)
        self.ask("PUT", "/_sim/hosts", {"hosts": {host: handler.url}})
        return f"http://{host}"

    def close(self) -> None:
        self._http.close()
        self._server.stop()
        for handler in self._handlers:
            handler.stop()


Home = Callable[[], Any]


def line(place: Any, app: Any, path: str = "/webhook", **agent: Any) -> str:
    """An agent with a number, answered by `app`; returns the number."""
    url = place.mount(app)
    made = place.ask("POST", "/v1/agents", {"name": "Support", **agent})
    number = place.ask("POST", "/v1/numbers", {"areaCode": "415", "agentId": made["id"]})
    place.ask("POST", "/v1/webhooks", {"url": f"{url}{path}"})
    return str(number["phoneNumber"])


def call(place: Any, number: str, *script: Any) -> Any:
    body = {"from": CALLER, "to": number, "script": list(script), "wait": True}
    return place.ask("POST", "/_sim/calls", body)


def journal(place: Any, kind: str | None = None) -> list[dict[str, Any]]:
    query = "" if kind is None else f"&kind={kind}"
    entries: list[dict[str, Any]] = place.ask("GET", f"/_sim/journal?limit=10000{query}")["entries"]
    return entries


def told(home: Home, app: Any, *faults: dict[str, Any]) -> list[dict[str, Any]]:
    """A call and a text, to their ends, under fault rules; returns the journal."""
    place = home()
    try:
        number = line(place, app, beginMessage="Acme, hello!")
        for rule in faults:
            place.ask("POST", "/_sim/faults", rule)
        call(place, number, "Where is my order 4521?", {"wait": 4}, "And order 1180?", "Thanks, goodbye")
        place.ask("POST", "/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        place.ask("POST", "/_sim/clock/run_until_idle")
        place.ask("POST", "/_sim/clock/advance", {"seconds": 3600})
        return journal(place)
    finally:
        place.close()
