"""uvicorn on a port we know before it starts: in the foreground for `serve`, in a thread for tests and the demo."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Literal, Self

import uvicorn

from simulator.errors import UsageError

THREAD_NAME: Final = "agentphone-simulator"  # of a ServerThread, in logs and debuggers


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises UsageError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise UsageError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port, or --port 0"
        ) from error
    return sock


def url_of(sock: socket.socket) -> str:
    """The base URL of a bound socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def exposed(sock: socket.socket) -> bool:
    """Whether other machines can reach a bound socket."""
    host: str = sock.getsockname()[0]
    return host != "::1" and not host.startswith("127.")


class _Server(uvicorn.Server):
    """Says when it accepts connections, instead of being polled."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.loop: asyncio.AbstractEventLoop | None = None  # known once it has started
        self._stopping = asyncio.Event()

    def stop_soon(self) -> None:
        """Stop serving, now rather than at uvicorn's next look in a tenth of a second. For other threads."""
        self.should_exit = True
        if self.loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self.loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        looking = asyncio.ensure_future(super().main_loop())
        told = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait((looking, told), return_when=asyncio.FIRST_COMPLETED)
        for task in (looking, told):
            task.cancel()
        await asyncio.wait((looking, told))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Long polls would hold their connections open; the application ends them first.
        begin = getattr(self.config.app, "begin_shutdown", None)
        if begin is not None:
            begin()
        await super().shutdown(sockets=sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()


def _config(app: Any, lifespan: Literal["auto", "on", "off"] = "on") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_parser(),
        log_level="warning",
        access_log=False,
        lifespan=lifespan,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _parser() -> Any:
    """What reads requests: the fast parser where it exists, else the one that uvicorn brings along."""
    try:
        from simulator.runtime.protocol import BoundedHead
    except ImportError:
        return "h11"
    return BoundedHead


def serve(app: Any, sock: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; requests in flight finish first, then SystemExit(0).

    uvicorn raises the signal again when it has finished, so that the process dies of it; a clean stop is not a death.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    _Server(_config(app), on_ready).run(sockets=[sock])


def _exit(_number: int, _frame: object) -> None:
    raise SystemExit(0)


class ServerThread:
    """A server in a thread of its own, ready when `start` returns. A context manager."""

    def __init__(
        self, app: Any, host: str = "127.0.0.1", port: int = 0, *, lifespan: Literal["auto", "on", "off"] = "on"
    ) -> None:
        self._sock = bind(host, port)
        self.url = url_of(self._sock)
        self._ready = threading.Event()
        self._server = _Server(_config(app, lifespan), self._ready.set)
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop it serves on, for work that must be done there. Raises UsageError before it has started."""
        if self._server.loop is None:
            raise UsageError(f"the server at {self.url} has not started")
        return self._server.loop

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._sock])
        finally:
            self._ready.set()

    def start(self) -> Self:
        """Start and wait until connections are accepted."""
        self._thread.start()
        self._ready.wait()
        if not self._server.started:
            raise UsageError(f"the server at {self.url} did not start")
        return self

    def stop(self) -> None:
        """Finish what is in flight, then end the thread."""
        self._server.stop_soon()
        self._thread.join()
        self._sock.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
