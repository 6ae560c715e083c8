"""`target`: the server under test. Ours on a real socket by default; any other with `--base-url` and `--api-key`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings

from contract_tests.target import PATIENCE, Target
from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.runtime.server import THREAD_NAME, ServerThread
from simulator.settings import DEFAULT_API_KEY, Settings
from tests.helpers.webhook_receiver import Receiver

ACCOUNTS: Final = 400  # every test, and every Hypothesis example, may have a world of its own

settings.register_profile(
    "contract", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
# In CI the same cases every time, and no minutes spent on shrinking: set CI=1 to see the same failure at home.
settings.register_profile(
    "contract-ci",
    settings.get_profile("contract"),
    derandomize=True,
    phases=[phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}],
)
settings.load_profile("contract-ci" if os.environ.get("CI") else "contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "contract tests")
    group.addoption("--base-url", default=None, help="aim the contract tests at this server instead of our own")
    group.addoption("--api-key", default=DEFAULT_API_KEY, help="the key to use with --base-url")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Two workers would disturb each other in the one account of a foreign server."""
    if config.getoption("--base-url") is not None and config.pluginmanager.hasplugin("xdist"):
        config.option.numprocesses, config.option.dist = 0, "no"


def account_keys(count: int = ACCOUNTS) -> tuple[str, ...]:
    return tuple(f"sk_live_contract_{number:04d}" for number in range(count))


class Alarm(logging.Handler):
    """Remembers what our server logs as an error: work in the background has no answer to turn red."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == THREAD_NAME:  # other tests of the same process break things on purpose
            self.heard.append(self.format(record))


@pytest.fixture(scope="session")
def alarm() -> Iterator[Alarm]:
    alarm = Alarm()
    logging.getLogger().addHandler(alarm)
    yield alarm
    logging.getLogger().removeHandler(alarm)
    assert alarm.heard == []


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, alarm: Alarm) -> Iterator[Target]:
    """One server for the whole run; its clock is manual, so that nothing happens that a test did not ask for."""
    base_url = request.config.getoption("--base-url")
    if base_url is not None:
        with httpx.Client(base_url=base_url, timeout=PATIENCE) as http:
            yield Target(http, [request.config.getoption("--api-key")], ours=False)
        return
    keys = account_keys()
    simulator = build_simulator(Settings(api_keys=keys, clock=ClockMode.MANUAL, real_patience=timedelta(seconds=10)))
    with ServerThread(build_app(simulator)) as running, httpx.Client(base_url=running.url, timeout=PATIENCE) as http:
        yield Target(http, list(keys), ours=True)


@pytest.fixture
def target(server: Target) -> Target:
    """An account no other test has touched, or the only one a foreign server has."""
    return server.fresh()


@pytest.fixture
def ours(target: Target) -> Target:
    """An account of our own server, for what describes itself and can be told what people do."""
    if not target.ours:
        pytest.skip("needs our own server: it looks at /openapi.json and at /_sim")
    return target


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A webhook endpoint that accepts everything."""
    with Receiver() as running:
        yield running
