"""Every benchmark by name. A new one is a module beside this one and one line below.

The module has a function `figures() -> Iterator[Figure]` and raises `Skipped(reason)` where it cannot run. It is run in
a process of its own, so memory it finds in use is its own, and nothing warms up for anybody else.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tests.benchmarks.figures import Figure, Skipped

BENCHMARKS: Final = {
    "start": "tests.benchmarks.start",
    "reads": "tests.benchmarks.reads",
    "deliveries": "tests.benchmarks.deliveries",
    "ladder": "tests.benchmarks.ladder",
    "calls": "tests.benchmarks.calls",
    "worlds": "tests.benchmarks.worlds",
    "in process": "tests.benchmarks.in_process",
    "fixture": "tests.benchmarks.fixture",
}


def measure(name: str) -> list[Figure] | str:
    """Run one benchmark here; returns its figures, or why it was skipped."""
    try:
        return list(import_module(BENCHMARKS[name]).figures())
    except Skipped as reason:
        return str(reason)
