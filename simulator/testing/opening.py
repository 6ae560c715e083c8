"""Opening accounts: one server for all of a process's tests, started by the first that needs it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.testing.account import Account
from simulator.testing.options import Options
from simulator.testing.places import DOOR_KEY, OverSockets, Place, Server


class Session:
    """The worlds of one test run. Starts nothing until an account is opened."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._starting = threading.Lock()
        self._numbers = itertools.count(1)

    def open(self, options: Options) -> Account:
        """Open a fresh account: in process, or with its application on a socket."""
        return Account(self._place(options), options)

    def _place(self, options: Options) -> Place:
        server = self.server()
        if options.sockets:
            return OverSockets.open(server, options)
        from simulator.testing.process import InProcess

        return InProcess.open(server.front, f"{DOOR_KEY}_{next(self._numbers)}", options)

    def server(self) -> Server:
        """The server, started if need be."""
        with self._starting:
            if self._server is None:
                self._server = Server()
            return self._server

    def close(self) -> None:
        """Stop what was started."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()


@contextmanager
def open_account(**words: Any) -> Iterator[Account]:
    """A fresh account, without pytest: for unittest, notebooks, or each example of a hypothesis test.

    `words` are those of `Options`: `seed=1, clock="manual", contract="2026-07", sockets=True`. Raises UsageError for
    others. Opening many, one after the other: use one `Session`, which keeps its server.
    """
    options = Options.of(words)
    session = Session()
    try:
        with session.open(options) as account:
            yield account
    finally:
        session.close()
