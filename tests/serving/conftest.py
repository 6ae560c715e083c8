"""Every serving test runs on asyncio against a dispatcher of its own."""

from __future__ import annotations

import pytest

from tests.helpers.api import Api


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> Api:
    return Api()
