"""What kind of application somebody wrote, and how it is served: as ASGI, whatever it is."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Final, Literal

from simulator.errors import UsageError

Interface = Literal["auto", "asgi", "wsgi"]
KINDS: Final = ("auto", "asgi", "wsgi")
ASGI_ARGUMENTS: Final = 3  # scope, receive, send
WSGI_ARGUMENTS: Final = 2  # environ, start_response
WORKERS: Final = 40  # threads that a WSGI application may use, as many as frameworks give to plain functions


def interface_of(app: Any, interface: Interface = "auto") -> Literal["asgi", "wsgi"]:
    """Say which of the two an application speaks. Raises UsageError for what is no application."""
    if interface not in KINDS:
        raise UsageError(f"interface {interface!r} does not exist: choose one of {', '.join(KINDS)}")
    if not callable(app):
        raise UsageError(f"{app!r} is no application: give an ASGI or WSGI callable")
    if interface != "auto":
        return interface
    call = app
    while isinstance(call, partial):
        call = call.func
    if not (inspect.isfunction(call) or inspect.ismethod(call)):
        call = type(call).__call__
    if inspect.iscoroutinefunction(inspect.unwrap(call)):
        return "asgi"
    try:
        needed = [p for p in inspect.signature(app).parameters.values() if p.default is p.empty]
    except (TypeError, ValueError):
        needed = []
    if len(needed) == ASGI_ARGUMENTS:
        return "asgi"
    if len(needed) == WSGI_ARGUMENTS:
        return "wsgi"
    raise UsageError(f'cannot tell whether {app!r} is an ASGI or a WSGI application: say interface="asgi" or "wsgi"')


def as_asgi(app: Any, interface: Interface = "auto") -> Any:
    """The application as ASGI; a WSGI one answers from threads of its own, each piece when it has it."""
    if interface_of(app, interface) == "asgi":
        return app
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(app, workers=WORKERS)
