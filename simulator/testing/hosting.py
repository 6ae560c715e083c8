"""The application under test on a real socket: ASGI by uvicorn, WSGI by the standard library's threaded server."""

from __future__ import annotations

import threading
from socketserver import ThreadingMixIn
from typing import Any, Final, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from simulator.runtime.interfaces import Interface, interface_of

POLL: Final = 0.02  # real seconds until a WSGI server that shall stop has noticed it


class Served(Protocol):
    """An application that is being served."""

    url: str

    def stop(self) -> None:
        """Serve it no longer."""


def serve(app: Any, interface: Interface = "auto") -> Served:
    """Serve an application on a free loopback port until it is stopped."""
    if interface_of(app, interface) == "wsgi":
        return _WsgiThread(app)
    from simulator.runtime.server import ServerThread

    return ServerThread(app, lifespan="auto").start()


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128  # the default of five refuses a burst of deliveries

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a caller who hangs up while the handler still writes is a test like any other."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own word
        """Say nothing: the journal keeps the record of requests."""


class _WsgiThread:
    def __init__(self, app: Any) -> None:
        self._server = make_server("127.0.0.1", 0, app, server_class=_Threaded, handler_class=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """See `Served`."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
