"""How time and memory are taken: child processes, medians of interleaved repeats, memory as the system sees it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from simulator.settings import DEFAULT_API_KEY

HERE = Path(__file__).parent
KEY = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
CALLER = "+14155550150"
REPEATS = 5
SERVE = [sys.executable, "-m", "simulator", "serve", "--port", "0"]
LEAN = [sys.executable, str(HERE / "lean.py")]


@contextmanager
def process(argv: list[str], word: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A child that prints `word URL` when it is ready."""
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=compiled)
    assert child.stdout is not None
    try:
        line = next(line for line in child.stdout if line.startswith(word))
        yield line.split()[-1], child
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


@contextmanager
def handler() -> Iterator[str]:
    """The URL of a webhook endpoint, in a process of its own, that costs as little as possible."""
    with process([sys.executable, str(HERE / "handler.py")], "listening") as (url, _):
        yield url


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def medians(rounds: Sequence[Sequence[float]]) -> list[float]:
    """The median of each column: one row per repeat, one column per contestant."""
    return [statistics.median(column) for column in zip(*rounds, strict=True)]
