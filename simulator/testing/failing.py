"""Exceptions of the application under test: noted on their way to whoever serves it, so that a report can show them."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

MOST_KEPT: Final = 20  # of one test; a handler that fails at every turn fails alike


class Errors:
    """What went wrong inside the application: raised out of it, or logged by it with a traceback on its own threads.

    A framework that turns exceptions into a 500 logs them (Flask, Django); one that raises them again is seen here
    first (Starlette, FastAPI). What is raised after the whole answer was sent goes no further: a server would close the
    connection for it, with the next request on its way into that perhaps.
    """

    def __init__(self) -> None:
        self._seen: list[BaseException] = []
        self._texts: list[str] = []
        self._log: _Listener | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._texts))

    def __len__(self) -> int:
        return len(self._texts)

    def note(self, error: BaseException) -> None:
        """Keep one exception, once."""
        if any(error is seen for seen in self._seen) or len(self._texts) >= MOST_KEPT:
            return
        self._seen.append(error)
        self._texts.append("".join(traceback.format_exception(error)).rstrip())

    def clear(self) -> None:
        """Forget them."""
        self._seen.clear()
        self._texts.clear()

    def watch(self, app: Any, interface: Literal["asgi", "wsgi"]) -> Any:
        """The application with its exceptions noted."""
        if self._log is None:
            self._log = _Listener(self)
            logging.getLogger().addHandler(self._log)
        return _Asgi(app, self) if interface == "asgi" else _Wsgi(app, self)

    def close(self) -> None:
        """Listen no longer."""
        if self._log is not None:
            logging.getLogger().removeHandler(self._log)
            self._log = None


class _Listener(logging.Handler):
    def __init__(self, errors: Errors) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors
        self._own = threading.get_ident()  # the test's thread, whose logging is its own affair

    def emit(self, record: logging.LogRecord) -> None:
        """See `Errors`."""
        if record.thread != self._own and record.exc_info and record.exc_info[1] is not None:
            self._errors.note(record.exc_info[1])


class _Asgi:
    def __init__(self, app: Any, errors: Errors) -> None:
        self._app = app
        self._errors = errors

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":  # an application says by an exception that it has no lifespan
            await self._app(scope, receive, send)
            return
        answered = False

        async def seen(message: Any) -> None:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, seen)
        except Exception as error:
            self._errors.note(error)
            if not answered:
                raise


class _Wsgi:
    def __init__(self, app: Any, errors: Errors) -> None:
        self._app = app
        self._errors = errors

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        try:
            return _Noted(self._app(environ, start_response), self._errors)
        except Exception as error:
            self._errors.note(error)
            raise


class _Noted:
    """A WSGI answer whose exceptions are noted."""

    def __init__(self, body: Iterable[bytes], errors: Errors) -> None:
        self._body = body
        self._errors = errors
        self._parts = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except StopIteration:
            raise
        except Exception as error:
            self._errors.note(error)
            raise

    def close(self) -> None:
        """Close the answer, as whoever serves it must."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
