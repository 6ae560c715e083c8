"""What a fresh world costs a test: the fixture asked for and left alone, against a test that is empty."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.measuring import REPEATS, medians

TESTS: Final = 200  # of each kind in one run, in turns
WORLDS: Final = {"in process": False, "with sockets": True}

# The median of a whole test, setup and teardown included, by the first part of its name.
CONFTEST: Final = """
import statistics, time, pytest
taken = {}

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    began = time.perf_counter()
    result = yield
    taken.setdefault(item.name.split("[")[0], []).append(time.perf_counter() - began)
    return result

def pytest_unconfigure():
    print("MEDIANS", *(f"{name}={statistics.median(times[1:])}" for name, times in taken.items()))
"""
BODY: Final = """
import pytest
numbers = pytest.mark.parametrize("number", range({tests}), scope="session")

@numbers
def test_empty(number): ...

@numbers
@pytest.mark.agentphone(sockets={sockets})
def test_world(number, agentphone): ...
"""


def figures() -> Iterator[Figure]:
    for where, sockets in WORLDS.items():
        empty, world = medians([_run(sockets=sockets) for _ in range(REPEATS)])
        added = (world - empty) * 1000
        what = f"a fresh world for a test, {where}"
        yield Figure(what, added, "ms", at_most=1, yardstick=empty * 1000, beside="an empty test itself")


def _run(*, sockets: bool) -> tuple[float, float]:
    """Seconds of an empty test, and of one with a world."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text(CONFTEST, "utf-8")
        Path(folder, "test_worlds.py").write_text(BODY.format(tests=TESTS, sockets=sockets), "utf-8")
        env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "simulator.pytest_plugin", folder]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if "MEDIANS" in line)
    found = dict(word.split("=") for word in line.partition("MEDIANS ")[2].split())
    return float(found["test_empty"]), float(found["test_world"])
