"""Every facade test runs in each place a world can live in; one session serves a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from simulator.testing import Account, Options, Session

Opened = Callable[..., Account]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


@pytest.fixture(params=[True, False], ids=["sockets", "in_process"])
def opened(request: pytest.FixtureRequest, session: Session) -> Iterator[Opened]:
    """Open accounts in this place; they are closed with the test."""
    with ExitStack() as stack:
        yield lambda **words: stack.enter_context(session.open(Options.of({"sockets": request.param, **words})))


@pytest.fixture
def account(opened: Opened) -> Account:
    return opened(seed=7)
