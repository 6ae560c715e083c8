from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from simulator.testing.failing import MOST_KEPT, Errors

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def errors() -> Iterator[Errors]:
    errors = Errors()
    yield errors
    errors.close()


async def nothing(_: Any = None) -> dict[str, Any]:
    return {"type": "http.request", "body": b""}


@pytest.mark.parametrize("sent", [[], [{"type": "http.response.start", "status": 200, "headers": []}]])
async def test_an_unanswered_request_s_exception_is_noted_and_goes_on(errors: Errors, sent: list[Any]) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in sent:
            await send(message)
        raise ZeroDivisionError("of all things")

    with pytest.raises(ZeroDivisionError):
        await errors.watch(app, "asgi")({"type": "http"}, nothing, nothing)
    assert [text.splitlines()[-1] for text in errors] == ["ZeroDivisionError: of all things"]


async def test_an_exception_after_the_whole_answer_is_noted_and_stops(errors: Errors) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        raise ZeroDivisionError("of all things")

    await errors.watch(app, "asgi")({"type": "http"}, nothing, nothing)
    assert len(errors) == 1


async def test_an_application_without_a_lifespan_is_no_error(errors: Errors) -> None:
    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError(scope["type"])

    with pytest.raises(AssertionError):
        await errors.watch(app, "asgi")({"type": "lifespan"}, nothing, nothing)
    assert len(errors) == 0


def test_exceptions_of_a_wsgi_application_are_noted_wherever_they_come(errors: Errors) -> None:
    closed = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"one"
            raise ZeroDivisionError("in the body")

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/at-once":
            raise ZeroDivisionError("at once")
        return Body()

    watched = errors.watch(app, "wsgi")
    with pytest.raises(ZeroDivisionError, match="at once"):
        watched({"PATH_INFO": "/at-once"}, None)
    body = watched({"PATH_INFO": "/"}, None)
    assert next(body) == b"one"
    with pytest.raises(ZeroDivisionError, match="in the body"):
        next(body)
    body.close()
    assert closed == [True]
    assert [text.splitlines()[-1].partition(": ")[2] for text in errors] == ["at once", "in the body"]


def logged(error: Exception) -> None:
    logging.getLogger("shop").error("failed", exc_info=error)


def test_what_is_logged_with_a_traceback_on_another_thread_is_noted_once(errors: Errors) -> None:
    errors.watch(lambda _environ, _start: [], "wsgi")
    error = ZeroDivisionError("of all things")
    for _ in range(2):
        thread = threading.Thread(target=logged, args=(error,))
        thread.start()
        thread.join()
    assert len(errors) == 1


def test_what_the_test_logs_itself_is_its_own_affair(errors: Errors) -> None:
    errors.watch(lambda _environ, _start: [], "wsgi")
    logged(ZeroDivisionError("mine"))
    assert len(errors) == 0


def test_there_is_an_end_to_what_is_kept(errors: Errors) -> None:
    for number in range(MOST_KEPT + 5):
        errors.note(ValueError(number))
    assert len(errors) == MOST_KEPT
    errors.clear()
    assert len(errors) == 0
