"""The composition root: the only wiring.

simulator = build_simulator(Settings(clock=ClockMode.AUTO))
app = build_app(simulator)          # an ASGI application: mount it, or run it with uvicorn
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from simulator import api, control
from simulator.errors import UsageError
from simulator.runtime.simulator import Simulator
from simulator.serving import routes
from simulator.serving.dispatch import SPARED, Dispatcher
from simulator.serving.operation import Operation
from simulator.serving.table import Table
from simulator.settings import Settings

if TYPE_CHECKING:
    from simulator.domain.fault_rules import FaultSpec


def operations() -> tuple[Operation, ...]:
    """Everything that is routed: `/v1` and its relatives, then `/_sim`."""
    return _table().operations()


def _table() -> Table:
    return Table({**api.RESOURCES, **control.RESOURCES})


class Kept(Protocol):
    """Whoever keeps the accounts over restarts (see `simulator.state`)."""

    def begin(self, simulator: Simulator) -> None:
        """Let the simulator hold what was kept."""

    def touch(self) -> None:
        """A request may have changed something."""

    async def end(self, simulator: Simulator) -> Any:
        """The server is about to stop; returns what `finish` will write."""

    def finish(self, last: Any) -> None:
        """The server has stopped."""


def nowhere(match: Mapping[str, Any]) -> str | None:
    """Say why a fault rule with this match can never fire, for want of such a route or operation; None: it can."""
    return routes.nowhere(match, operations)


def check_faults(specs: Iterable[FaultSpec]) -> None:
    """Raise UsageError for the first rule that is on a route or an operation that nobody serves."""
    for spec in specs:
        lost = nowhere(spec.match)
        if lost is not None:
            raise UsageError(lost)


def spared(scope: Scope) -> Scope:
    """The same request as one of the simulator's own: no fault meets it."""
    return {**scope, SPARED: True}


def build_simulator(settings: Settings | None = None) -> Simulator:
    """A simulator with nothing in it yet."""
    return Simulator(settings)


class SimulatorApp(Starlette):
    """Starlette's life cycle around our own dispatcher, which routes in time proportional to the path's length."""

    def __init__(self, simulator: Simulator, kept: Kept | None = None) -> None:
        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            if kept is not None:
                kept.begin(simulator)
            yield
            last = None if kept is None else await kept.end(simulator)  # stopping forgets timers
            await simulator.stop()
            if kept is not None:
                kept.finish(last)

        super().__init__(lifespan=lifespan)
        self.simulator = simulator
        self._kept = kept
        self.dispatcher = Dispatcher(_table(), runner_for=simulator.runner_for, settings=simulator.settings)

    def begin_shutdown(self) -> None:
        """The server stops: answer long polls now."""
        self.simulator.begin_shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve HTTP by the dispatcher; everything else is Starlette's."""
        if scope["type"] == "http":
            await self.dispatcher(scope, receive, send)
            if self._kept is not None and scope["method"] != "GET":
                self._kept.touch()
        else:
            await super().__call__(scope, receive, send)


def build_app(simulator: Simulator, kept: Kept | None = None) -> SimulatorApp:
    """The ASGI application that serves `simulator`; `kept` keeps its accounts over restarts."""
    return SimulatorApp(simulator, kept)
