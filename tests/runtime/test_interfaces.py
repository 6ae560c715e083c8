from __future__ import annotations

from functools import partial, wraps
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

from simulator.errors import UsageError
from simulator.runtime.interfaces import as_asgi, interface_of


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...
def plain_asgi(scope: Any, receive: Any, send: Any) -> Any: ...
def wsgi(environ: Any, start_response: Any) -> Any: ...
async def bound(before: Any, scope: Any, receive: Any, send: Any) -> None: ...


class Callables:
    async def asgi(self, scope: Any, receive: Any, send: Any) -> None: ...
    def wsgi(self, environ: Any, start_response: Any) -> Any: ...


class AsgiObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class WsgiObject:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


@wraps(asgi)
def decorated(*args: Any) -> Any: ...


@pytest.mark.parametrize(
    "app",
    [asgi, plain_asgi, AsgiObject(), Callables().asgi, partial(bound, 1), decorated, Starlette(), FastAPI()],
)
def test_an_asgi_application_is_known_by_what_it_takes(app: Any) -> None:
    assert interface_of(app) == "asgi"
    assert as_asgi(app) is app


@pytest.mark.parametrize(
    "app", [wsgi, WsgiObject(), Callables().wsgi, partial(plain_asgi, 1), Flask("x"), Flask("x").wsgi_app]
)
def test_a_wsgi_application_is_known_by_what_it_takes(app: Any) -> None:
    assert interface_of(app) == "wsgi"
    assert interface_of(as_asgi(app)) == "asgi"


def test_whoever_knows_better_is_believed() -> None:
    assert interface_of(wsgi, "asgi") == "asgi"
    assert interface_of(asgi, "wsgi") == "wsgi"


@pytest.mark.parametrize("app", [lambda: None, lambda *args: None, print, max])
def test_what_could_be_either_has_to_be_told(app: Any) -> None:
    with pytest.raises(UsageError, match='say interface="asgi" or "wsgi"'):
        interface_of(app)


@pytest.mark.parametrize("app", ["my_app:app", None, 7])
def test_what_cannot_be_called_is_no_application(app: Any) -> None:
    with pytest.raises(UsageError, match="is no application"):
        interface_of(app, "asgi")


def test_another_interface_does_not_exist() -> None:
    with pytest.raises(UsageError, match="'rsgi' does not exist"):
        interface_of(asgi, "rsgi")  # type: ignore[arg-type]
